// The numbers that benchmarks work on: aligned arrays, random values, files of raw floats.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

/// Starts every array on a cache line, as the peers' own arrays do.
template <class T> struct cache_aligned {
  using value_type = T;
  cache_aligned() = default;
  template <class U> cache_aligned(const cache_aligned<U>&) noexcept {}
  static constexpr std::align_val_t align{64};
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), align)); }
  void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, align); }
  bool operator==(const cache_aligned&) const = default;
};
using numbers = std::vector<float, cache_aligned<float>>;

/// Numbers between -scale and scale, the same at every start.
inline numbers random_numbers(std::size_t n, std::uint32_t seed, float scale) {
  numbers out(n);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;  // Numerical Recipes' generator
    x = scale * (static_cast<float>(seed >> 8) / 8388608.0f - 1.0f);
  }
  return out;
}

/// All floats of a file; empty when it cannot be read.
inline numbers read_floats(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  numbers out;
  if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) return out;
  out.resize(static_cast<std::size_t>(std::ftell(file.get())) / sizeof(float));
  std::rewind(file.get());
  if (std::fread(out.data(), sizeof(float), out.size(), file.get()) != out.size()) out.clear();
  return out;
}
inline bool write_floats(const std::string& path, std::span<const float> data) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = std::fwrite(data.data(), sizeof(float), data.size(), file) == data.size();
  return std::fclose(file) == 0 && written;
}

/// |a - b| / |b|, Euclidean norms; infinite when the sizes differ or something is not a number.
inline double difference(std::span<const float> a, std::span<const float> b) {
  double apart = 0, whole = 0;
  for (std::size_t i = 0; i < a.size() && a.size() == b.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    apart += (x - y) * (x - y);
    whole += y * y;
  }
  const double relative = std::sqrt(apart / whole);
  return a.size() == b.size() && std::isfinite(relative) ? relative : INFINITY;
}

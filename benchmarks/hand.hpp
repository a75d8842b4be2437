// relu(a * x + b) * c + tanh(d) as loops written by hand.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>
#include <cstddef>
#include <xsimd/xsimd.hpp>

namespace hand {

/// The five inputs of the chain.
struct operands {
  const float *a, *x, *b, *c, *d;
};

/// As one writes it down. The compiler cannot vectorise a loop that calls std::tanh.
[[gnu::noinline]] inline void plain(operands in, float* y, std::ptrdiff_t begin,
                                    std::ptrdiff_t end) {
  for (std::ptrdiff_t i = begin; i < end; ++i) {
    const float line = in.a[i] * in.x[i] + in.b[i];
    y[i] = (line > 0 ? line : 0) * in.c[i] + std::tanh(in.d[i]);
  }
}

using vec = xsimd::batch<float>;

/// The polynomials of tenon/language/elementary.hpp, written over registers.
[[gnu::always_inline]] inline vec tanh(vec x) {
  using xsimd::fma;
  const vec z = x * x, size = xsimd::abs(x);
  vec p = fma(z, vec(-0x1.734388p-8f), vec(0x1.519498p-6f));
  p = fma(p, z, vec(-0x1.b826a4p-5f));
  p = fma(p, z, vec(0x1.110686p-3f));
  p = fma(p, z, vec(-0x1.55553p-2f));
  const vec small = x * fma(p, z, vec(1.0f));

  const vec a = xsimd::min(size, vec(9.02f));
  const vec rounder(12582912.0f + 127.0f);  // leaves an integer in the low bits
  const vec sum = fma(a, vec(0x1.715476p+1f), rounder), k = sum - rounder;
  const vec h = fma(k, vec(-0x1.62e43p-2f), a);
  vec e = fma(h, vec(0x1.6a4f5ap-4f), vec(0x1.123986p-2f));
  e = fma(e, h, vec(0x1.5558aep-1f));
  e = fma(e, h, vec(0x1.555492p+0f));
  e = fma(e, h, vec(0x1.fffffcp+0f));
  e = fma(e, h, vec(2.0f));
  e = fma(e, h, vec(1.0f));
  const auto power = xsimd::bitwise_cast<xsimd::batch<std::int32_t>>(sum) << 23;
  const vec large = vec(1.0f) - vec(2.0f) / fma(e, xsimd::bitwise_cast<vec>(power), vec(1.0f));
  return xsimd::select(size < vec(0.62f), small, xsimd::select(x < vec(0.0f), -large, large));
}

/// The same loop over registers. `begin` and `end` are multiples of a register.
[[gnu::noinline]] inline void vectors(operands in, float* y, std::ptrdiff_t begin,
                                      std::ptrdiff_t end) {
  const auto at = [](const float* p, std::ptrdiff_t i) { return vec::load_unaligned(p + i); };
  for (std::ptrdiff_t i = begin; i < end; i += static_cast<std::ptrdiff_t>(vec::size)) {
    const vec line = xsimd::fma(at(in.a, i), at(in.x, i), at(in.b, i));
    const vec positive = xsimd::max(line, vec(0.0f));
    xsimd::fma(positive, at(in.c, i), tanh(at(in.d, i))).store_unaligned(y + i);
  }
}

}  // namespace hand

// What a run of the tests is given from outside: the seed of everything random, and how much to do.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace tenon_test {

/// The seed of this run: TENON_SEED, or a fresh one; printed once.
inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("TENON_SEED");
    const std::uint64_t s = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::printf("seed: TENON_SEED=%llu\n", static_cast<unsigned long long>(s));
    std::fflush(stdout);
    return s;
  }();
  return value;
}
/// How many random graphs: TENON_GRAPHS, or what a test does without it.
inline int number_of_graphs(int otherwise) {
  const char* given = std::getenv("TENON_GRAPHS");
  return given != nullptr ? std::atoi(given) : otherwise;
}

}  // namespace tenon_test

// A bound contraction of integers, and where it stands in bound memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/bound_layout.hpp>
#include <tenon/policy/cpu/dot_plan.hpp>
#include <tenon/policy/cpu/program.hpp>

namespace tenon::simd {

/// A bound contraction of integers.
struct dot_work {
  dot_plan plan{};
  function epilogue{};
  const dot_word *at = nullptr, *first = nullptr, *weights = nullptr;  ///< see dot_tile
  const float* scale = nullptr;
  dot_word zero = 0;  ///< the image's zero point, without a sign
  i64 scratch_offset = 0;
};
/// The layout of bound memory: the bound form, the terms' offsets, and for each filter of all
/// matrices the initial value of its sums, and its scale.
struct dot_memory {
  dot_work* work;
  dot_word *at, *first;
  float* scale;
  i64 bytes;
};
constexpr dot_memory lay_out(const dot_plan& plan, std::byte* at) noexcept {
  bound_layout memory(at);
  auto* work = memory.take<dot_work>();
  auto* terms = memory.take<dot_word>(plan.terms());
  auto* first = memory.take<dot_word>(plan.matrices * plan.filters());
  auto* scale = memory.take<float>(plan.matrices * plan.filters());
  return {work, terms, first, scale, memory.bytes()};
}

}  // namespace tenon::simd

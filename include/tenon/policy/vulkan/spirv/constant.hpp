// SPIR-V that the compiler writes: a constant of the program.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/assembler.hpp>
#include <array>

namespace tenon::spirv {

/// The words that `Write()` gives, as an array among the program's constants. `Write` uses an
/// `assembler`, or emits a group of a plan.
///
/// ```cpp
/// constexpr auto& words = spirv::constant<negate>;
/// auto module = device.createShaderModule({{}, sizeof words, words.data()});
/// ```
///
/// Cost: compile time; clang's limit of 1,048,576 steps is enough for some thousand words.
template <auto Write> inline constexpr auto constant = [] {
  constexpr int size = Write().size();
  std::array<word, static_cast<std::size_t>(size)> words{};
  const sequence<word> written = Write();
  for (int i = 0; i < size; ++i) words[static_cast<std::size_t>(i)] = written[i];
  return words;
}();

}  // namespace tenon::spirv

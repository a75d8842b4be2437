// Wrong options and operands, for fuzzers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/random.hpp>
#include <tenon/trial/text.hpp>

namespace tenon::trial {

/// Numbers around the limits of ranks, bytes, float32's integers and 32 and 64 bits: where checks
/// of operators overflow.
inline i64 any_number(choices& decide) {
  constexpr i64 usual[] = {0,
                           1,
                           -1,
                           2,
                           3,
                           7,
                           8,
                           9,
                           63,
                           64,
                           255,
                           4096,
                           1 << 24,
                           (1 << 24) + 1,
                           i64{1} << 31,
                           i64{1} << 32,
                           i64{1} << 40,
                           std::numeric_limits<i64>::max(),
                           std::numeric_limits<i64>::min()};
  return decide.pick(usual);
}
/// Changes an option into anything at all.
template <class T> void spoil_field(choices& decide, T& field) {
  if constexpr (std::is_same_v<T, bool>) {
    field = !field;
  } else if constexpr (std::is_same_v<T, axis_list>) {
    field.count = decide.in(-1, max_rank + 1);
    for (int i = 0; i < field.count && i < max_rank; ++i)
      field.item[i] = decide.one_in(4) ? any_number(decide) : decide.below(9);
  } else if constexpr (std::is_floating_point_v<T>) {
    constexpr T usual[] = {0, -1, std::numeric_limits<T>::infinity(),
                           std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::max()};
    field = decide.pick(usual);
  } else if constexpr (std::is_integral_v<T>) {
    field = static_cast<T>(any_number(decide));
  } else if constexpr (std::is_aggregate_v<T> && !std::is_array_v<T>) {
    each_field(field, [&](auto& part) {
      if (decide.one_in(2)) spoil_field(decide, part);
    });
  }
}
/// Sometimes changes options or operands: one time in four the options; rarely one operand too many
/// or too few, or another one. Operands are positions below `size`.
template <class Options>
void spoil(choices& decide, Options& o, std::vector<int>& operands, int size) {
  if (decide.one_in(4)) spoil_field(decide, o);
  if (decide.one_in(16) && operands.size() < 9) operands.push_back(decide.below(size));
  if (decide.one_in(16)) operands.pop_back();
  for (int& v : operands)
    if (decide.one_in(16)) v = decide.below(size);
}

}  // namespace tenon::trial

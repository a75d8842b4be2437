// The operators that random graphs are made of: one entry for each, which draws its operands and
// options. A new operator is in a list of its family, or a new entry.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/draw_layers.hpp>
#include <tenon/trial/draw_maps.hpp>
#include <tenon/trial/draw_moves.hpp>
#include <tenon/trial/draw_products.hpp>
#include <algorithm>
#include <array>

namespace tenon::trial {

/// Adds one operator with random operands to a graph; -1 if it could not.
struct operator_entry {
  const char* name;
  int (*add)(maker& m);
};

/// An entry for each operator of a list, whose generators are of one form.
template <class... Op, class Generator>
constexpr auto each_of(operator_list<Op...>, Generator generator) {
  return std::array<operator_entry, sizeof...(Op)>{
      {{Op::name, generator.template operator()<Op>()}...}};
}
template <std::size_t... N> constexpr auto joined(const std::array<operator_entry, N>&... parts) {
  std::array<operator_entry, (N + ...)> all{};
  auto next = all.begin();
  ((next = std::copy(parts.begin(), parts.end(), next)), ...);
  return all;
}

/// Every operator of the library, each drawn equally often. Decision 0 is the first entry:
/// shrinking turns operators into maps where the failure does not depend on them.
template <class = void> list<operator_entry> operators() {
  constexpr auto unary = []<class Op>() { return draw::unary<Op>; };
  constexpr auto binary = []<class Op>() { return draw::binary<Op>; };
  static constexpr auto all = joined(
      std::to_array<operator_entry>({
          {"map", draw::program},
          {"add a number", [](maker& m) { return draw::number<add_t, false>(m, "add"); }},
          {"sub from a number", [](maker& m) { return draw::number<sub_t, true>(m, "sub"); }},
          {"mul by a number", [](maker& m) { return draw::number<mul_t, false>(m, "mul"); }},
          {"div a number", [](maker& m) { return draw::number<div_t, true>(m, "div"); }},
          {"clamp", draw::clamp},
          {"where", draw::where},
          {"cast", draw::cast},
      }),
      each_of(binary_operators{}, binary), each_of(comparison_operators{}, binary),
      each_of(binary_logic_operators{}, binary), each_of(unary_operators{}, unary),
      each_of(unary_logic_operators{}, unary),
      each_of(activation_operators{}, []<class Op>() { return draw::with_options<Op>; }),
      each_of(reduce_operators{}, []<class Op>() { return draw::reduce<Op>; }),
      each_of(arg_operators{}, []<class Op>() { return draw::position<Op>; }),
      each_of(pool2d_operators{}, []<class Op>() { return draw::pool2d<Op>; }),
      std::to_array<operator_entry>({
          {"softmax", draw::softmax},
          {"layerNormalization", draw::layerNormalization},
          {"batchNormalization", draw::batchNormalization},
          {"instanceNormalization", draw::instanceNormalization},
          {"attention", draw::attention},
          {"cumulativeSum", draw::cumulativeSum},
          {"gru", draw::gru},
          {"gruCell", draw::gruCell},
          {"lstm", draw::lstm},
          {"lstmCell", draw::lstmCell},
          {"matmul", draw::matmul},
          {"gemm", draw::gemm},
          {"conv2d", draw::conv2d},
          {"convTranspose2d", draw::convTranspose2d},
          {"reshape", draw::reshape},
          {"transpose", draw::transpose},
          {"slice", draw::slice},
          {"split", draw::split},
          {"concat", draw::concat},
          {"expand", draw::expand},
          {"tile", draw::tile},
          {"reverse", draw::reverse},
          {"pad", draw::pad},
          {"triangular", draw::triangular},
          {"resample2d", draw::resample2d},
          {"quantizeLinear", draw::linear_codes<quantizeLinear_t>},
          {"dequantizeLinear", draw::linear_codes<dequantizeLinear_t>},
          {"gather", draw::gather},
          {"gatherElements", draw::gatherElements},
          {"gatherND", draw::gatherND},
          {"scatterElements", draw::scatterElements},
          {"scatterND", draw::scatterND},
      }));
  return {all.data(), static_cast<int>(all.size())};
}

/// Makes a graph of the decisions: its kind, one operand, then operators. One time in twelve an
/// operator is the last one, so that graphs have about ten. `counts`, if given, counts the
/// operators by entry. Not inline: a program can compile this, and all generators, in one source.
template <class = void>
random_graph make_graph(choices& d, const limits& l, std::vector<int>* counts = nullptr) {
  const list<operator_entry> all = operators();
  if (counts != nullptr) counts->resize(static_cast<std::size_t>(all.size));
  maker m(d, l);
  m.choose_kind();
  m.any();
  for (int n = 0; n < l.operators && !m.refused(); ++n) {
    const int which = d.below(all.size);
    const int value = all[which].add(m);
    m.put(value);
    if (counts != nullptr) (*counts)[static_cast<std::size_t>(which)] += value >= 0;
    if (d.below(12) == 0) break;  // 0 is the simplest: no more
  }
  return m.finish();
}

}  // namespace tenon::trial

// The operators that random graphs are made of: one entry for each, which draws its operands and
// options. A new operator is a new entry.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/draw_layers.hpp>
#include <tenon/trial/draw_maps.hpp>
#include <tenon/trial/draw_moves.hpp>
#include <tenon/trial/draw_products.hpp>

namespace tenon::trial {

/// Adds one operator with random operands to a graph; -1 if it could not.
struct operator_entry {
  const char* name;
  int (*add)(maker& m);
};

/// Every operator of the library, each drawn equally often. Decision 0 is the first entry:
/// shrinking turns operators into maps where the failure does not depend on them.
template <class = void> list<operator_entry> operators() {
  static constexpr operator_entry all[] = {
      {"map", draw::program},
      {"add", draw::binary<add_t>},
      {"sub", draw::binary<sub_t>},
      {"mul", draw::binary<mul_t>},
      {"div", draw::binary<div_t>},
      {"add a number", [](maker& m) { return draw::number<add_t, false>(m, "add"); }},
      {"sub from a number", [](maker& m) { return draw::number<sub_t, true>(m, "sub"); }},
      {"mul by a number", [](maker& m) { return draw::number<mul_t, false>(m, "mul"); }},
      {"div a number", [](maker& m) { return draw::number<div_t, true>(m, "div"); }},
      {"relu", draw::unary<relu_t>},
      {"sigmoid", draw::unary<sigmoid_t>},
      {"tanh", draw::unary<tanh_t>},
      {"exp", draw::unary<exp_t>},
      {"identity", draw::unary<identity_t>},
      {"abs", draw::unary<abs_t>},
      {"neg", draw::unary<neg_t>},
      {"ceil", draw::unary<ceil_t>},
      {"floor", draw::unary<floor_t>},
      {"roundEven", draw::unary<roundEven_t>},
      {"sign", draw::unary<sign_t>},
      {"sqrt", draw::unary<sqrt_t>},
      {"reciprocal", draw::unary<reciprocal_t>},
      {"log", draw::unary<log_t>},
      {"sin", draw::unary<sin_t>},
      {"cos", draw::unary<cos_t>},
      {"tan", draw::unary<tan_t>},
      {"erf", draw::unary<erf_t>},
      {"softplus", draw::unary<softplus_t>},
      {"softsign", draw::unary<softsign_t>},
      {"hardSwish", draw::unary<hardSwish_t>},
      {"gelu", draw::unary<gelu_t>},
      {"logicalNot", draw::unary<logicalNot_t>},
      {"isNaN", draw::unary<isNaN_t>},
      {"isInfinite", draw::unary<isInfinite_t>},
      {"elu", draw::with_options<elu_t>},
      {"leakyRelu", draw::with_options<leakyRelu_t>},
      {"hardSigmoid", draw::with_options<hardSigmoid_t>},
      {"linear", draw::with_options<linear_t>},
      {"clamp", draw::clamp},
      {"max", draw::binary<max_t>},
      {"min", draw::binary<min_t>},
      {"pow", draw::binary<pow_t>},
      {"prelu", draw::binary<prelu_t>},
      {"equal", draw::binary<equal_t>},
      {"notEqual", draw::binary<notEqual_t>},
      {"greater", draw::binary<greater_t>},
      {"greaterOrEqual", draw::binary<greaterOrEqual_t>},
      {"lesser", draw::binary<lesser_t>},
      {"lesserOrEqual", draw::binary<lesserOrEqual_t>},
      {"logicalAnd", draw::binary<logicalAnd_t>},
      {"logicalOr", draw::binary<logicalOr_t>},
      {"logicalXor", draw::binary<logicalXor_t>},
      {"where", draw::where},
      {"cast", draw::cast},
      {"reduceSum", draw::reduce<reduceSum_t>},
      {"reduceProduct", draw::reduce<reduceProduct_t>},
      {"reduceMax", draw::reduce<reduceMax_t>},
      {"reduceMin", draw::reduce<reduceMin_t>},
      {"reduceMean", draw::reduce<reduceMean_t>},
      {"reduceL1", draw::reduce<reduceL1_t>},
      {"reduceL2", draw::reduce<reduceL2_t>},
      {"reduceSumSquare", draw::reduce<reduceSumSquare_t>},
      {"reduceLogSum", draw::reduce<reduceLogSum_t>},
      {"reduceLogSumExp", draw::reduce<reduceLogSumExp_t>},
      {"argMin", draw::position<argMin_t>},
      {"argMax", draw::position<argMax_t>},
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
      {"maxPool2d", draw::pool2d<maxPool2d_t>},
      {"averagePool2d", draw::pool2d<averagePool2d_t>},
      {"l2Pool2d", draw::pool2d<l2Pool2d_t>},
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
  };
  return {all, static_cast<int>(sizeof all / sizeof all[0])};
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

// Random graphs of every family, for tests of what holds for all plans.
// SPDX-License-Identifier: MIT
#pragma once
#include "toy.hpp"
#include <random>
#include <vector>

namespace tenon_test {

/// A random graph over 8 x 8 matrices and what is made of them: products, reductions over either
/// axis, positions, masks, transposes, reshapes, parts, joins, images that are convolved and
/// pooled, composite operators. `policies`: nodes ask for that many.
inline tn::result<tn::table> any_graph(std::mt19937& random, int nodes, int policies = 1) {
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  constexpr tn::tensor square{tn::type::float32, tn::extents(8, 8)};
  tn::builder b;
  std::vector<tn::builder::value> full{b.input("x", square), b.weight("w", square)}, rows, columns,
      masks;
  const auto filter = b.weight("f", {tn::type::float32, tn::extents(1, 1, 3, 3)});
  const auto pick = [&](const auto& from) {
    return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
  };
  const auto any = [&] { return pick(full); };
  const auto image = [&] { return b.add<tn::reshape_t>({.newShape = {1, 1, 8, 8}}, {any()}); };
  const auto matrix = [&](auto v) { return b.add<tn::reshape_t>({.newShape = {8, 8}}, {v}); };
  const auto part = [&](auto v, int row, int column, int height, int width) {
    return b.add<tn::slice_t>({.starts = {row, column}, .sizes = {height, width}}, {v});
  };
  const auto cube = [&] { return b.add<tn::reshape_t>({.newShape = {1, 8, 8}}, {any()}); };
  const auto made_or_new = [&] {
    return below(2) == 0 ? any() : b.add<tn::matmul_t>({}, {any(), any()});
  };
  for (int made = 0; made < nodes; ++made) {
    switch (below(26)) {
      case 0: full.push_back(b.add<tn::matmul_t>({}, {any(), any()})); break;
      case 1:
        rows.push_back(b.add<tn::reduceSum_t>({.axes = {1}, .keepDimensions = true}, {any()}));
        break;
      case 2:
        rows.push_back(b.add<tn::reduceMax_t>({.axes = {1}, .keepDimensions = true}, {any()}));
        break;
      case 3:
        columns.push_back(b.add<tn::reduceMax_t>({.axes = {0}, .keepDimensions = true}, {any()}));
        break;
      case 4: full.push_back(b.add<tn::transpose_t>({}, {any()})); break;
      case 5: full.push_back(b.add<tn::tanh_t>({}, {any()})); break;
      case 6:
        if (!rows.empty()) full.push_back(b.add<tn::sub_t>({}, {any(), pick(rows)}));
        break;
      case 7:
        if (!columns.empty()) full.push_back(b.add<tn::mul_t>({}, {any(), pick(columns)}));
        break;
      case 8:
        full.push_back(matrix(b.add<tn::conv2d_t>({.padding = {1, 1, 1, 1}}, {image(), filter})));
        break;
      case 9:
        full.push_back(matrix(b.add<tn::maxPool2d_t>(
            {.windowDimensions = {3, 3}, .padding = {1, 1, 1, 1}}, {image()})));
        break;
      case 10:
        if (!rows.empty()) rows.push_back(b.add<tn::exp_t>({}, {pick(rows)}));
        break;
      case 11: full.push_back(b.add<tn::softmax_t>({below(2)}, {any()})); break;
      case 12: {  // of what both hold 8 rows or columns remain
        const int axis = below(2), from = below(9);
        full.push_back(part(b.add<tn::concat_t>({axis}, {any(), any()}), axis == 0 ? from : 0,
                            axis == 1 ? from : 0, 8, 8));
        break;
      }
      case 13:
        full.push_back(
            b.add<tn::concat_t>({0}, {b.add<tn::tanh_t>({}, {part(any(), 0, 0, 3, 8)}),
                                      b.add<tn::matmul_t>({}, {part(any(), 3, 0, 5, 8), any()})}));
        break;
      case 14:
        full.push_back(
            b.add<tn::concat_t>({1}, {part(any(), 0, 0, 8, 4), part(any(), 0, 2, 8, 4)}));
        break;
      case 15: {
        const auto mode = static_cast<tn::padding_mode>(below(3));
        full.push_back(
            b.add<tn::pad_t>({.beginningPadding = {1, 2}, .endingPadding = {1, 0}, .mode = mode},
                             {part(any(), 1, 1, 6, 6)}));
        break;
      }
      case 16:
        full.push_back(
            b.add<tn::gather_t>({below(2)}, {any(), b.add<tn::argMax_t>({below(2)}, {any()})}));
        break;
      case 17: masks.push_back(b.add<tn::greater_t>({}, {made_or_new(), any()})); break;
      case 18:
        if (!masks.empty()) masks.push_back(b.add<tn::logicalNot_t>({}, {pick(masks)}));
        break;
      case 19:
        if (!masks.empty())
          full.push_back(b.add<tn::where_t>({}, {pick(masks), made_or_new(), any()}));
        break;
      case 20:
        full.push_back(b.add<tn::tile_t>({.repetitions = {2, 4}}, {part(any(), 2, 2, 4, 2)}));
        break;
      case 21: full.push_back(b.add<tn::layerNormalization_t>({.axes = {1}}, {any()})); break;
      case 22:
        full.push_back(matrix(b.add<tn::attention_t>({.heads = 2}, {cube(), cube(), cube()})));
        break;
      case 23:
        rows.push_back(b.add<tn::reduceMean_t>({.axes = {1}, .keepDimensions = true}, {any()}));
        break;
      case 24: full.push_back(b.add<tn::reverse_t>({}, {any()})); break;
      default: full.push_back(b.add<tn::add_t>({}, {any(), any()})); break;
    }
    if (policies > 1 && below(3) == 0) b.on(below(policies), full.back());
  }
  return b.finish({full.back(), any()});
}

/// A policy that runs three composite operators as one step each.
constexpr bool composes(const tn::table_view&, const tn::region& r) {
  return same_text(r.op, "softmax") || same_text(r.op, "attention") ||
         same_text(r.op, "layerNormalization");
}
inline constexpr tn::policy_facts composing{"composing", tn::sharing::same, true,
                                            &anything,   &nothing,          &composes};

/// The plan of a built graph for several policies.
inline tn::result<tn::owned_plan> planned(const tn::result<tn::table>& built,
                                          const std::vector<tn::policy_facts>& facts) {
  if (!built.ok()) return built.error();
  return tn::make_plan(built->view(), {facts.data(), static_cast<int>(facts.size())});
}

}  // namespace tenon_test

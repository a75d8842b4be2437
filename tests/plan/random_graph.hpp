// Random graphs of every family, for tests of what holds for all plans.
// SPDX-License-Identifier: MIT
#pragma once
#include "toy.hpp"
#include <random>
#include <vector>

namespace tenon_test {

/// A random graph over 8 x 8 matrices and what is made of them: products, reductions over either axis,
/// transposes, reshapes, images that are convolved and pooled. `places`: policies that nodes ask for.
inline tn::result<tn::table> any_graph(std::mt19937& random, int nodes, int places = 1) {
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  constexpr tn::tensor square{tn::type::float32, tn::extents(8, 8)};
  tn::builder b;
  std::vector<tn::builder::value> full{b.input("x", square), b.weight("w", square)}, rows, columns;
  const auto filter = b.weight("f", {tn::type::float32, tn::extents(1, 1, 3, 3)});
  const auto pick = [&](const auto& from) { return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))]; };
  const auto any = [&] { return pick(full); };
  const auto image = [&] { return b.add<tn::reshape_t>({.newShape = {1, 1, 8, 8}}, {any()}); };
  const auto matrix = [&](auto v) { return b.add<tn::reshape_t>({.newShape = {8, 8}}, {v}); };
  for (int made = 0; made < nodes; ++made) {
    switch (below(13)) {
      case 0: full.push_back(b.add<tn::matmul_t>({}, {any(), any()})); break;
      case 1: rows.push_back(b.add<tn::reduceSum_t>({.axes = {1}, .keepDimensions = true}, {any()})); break;
      case 2: rows.push_back(b.add<tn::reduceMax_t>({.axes = {1}, .keepDimensions = true}, {any()})); break;
      case 3: columns.push_back(b.add<tn::reduceMax_t>({.axes = {0}, .keepDimensions = true}, {any()})); break;
      case 4: full.push_back(b.add<tn::transpose_t>({}, {any()})); break;
      case 5: full.push_back(b.add<tn::tanh_t>({}, {any()})); break;
      case 6: if (!rows.empty()) full.push_back(b.add<tn::sub_t>({}, {any(), pick(rows)})); break;
      case 7: if (!columns.empty()) full.push_back(b.add<tn::mul_t>({}, {any(), pick(columns)})); break;
      case 8: full.push_back(matrix(b.add<tn::conv2d_t>({.padding = {1, 1, 1, 1}}, {image(), filter}))); break;
      case 9: full.push_back(matrix(b.add<tn::maxPool2d_t>({.windowDimensions = {3, 3}, .padding = {1, 1, 1, 1}}, {image()}))); break;
      case 10: if (!rows.empty()) rows.push_back(b.add<tn::exp_t>({}, {pick(rows)})); break;
      case 11: full.push_back(b.add<tn::softmax_t>({below(2)}, {any()})); break;
      default: full.push_back(b.add<tn::add_t>({}, {any(), any()})); break;
    }
    if (places > 1 && below(3) == 0) b.on(below(places), full.back());
  }
  return b.finish({full.back(), any()});
}

/// The plan of a built graph for several policies.
inline tn::result<tn::owned_plan> planned(const tn::result<tn::table>& built, const std::vector<tn::policy_facts>& facts) {
  if (!built.ok()) return built.error();
  return tn::make_plan(built->view(), {facts.data(), static_cast<int>(facts.size())});
}

}  // namespace tenon_test

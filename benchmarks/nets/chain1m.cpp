// An element-wise chain over a million floats; inputs in the order of the peers' model.
// SPDX-License-Identifier: MIT
#include "../nets.hpp"

namespace {

constexpr int n = nets::chain_length;
constexpr auto write = [](auto a, auto x, auto b, auto c, auto d) {
  return tn::relu(a * x + b) * c + tn::tanh(d);
};
using graph =
    tn::graph<write, tn::input<"a", float, n>, tn::input<"x", float, n>, tn::input<"b", float, n>,
              tn::input<"c", float, n>, tn::input<"d", float, n>>;

tn::result<tn::table> build() {
  constexpr tn::tensor row{tn::type::float32, tn::extents(n)};
  tn::builder g;
  const auto a = g.input("a", row), x = g.input("x", row), b = g.input("b", row),
             c = g.input("c", row), d = g.input("d", row);
  const auto line = g.add<tn::add_t>({}, {g.add<tn::mul_t>({}, {a, x}), b});
  const auto scaled = g.add<tn::mul_t>({}, {g.add<tn::relu_t>({}, {line}), c});
  return g.finish({g.add<tn::add_t>({}, {scaled, g.add<tn::tanh_t>({}, {d})})});
}

}  // namespace

network nets::chain1m() { return describe<graph>("chain1m", "ew1m", "y", build()); }

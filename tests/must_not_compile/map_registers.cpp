// expect: map: the lambda keeps more than 32 values alive at once
// More values at once than an interpreter has registers for.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

constexpr tn::scalar sum_of_powers(tn::scalar x) {
  tn::scalar power[40];
  for (int i = 0; i < 40; ++i) power[i] = i == 0 ? x : power[i - 1] * x;
  tn::scalar sum = power[39];
  for (int i = 38; i >= 0; --i) sum = sum / power[i];
  return sum;
}
inline constexpr auto model = [](auto x) {
  return tn::map([](auto v) { return sum_of_powers(v); })(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);

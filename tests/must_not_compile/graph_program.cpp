// expect: graph: an operator's scalar program is invalid
// A sum of a float and an integer.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

/// An operator whose program mixes lanes.
struct mixed_t {
  static constexpr const char* name = "mixed";
  using options = tn::no_options;
  static constexpr tn::result<tn::tensor> infer(const options&, tn::list<tn::tensor> in) { return in[0]; }
  static constexpr int record(tn::recorder& r, const options&, tn::list<int> in, const tn::tensor& out) {
    return r.map(name, tn::record_program<1>([](auto x) { return x + tn::cast<std::int32_t>(x); }), {in[0]}, out);
  }
};
inline constexpr auto model = [](auto x) { return tn::apply<mixed_t>(x); };
using net = tn::graph<model, tn::input<"x", float, 3>>;
static_assert(net::view().nodes.size > 0);  // here

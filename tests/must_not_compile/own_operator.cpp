// expect: operator: its infer() refuses these operands
// An operator of a user that explains nothing.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

/// An operator that refuses odd extents without a sentence about it.
struct pairs_t {
  static constexpr const char* name = "pairs";
  using options = tn::no_options;
  static constexpr tn::result<tn::tensor> infer(const options&, tn::list<tn::tensor> in) {
    if (in[0].shape[0] % 2 != 0) return tn::error{tn::code::extent, name, "input", 2, in[0].shape[0]};
    return in[0];
  }
  static constexpr int record(tn::recorder& r, const options&, tn::list<int> in, const tn::tensor& out) {
    return r.reshape(name, in[0], out.shape);
  }
};
inline constexpr auto model = [](auto x) {
  return tn::apply<pairs_t>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 3>>;
static_assert(net::view().nodes.size > 0);

// The compose family: operators that are expansions into the other families. Their nodes keep the
// operator's name as a region.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/map.hpp>
#include <tenon/expr/reduce.hpp>

namespace tenon {

struct softmax_options {
  i64 axis = 0;
  constexpr bool operator==(const softmax_options&) const = default;
};
/// exp(x - max) / sum(exp(x - max)) along an axis; see WebNN softmax.
struct softmax_t {
  static constexpr const char* name = "softmax";
  using options = softmax_options;
  static constexpr result<tensor> infer(const softmax_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (in[0].type != type::float32)
      return error{code::element_type, name, "input", type::float32, in[0].type};
    if (o.axis < 0 || o.axis >= in[0].shape.rank)
      return error{code::axis, name, "axis", in[0].shape.rank, o.axis};
    return in[0];
  }
  static constexpr int record(recorder& r, const softmax_options& o, list<int> in,
                              const tensor& out) {
    tensor one = out;
    one.shape.extent[o.axis] = 1;
    const std::uint32_t axes = 1u << o.axis;
    r.open(name);
    const int top = r.reduce(name, {combine::max, axes, true}, in[0], one);
    const int e = r.map(name, constant_program<2>([](auto x, auto m) { return exp(x - m); }),
                        {in[0], top}, out);
    const int sum = r.reduce(name, {combine::sum, axes, true}, e, one);
    const int y =
        r.map(name, constant_program<2>([](auto x, auto s) { return x / s; }), {e, sum}, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "softmax: the axis must be below the rank; count axes from 0");
  }
};

/// `softmax<1>(x)`: probabilities along axis 1.
template <i64 Axis, operand_like X> constexpr auto softmax(X x) {
  return apply<softmax_t, softmax_options{Axis}>(x);
}

}  // namespace tenon

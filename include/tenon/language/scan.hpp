// The scan family: operators whose result at one position of an axis depends on the one before. A
// body of nodes runs once for each position and hands on a state.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/compose.hpp>
#include <tenon/language/half.hpp>

namespace tenon {

namespace scans {
/// A tensor of zeros of the type of `any`. A program needs an operand; this one gets a single
/// element of `any`. For floats the element is not used in the program, since inf - inf is not 0.
constexpr int zeros(recorder& r, const char* op, int any, const shape& s) {
  const type t = r.at(any).type;
  const int element = r.move(op, movement{}, any, {t, shape{}});
  const recorded zero = is_real(t)
                            ? record_program<1>([](scalar) { return 0.0f; }, {{t}})
                            : record_program<1>([](scalar x) { return x - x; }, {{t}, true, t});
  return r.map(op, zero, {element}, {t, s});
}
}  // namespace scans

/// WebNN cumulativeSum options. `exclusive` leaves out the element itself; `reversed` begins with
/// the last element of the axis.
struct cumulativeSum_options {
  i64 axis = 0;
  bool exclusive = false, reversed = false;
  constexpr bool operator==(const cumulativeSum_options&) const = default;
};
/// y[i] = x[0] + ... + x[i] along an axis, added in this order. float16 is summed in float32; only
/// results are rounded.
struct cumulativeSum_t {
  static constexpr const char* name = "cumulativeSum";
  static constexpr bool explains_types = true;
  using options = cumulativeSum_options;
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    const type t = in[0].type;
    if (t == type::int8 || t == type::uint8)
      return error{code::element_type, name, "input", type::int32, t};
    if (o.axis < 0 || o.axis >= in[0].shape.rank)
      return error{code::axis, name, "axis", in[0].shape.rank, o.axis};
    return in[0];
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<cumulativeSum_t>(r, o, in, out);
    r.open(name);
    const int axis = static_cast<int>(o.axis), x = to_front(r, in[0], axis);
    const shape front = r.at(x).shape;
    const type t = out.type;
    tensor step{t, {front.rank - 1, {}}};  // one position of the axis
    for (int i = 0; i < step.shape.rank; ++i) step.shape.extent[i] = front[i + 1];
    const int zero = scans::zeros(r, name, x, step.shape);
    r.begin_scan(name, front[0], o.reversed);
    const int elements = r.slice_of_step(name, x), before = r.state_of_step(name, zero);
    const int sum =
        r.map(name, record_program<2>([](scalar s, scalar a) { return s + a; }, {{t, t}, true, t}),
              {before, elements}, step);
    const int result_of_step = o.exclusive ? r.copy_of_step(name, before) : sum;
    r.end_scan();
    const int y = r.all_steps(name, result_of_step, front, o.exclusive ? -1 : before);
    // The sum is the state's next value in either case. If the sums are not the results, it is
    // named by a `last_step` that nobody reads.
    if (o.exclusive) (void)r.last_step(name, sum, step.shape, before);
    const int result = from_front(r, y, axis);
    r.close();
    return result;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "cumulativeSum: the axis must be below the rank; count axes from 0");
    static_assert(E.what != code::element_type,
                  "cumulativeSum: the input must be float or 32 or 64 bits wide; cast() it");
  }

 private:
  /// Scans run along the first axis; other axes are moved there and back.
  static constexpr int to_front(recorder& r, int x, int axis) {
    if (axis == 0) return x;
    axis_list order({axis});
    for (int i = 0; i < r.at(x).shape.rank; ++i)
      if (i != axis) order.item[order.count++] = i;
    return part<transpose_t>(r, {.permutation = order}, {x});
  }
  static constexpr int from_front(recorder& r, int y, int axis) {
    if (axis == 0) return y;
    axis_list order({});
    for (int i = 0; i < r.at(y).shape.rank; ++i)
      order.item[order.count++] = i < axis ? i + 1 : i == axis ? 0 : i;
    return part<transpose_t>(r, {.permutation = order}, {y});
  }
};

/// Sums of all elements up to each one along an axis:
/// `cumulativeSum<cumulativeSum_options{.axis = 1, .exclusive = true}>(x)`.
/// Shape: that of the operand.
/// Type: any but int8 and uint8; integers wrap around.
/// Error: element_type, axis.
/// Cost: a step for each position of the axis, over all other axes at once. Along another axis than
/// the first, also a transposition there and back.
/// Source: WebNN cumulativeSum.
template <cumulativeSum_options O = cumulativeSum_options{}, operand_like X>
constexpr auto cumulativeSum(X x) {
  return apply<cumulativeSum_t, O>(x);
}

}  // namespace tenon

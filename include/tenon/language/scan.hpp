// The scan family: a state is carried along an axis through a body that runs once for each
// position.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/compose.hpp>
#include <tenon/language/half.hpp>

namespace tenon {

namespace scans {
/// A tensor of zeros of `any`'s type. Programs need an operand to run over; of reals it is not
/// read, because it may be infinite.
constexpr int zeros(recorder& r, const char* op, int any, const shape& s) {
  const type t = r.at(any).type;
  const int one = r.move(op, movement{}, any, {t, shape{}});
  const recorded none = is_real(t)
                            ? record_program<1>([](scalar) { return 0.0f; }, {{t}})
                            : record_program<1>([](scalar x) { return x - x; }, {{t}, true, t});
  return r.map(op, none, {one}, {t, s});
}
}  // namespace scans

/// WebNN cumulativeSum options: `exclusive` leaves out the element itself, `reversed` begins with
/// the last element of the axis.
struct cumulativeSum_options {
  i64 axis = 0;
  bool exclusive = false, reversed = false;
  constexpr bool operator==(const cumulativeSum_options&) const = default;
};
/// y[i] = x[0] + ... + x[i] along an axis, one addition after the other. float16 is summed in
/// float32 and rounded where it comes out.
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
    tensor one{t, {front.rank - 1, {}}};
    for (int i = 0; i < one.shape.rank; ++i) one.shape.extent[i] = front[i + 1];
    const int zero = scans::zeros(r, name, x, one.shape);
    r.begin_scan(name, front[0], o.reversed);
    const int now = r.slice_of_step(name, x), before = r.state_of_step(name, zero);
    const int sum =
        r.map(name, record_program<2>([](scalar s, scalar a) { return s + a; }, {{t, t}, true, t}),
              {before, now}, one);
    const int kept = o.exclusive ? r.copy_of_step(name, before) : sum;
    r.end_scan();
    const int y = r.all_steps(name, kept, front, o.exclusive ? -1 : before);
    if (o.exclusive) (void)r.last_step(name, sum, one.shape, before);
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

/// `cumulativeSum<cumulativeSum_options{.axis = 1, .exclusive = true}>(x)`: sums of all elements up
/// to each one along axis 1. Type: any but int8 and uint8. Cost: a step for each position of the
/// axis, over all other axes at once; other axes than the first are transposed and back. Source:
/// WebNN cumulativeSum.
template <cumulativeSum_options O = cumulativeSum_options{}, operand_like X>
constexpr auto cumulativeSum(X x) {
  return apply<cumulativeSum_t, O>(x);
}

}  // namespace tenon

// Gated recurrent units: gruCell and gru.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/recurrent.hpp>

namespace tenon {

/// The order of the gates in weights and biases: update (z), reset (r), new (n).
enum class gru_layout : std::uint8_t { zrn, rzn };

/// WebNN gruCell options. `bias` and `recurrentBias` say whether these operands are given.
struct gruCell_options {
  bool bias = false, recurrentBias = false;
  bool resetAfter = true;
  gru_layout layout = gru_layout::zrn;
  activation_list activations{};
  i64 hiddenSize = 0;  ///< 0: that of the recurrent weight
  constexpr bool operator==(const gruCell_options&) const = default;
};
/// WebNN gru options. `steps` 0 means those of the input, `hiddenSize` 0 that of the recurrent
/// weight.
struct gru_options {
  bool bias = false, recurrentBias = false, initialHiddenState = false;
  bool resetAfter = true;
  bool returnSequence = false;
  recurrent_direction direction = recurrent_direction::forward;
  gru_layout layout = gru_layout::zrn;
  activation_list activations{};
  i64 steps = 0, hiddenSize = 0;
  constexpr bool operator==(const gru_options&) const = default;
};

namespace recurrent {

/// Records one step: the new hidden state from the state `h`. `x` is the input's share of the
/// gates, [batch, 3 * hidden], its bias included. With `resetAfter` the recurrent bias belongs to
/// the product that the reset gate scales; else it is part of `x`.
constexpr int gru_step(recorder& r, const gruCell_options& o, const operands& in, int x, int h) {
  constexpr const char* op = "gruCell";
  const tensor out = r.at(h);
  const i64 hidden = out.shape[1];
  const bool zrn = o.layout == gru_layout::zrn;
  const recurrent_activation f = activation(o.activations, 0), g = activation(o.activations, 1);
  const auto of = [&](int id, i64 which) { return gate(r, op, id, which, hidden); };
  const int xz = of(x, !zrn), xr = of(x, zrn), xn = of(x, 2);
  if (o.resetAfter) {
    const int q = projected(r, op, h, in.recurrentWeight, in.recurrentBias);
    return r.map(op,
                 record_program<7>([&](scalar z, scalar s, scalar n, scalar hz, scalar hs,
                                       scalar hn, scalar old) {
                   const scalar update = activated(f, z + hz), reset = activated(f, s + hs);
                   return update * old + (1.0f - update) * activated(g, n + reset * hn);
                 }),
                 {xz, xr, xn, of(q, !zrn), of(q, zrn), of(q, 2), h}, out);
  }
  const int q = projected(r, op, h, rows(r, op, in.recurrentWeight, 0, 2, hidden), -1);
  const int kept = r.map(op, record_program<3>([&](scalar s, scalar hs, scalar old) {
                           return activated(f, s + hs) * old;
                         }),
                         {xr, of(q, zrn), h}, out);
  const int n = projected(r, op, kept, rows(r, op, in.recurrentWeight, 2, 1, hidden), -1);
  return r.map(op, record_program<5>([&](scalar z, scalar hz, scalar xs, scalar hn, scalar old) {
                 const scalar update = activated(f, z + hz);
                 return update * old + (1.0f - update) * activated(g, xs + hn);
               }),
               {xz, of(q, !zrn), xn, n, h}, out);
}
/// The input's share of the gates for all rows of `x` at once.
constexpr int gru_input(recorder& r, const gruCell_options& o, const operands& in, int x) {
  const int bias = o.resetAfter ? in.bias : sum_of(r, "gruCell", in.bias, in.recurrentBias);
  return projected(r, "gruCell", x, in.weight, bias);
}

}  // namespace recurrent

/// One step of a gated recurrent unit.
struct gruCell_t {
  static constexpr const char* name = "gruCell";
  using options = gruCell_options;
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (const error e = recurrent::check_cell(name, o, 2, 3, in); !e.ok()) return e;
    return in[3];
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<gruCell_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    return recurrent::roles_of_cell(o, ids);
  }
  static constexpr recurrent::outcome compute(recorder& r, const options& o,
                                              const recurrent::operands& in) {
    const int x = recurrent::gru_input(r, o, in, in.input);
    return {1, {recurrent::gru_step(r, o, in, x, in.hiddenState)}};
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "gruCell: input, weights and hiddenState must have 2 axes, biases 1; reshape()");
    static_assert(E.what != code::extent,
                  "gruCell: extents must be input [batch, n], weight [3 * hidden, n], "
                  "recurrentWeight [3 * hidden, hidden], hiddenState [batch, hidden], biases [3 * "
                  "hidden]");
    static_assert(E.what != code::option, "gruCell: activations must be two");
  }
};

/// A gated recurrent unit along a sequence. The input's share of the gates is one product for all
/// steps; only the recurrent part is a scan.
struct gru_t {
  static constexpr const char* name = "gru";
  static constexpr int states = 1;
  using options = gru_options;
  static constexpr int results(const options& o) { return states + o.returnSequence; }
  static constexpr result<tensor> infer_result(const options& o, list<tensor> in, int which) {
    if (const error e = recurrent::check_net(name, o, 2, 3, in); !e.ok()) return e;
    return recurrent::net_result(o, in, states, which);
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<gru_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    return recurrent::roles_of_net(o, ids);
  }
  static constexpr recurrent::outcome compute(recorder& r, const options& o,
                                              const recurrent::operands& in) {
    return recurrent::compute_net<gru_t>(r, o, in);
  }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::rank,
        "gru: input, weights and initialHiddenState must have 3 axes, biases 2; reshape()");
    static_assert(
        E.what != code::extent,
        "gru: extents must be input [steps, batch, n], weight [directions, 3 * hidden, n], "
        "recurrentWeight [directions, 3 * hidden, hidden], biases [directions, 3 * "
        "hidden], initialHiddenState [directions, batch, hidden]");
    static_assert(E.what != code::option,
                  "gru: activations must be two, and steps the input's first extent");
  }

  /// One direction of the net: `y` gets the history of its state.
  static constexpr void one_direction(recorder& r, const options& o, const recurrent::net& n,
                                      const recurrent::operands& all, int d,
                                      recurrent::history* y) {
    using namespace recurrent;
    const gruCell_options cell{o.bias,   o.recurrentBias, o.resetAfter,
                               o.layout, o.activations,   o.hiddenSize};
    const operands in = of_direction(r, name, n, all, d, false);
    const int x = by_steps(r, name, n, gru_input(r, cell, in, flattened(r, name, all.input)));
    r.begin_scan(name, n.steps, n.backward(d));
    const int now = r.slice_of_step(name, x), h = r.state_of_step(name, in.hiddenState);
    r.open(gruCell_t::name);
    const int next = gru_step(r, cell, in, now, h);
    r.close();
    r.end_scan();
    y[0] = leave(r, name, n, next, h, n.returns);
  }
};

/// One step of a gated recurrent unit:
/// `gruCell<gruCell_options{.bias = true}>(x, weight, recurrentWeight, hiddenState, bias)`.
/// Operands: input, weight, recurrentWeight, hiddenState, then bias and recurrentBias where the
/// options say so.
/// Shape: [b, n], [3h, n], [3h, h], [b, h], [3h], [3h] -> [b, h].
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, rank, extent, option, capacity.
/// Source: WebNN gruCell.
template <gruCell_options O = gruCell_options{}, operand_like... H>
constexpr auto gruCell(H... operands) {
  return apply<gruCell_t, O>(operands...);
}
/// A gated recurrent unit along a sequence:
/// `auto [last, all] = gru<gru_options{.bias = true, .returnSequence = true}>(x, w, r, bias);`
/// Operands: input, weight, recurrentWeight, then bias, recurrentBias and initialHiddenState where
/// the options say so. Without returnSequence the result is a handle, with it a tuple of two.
/// Shape: [s, b, n], [d, 3h, n], [d, 3h, h], [d, 3h], [d, 3h], [d, b, h] -> [d, b, h] and, with
/// returnSequence, [s, d, b, h]; d is 2 for both directions, else 1.
/// Type: float32 or float16, the same for all; float16 is computed in float32.
/// Error: operand_count, element_type, rank, extent, option, capacity.
/// Cost: one product for the input of all steps; per step, one product and one pass over the gates.
/// Source: WebNN gru.
template <gru_options O = gru_options{}, operand_like... H> constexpr auto gru(H... operands) {
  if constexpr (O.returnSequence)
    return apply_all<gru_t, O>(operands...);
  else
    return apply<gru_t, O>(operands...);
}

}  // namespace tenon

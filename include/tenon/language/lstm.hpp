// Long short-term memories: lstmCell and lstm.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/recurrent.hpp>

namespace tenon {

/// The order of the gates in weights and biases: input (i), output (o), forget (f), cell (g).
enum class lstm_layout : std::uint8_t { iofg, ifgo };

/// WebNN lstmCell options. The first three say which optional operands are given; `hiddenSize` 0
/// means that of the recurrent weight.
struct lstmCell_options {
  bool bias = false, recurrentBias = false, peepholeWeight = false;
  lstm_layout layout = lstm_layout::iofg;
  activation_list activations{};
  i64 hiddenSize = 0;
  constexpr bool operator==(const lstmCell_options&) const = default;
};
/// WebNN lstm options. The first five say which optional operands are given; `steps` 0 means those
/// of the input, `hiddenSize` 0 that of the recurrent weight.
struct lstm_options {
  bool bias = false, recurrentBias = false, peepholeWeight = false;
  bool initialHiddenState = false, initialCellState = false;
  bool returnSequence = false;
  recurrent_direction direction = recurrent_direction::forward;
  lstm_layout layout = lstm_layout::iofg;
  activation_list activations{};
  i64 steps = 0, hiddenSize = 0;
  constexpr bool operator==(const lstm_options&) const = default;
};

namespace recurrent {

/// The two states of an lstm.
struct lstm_states {
  int hidden = -1, cell = -1;
};
/// Records one step: the new states from the states `now`. `x` is the input's share of the gates,
/// both biases included.
constexpr lstm_states lstm_step(recorder& r, const lstmCell_options& o, const operands& in, int x,
                                lstm_states now) {
  constexpr const char* op = "lstmCell";
  const tensor out = r.at(now.hidden);
  const i64 hidden = out.shape[1];
  const bool iofg = o.layout == lstm_layout::iofg;
  const recurrent_activation f = activation(o.activations, 0), g = activation(o.activations, 1),
                             h = activation(o.activations, 2);
  const int s = r.map(op, constant_program<2>([](auto a, auto b) { return a + b; }),
                      {projected(r, op, now.hidden, in.recurrentWeight, -1), x}, r.at(x));
  const auto of = [&](i64 which) { return gate(r, op, s, which, hidden); };
  const int si = of(0), so = of(iofg ? 1 : 3), sf = of(iofg ? 2 : 1), sg = of(iofg ? 3 : 2);
  lstm_states next;
  if (in.peepholeWeight < 0) {
    next.cell = r.map(op, record_program<4>([&](scalar i, scalar forget, scalar cell, scalar c) {
                        return activated(f, forget) * c + activated(f, i) * activated(g, cell);
                      }),
                      {si, sf, sg, now.cell}, out);
    next.hidden = r.map(op, record_program<2>([&](scalar o_gate, scalar c) {
                          return activated(f, o_gate) * activated(h, c);
                        }),
                        {so, next.cell}, out);
    return next;
  }
  const auto peep = [&](i64 which) { return rows(r, op, in.peepholeWeight, which, 1, hidden); };
  next.cell = r.map(
      op,
      record_program<6>([&](scalar i, scalar forget, scalar cell, scalar c, scalar pi, scalar pf) {
        return activated(f, c * pf + forget) * c + activated(f, c * pi + i) * activated(g, cell);
      }),
      {si, sf, sg, now.cell, peep(0), peep(2)}, out);
  next.hidden = r.map(op, record_program<4>([&](scalar o_gate, scalar c, scalar old, scalar po) {
                        return activated(f, old * po + o_gate) * activated(h, c);
                      }),
                      {so, next.cell, now.cell, peep(1)}, out);
  return next;
}
/// The input's share of the gates, both biases included.
constexpr int lstm_input(recorder& r, const operands& in, int x) {
  return projected(r, "lstmCell", x, in.weight, sum_of(r, "lstmCell", in.bias, in.recurrentBias));
}

}  // namespace recurrent

/// One step of a long short-term memory. Results: the new hidden state, the new cell state.
struct lstmCell_t {
  static constexpr const char* name = "lstmCell";
  using options = lstmCell_options;
  static constexpr int results(const options&) { return 2; }
  static constexpr result<tensor> infer_result(const options& o, list<tensor> in, int) {
    if (const error e = recurrent::check_cell(name, o, 3, 4, in); !e.ok()) return e;
    return in[3];
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<lstmCell_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    return recurrent::roles_of_cell(o, ids);
  }
  static constexpr recurrent::outcome compute(recorder& r, const options& o,
                                              const recurrent::operands& in) {
    const int x = recurrent::lstm_input(r, in, in.input);
    const recurrent::lstm_states y =
        recurrent::lstm_step(r, o, in, x, {in.hiddenState, in.cellState});
    return {2, {y.hidden, y.cell}};
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "lstmCell: input, weights and states must have 2 axes, biases and peepholeWeight "
                  "1; reshape()");
    static_assert(E.what != code::extent,
                  "lstmCell: extents must be input [batch, n], weight [4 * hidden, n], "
                  "recurrentWeight [4 * hidden, hidden], states [batch, hidden], biases [4 * "
                  "hidden], peepholeWeight [3 * hidden]");
    static_assert(E.what != code::option, "lstmCell: activations must be three");
  }
};

/// A long short-term memory along a sequence. Results: the last hidden state, the last cell state,
/// and with `returnSequence` the hidden states of all steps.
struct lstm_t {
  static constexpr const char* name = "lstm";
  static constexpr int states = 2;
  using options = lstm_options;
  static constexpr int results(const options& o) { return states + o.returnSequence; }
  static constexpr result<tensor> infer_result(const options& o, list<tensor> in, int which) {
    if (const error e = recurrent::check_net(name, o, 3, 4, in); !e.ok()) return e;
    return recurrent::net_result(o, in, states, which);
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<lstm_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    return recurrent::roles_of_net(o, ids);
  }
  static constexpr recurrent::outcome compute(recorder& r, const options& o,
                                              const recurrent::operands& in) {
    return recurrent::compute_net<lstm_t>(r, o, in);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "lstm: input, weights and initial states must have 3 axes, biases and "
                  "peepholeWeight 2; reshape()");
    static_assert(E.what != code::extent,
                  "lstm: extents must be input [steps, batch, n], weight [directions, 4 * hidden, "
                  "n], recurrentWeight [directions, 4 * hidden, hidden], biases [directions, 4 * "
                  "hidden], peepholeWeight [directions, 3 * hidden], initial states [directions, "
                  "batch, hidden]");
    static_assert(E.what != code::option,
                  "lstm: activations must be three, and steps the input's first extent");
  }

  /// One direction of the net: `y` gets the history of each state.
  static constexpr void one_direction(recorder& r, const options& o, const recurrent::net& n,
                                      const recurrent::operands& all, int d,
                                      recurrent::history* y) {
    using namespace recurrent;
    const lstmCell_options cell{o.bias,   o.recurrentBias, o.peepholeWeight,
                                o.layout, o.activations,   o.hiddenSize};
    const operands in = of_direction(r, name, n, all, d, true);
    const int x = by_steps(r, name, n, lstm_input(r, in, flattened(r, name, all.input)));
    r.begin_scan(name, n.steps, n.backward(d));
    const int now = r.slice_of_step(name, x), h = r.state_of_step(name, in.hiddenState),
              c = r.state_of_step(name, in.cellState);
    r.open(lstmCell_t::name);
    const lstm_states next = lstm_step(r, cell, in, now, {h, c});
    r.close();
    r.end_scan();
    y[0] = leave(r, name, n, next.hidden, h, n.returns);
    y[1] = leave(r, name, n, next.cell, c, false);
  }
};

/// One step of a long short-term memory:
/// `auto [hidden, cell] = lstmCell(x, weight, recurrentWeight, hiddenState, cellState);`
/// Operands: these five, then bias, recurrentBias and peepholeWeight where the options say so. The
/// peephole weights are those of input, output and forget gate; all three see the old cell state.
/// Shape: [b, n], [4h, n], [4h, h], [b, h], [b, h], [4h], [4h], [3h] -> [b, h] twice.
/// Type: float32 or float16, the same for all; float16 is computed in float32.
/// Error: operand_count, element_type, rank, extent, option, capacity.
/// Source: WebNN lstmCell.
template <lstmCell_options O = lstmCell_options{}, operand_like... H>
constexpr auto lstmCell(H... operands) {
  return apply_all<lstmCell_t, O>(operands...);
}
/// A long short-term memory along a sequence: `auto [hidden, cell] = lstm(x, weight,
/// recurrentWeight);` and, with returnSequence, the hidden states of all steps as a third result.
/// Operands: these three, then bias, recurrentBias, peepholeWeight, initialHiddenState and
/// initialCellState where the options say so.
/// Shape: [s, b, n], [d, 4h, n], [d, 4h, h], [d, 4h], [d, 4h], [d, 3h], [d, b, h], [d, b, h] ->
/// [d, b, h], [d, b, h], [s, d, b, h]; d is 2 for both directions, else 1.
/// Type: float32 or float16, the same for all; float16 is computed in float32.
/// Error: operand_count, element_type, rank, extent, option, capacity.
/// Cost: as that of gru.
/// Source: WebNN lstm.
template <lstm_options O = lstm_options{}, operand_like... H> constexpr auto lstm(H... operands) {
  return apply_all<lstm_t, O>(operands...);
}

}  // namespace tenon

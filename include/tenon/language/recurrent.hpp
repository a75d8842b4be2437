// What recurrent networks have in common. A cell is composed of other families; a net carries the
// states of a cell along a sequence, which is a scan. The operators are in gru.hpp and lstm.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/recurrent_operands.hpp>
#include <tenon/language/scan.hpp>
#include <tenon/language/slice.hpp>

namespace tenon {

namespace recurrent {

/// The nodes of an operator's results; `present` gives them consecutive numbers.
struct outcome {
  int count = 0;
  int id[3]{};
};

constexpr scalar activated(recurrent_activation a, scalar x) {
  if (a == recurrent_activation::relu) return max(x, 0.0f);
  return a == recurrent_activation::sigmoid ? sigmoid(x) : tanh(x);
}
/// The activation function at position `i`. WebNN's defaults: sigmoid first, then tanh.
constexpr recurrent_activation activation(const activation_list& all, int i) {
  if (all.given()) return all.item[i];
  return i == 0 ? recurrent_activation::sigmoid : recurrent_activation::tanh;
}

/// The rows of gates [first, first + count) in a weight or a bias; each gate has `hidden` rows.
constexpr int rows(recorder& r, const char* op, int id, i64 first, i64 count, i64 hidden) {
  tensor t = r.at(id);
  if (first == 0 && count * hidden == t.shape[0]) return id;
  movement m{};
  m.step = dense(t.shape);
  m.offset = first * hidden * m.step[0];
  t.shape.extent[0] = count * hidden;
  return r.move(op, m, id, t);
}
/// The columns of one gate in [batch, gates * hidden].
constexpr int gate(recorder& r, const char* op, int id, i64 which, i64 hidden) {
  tensor t = r.at(id);
  movement m{};
  m.step = dense(t.shape);
  m.offset = which * hidden;
  t.shape.extent[1] = hidden;
  return r.move(op, m, id, t);
}
/// Direction `d` of an operand that has all directions in its first axis.
constexpr int direction(recorder& r, const char* op, int id, int d) {
  if (id < 0) return id;
  const tensor t = r.at(id);
  shape s{t.shape.rank - 1, {}};
  for (int i = 0; i < s.rank; ++i) s.extent[i] = t.shape[i + 1];
  if (t.shape[0] == 1) return r.reshape(op, id, s);
  movement m{};
  m.step = dense(s);
  m.offset = d * s.count();
  return r.move(op, m, id, {t.type, s});
}
/// x w^T, plus a bias if it is not -1.
constexpr int projected(recorder& r, const char* op, int x, int w, int bias) {
  const shape a = r.at(x).shape, b = r.at(w).shape;
  const tensor out{type::float32, extents(a[0], b[0])};
  contraction c;
  contracts::loop(c, a[0], a[1], 0, b[0]);
  contracts::loop(c, b[0], 0, b[1], 1);
  contracts::loop(c, a[1], 1, 1, 0, true);
  const int y = r.contract(op, c, x, w, out);
  if (bias < 0) return y;
  return r.map(op, constant_program<2>([](auto sum, auto z) { return sum + z; }), {y, bias}, out);
}
/// The sum of two biases; either may be missing.
constexpr int sum_of(recorder& r, const char* op, int a, int b) {
  if (a < 0 || b < 0) return a < 0 ? b : a;
  return r.map(op, constant_program<2>([](auto x, auto y) { return x + y; }), {a, b}, r.at(a));
}

/// What a net's directions have in common.
struct net {
  i64 steps = 0, batch = 0, hidden = 0;
  int directions = 1;
  recurrent_direction order = recurrent_direction::forward;
  bool returns = false;
  constexpr bool backward(int d) const { return d == 1 || order == recurrent_direction::backward; }
};
/// The input's share of all steps, one product, as [steps, batch, gates * hidden].
constexpr int by_steps(recorder& r, const char* op, const net& n, int product) {
  return r.reshape(op, product, extents(n.steps, n.batch, r.at(product).shape[1]));
}
/// The input of all steps as one matrix: [steps * batch, columns].
constexpr int flattened(recorder& r, const char* op, int input) {
  const shape s = r.at(input).shape;
  return r.reshape(op, input, extents(s[0] * s[1], s[2]));
}
/// The value of a net's last step out of those of all steps; a backward net ends with the first.
constexpr int last_of(recorder& r, const char* op, const net& n, int all, bool backward) {
  movement m{};
  const shape one = extents(i64{1}, n.batch, n.hidden);
  m.step = dense(one);
  m.offset = backward ? 0 : (n.steps - 1) * one.count();
  return r.move(op, m, all, {r.at(all).type, one});
}
/// What one direction gives for a state: its last value, or those of all steps.
struct history {
  int last = -1, all = -1;
};
constexpr history leave(recorder& r, const char* op, const net& n, int value, int state, bool all) {
  history y;
  if (all)
    y.all = r.all_steps(op, value, extents(n.steps, i64{1}, n.batch, n.hidden), state);
  else
    y.last = r.last_step(op, value, extents(i64{1}, n.batch, n.hidden), state);
  return y;
}
/// The values of both directions joined along `axis`; with one direction (`second` < 0) the first.
constexpr int both(recorder& r, int axis, int first, int second) {
  return second < 0 ? first : part<concat_t>(r, {axis}, {first, second});
}
/// Records the results again as consecutive nodes, as `apply_all` expects them. The reshapes change
/// nothing and are not computed.
constexpr int present(recorder& r, const char* op, const outcome& results) {
  int first = -1;
  for (int k = 0; k < results.count; ++k) {
    const int id = r.reshape(op, results.id[k], r.at(results.id[k]).shape);
    if (k == 0) first = id;
  }
  return results.count > 1 ? first : results.id[0];
}
/// The initial state of a direction; zeros of the type of `any` where none is given.
constexpr int initial(recorder& r, const char* op, const net& n, int given, int d, int any) {
  if (given >= 0) return direction(r, op, given, d);
  return scans::zeros(r, op, any, extents(n.batch, n.hidden));
}

/// Records a cell or a net. float16 is computed in float32 throughout; only results are rounded.
template <class Op> constexpr int record(recorder& r, const typename Op::options& o, list<int> in) {
  int ids[max_operands]{};
  const bool half = takes_half(r, in);
  r.open(Op::name);
  for (int i = 0; i < in.size; ++i)
    ids[i] =
        half ? r.map(Op::name, casts::widened, {in[i]}, {type::float32, r.at(in[i]).shape}) : in[i];
  outcome results = Op::compute(r, o, Op::roles(o, {ids, in.size}));
  int y = -1;
  for (int k = 0; half && k < results.count; ++k) {
    const shape s = r.at(results.id[k]).shape;
    const int id = r.map(Op::name, casts::rounded, {results.id[k]}, {type::float16, s});
    if (k == 0) y = id;
  }
  if (!half) y = present(r, Op::name, results);
  r.close();
  return y;
}

template <class Options> constexpr net net_of(recorder& r, const Options& o, const operands& in) {
  const shape x = r.at(in.input).shape, w = r.at(in.recurrentWeight).shape;
  return {x[0], x[1], w[2], static_cast<int>(w[0]), o.direction, o.returnSequence};
}
/// The operands of direction `d`. States that are not given become zeros here.
constexpr operands of_direction(recorder& r, const char* op, const net& n, const operands& all,
                                int d, bool cell) {
  operands in;
  in.input = all.input;
  in.weight = direction(r, op, all.weight, d);
  in.recurrentWeight = direction(r, op, all.recurrentWeight, d);
  in.bias = direction(r, op, all.bias, d);
  in.recurrentBias = direction(r, op, all.recurrentBias, d);
  in.peepholeWeight = direction(r, op, all.peepholeWeight, d);
  in.hiddenState = initial(r, op, n, all.hiddenState, d, all.weight);
  if (cell) in.cellState = initial(r, op, n, all.cellState, d, all.weight);
  return in;
}
/// Records a net: its last states, then, if asked for, the hidden states of all steps.
/// `Op::one_direction` fills in the history of each of `Op::states` states; the first one is the
/// hidden state.
template <class Op>
constexpr outcome compute_net(recorder& r, const typename Op::options& o, const operands& in) {
  const net n = net_of(r, o, in);
  history y[2][Op::states]{};
  for (int d = 0; d < n.directions; ++d) Op::one_direction(r, o, n, in, d, y[d]);
  for (int d = 0; n.returns && d < n.directions; ++d)
    y[d][0].last = last_of(r, Op::name, n, y[d][0].all, n.backward(d));
  outcome results;
  for (int s = 0; s < Op::states; ++s)
    results.id[results.count++] = both(r, 0, y[0][s].last, y[1][s].last);
  if (n.returns) results.id[results.count++] = both(r, 1, y[0][0].all, y[1][0].all);
  return results;
}

}  // namespace recurrent

}  // namespace tenon

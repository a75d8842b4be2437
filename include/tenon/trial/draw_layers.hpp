// Generators of reductions and of what is made of them: normalizations, attention, recurrent nets.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/draw.hpp>

namespace tenon::trial::draw {

/// One time in three any type that the operator takes, otherwise float32, whose sums depend on
/// their order.
template <class Op> int reduce(maker& m) {
  const type t = m.decide.one_in(3) ? m.decide.pick(all_types) : type::float32;
  const int x = m.any(Op::accepts(t) ? t : type::float32);
  const axis_list axes = some_axes(m, m.shape_of(x).rank);
  return m.add<Op>({axes, m.decide.one_in(2)}, {x});
}
/// The simplest axis of softmax is the last one: its rows are dense.
inline int softmax(maker& m) {
  const int x = m.any_of_rank(1, max_rank, real_type(m));
  const int rank = m.shape_of(x).rank;
  return m.add<softmax_t>({rank - 1 - m.decide.below(rank)}, {x});
}

/// argMin and argMax, of any type: with few different integers ties are frequent.
template <class Op> int position(maker& m) {
  const int x = m.any_of_rank(1, max_rank, m.any_type());
  const int rank = m.shape_of(x).rank;
  const i64 axis = rank - 1 - m.decide.below(rank);
  const bool keep = m.decide.one_in(2);
  return m.add<Op>({axis, {keep, m.decide.one_in(3) ? type::int64 : type::int32}}, {x});
}
/// The operands behind the input of a normalization: each of shape `s`, from `low` to `high` of
/// them.
inline std::vector<int> affine(maker& m, int x, const shape& s, int low, int high) {
  std::vector<int> r{x};
  for (int n = m.decide.in(low, high); n > 0; --n) r.push_back(m.any_like({m.at(x).type, s}));
  return r;
}
inline int layerNormalization(maker& m) {
  const int x = m.any(real_type(m));
  layerNormalization_options o{some_axes(m, m.shape_of(x).rank)};
  o.scale = m.decide.one_in(2);
  const shape s = layerNormalization_t::affine(layerNormalization_t::axes_of(o, m.shape_of(x).rank),
                                               m.shape_of(x));
  return m.add<layerNormalization_t>(o, affine(m, x, s, 0, 2));
}
inline int batchNormalization(maker& m) {
  const int x = m.any_of_rank(1, max_rank, real_type(m));
  const int axis = m.decide.below(m.shape_of(x).rank);
  const batchNormalization_options o{axis, 1e-5f, m.decide.one_in(2)};
  return m.add<batchNormalization_t>(o, affine(m, x, extents(m.shape_of(x)[axis]), 2, 4));
}
inline int instanceNormalization(maker& m) {
  const int x = m.any_of_rank(4, 4, real_type(m));
  instanceNormalization_options o;
  if (m.decide.one_in(2)) o.layout = image_layout::nhwc;
  o.scale = m.decide.one_in(2);
  return m.add<instanceNormalization_t>(
      o, affine(m, x, extents(m.shape_of(x)[channel_axis(o.layout)]), 0, 2));
}
/// Attention with one head, two, or one for each column of the queries. The mask has any shape that
/// broadcasts to that of the scores.
inline int attention(maker& m) {
  const int q = m.any_of_rank(3, 3, real_type(m));
  const shape s = m.shape_of(q);
  const i64 heads = s[2] % 2 == 0 && m.decide.one_in(2) ? 2
                    : m.decide.one_in(4)                ? s[2]
                                                        : 1,
            keys = m.extent(33), columns = heads * m.extent(8);
  if (!m.affords({s[0], s[1], keys, s[2] + columns})) return -1;
  const int k = m.any_like({m.at(q).type, extents(s[0], keys, s[2])}),
            v = m.any_like({m.at(q).type, extents(s[0], keys, columns)});
  if (m.decide.one_in(2)) return m.add<attention_t>({heads}, {q, k, v});
  return m.add<attention_t>(
      {heads}, {q, k, v, m.any_like({m.at(q).type, m.part_of(extents(s[0], heads, s[1], keys))})});
}

/// Not of int8 and uint8, which the operator refuses.
inline int cumulativeSum(maker& m) {
  const type t = m.any_type();
  const int x = m.any_of_rank(1, max_rank, t == type::int8 || t == type::uint8 ? type::float32 : t);
  const int rank = m.shape_of(x).rank;
  return m.add<cumulativeSum_t>(
      {rank - 1 - m.decide.below(rank), m.decide.one_in(2), m.decide.one_in(2)}, {x});
}
inline activation_list activations(maker& m, int count) {
  activation_list l;
  if (m.decide.one_in(2)) return l;
  l.count = count;
  for (int i = 0; i < count; ++i)
    l.item[i] = static_cast<recurrent_activation>(2 - m.decide.below(3));
  return l;
}
/// A recurrent cell with `states` states, or a whole net where that is 0; `gates` as in WebNN: 3 of
/// gru, 4 of lstm. Every optional operand is there half of the time. The work of a net, which is
/// steps * rows * gates * hidden * (inputs + hidden), has to fit into the graph's budget.
template <class Op> int recurrent(maker& m, int gates, int states) {
  const bool cell = states > 0;
  const int x = m.any_of_rank(cell ? 2 : 3, cell ? 2 : 3, real_type(m));
  const shape s = m.shape_of(x);
  typename Op::options o;
  o.activations = activations(m, gates - 1);
  i64 nets = 1;
  if constexpr (requires { o.direction; }) {
    o.direction = static_cast<recurrent_direction>(m.decide.below(3));
    nets = o.direction == recurrent_direction::both ? 2 : 1;
  }
  const i64 hidden = m.extent(19), rows = s[s.rank - 2], inputs = s[s.rank - 1];
  if (!m.affords({nets, cell ? 1 : s[0], rows, gates * hidden, inputs + hidden})) return -1;
  std::vector<int> operands{x};
  const auto operand = [&](i64 a, i64 b) {
    // a net's operands begin with the axis of directions, a cell's do not have it
    const shape one_net = b == 0 ? extents(a) : extents(a, b);
    shape all_nets{one_net.rank + 1, {nets}};
    for (int i = 0; i < one_net.rank; ++i) all_nets.extent[i + 1] = one_net[i];
    operands.push_back(m.any_like({m.at(x).type, cell ? one_net : all_nets}));
  };
  const auto sometimes = [&](bool& there, i64 a, i64 b) {
    if ((there = m.decide.one_in(2))) operand(a, b);
  };
  operand(gates * hidden, inputs);
  operand(gates * hidden, hidden);
  for (int i = 0; i < states; ++i) operand(rows, hidden);
  sometimes(o.bias, gates * hidden, 0);
  sometimes(o.recurrentBias, gates * hidden, 0);
  if constexpr (requires { o.peepholeWeight; }) sometimes(o.peepholeWeight, 3 * hidden, 0);
  if constexpr (requires { o.initialHiddenState; }) sometimes(o.initialHiddenState, rows, hidden);
  if constexpr (requires { o.initialCellState; }) sometimes(o.initialCellState, rows, hidden);
  if constexpr (requires { o.resetAfter; }) o.resetAfter = m.decide.one_in(2);
  if constexpr (requires { o.returnSequence; }) o.returnSequence = m.decide.one_in(2);
  if (m.decide.one_in(2)) o.layout = static_cast<decltype(o.layout)>(1);
  return m.add<Op>(o, operands);
}
inline int gru(maker& m) { return recurrent<gru_t>(m, 3, 0); }
inline int gruCell(maker& m) { return recurrent<gruCell_t>(m, 3, 1); }
inline int lstm(maker& m) { return recurrent<lstm_t>(m, 4, 0); }
inline int lstmCell(maker& m) { return recurrent<lstmCell_t>(m, 4, 2); }

}  // namespace tenon::trial::draw

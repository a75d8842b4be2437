// Recurrent networks: cells, which are composites of other families, and nets, which carry a cell's
// state along a sequence.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/scan.hpp>

namespace tenon {

/// WebNN's activation functions of recurrent networks.
enum class recurrent_activation : std::uint8_t { relu, sigmoid, tanh };
/// The activation functions of a cell as an option; default: those of WebNN.
struct activation_list {
  int count = -1;
  recurrent_activation item[3]{};
  constexpr activation_list() = default;
  constexpr activation_list(std::initializer_list<recurrent_activation> items) : count(0) {
    for (const recurrent_activation a : items) {
      if (count < 3) item[count] = a;
      ++count;
    }
  }
  constexpr bool given() const { return count >= 0; }
  constexpr bool operator==(const activation_list&) const = default;
};
/// Where the gates update (z), reset (r) and new (n), or input (i), output (o), forget (f) and cell
/// (g) stand in weights and biases.
enum class gru_layout : std::uint8_t { zrn, rzn };
enum class lstm_layout : std::uint8_t { iofg, ifgo };
/// In which order a net reads its sequence; `both`: two nets, one each.
enum class recurrent_direction : std::uint8_t { forward, backward, both };

/// What gruCell and gru have in common. `bias` and `recurrentBias` say which operands there are.
struct gruCell_options {
  bool bias = false, recurrentBias = false;
  bool resetAfter = true;
  gru_layout layout = gru_layout::zrn;
  activation_list activations{};
  i64 hiddenSize = 0;  ///< 0: what the recurrent weight says
  constexpr bool operator==(const gruCell_options&) const = default;
};
/// WebNN gru options. `steps` of 0 are those of the input.
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
/// What lstmCell and lstm have in common.
struct lstmCell_options {
  bool bias = false, recurrentBias = false, peepholeWeight = false;
  lstm_layout layout = lstm_layout::iofg;
  activation_list activations{};
  i64 hiddenSize = 0;
  constexpr bool operator==(const lstmCell_options&) const = default;
};
/// WebNN lstm options.
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

/// The operands of an operator by role; -1: not there.
struct operands {
  int input = -1, weight = -1, recurrentWeight = -1, hiddenState = -1, cellState = -1, bias = -1,
      recurrentBias = -1, peepholeWeight = -1;
};
/// The results of an operator, side by side in the end.
struct outcome {
  int count = 0;
  int id[3]{};
};

constexpr scalar activated(recurrent_activation a, scalar x) {
  if (a == recurrent_activation::relu) return max(x, 0.0f);
  return a == recurrent_activation::sigmoid ? sigmoid(x) : tanh(x);
}
/// The activation function at a position: by default sigmoid for the gates and tanh behind them.
constexpr recurrent_activation activation(const activation_list& all, int i) {
  if (all.given()) return all.item[i];
  return i == 0 ? recurrent_activation::sigmoid : recurrent_activation::tanh;
}

/// The gates' rows [first, first + count) of a weight or a bias, in units of `hidden`.
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
/// x w^T, and a bias where there is one.
constexpr int projected(recorder& r, int x, int w, int bias) {
  if (bias < 0) return part<gemm_t>(r, {.bTranspose = true}, {x, w});
  return part<gemm_t>(r, {.bTranspose = true}, {x, w, bias});
}
/// The sum of two biases; either may be missing.
constexpr int sum_of(recorder& r, const char* op, int a, int b) {
  if (a < 0 || b < 0) return a < 0 ? b : a;
  return r.map(op, constant_program<2>([](auto x, auto y) { return x + y; }), {a, b}, r.at(a));
}

/// The new hidden state of a gru. `x` has what the input contributes to the gates, [batch, 3 *
/// hidden], with its bias; and the recurrent bias, unless the reset gate comes after the product.
constexpr int gru_step(recorder& r, const gruCell_options& o, const operands& in, int x, int h) {
  constexpr const char* op = "gruCell";
  const tensor out = r.at(h);
  const i64 hidden = out.shape[1];
  const bool zrn = o.layout == gru_layout::zrn;
  const recurrent_activation f = activation(o.activations, 0), g = activation(o.activations, 1);
  const auto of = [&](int id, i64 which) { return gate(r, op, id, which, hidden); };
  const int xz = of(x, !zrn), xr = of(x, zrn), xn = of(x, 2);
  if (o.resetAfter) {
    const int q = projected(r, h, in.recurrentWeight, in.recurrentBias);
    return r.map(op,
                 record_program<7>([&](scalar z, scalar s, scalar n, scalar hz, scalar hs,
                                       scalar hn, scalar old) {
                   const scalar update = activated(f, z + hz), reset = activated(f, s + hs);
                   return update * old + (1.0f - update) * activated(g, n + reset * hn);
                 }),
                 {xz, xr, xn, of(q, !zrn), of(q, zrn), of(q, 2), h}, out);
  }
  const int q = projected(r, h, rows(r, op, in.recurrentWeight, 0, 2, hidden), -1);
  const int kept = r.map(op, record_program<3>([&](scalar s, scalar hs, scalar old) {
                           return activated(f, s + hs) * old;
                         }),
                         {xr, of(q, zrn), h}, out);
  const int n = projected(r, kept, rows(r, op, in.recurrentWeight, 2, 1, hidden), -1);
  return r.map(op, record_program<5>([&](scalar z, scalar hz, scalar xs, scalar hn, scalar old) {
                 const scalar update = activated(f, z + hz);
                 return update * old + (1.0f - update) * activated(g, xs + hn);
               }),
               {xz, of(q, !zrn), xn, n, h}, out);
}
/// What a gru's input contributes, of all rows at once.
constexpr int gru_input(recorder& r, const gruCell_options& o, const operands& in, int x) {
  const int bias = o.resetAfter ? in.bias : sum_of(r, "gruCell", in.bias, in.recurrentBias);
  return projected(r, x, in.weight, bias);
}

/// The new hidden state and cell state of an lstm. `x` has what the input contributes to the gates,
/// with both biases.
struct lstm_states {
  int hidden = -1, cell = -1;
};
constexpr lstm_states lstm_step(recorder& r, const lstmCell_options& o, const operands& in, int x,
                                lstm_states now) {
  constexpr const char* op = "lstmCell";
  const tensor out = r.at(now.hidden);
  const i64 hidden = out.shape[1];
  const bool iofg = o.layout == lstm_layout::iofg;
  const recurrent_activation f = activation(o.activations, 0), g = activation(o.activations, 1),
                             h = activation(o.activations, 2);
  const int s = r.map(op, constant_program<2>([](auto a, auto b) { return a + b; }),
                      {projected(r, now.hidden, in.recurrentWeight, -1), x}, r.at(x));
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
constexpr int lstm_input(recorder& r, const operands& in, int x) {
  return projected(r, x, in.weight, sum_of(r, "lstmCell", in.bias, in.recurrentBias));
}

/// What a net's directions have in common.
struct net {
  i64 steps = 0, batch = 0, hidden = 0;
  int directions = 1;
  recurrent_direction order = recurrent_direction::forward;
  bool returns = false;
  constexpr bool backward(int d) const { return d == 1 || order == recurrent_direction::backward; }
};
/// What the input contributes in all steps: [steps, batch, gates * hidden], one product.
constexpr int by_steps(recorder& r, const char* op, const net& n, int product) {
  return r.reshape(op, product, extents(n.steps, n.batch, r.at(product).shape[1]));
}
constexpr int flattened(recorder& r, const char* op, int input) {
  const shape s = r.at(input).shape;
  return r.reshape(op, input, extents(s[0] * s[1], s[2]));
}
/// The last one of a net's values in all steps.
constexpr int last_of(recorder& r, const char* op, const net& n, int all, bool backward) {
  movement m{};
  const shape one = extents(i64{1}, n.batch, n.hidden);
  m.step = dense(one);
  m.offset = backward ? 0 : (n.steps - 1) * one.count();
  return r.move(op, m, all, {r.at(all).type, one});
}
/// What comes out of a direction for a state: its last value and, where it is wanted, all.
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
/// Both directions' values side by side along `axis`.
constexpr int both(recorder& r, int axis, int first, int second) {
  return second < 0 ? first : part<concat_t>(r, {axis}, {first, second});
}
/// Results side by side.
constexpr int present(recorder& r, const char* op, const outcome& all) {
  int first = -1;
  for (int k = 0; k < all.count; ++k) {
    const int id = r.reshape(op, all.id[k], r.at(all.id[k]).shape);
    if (k == 0) first = id;
  }
  return all.count > 1 ? first : all.id[0];
}
/// The initial state of a direction, zeros where none is given.
constexpr int initial(recorder& r, const char* op, const net& n, int given, int d, int any) {
  if (given >= 0) return direction(r, op, given, d);
  return scans::zeros(r, op, any, extents(n.batch, n.hidden));
}

/// Records an operator of this kind; float16 as float32 with results that are rounded once.
template <class Op> constexpr int record(recorder& r, const typename Op::options& o, list<int> in) {
  int ids[max_operands]{};
  const bool half = takes_half(r, in);
  r.open(Op::name);
  for (int i = 0; i < in.size; ++i)
    ids[i] =
        half ? r.map(Op::name, casts::widened, {in[i]}, {type::float32, r.at(in[i]).shape}) : in[i];
  outcome all = Op::compute(r, o, Op::roles(o, {ids, in.size}));
  int y = -1;
  for (int k = 0; half && k < all.count; ++k) {
    const shape s = r.at(all.id[k]).shape;
    const int id = r.map(Op::name, casts::rounded, {all.id[k]}, {type::float16, s});
    if (k == 0) y = id;
  }
  if (!half) y = present(r, Op::name, all);
  r.close();
  return y;
}

/// Checks operands against the shapes that they must have. Error: operand_count, element_type, rank,
/// extent, option.
struct wanted {
  const char* operand = "";
  shape of{};
};
constexpr error check(const char* op, list<wanted> all, list<tensor> in) {
  if (in.size != all.size) return {code::operand_count, op, "", all.size, in.size};
  for (int i = 0; i < in.size; ++i) {
    const wanted& w = all[i];
    const type t = is_real(in[0].type) ? in[0].type : type::float32;
    if (in[i].type != t) return {code::element_type, op, w.operand, t, in[i].type};
    if (in[i].shape.rank != w.of.rank)
      return {code::rank, op, w.operand, w.of.rank, in[i].shape.rank};
    if (!(in[i].shape == w.of)) return {code::extent, op, w.operand, w.of, in[i].shape};
  }
  return {};
}
constexpr error check_options(const char* op, const activation_list& a, int activations, i64 hidden,
                              int gates) {
  constexpr i64 most = (i64{1} << 31) - 1;
  if (a.given() && a.count != activations)
    return {code::option, op, "activations", activations, a.count};
  if (hidden < 1 || hidden > most / (2 * gates))
    return {code::capacity, op, "hiddenSize", most / (2 * gates), hidden};
  return {};
}
/// How often `true` stands there: operands that an option announces.
template <class... B> constexpr int announced(B... all) { return (0 + ... + (all ? 1 : 0)); }

/// Gives roles to operands in their order.
class dealer {
 public:
  constexpr explicit dealer(list<int> ids) : ids_(ids) {}
  constexpr int operator()(bool there = true) { return there ? ids_[at_++] : -1; }

 private:
  list<int> ids_;
  int at_ = 0;
};
/// What operands must look like, in their order.
struct expectations {
  int count = 0;
  wanted item[max_operands]{};
  constexpr void add(const char* operand, const shape& of, bool there = true) {
    if (there) item[count++] = {operand, of};
  }
  constexpr list<wanted> view() const { return {item, count}; }
};
/// The input itself, of the right rank, or what it should be.
constexpr shape of_rank(const shape& s, int rank) {
  shape r = s;
  r.rank = rank;
  return r;
}
template <class Options>
constexpr i64 hidden_size(const Options& o, const tensor& recurrentWeight) {
  const shape& s = recurrentWeight.shape;
  return o.hiddenSize != 0 ? o.hiddenSize : s.rank > 0 ? s[s.rank - 1] : 0;
}
constexpr int directions(recurrent_direction d) { return d == recurrent_direction::both ? 2 : 1; }

/// The operands of a net, which has `gates` gates and as many states as `initial`s.
template <class Options> constexpr error check_net(const char* op, const Options& o,
                                                   int activations, int gates, int operands,
                                                   list<tensor> in) {
  if (in.size != operands) return {code::operand_count, op, "", operands, in.size};
  const i64 n = directions(o.direction), hidden = hidden_size(o, in[2]);
  const shape x = of_rank(in[0].shape, 3), h = extents(n, x[1], hidden);
  expectations all;
  all.add("input", x);
  all.add("weight", extents(n, gates * hidden, x[2]));
  all.add("recurrentWeight", extents(n, gates * hidden, hidden));
  all.add("bias", extents(n, gates * hidden), o.bias);
  all.add("recurrentBias", extents(n, gates * hidden), o.recurrentBias);
  if constexpr (requires { o.peepholeWeight; })
    all.add("peepholeWeight", extents(n, 3 * hidden), o.peepholeWeight);
  all.add("initialHiddenState", h, o.initialHiddenState);
  if constexpr (requires { o.initialCellState; })
    all.add("initialCellState", h, o.initialCellState);
  if (const error e = check_options(op, o.activations, activations, hidden, gates); !e.ok())
    return e;
  if (const error e = check(op, all.view(), in); !e.ok()) return e;
  if (o.steps != 0 && o.steps != x[0]) return {code::option, op, "steps", x[0], o.steps};
  return {};
}
/// The operands of a cell.
template <class Options> constexpr error check_cell(const char* op, const Options& o,
                                                    int activations, int gates, int operands,
                                                    list<tensor> in) {
  if (in.size != operands) return {code::operand_count, op, "", operands, in.size};
  const i64 hidden = hidden_size(o, in[2]);
  const shape x = of_rank(in[0].shape, 2), h = extents(x[0], hidden);
  expectations all;
  all.add("input", x);
  all.add("weight", extents(gates * hidden, x[1]));
  all.add("recurrentWeight", extents(gates * hidden, hidden));
  all.add("hiddenState", h);
  if constexpr (requires { o.peepholeWeight; }) all.add("cellState", h);
  all.add("bias", extents(gates * hidden), o.bias);
  all.add("recurrentBias", extents(gates * hidden), o.recurrentBias);
  if constexpr (requires { o.peepholeWeight; })
    all.add("peepholeWeight", extents(3 * hidden), o.peepholeWeight);
  if (const error e = check_options(op, o.activations, activations, hidden, gates); !e.ok())
    return e;
  return check(op, all.view(), in);
}
/// Which result of a net: its last states, then the hidden states of all steps.
template <class Options>
constexpr tensor net_result(const Options& o, list<tensor> in, int states, int which) {
  const i64 n = directions(o.direction), hidden = hidden_size(o, in[2]);
  const shape& x = in[0].shape;
  if (which < states) return {in[0].type, extents(n, x[1], hidden)};
  return {in[0].type, extents(x[0], n, x[1], hidden)};
}
template <class Options> constexpr net net_of(recorder& r, const Options& o, const operands& in) {
  const shape x = r.at(in.input).shape, w = r.at(in.recurrentWeight).shape;
  return {x[0], x[1], w[2], static_cast<int>(w[0]), o.direction, o.returnSequence};
}
/// The operands of one direction; states are there in any case.
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
}  // namespace recurrent

/// One step of a gated recurrent unit; see WebNN gruCell.
struct gruCell_t {
  static constexpr const char* name = "gruCell";
  using options = gruCell_options;
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    const int count = 4 + recurrent::announced(o.bias, o.recurrentBias);
    if (const error e = recurrent::check_cell(name, o, 2, 3, count, in); !e.ok()) return e;
    return in[3];
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<gruCell_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    recurrent::dealer next(ids);
    recurrent::operands in;
    in.input = next();
    in.weight = next();
    in.recurrentWeight = next();
    in.hiddenState = next();
    in.bias = next(o.bias);
    in.recurrentBias = next(o.recurrentBias);
    return in;
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

/// A gated recurrent unit along a sequence; see WebNN gru. What the input contributes is one product
/// for all steps; the rest is a scan.
struct gru_t {
  static constexpr const char* name = "gru";
  using options = gru_options;
  static constexpr int results(const options& o) { return o.returnSequence ? 2 : 1; }
  static constexpr result<tensor> infer_result(const options& o, list<tensor> in, int which) {
    const int count = 3 + recurrent::announced(o.bias, o.recurrentBias, o.initialHiddenState);
    if (const error e = recurrent::check_net(name, o, 2, 3, count, in); !e.ok()) return e;
    return recurrent::net_result(o, in, 1, which);
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<gru_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    recurrent::dealer next(ids);
    recurrent::operands in;
    in.input = next();
    in.weight = next();
    in.recurrentWeight = next();
    in.bias = next(o.bias);
    in.recurrentBias = next(o.recurrentBias);
    in.hiddenState = next(o.initialHiddenState);
    return in;
  }
  static constexpr recurrent::outcome compute(recorder& r, const options& o,
                                              const recurrent::operands& in) {
    using namespace recurrent;
    const net n = net_of(r, o, in);
    history y[2]{};
    for (int d = 0; d < n.directions; ++d) y[d] = one_direction(r, o, n, in, d);
    for (int d = 0; n.returns && d < n.directions; ++d)
      y[d].last = last_of(r, name, n, y[d].all, n.backward(d));
    outcome all{1, {both(r, 0, y[0].last, y[1].last)}};
    if (n.returns) all.id[all.count++] = both(r, 1, y[0].all, y[1].all);
    return all;
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

 private:
  static constexpr recurrent::history one_direction(recorder& r, const options& o,
                                                    const recurrent::net& n,
                                                    const recurrent::operands& all, int d) {
    using namespace recurrent;
    const gruCell_options cell{o.bias,   o.recurrentBias, o.resetAfter,
                               o.layout, o.activations,   o.hiddenSize};
    const operands in = of_direction(r, name, n, all, d, false);
    const int x = by_steps(r, name, n, gru_input(r, cell, in, flattened(r, name, all.input)));
    r.begin_scan(name, n.steps, n.backward(d));
    const int now = r.slice_of_step(name, x), h = r.state_of_step(name, in.hiddenState);
    const int next = r.result_of_step(name, gru_step(r, cell, in, now, h));
    r.end_scan();
    return leave(r, name, n, next, h, n.returns);
  }
};

/// One step of a long short-term memory; see WebNN lstmCell. Results: the new hidden state, the new
/// cell state.
struct lstmCell_t {
  static constexpr const char* name = "lstmCell";
  using options = lstmCell_options;
  static constexpr int results(const options&) { return 2; }
  static constexpr result<tensor> infer_result(const options& o, list<tensor> in, int) {
    const int count = 5 + recurrent::announced(o.bias, o.recurrentBias, o.peepholeWeight);
    if (const error e = recurrent::check_cell(name, o, 3, 4, count, in); !e.ok()) return e;
    return in[3];
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<lstmCell_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    recurrent::dealer next(ids);
    recurrent::operands in;
    in.input = next();
    in.weight = next();
    in.recurrentWeight = next();
    in.hiddenState = next();
    in.cellState = next();
    in.bias = next(o.bias);
    in.recurrentBias = next(o.recurrentBias);
    in.peepholeWeight = next(o.peepholeWeight);
    return in;
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

/// A long short-term memory along a sequence; see WebNN lstm. Results: the last hidden state, the last
/// cell state, and with `returnSequence` the hidden states of all steps.
struct lstm_t {
  static constexpr const char* name = "lstm";
  using options = lstm_options;
  static constexpr int results(const options& o) { return o.returnSequence ? 3 : 2; }
  static constexpr result<tensor> infer_result(const options& o, list<tensor> in, int which) {
    const int count = 3 + recurrent::announced(o.bias, o.recurrentBias, o.peepholeWeight,
                                               o.initialHiddenState, o.initialCellState);
    if (const error e = recurrent::check_net(name, o, 3, 4, count, in); !e.ok()) return e;
    return recurrent::net_result(o, in, 2, which);
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor&) {
    return recurrent::record<lstm_t>(r, o, in);
  }
  static constexpr recurrent::operands roles(const options& o, list<int> ids) {
    recurrent::dealer next(ids);
    recurrent::operands in;
    in.input = next();
    in.weight = next();
    in.recurrentWeight = next();
    in.bias = next(o.bias);
    in.recurrentBias = next(o.recurrentBias);
    in.peepholeWeight = next(o.peepholeWeight);
    in.hiddenState = next(o.initialHiddenState);
    in.cellState = next(o.initialCellState);
    return in;
  }
  static constexpr recurrent::outcome compute(recorder& r, const options& o,
                                              const recurrent::operands& in) {
    using namespace recurrent;
    const net n = net_of(r, o, in);
    histories y[2]{};
    for (int d = 0; d < n.directions; ++d) y[d] = one_direction(r, o, n, in, d);
    for (int d = 0; n.returns && d < n.directions; ++d)
      y[d].hidden.last = last_of(r, name, n, y[d].hidden.all, n.backward(d));
    outcome all{2,
                {both(r, 0, y[0].hidden.last, y[1].hidden.last),
                 both(r, 0, y[0].cell.last, y[1].cell.last)}};
    if (n.returns) all.id[all.count++] = both(r, 1, y[0].hidden.all, y[1].hidden.all);
    return all;
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

 private:
  struct histories {
    recurrent::history hidden, cell;
  };
  static constexpr histories one_direction(recorder& r, const options& o, const recurrent::net& n,
                                           const recurrent::operands& all, int d) {
    using namespace recurrent;
    const lstmCell_options cell{o.bias,   o.recurrentBias, o.peepholeWeight,
                                o.layout, o.activations,   o.hiddenSize};
    const operands in = of_direction(r, name, n, all, d, true);
    const int x = by_steps(r, name, n, lstm_input(r, in, flattened(r, name, all.input)));
    r.begin_scan(name, n.steps, n.backward(d));
    const int now = r.slice_of_step(name, x), h = r.state_of_step(name, in.hiddenState),
              c = r.state_of_step(name, in.cellState);
    const lstm_states next = lstm_step(r, cell, in, now, {h, c});
    r.end_scan();
    histories y;
    y.hidden = leave(r, name, n, next.hidden, h, n.returns);
    y.cell = leave(r, name, n, next.cell, c, false);
    return y;
  }
};

/// `gruCell<gruCell_options{.bias = true}>(x, weight, recurrentWeight, hiddenState, bias)`.
/// Operands: input, weight, recurrentWeight, hiddenState, then bias and recurrentBias where the options
/// say so. Shape: [b, n], [3h, n], [3h, h], [b, h], [3h], [3h] -> [b, h]. Type: float32 or float16,
/// which is computed in float32 and rounded once. Source: WebNN gruCell.
template <gruCell_options O = gruCell_options{}, operand_like... H>
constexpr auto gruCell(H... operands) {
  return apply<gruCell_t, O>(operands...);
}
/// `auto [last, all] = gru<gru_options{.bias = true, .returnSequence = true}>(x, w, r, bias);`.
/// Operands: input, weight, recurrentWeight, then bias, recurrentBias and initialHiddenState where the
/// options say so. Shape: [s, b, n], [d, 3h, n], [d, 3h, h], [d, 3h], [d, 3h], [d, b, h] -> [d, b, h]
/// and, with returnSequence, [s, d, b, h] (as a tuple); d is 2 for both directions, else 1. Type:
/// float32 or float16, which is computed in float32. Cost: one product for the input of all steps; a
/// product and a pass over the gates a step. Source: WebNN gru.
template <gru_options O = gru_options{}, operand_like... H> constexpr auto gru(H... operands) {
  if constexpr (O.returnSequence)
    return apply_all<gru_t, O>(operands...);
  else
    return apply<gru_t, O>(operands...);
}
/// `auto [hidden, cell] = lstmCell(x, weight, recurrentWeight, hiddenState, cellState);`.
/// Operands: these five, then bias, recurrentBias and peepholeWeight where the options say so.
/// Shape: [b, n], [4h, n], [4h, h], [b, h], [b, h], [4h], [4h], [3h] -> [b, h] twice. The peephole
/// weights are those of input, output and forget gate; all three see the old cell state. Type:
/// float32 or float16, which is computed in float32. Source: WebNN lstmCell.
template <lstmCell_options O = lstmCell_options{}, operand_like... H>
constexpr auto lstmCell(H... operands) {
  return apply_all<lstmCell_t, O>(operands...);
}
/// `auto [hidden, cell] = lstm(x, weight, recurrentWeight);` and, with returnSequence, `all` as a
/// third. Operands: these three, then bias, recurrentBias, peepholeWeight, initialHiddenState and
/// initialCellState where the options say so. Shape: [s, b, n], [d, 4h, n], [d, 4h, h], [d, 4h],
/// [d, 4h], [d, 3h], [d, b, h], [d, b, h] -> [d, b, h], [d, b, h], [s, d, b, h]. Type and cost: see
/// gru. Source: WebNN lstm.
template <lstm_options O = lstm_options{}, operand_like... H> constexpr auto lstm(H... operands) {
  return apply_all<lstm_t, O>(operands...);
}

}  // namespace tenon

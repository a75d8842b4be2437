// Options and operands of recurrent networks: which operand plays which role, and the shapes that
// WebNN prescribes for them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>

namespace tenon {

/// WebNN's activation functions of recurrent networks.
enum class recurrent_activation : std::uint8_t { relu, sigmoid, tanh };
/// The activation functions of a cell as an option. Not given: WebNN's defaults. More than three
/// are counted but not kept, so that `check_options` can refuse them.
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
/// The order in which a net reads its sequence; `both` means two nets, one for each order.
enum class recurrent_direction : std::uint8_t { forward, backward, both };

namespace recurrent {

/// The operands of an operator by role, under WebNN's names; -1 for one that is not given.
struct operands {
  int input = -1, weight = -1, recurrentWeight = -1, hiddenState = -1, cellState = -1, bias = -1,
      recurrentBias = -1, peepholeWeight = -1;
};
/// The shape that an operand must have, and its name for errors.
struct expectation {
  const char* operand = "";
  shape of{};
};
/// Checks operands against the shapes that they must have. All must have the input's type.
/// Error: operand_count, element_type, rank, extent.
constexpr error check(const char* op, list<expectation> expected, list<tensor> in) {
  if (in.size != expected.size) return {code::operand_count, op, "", expected.size, in.size};
  for (int i = 0; i < in.size; ++i) {
    const expectation& e = expected[i];
    const type t = is_real(in[0].type) ? in[0].type : type::float32;
    if (in[i].type != t) return {code::element_type, op, e.operand, t, in[i].type};
    if (in[i].shape.rank != e.of.rank)
      return {code::rank, op, e.operand, e.of.rank, in[i].shape.rank};
    if (!(in[i].shape == e.of)) return {code::extent, op, e.operand, e.of, in[i].shape};
  }
  return {};
}
/// Checks the number of activations and the hidden size. WebNN limits `hiddenSize` so that all
/// gates of two directions can be counted in an int32. Error: option, capacity.
constexpr error check_options(const char* op, const activation_list& a, int activations, i64 hidden,
                              int gates) {
  constexpr i64 last_int32 = (i64{1} << 31) - 1;
  if (a.given() && a.count != activations)
    return {code::option, op, "activations", activations, a.count};
  if (hidden < 1 || hidden > last_int32 / (2 * gates))
    return {code::capacity, op, "hiddenSize", last_int32 / (2 * gates), hidden};
  return {};
}
/// How many optional operands the options announce.
template <class Options> constexpr int announced(const Options& o) {
  int n = o.bias + o.recurrentBias;
  if constexpr (requires { o.peepholeWeight; }) n += o.peepholeWeight;
  if constexpr (requires { o.initialHiddenState; }) n += o.initialHiddenState;
  if constexpr (requires { o.initialCellState; }) n += o.initialCellState;
  return n;
}

/// Hands out operands in their order: the next one, or -1 for a role that is not given.
class dealer {
 public:
  constexpr explicit dealer(list<int> ids) : ids_(ids) {}
  constexpr int operator()(bool there = true) { return there ? ids_[at_++] : -1; }

 private:
  list<int> ids_;
  int at_ = 0;
};
/// The shapes of all operands, in their order.
struct expectations {
  int count = 0;
  expectation item[max_operands]{};
  constexpr void add(const char* operand, const shape& of, bool there = true) {
    if (there) item[count++] = {operand, of};
  }
  constexpr list<expectation> view() const { return {item, count}; }
};
/// The input's shape with the rank that it should have. The input gives batch and columns to the
/// other shapes, so only its rank can be wrong; extents that it lacks are 0.
constexpr shape of_rank(const shape& s, int rank) {
  shape r = s;
  r.rank = rank;
  return r;
}
/// The hidden size of the options, or else that of the recurrent weight.
template <class Options>
constexpr i64 hidden_size(const Options& o, const tensor& recurrentWeight) {
  const shape& s = recurrentWeight.shape;
  return o.hiddenSize != 0 ? o.hiddenSize : s.rank > 0 ? s[s.rank - 1] : 0;
}
constexpr int directions(recurrent_direction d) { return d == recurrent_direction::both ? 2 : 1; }

/// The roles of a cell's operands, in the order of `check_cell`.
template <class Options> constexpr operands roles_of_cell(const Options& o, list<int> ids) {
  dealer next(ids);
  operands in;
  in.input = next();
  in.weight = next();
  in.recurrentWeight = next();
  in.hiddenState = next();
  if constexpr (requires { o.peepholeWeight; }) in.cellState = next();
  in.bias = next(o.bias);
  in.recurrentBias = next(o.recurrentBias);
  if constexpr (requires { o.peepholeWeight; }) in.peepholeWeight = next(o.peepholeWeight);
  return in;
}
/// The roles of a net's operands, in the order of `check_net`.
template <class Options> constexpr operands roles_of_net(const Options& o, list<int> ids) {
  dealer next(ids);
  operands in;
  in.input = next();
  in.weight = next();
  in.recurrentWeight = next();
  in.bias = next(o.bias);
  in.recurrentBias = next(o.recurrentBias);
  if constexpr (requires { o.peepholeWeight; }) in.peepholeWeight = next(o.peepholeWeight);
  in.hiddenState = next(o.initialHiddenState);
  if constexpr (requires { o.initialCellState; }) in.cellState = next(o.initialCellState);
  return in;
}
/// Checks options and operands of a net with `gates` gates. Error: those of `check` and
/// `check_options`; option, when `steps` is not the input's first extent.
template <class Options> constexpr error check_net(const char* op, const Options& o,
                                                   int activations, int gates, list<tensor> in) {
  const int operands = 3 + announced(o);
  if (in.size != operands) return {code::operand_count, op, "", operands, in.size};
  const i64 n = directions(o.direction), hidden = hidden_size(o, in[2]);
  if (const error e = check_options(op, o.activations, activations, hidden, gates); !e.ok())
    return e;
  const shape x = of_rank(in[0].shape, 3), h = extents(n, x[1], hidden);
  expectations expected;
  expected.add("input", x);
  expected.add("weight", extents(n, gates * hidden, x[2]));
  expected.add("recurrentWeight", extents(n, gates * hidden, hidden));
  expected.add("bias", extents(n, gates * hidden), o.bias);
  expected.add("recurrentBias", extents(n, gates * hidden), o.recurrentBias);
  if constexpr (requires { o.peepholeWeight; })
    expected.add("peepholeWeight", extents(n, 3 * hidden), o.peepholeWeight);
  expected.add("initialHiddenState", h, o.initialHiddenState);
  if constexpr (requires { o.initialCellState; })
    expected.add("initialCellState", h, o.initialCellState);
  if (const error e = check(op, expected.view(), in); !e.ok()) return e;
  if (o.steps != 0 && o.steps != x[0]) return {code::option, op, "steps", x[0], o.steps};
  return {};
}
/// Checks options and operands of a cell with `gates` gates. Only an lstm has peepholes, and with
/// them a cell state.
template <class Options> constexpr error check_cell(const char* op, const Options& o,
                                                    int activations, int gates, list<tensor> in) {
  constexpr int states = requires { o.peepholeWeight; }
  ? 2 : 1;
  const int operands = 3 + states + announced(o);
  if (in.size != operands) return {code::operand_count, op, "", operands, in.size};
  const i64 hidden = hidden_size(o, in[2]);
  if (const error e = check_options(op, o.activations, activations, hidden, gates); !e.ok())
    return e;
  const shape x = of_rank(in[0].shape, 2), h = extents(x[0], hidden);
  expectations expected;
  expected.add("input", x);
  expected.add("weight", extents(gates * hidden, x[1]));
  expected.add("recurrentWeight", extents(gates * hidden, hidden));
  expected.add("hiddenState", h);
  if constexpr (requires { o.peepholeWeight; }) expected.add("cellState", h);
  expected.add("bias", extents(gates * hidden), o.bias);
  expected.add("recurrentBias", extents(gates * hidden), o.recurrentBias);
  if constexpr (requires { o.peepholeWeight; })
    expected.add("peepholeWeight", extents(3 * hidden), o.peepholeWeight);
  return check(op, expected.view(), in);
}
/// Type and shape of result `which` of a net: first its last states, then, behind them, the hidden
/// states of all steps.
template <class Options>
constexpr tensor net_result(const Options& o, list<tensor> in, int states, int which) {
  const i64 n = directions(o.direction), hidden = hidden_size(o, in[2]);
  const shape& x = in[0].shape;
  if (which < states) return {in[0].type, extents(n, x[1], hidden)};
  return {in[0].type, extents(x[0], n, x[1], hidden)};
}
}  // namespace recurrent

}  // namespace tenon

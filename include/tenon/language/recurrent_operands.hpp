// Options and operands of recurrent networks: roles, and the shapes that WebNN wants.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>

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
/// In which order a net reads its sequence; `both`: two nets, one each.
enum class recurrent_direction : std::uint8_t { forward, backward, both };

namespace recurrent {

/// The operands of an operator by role; -1: not there.
struct operands {
  int input = -1, weight = -1, recurrentWeight = -1, hiddenState = -1, cellState = -1, bias = -1,
      recurrentBias = -1, peepholeWeight = -1;
};
/// Checks operands against the shapes that they must have. Error: operand_count, element_type,
/// rank, extent, option.
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
/// How many operands the options announce.
template <class Options> constexpr int announced(const Options& o) {
  int n = o.bias + o.recurrentBias;
  if constexpr (requires { o.peepholeWeight; }) n += o.peepholeWeight;
  if constexpr (requires { o.initialHiddenState; }) n += o.initialHiddenState;
  if constexpr (requires { o.initialCellState; }) n += o.initialCellState;
  return n;
}

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
/// The operands of a net, which has `gates` gates and as many states as `initial`s.
template <class Options> constexpr error check_net(const char* op, const Options& o,
                                                   int activations, int gates, list<tensor> in) {
  const int operands = 3 + announced(o);
  if (in.size != operands) return {code::operand_count, op, "", operands, in.size};
  const i64 n = directions(o.direction), hidden = hidden_size(o, in[2]);
  if (const error e = check_options(op, o.activations, activations, hidden, gates); !e.ok())
    return e;
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
  if (const error e = check(op, all.view(), in); !e.ok()) return e;
  if (o.steps != 0 && o.steps != x[0]) return {code::option, op, "steps", x[0], o.steps};
  return {};
}
/// The operands of a cell.
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
}  // namespace recurrent

}  // namespace tenon

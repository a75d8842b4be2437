// Recurrent cells and nets against plain loops in double precision.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"
#include <map>

using namespace tenon_test;
using tn::code, tn::recurrent_activation, tn::recurrent_direction;

namespace {

// WebNN's defaults.
static_assert(tn::gru_options{}.resetAfter && !tn::gru_options{}.returnSequence &&
              tn::gru_options{}.layout == tn::gru_layout::zrn);
static_assert(tn::gru_options{}.direction == recurrent_direction::forward &&
              tn::lstm_options{}.layout == tn::lstm_layout::iofg);

template <class Op, class... T>
constexpr tn::error fault(const typename Op::options& o, T... types) {
  const tn::tensor in[] = {types...};
  return Op::infer(o, {in, sizeof...(T)}).error();
}
using namespace tenon;
constexpr auto x3 = floats(5, 2, 3), w3 = floats(1, 12, 3), r3 = floats(1, 12, 4),
               b3 = floats(1, 12), h3 = floats(1, 2, 4);
static_assert(fault<gru_t>({}, x3, w3, r3).ok());
static_assert(fault<gru_t>({.steps = 5, .hiddenSize = 4}, x3, w3, r3).ok());
static_assert(fault<gru_t>({.bias = true, .recurrentBias = true, .initialHiddenState = true}, x3,
                           w3, r3, b3, b3, h3)
                  .ok());
static_assert(fault<gru_t>({}, x3, w3, r3, b3).is(code::operand_count, "gru"));
static_assert(fault<gru_t>({.bias = true}, x3, w3, r3).is(code::operand_count, "gru"));
static_assert(fault<gru_t>({}, floats(2, 3), w3, r3).is(code::rank, "gru"));
static_assert(fault<gru_t>({}, x3, floats(12, 3), r3).is(code::rank, "gru"));
static_assert(fault<gru_t>({}, x3, floats(1, 12, 4), r3).is(code::extent, "gru"));
static_assert(
    fault<gru_t>({.direction = recurrent_direction::both}, x3, w3, r3).is(code::extent, "gru"));
static_assert(fault<gru_t>({.bias = true}, x3, w3, r3, floats(1, 11)).is(code::extent, "gru"));
static_assert(fault<gru_t>({.bias = true}, x3, w3, r3, floats(1, 11)).operand == name("bias"));
static_assert(fault<gru_t>({.initialHiddenState = true}, x3, w3, r3, floats(1, 3, 4)).operand ==
              name("initialHiddenState"));
static_assert(fault<gru_t>({.activations = {recurrent_activation::relu}}, x3, w3, r3)
                  .is(code::option, "gru"));
static_assert(fault<gru_t>({.steps = 4}, x3, w3, r3).is(code::option, "gru"));
static_assert(fault<gru_t>({.hiddenSize = 3}, x3, w3, r3).is(code::extent, "gru"));
static_assert(
    fault<gru_t>({}, x3, w3, tensor{type::float16, r3.shape}).is(code::element_type, "gru"));
static_assert(
    fault<gru_t>({}, ints(x3.shape), ints(w3.shape), ints(r3.shape)).is(code::element_type, "gru"));
static_assert(fault<gru_t>({}, x3, w3, floats()).is(code::capacity, "gru"));
constexpr auto x2 = floats(2, 3), w2 = floats(16, 3), r2 = floats(16, 4), h2 = floats(2, 4);
static_assert(fault<gruCell_t>({}, x2, floats(12, 3), floats(12, 4), h2).ok());
static_assert(fault<gruCell_t>({}, x2, floats(12, 3), floats(12, 4), floats(3, 4))
                  .is(code::extent, "gruCell"));
static_assert(
    fault<gruCell_t>({}, x2, floats(12, 3), floats(12, 4)).is(code::operand_count, "gruCell"));
static_assert(
    fault<gruCell_t>({}, floats(2), floats(12, 3), floats(12, 4), h2).is(code::rank, "gruCell"));
static_assert(fault<lstmCell_t>({}, x2, w2, r2, h2, h2).ok());
static_assert(fault<lstmCell_t>({.peepholeWeight = true}, x2, w2, r2, h2, h2, floats(12)).ok());
static_assert(fault<lstmCell_t>({.peepholeWeight = true}, x2, w2, r2, h2, h2, floats(16)).operand ==
              name("peepholeWeight"));
static_assert(fault<lstmCell_t>({}, x2, w2, r2, h2, floats(2, 5)).operand == name("cellState"));
static_assert(fault<lstm_t>({}, x3, floats(1, 16, 3), floats(1, 16, 4)).ok());
static_assert(
    fault<lstm_t>({.initialCellState = true}, x3, floats(1, 16, 3), floats(1, 16, 4), h3).ok());
static_assert(fault<lstm_t>({.activations = {recurrent_activation::relu,
                                             recurrent_activation::relu}},
                            x3, floats(1, 16, 3), floats(1, 16, 4))
                  .is(code::option, "lstm"));
static_assert(fault<lstm_t>({.direction = recurrent_direction::both}, x3, floats(2, 16, 3),
                            floats(2, 16, 4))
                  .ok());

/// The names of operands, in the order of the operators.
using named = std::map<std::string, array>;
double act(recurrent_activation a, double x) {
  return a == recurrent_activation::relu   ? std::max(x, 0.0)
         : a == recurrent_activation::tanh ? std::tanh(x)
                                           : 1 / (1 + std::exp(-x));
}
std::vector<recurrent_activation> activations(const tn::activation_list& l) {
  if (l.given()) return {l.item[0], l.item[1], l.item[2]};
  return {recurrent_activation::sigmoid, recurrent_activation::tanh, recurrent_activation::tanh};
}
/// A row of [rows, columns] times a vector.
double dot(const array& w, tn::i64 offset, tn::i64 row, const double* x, tn::i64 n) {
  double s = 0;
  for (tn::i64 k = 0; k < n; ++k) s += w[offset + row * n + k] * x[k];
  return s;
}
double bias(const named& in, const char* which, tn::i64 at) {
  const auto found = in.find(which);
  return found == in.end() ? 0 : found->second[at];
}

/// One direction of a net for one batch: what WebNN's emulation does, number by number. Cells are
/// nets of one step.
template <class Options> struct by_loops {
  const Options& o;
  const named& in;
  tn::i64 d, n, hidden;
  std::vector<double> h, c;

  double product(const char* w, tn::i64 gates, tn::i64 row, const double* x, tn::i64 count) const {
    return dot(in.at(w), d * gates * hidden * count, row, x, count);
  }
  void gru(const double* x) {
    const auto f = activations(o.activations);
    const bool zrn = o.layout == tn::gru_layout::zrn;
    const tn::i64 z_at = zrn ? 0 : hidden, r_at = zrn ? hidden : 0, n_at = 2 * hidden,
                  all = d * 3 * hidden;
    const auto of = [&](const char* w, tn::i64 row, const double* v, tn::i64 count) {
      return product(w, 3, row, v, count);
    };
    std::vector<double> z, r, kept, next;
    for (tn::i64 i = 0; i < hidden; ++i) {
      const auto gate = [&](tn::i64 at) {
        return act(f[0], bias(in, "bias", all + at + i) + bias(in, "recurrentBias", all + at + i) +
                             of("weight", at + i, x, n) +
                             of("recurrentWeight", at + i, h.data(), hidden));
      };
      z.push_back(gate(z_at));
      r.push_back(gate(r_at));
      kept.push_back(r.back() * h[static_cast<std::size_t>(i)]);
    }
    for (tn::i64 i = 0; i < hidden; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double rb = bias(in, "recurrentBias", all + n_at + i);
      const double from_h = o.resetAfter
                                ? r[k] * (rb + of("recurrentWeight", n_at + i, h.data(), hidden))
                                : rb + of("recurrentWeight", n_at + i, kept.data(), hidden);
      const double g =
          act(f[1], bias(in, "bias", all + n_at + i) + of("weight", n_at + i, x, n) + from_h);
      next.push_back(z[k] * h[k] + g * (1 - z[k]));
    }
    h = next;
  }
  void lstm(const double* x) {
    const auto f = activations(o.activations);
    const bool iofg = o.layout == tn::lstm_layout::iofg;
    const tn::i64 all = d * 4 * hidden, o_at = (iofg ? 1 : 3) * hidden,
                  f_at = (iofg ? 2 : 1) * hidden, g_at = (iofg ? 3 : 2) * hidden;
    std::vector<double> next_h, next_c;
    for (tn::i64 i = 0; i < hidden; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const auto sum = [&](tn::i64 at) {
        return bias(in, "bias", all + at + i) + bias(in, "recurrentBias", all + at + i) +
               product("weight", 4, at + i, x, n) +
               product("recurrentWeight", 4, at + i, h.data(), hidden);
      };
      const auto peep = [&](tn::i64 which) {
        return c[k] * bias(in, "peepholeWeight", d * 3 * hidden + which * hidden + i);
      };
      const double gi = act(f[0], peep(0) + sum(0)), go = act(f[0], peep(1) + sum(o_at)),
                   gf = act(f[0], peep(2) + sum(f_at)), gg = act(f[1], sum(g_at));
      next_c.push_back(gf * c[k] + gi * gg);
      next_h.push_back(go * act(f[2], next_c.back()));
    }
    h = next_h;
    c = next_c;
  }
};

/// Last hidden states, last cell states, hidden states of all steps.
template <bool Lstm, class Options>
std::vector<array> net_by_loops(const Options& o, const named& in) {
  const tn::shape x = in.at("input").is.shape, w = in.at("recurrentWeight").is.shape;
  const tn::i64 steps = x[0], batch = x[1], n = x[2], hidden = w[2];
  array last = zeros(reals(tn::extents(w[0], batch, hidden))), cell = last,
        all = zeros(reals(tn::extents(steps, w[0], batch, hidden)));
  for (tn::i64 d = 0; d < w[0]; ++d)
    for (tn::i64 b = 0; b < batch; ++b) {
      by_loops<Options> one{o, in, d, n, hidden, {}, {}};
      for (tn::i64 i = 0; i < hidden; ++i)
        one.h.push_back(bias(in, "initialHiddenState", (d * batch + b) * hidden + i));
      for (tn::i64 i = 0; i < hidden; ++i)
        one.c.push_back(bias(in, "initialCellState", (d * batch + b) * hidden + i));
      for (tn::i64 k = 0; k < steps; ++k) {
        const tn::i64 step =
            d == 1 || o.direction == recurrent_direction::backward ? steps - 1 - k : k;
        const double* at = in.at("input").at.data() + (step * batch + b) * n;
        if constexpr (Lstm)
          one.lstm(at);
        else
          one.gru(at);
        for (tn::i64 i = 0; i < hidden; ++i)
          all[((step * w[0] + d) * batch + b) * hidden + i] = one.h[static_cast<std::size_t>(i)];
      }
      for (tn::i64 i = 0; i < hidden; ++i)
        last[(d * batch + b) * hidden + i] = one.h[static_cast<std::size_t>(i)];
      for (tn::i64 i = 0; i < hidden; ++i)
        cell[(d * batch + b) * hidden + i] = one.c[static_cast<std::size_t>(i)];
    }
  std::vector<array> r{last};
  if (Lstm) r.push_back(cell);
  if (o.returnSequence) r.push_back(all);
  return r;
}

/// Operands in the order in which the operator takes them.
struct drawing {
  dice& d;
  tn::type t = tn::type::float32;
  named in{};
  std::vector<std::string> order{};
  void add(const char* label, const tn::shape& s, double scale = 1) {
    array a = random_array({t, s}, d);
    for (double& v : a.at) {
      v *= scale;
      v = t == tn::type::float16
              ? static_cast<double>(static_cast<float>(tn::float16(static_cast<float>(v))))
              : static_cast<double>(static_cast<float>(v));
    }
    in[label] = a;
    order.push_back(label);
  }
};
tn::activation_list random_activations(dice& d, int count) {
  tn::activation_list l;
  if (d.one_in(3)) return l;
  l.count = count;
  for (int i = 0; i < count; ++i) l.item[i] = static_cast<recurrent_activation>(d.in(0, 2));
  return l;
}

/// Builds and runs it on both policies; operands behind the first are weights if `bound`.
template <class Op>
std::vector<array> run_operator(const typename Op::options& o, const drawing& all, bool bound) {
  tn::builder b;
  std::vector<tn::builder::value> operands;
  std::vector<array> inputs, weights;
  for (const std::string& label : all.order) {
    const array& a = all.in.at(label);
    const bool weight = bound && !operands.empty();
    operands.push_back(weight ? b.weight(label.c_str(), a.is) : b.input(label.c_str(), a.is));
    (weight ? weights : inputs).push_back(a);
  }
  const tn::list<tn::builder::value> in{operands.data(), static_cast<int>(operands.size())};
  tn::sequence<tn::builder::value> out;
  if constexpr (tn::multiple_operator<Op>)
    out = b.add_all<Op>(o, in);
  else
    out.push(b.add<Op>(o, in));
  const tn::result<tn::table> built = b.finish({out.data(), out.size()});
  INFO(Op::name << ": " << tn::text_of(built.error().what) << " " << built.error().operand.c_str());
  REQUIRE(built.ok());
  return run_both(built->view(), inputs, weights);
}
void check_close(const std::vector<array>& wanted, std::vector<array> found, double allowed) {
  REQUIRE(wanted.size() == found.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO("output " << i);
    found[i].is.type = tn::type::float32;
    CHECK(difference(wanted[i], found[i], allowed) == "");
  }
}
/// Sums of a few dozen products of numbers below 4, through functions whose slope is at most 1.
double allowed(tn::type t) { return t == tn::type::float16 ? 0x1p-10 : 2e-5; }

template <bool Lstm, class Op> void check_nets(int test) {
  constexpr int gates = Lstm ? 4 : 3;
  int done = 0;
  for (int round = 0; round < times(48); ++round) {
    dice d = dice_of(test, round);
    const tn::i64 steps = d.in(1, 6), batch = d.in(1, 3), n = d.in(1, 9), hidden = d.in(1, 21);
    typename Op::options o;
    o.direction = static_cast<recurrent_direction>(d.in(0, 2));
    o.returnSequence = d.one_in(2);
    o.activations = random_activations(d, Lstm ? 3 : 2);
    if (d.one_in(2)) o.steps = steps, o.hiddenSize = hidden;
    const tn::i64 both = o.direction == recurrent_direction::both ? 2 : 1;
    drawing all{d, round % 4 == 3 ? tn::type::float16 : tn::type::float32};
    const double scale = 0.5 / std::sqrt(static_cast<double>(hidden));
    all.add("input", tn::extents(steps, batch, n));
    all.add("weight", tn::extents(both, gates * hidden, n), 0.4);
    all.add("recurrentWeight", tn::extents(both, gates * hidden, hidden), scale);
    if ((o.bias = d.one_in(2))) all.add("bias", tn::extents(both, gates * hidden));
    if ((o.recurrentBias = d.one_in(2)))
      all.add("recurrentBias", tn::extents(both, gates * hidden));
    if constexpr (Lstm) {
      o.layout = static_cast<tn::lstm_layout>(d.in(0, 1));
      if ((o.peepholeWeight = d.one_in(2)))
        all.add("peepholeWeight", tn::extents(both, 3 * hidden), 0.5);
    } else {
      o.layout = static_cast<tn::gru_layout>(d.in(0, 1));
      o.resetAfter = d.one_in(2);
    }
    if ((o.initialHiddenState = d.one_in(2)))
      all.add("initialHiddenState", tn::extents(both, batch, hidden));
    if constexpr (Lstm)
      if ((o.initialCellState = d.one_in(2)))
        all.add("initialCellState", tn::extents(both, batch, hidden));
    INFO("round " << round << ", steps " << steps << ", batch " << batch << ", hidden " << hidden
                  << ", direction " << static_cast<int>(o.direction) << ", seed " << seed());
    typename Op::options whole = o;
    whole.returnSequence = true;
    std::vector<array> wanted = net_by_loops<Lstm>(whole, all.in);
    double most = 1;
    for (const array& a : wanted)
      for (const double v : a.at) most = std::max(most, std::abs(v));
    if (!(most < 1000)) continue;  // nets with relu may grow beyond what their type holds
    ++done;
    if (!o.returnSequence) wanted.pop_back();
    const std::vector<array> found = run_operator<Op>(o, all, d.one_in(2));
    check_close(wanted, found, allowed(all.t) * most);
  }
  CHECK(done > times(48) / 2);
}
/// A cell is a net of one step whose operands have no first axis.
template <bool Lstm, class Op> void check_cells(int test) {
  constexpr int gates = Lstm ? 4 : 3;
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(test, round);
    const tn::i64 batch = d.in(1, 3), n = d.in(1, 9), hidden = d.in(1, 21);
    typename Op::options o;
    o.activations = random_activations(d, Lstm ? 3 : 2);
    drawing all{d, round % 4 == 3 ? tn::type::float16 : tn::type::float32};
    all.add("input", tn::extents(batch, n));
    all.add("weight", tn::extents(gates * hidden, n), 0.4);
    all.add("recurrentWeight", tn::extents(gates * hidden, hidden), 0.3);
    all.add("hiddenState", tn::extents(batch, hidden));
    if constexpr (Lstm) all.add("cellState", tn::extents(batch, hidden));
    if ((o.bias = d.one_in(2))) all.add("bias", tn::extents(gates * hidden));
    if ((o.recurrentBias = d.one_in(2))) all.add("recurrentBias", tn::extents(gates * hidden));
    if constexpr (Lstm) {
      o.layout = static_cast<tn::lstm_layout>(d.in(0, 1));
      if ((o.peepholeWeight = d.one_in(2))) all.add("peepholeWeight", tn::extents(3 * hidden), 0.5);
    } else {
      o.layout = static_cast<tn::gru_layout>(d.in(0, 1));
      o.resetAfter = d.one_in(2);
    }
    std::conditional_t<Lstm, tn::lstm_options, tn::gru_options> whole;
    whole.layout = o.layout;
    whole.activations = o.activations;
    if constexpr (!Lstm) whole.resetAfter = o.resetAfter;
    named in = all.in;
    const auto widen = [&](const char* from, const char* to) {
      array& a = in[to] = in.at(from);
      tn::shape s{a.is.shape.rank + 1, {1}};
      for (int i = 0; i < a.is.shape.rank; ++i) s.extent[i + 1] = a.is.shape[i];
      a.is.shape = s;
    };
    for (const std::string& label : all.order)
      widen(label.c_str(), label == "hiddenState" ? "initialHiddenState"
                           : label == "cellState" ? "initialCellState"
                                                  : label.c_str());
    std::vector<array> wanted = net_by_loops<Lstm>(whole, in);
    double most = 1;
    for (array& a : wanted) {
      a.is.shape = tn::extents(batch, hidden);
      for (const double v : a.at) most = std::max(most, std::abs(v));
    }
    INFO("round " << round << ", batch " << batch << ", hidden " << hidden << ", seed " << seed());
    check_close(wanted, run_operator<Op>(o, all, d.one_in(2)), allowed(all.t) * most);
  }
}

constexpr gru_options there_and_back{.bias = true,
                                     .recurrentBias = true,
                                     .returnSequence = true,
                                     .direction = recurrent_direction::both};
inline constexpr auto gru_model = [](auto x) {
  auto [last, all] =
      tn::gru<there_and_back>(x, tn::weight<"w", float, 2, 24, 3>, tn::weight<"r", float, 2, 24, 8>,
                              tn::weight<"b", float, 2, 24>, tn::weight<"rb", float, 2, 24>);
  return tn::outputs(last, all, tn::relu(all));
};
using gru_graph = tn::graph<gru_model, tn::input<"x", float, 7, 2, 3>>;
constexpr lstm_options keeps{.initialHiddenState = true, .initialCellState = true};
inline constexpr auto lstm_model = [](auto x, auto h, auto c) {
  auto [last, cell] =
      tn::lstm<keeps>(x, tn::weight<"w", float, 1, 20, 3>, tn::weight<"r", float, 1, 20, 5>, h, c);
  auto [again, more] = tn::lstmCell(tn::reshape<2, 5>(last), tn::weight<"w2", float, 12, 5>,
                                    tn::weight<"r2", float, 12, 3>, tn::weight<"h2", float, 2, 3>,
                                    tn::weight<"c2", float, 2, 3>);
  return tn::outputs(cell,
                     tn::gruCell(again, tn::weight<"w3", float, 6, 3>,
                                 tn::weight<"r3", float, 6, 2>, tn::weight<"h3", float, 2, 2>),
                     more);
};
using lstm_graph = tn::graph<lstm_model, tn::input<"x", float, 4, 2, 3>,
                             tn::input<"h", float, 1, 2, 5>, tn::input<"c", float, 1, 2, 5>>;
static_assert(tn::check<gru_graph>.ok() && tn::check<lstm_graph>.ok());
// A mistake passes through all results.
inline constexpr auto mistaken = [](auto x) {
  auto [last, cell] =
      tn::lstm(x, tn::weight<"w", float, 1, 20, 4>, tn::weight<"r", float, 1, 20, 5>);
  return tn::outputs(tn::relu(cell), last);
};
static_assert(tn::check<tn::graph<mistaken, tn::input<"x", float, 4, 2, 3>>>.is(code::extent,
                                                                                "lstm"));
static_assert(tn::check<tn::graph<mistaken, tn::input<"x", float, 4, 2, 3>>>.operand ==
              name("weight"));

}  // namespace

TEST_CASE("gruCell with all options is what plain loops compute") {
  check_cells<false, tn::gruCell_t>(3201);
}
TEST_CASE("lstmCell with all options is what plain loops compute") {
  check_cells<true, tn::lstmCell_t>(3202);
}
TEST_CASE("gru with all options is what plain loops compute") {
  check_nets<false, tn::gru_t>(3203);
}
TEST_CASE("lstm with all options is what plain loops compute") {
  check_nets<true, tn::lstm_t>(3204);
}

TEST_CASE("static recurrent graphs compute what their tables do") {
  dice d = dice_of(3205, 0);
  const auto weights = [&](const tn::table_view& t) {
    std::vector<array> all;
    for (const int w : t.weights) all.push_back(random_array(t.nodes[w].out, d));
    return all;
  };
  const std::vector<array> w = weights(gru_graph::view());
  const array x = random_array(floats(7, 2, 3), d);
  const std::vector<array> y = run_static_both<gru_graph>({x}, w);
  check_close(net_by_loops<false>(there_and_back, {{"input", x},
                                                   {"weight", w[0]},
                                                   {"recurrentWeight", w[1]},
                                                   {"bias", w[2]},
                                                   {"recurrentBias", w[3]}}),
              {y[0], y[1]}, 1e-4);
  (void)run_static_both<lstm_graph>(
      {random_array(floats(4, 2, 3), d), random_array(floats(1, 2, 5), d),
       random_array(floats(1, 2, 5), d)},
      weights(lstm_graph::view()));
}

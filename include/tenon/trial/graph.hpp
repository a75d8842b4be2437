// A random graph as the list of the builder's calls that make it: again, with other extents, or as
// text.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/builder.hpp>
#include <tenon/trial/random.hpp>
#include <tenon/trial/text.hpp>
#include <functional>

namespace tenon::trial {

/// What limits random graphs.
struct limits {
  int operators = 40;    ///< most operators of a graph; usually 10
  i64 elements = 8192;   ///< of a tensor
  i64 terms = 400'000;   ///< products and window taps of a whole graph
  int policies = 1;      ///< `on` asks for policies below this
  bool spoiled = false;  ///< also wrong operands and options: for fuzzers
};

/// One call of the builder, and how to make it again.
struct step {
  enum class leaf : std::uint8_t { none, input, weight, state };
  using list = std::vector<builder::value>;
  int node = -1;                ///< of the table
  std::vector<int> operands{};  ///< nodes
  std::string code{};           ///< what stands behind `const auto v3 = `
  leaf is = leaf::none;
  name label{};               ///< of leaves
  tensor out{};               ///< for the limits
  std::uint32_t limited = 0;  ///< axes of an input; of operators: axes that follow from such ones
  int policy = -1;
  std::function<builder::value(builder&, const list&)> again{};  ///< of operators
};

/// Calls `f` with the elements of a vector as an initializer_list, which the builder wants. Its
/// size has to be known to the compiler: nine cases cover the most operands that there are, and one
/// too many, which fuzzers offer.
template <class T, class F> auto with_list(const std::vector<T>& v, F f)
    -> decltype(f(std::initializer_list<T>{})) {
  using list = std::initializer_list<T>;
  switch (v.size()) {
    case 0: return f(list{});
    case 1: return f(list{v[0]});
    case 2: return f(list{v[0], v[1]});
    case 3: return f(list{v[0], v[1], v[2]});
    case 4: return f(list{v[0], v[1], v[2], v[3]});
    case 5: return f(list{v[0], v[1], v[2], v[3], v[4]});
    case 6: return f(list{v[0], v[1], v[2], v[3], v[4], v[5]});
    case 7: return f(list{v[0], v[1], v[2], v[3], v[4], v[5], v[6]});
    case 8: return f(list{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]});
    default: return f(list{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]});
  }
}
/// The positions of the bits of a mask of axes.
inline std::vector<int> axes_in(std::uint32_t mask) {
  std::vector<int> axes;
  for (int i = 0; i < max_rank; ++i)
    if ((mask >> i & 1u) != 0) axes.push_back(i);
  return axes;
}

/// A random graph: its table, and the calls that made it.
struct random_graph {
  /// A state, and the node whose value it has in the next call.
  struct carried {
    int state = -1, next = -1;  ///< nodes
  };
  table net;
  error fault{};                ///< not ok: what the builder refused
  std::vector<step> steps;      ///< inputs, weights and states too
  std::vector<int> outputs{};   ///< nodes
  std::vector<carried> next{};  ///< of the states
  choices::list decisions{};    ///< that made it
};

/// The code of a leaf.
inline std::string code_of_leaf(const step& s) {
  const char* kind = s.is == step::leaf::weight  ? "weight"
                     : s.is == step::leaf::state ? "state"
                                                 : "input";
  std::string r = std::string("b.") + kind + "(\"" + s.label.c_str() + "\", " + code_of(s.out);
  if (s.is == step::leaf::input && s.limited != 0) {
    std::string axes;
    for (const int a : axes_in(s.limited)) axes += (axes.empty() ? "" : ", ") + std::to_string(a);
    r += ", {" + axes + "}";
  }
  return r + ")";
}

/// Makes a graph once more, with other extents: those of its inputs, in order, are no limits then.
/// Without `shapes` it is the same graph. Error: what the builder refuses.
inline result<table> build_again(const random_graph& g, const std::vector<shape>* shapes) {
  builder b;
  std::vector<builder::value> values;
  const auto value_of = [&](int node) {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (g.steps[i].node == node) return values[i];
    return builder::value{};
  };
  std::size_t inputs = 0;
  for (const step& s : g.steps) {
    step::list operands;
    for (const int node : s.operands) operands.push_back(value_of(node));
    tensor t = s.out;
    if (s.is == step::leaf::input && shapes != nullptr) t.shape = (*shapes)[inputs++];
    builder::value v;
    switch (s.is) {
      case step::leaf::input:
        v = with_list(axes_in(shapes != nullptr ? 0 : s.limited),
                      [&](std::initializer_list<int> axes) { return b.input(s.label, t, axes); });
        break;
      case step::leaf::weight: v = b.weight(s.label, t); break;
      case step::leaf::state: v = b.state(s.label, t); break;
      default: v = s.again(b, operands); break;
    }
    values.push_back(s.policy < 0 ? v : b.on(s.policy, v));
  }
  for (const random_graph::carried& c : g.next) b.next(value_of(c.state), value_of(c.next));
  step::list outputs;
  for (const int o : g.outputs) outputs.push_back(value_of(o));
  return with_list(outputs, [&](std::initializer_list<builder::value> l) { return b.finish(l); });
}

/// Adds a map of a recorded program: `builder::map` wants the number of operands as a constant.
inline builder::value add_map(builder& b, const recorded& p, int arity,
                              std::initializer_list<builder::value> l) {
  const auto call = [&]<int Arity>() {
    return b.map<Arity>(
        [&](auto... x) {
          const scalar all[] = {x...};
          int slots[Arity]{};
          for (int i = 0; i < Arity; ++i) slots[i] = all[i].slot();
          return scalar{all[0].where(), append(*all[0].where(), p.view(), slots)};
        },
        l);
  };
  switch (arity) {
    case 1: return call.template operator()<1>();
    case 2: return call.template operator()<2>();
    case 3: return call.template operator()<3>();
    case 4: return call.template operator()<4>();
    case 5: return call.template operator()<5>();
    case 6: return call.template operator()<6>();
    case 7: return call.template operator()<7>();
    default: return call.template operator()<8>();
  }
}

}  // namespace tenon::trial

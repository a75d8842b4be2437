// Graphs with limits or states: a sequence of calls of one instance, each with extents of its own,
// and what the same graph built with exactly these extents, and with its states as inputs and
// outputs, gives on `reference`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/replay.hpp>
#include <tenon/trial/compare.hpp>
#include <functional>

namespace tenon::trial {

/// True if the calls of an instance differ: their extents vary, or a state connects them.
inline bool has_history(const table_view& t) { return t.limits.size > 0 || t.states > 0; }

/// Makes the graph with exactly these extents of its inputs, in order. Error: what operators
/// refuse.
using fixed_maker = std::function<result<table>(const std::vector<shape>&)>;

/// The table itself, recorded again with the extents of `shapes`: for tables that no random graph
/// made. Inputs that are states keep their shapes.
inline result<table> fixed_table(const table_view& t, std::vector<shape> shapes) {
  for (int i = t.call_inputs(); i < t.inputs.size; ++i)
    shapes.push_back(t.nodes[t.inputs[i]].out.shape);
  recorder r;
  if (const error e = replay(t, shapes.data(), r); !e.ok()) return e;
  for (const int i : t.inputs) r.out.inputs.push(i);
  for (const int i : t.weights) r.out.weights.push(i);
  for (const int i : t.outputs) r.out.outputs.push(i);
  for (int i = 0; i < t.nodes.size; ++i) r.out.nodes[i].policy = t.nodes[i].policy;
  r.out.states = t.states;
  return static_cast<table&&>(r.out);
}

/// How the calls of graphs with limits or states ended.
struct call_counts {
  int graphs = 0, with_states = 0;
  int varied = 0;    ///< calls with other extents than the limits
  int accepted = 0;  ///< of those: gave results
  int refused = 0;   ///< of those: an operator refused the extents, or they exceed the limits
  int beyond = 0;    ///< of those: the plan for the limits cannot do it (`broadcast`, `capacity`)
};

/// One call: its contents, and what it must give.
struct planned_call {
  std::string way;
  bool resets = false;        ///< before it
  bool refused = false;       ///< must fail
  bool unshaped = false;      ///< inputs with one axis that varies come as elements without shape
  bool varied = false;        ///< has other extents than the limits
  std::vector<shape> shapes;  ///< of the inputs
  table net;  ///< with these extents, its states as inputs and outputs; empty: no such
  contents values;
  expectation e;
};

/// The calls of one graph, worked out one after the other: a state depends on the calls before.
/// States begin as zeros. A policy that rounds leaves states that are known as intervals only, so
/// the next call's tolerance is computed from these intervals.
class call_sequence {
 public:
  static constexpr int length = 9;
  call_sequence(const table_view& t, const fixed_maker& fixed, std::uint64_t seed, mood m,
                const inexact& error)
      : t_(t), fixed_(fixed), seed_(seed), mood_(m), error_(error) {
    forget();
  }
  /// The next call. Nothing, and `problem` says why, when the reference fails.
  std::optional<planned_call> next(std::string& problem) {
    const int k = number_++;
    planned_call c;
    const bool too_far = t_.limits.size > 0 && k == 6;
    c.resets = k == 5;
    if (c.resets) forget();
    const std::vector<shape>& shapes = c.shapes = shapes_of(k);
    for (int i = 0; i < t_.call_inputs(); ++i)
      c.varied |= !(shapes[static_cast<std::size_t>(i)] == t_.nodes[t_.inputs[i]].out.shape);
    c.way = "call " + std::to_string(k + 1) + " of one instance" + words_of(shapes);
    c.unshaped = k % 2 == 1;
    result<table> exact = fixed_(shapes);
    c.refused = too_far || !exact.ok();
    if (!exact.ok()) return c;
    c.net = static_cast<table&&>(*exact);
    c.net.states = 0;
    keep_apart(c.net);
    const table_view now = c.net.view();
    c.values = any_contents(now, seed_, mood_);
    const contents fresh = any_contents(now, seed_of(seed_, static_cast<std::uint64_t>(k)), mood_);
    for (const int i : now.inputs)
      c.values[static_cast<std::size_t>(i)] = fresh[static_cast<std::size_t>(i)];
    if (!c.refused && !expect(c, problem)) return {};
    return c;
  }
  /// The call took place: what it left in the states is what the next one finds.
  void took_place(const planned_call& c) {
    const auto first = static_cast<std::size_t>(t_.call_outputs());
    for (std::size_t s = 0; s < states_.size(); ++s) {
      states_[s] = c.e.wanted[first + s];
      if (error_.relative > 0) intervals_[s] = c.e.allowed[first + s];
    }
  }

 private:
  void forget() {
    states_.clear();
    intervals_.assign(static_cast<std::size_t>(t_.states), {});
    for (int s = 0; s < t_.states; ++s)
      states_.emplace_back(
          static_cast<std::size_t>(t_.nodes[t_.inputs[t_.call_inputs() + s]].out.bytes()));
  }
  bool expect(planned_call& c, std::string& problem) const {
    const table_view now = c.net.view();
    node_intervals state_intervals(static_cast<std::size_t>(now.nodes.size));
    for (int s = 0; s < t_.states; ++s) {
      const auto at = static_cast<std::size_t>(now.inputs[t_.call_inputs() + s]);
      c.values[at] = states_[static_cast<std::size_t>(s)];
      state_intervals[at] = intervals_[static_cast<std::size_t>(s)];
    }
    auto results = results_of_reference(now, c.values, problem);
    if (!results) return false;
    c.e.wanted = std::move(*results);
    if (error_.relative > 0) {
      const node_intervals all = intervals_of(now, c.values, error_, state_intervals);
      for (const int o : now.outputs) c.e.allowed.push_back(all[static_cast<std::size_t>(o)]);
    }
    return true;
  }
  /// The extents of call `k`:
  ///   0, 3     the limits
  ///   1        1 along every axis that varies
  ///   2, 4, 7  at random; axes of equal limits get equal extents, as operators mostly want it
  ///   5        at random, every axis by itself: operators may refuse these
  ///   6        one more than the limits: the call must fail
  ///   8        those of call 2: what the model keeps for extents must still be right
  std::vector<shape> shapes_of(int k) const {
    std::vector<shape> all;
    for (int i = 0; i < t_.call_inputs(); ++i) all.push_back(t_.nodes[t_.inputs[i]].out.shape);
    const auto call = static_cast<std::uint64_t>(k == 8 ? 2 : k);  // the last one is an old one
    for (const varying& v : t_.limits)
      for (int axis = 0; axis < max_rank; ++axis) {
        if ((v.axes >> axis & 1u) == 0) continue;
        i64& e = all[static_cast<std::size_t>(v.input)].extent[axis];
        std::uint64_t key = seed_of(seed_, call * 4096 + static_cast<std::uint64_t>(e));
        if (k == 5) key = seed_of(key, static_cast<std::uint64_t>(v.input * max_rank + axis));
        if (k == 1) e = 1;
        if (k == 6) ++e;
        if (k == 2 || k == 4 || k == 5 || k == 7 || k == 8)
          e = 1 + static_cast<i64>(generator{key}.below(static_cast<std::uint64_t>(e)));
      }
    return all;
  }
  std::string words_of(const std::vector<shape>& shapes) const {
    std::string r;
    for (const varying& v : t_.limits) {
      const shape& s = shapes[static_cast<std::size_t>(v.input)];
      r += std::string(", ") + t_.name_of(t_.nodes[t_.inputs[v.input]]).c_str() + " [";
      for (int i = 0; i < s.rank; ++i) r += (i > 0 ? ", " : "") + std::to_string(s[i]);
      r += "]";
    }
    return r;
  }
  /// Gives maps different policies in `now` if their limits differ. Merging maps into one program
  /// can change bits, and the plan for the limits decides what merges: only maps of equal shape and
  /// policy do. With the extents of a call more shapes may be equal, so maps that stay apart in the
  /// plan would merge here. The policies are free to use: `reference` stands for all of them.
  void keep_apart(table& now) const {
    if (t_.limits.size == 0 || now.nodes.size() != t_.nodes.size) return;
    for (int i = 0; i < t_.nodes.size; ++i) {
      const node& n = t_.nodes[i];
      if (n.kind != family::map) continue;
      std::vector<int> others;  // maps before it of the same extents now, one for each kind
      std::size_t kind = 0;
      for (int k = 0; k < i; ++k) {
        const node& before = t_.nodes[k];
        if (before.kind != family::map || !(now.nodes[k].out.shape == now.nodes[i].out.shape))
          continue;
        bool listed = false;
        for (const int o : others) listed = listed || one_kind(t_.nodes[o], before);
        if (!listed) others.push_back(k);
      }
      while (kind < others.size() && !one_kind(t_.nodes[others[kind]], n)) ++kind;
      now.nodes[i].policy = static_cast<std::int8_t>(kind % 32);
    }
  }
  static bool one_kind(const node& a, const node& b) {
    return a.policy == b.policy && a.out.shape == b.out.shape;
  }

  table_view t_;
  const fixed_maker& fixed_;
  std::uint64_t seed_;
  mood mood_;
  inexact error_;
  int number_ = 0;
  contents states_;
  node_intervals intervals_;
};

/// Makes a planned call. `happened`: it was not refused. A call that fails must leave the outputs
/// untouched.
template <class Instance>
std::optional<difference> call_as_planned(Instance& caller, const table_view& t,
                                          const planned_call& c, std::uint64_t seed,
                                          bool& happened) {
  happened = false;
  if (c.resets) caller.reset();
  table_view now = c.net.view();
  const bool none = now.nodes.size == 0;  // no such graph: memory for the limits
  if (none) now = t;
  now.states = t.states;
  call_views v(now, none ? any_contents(t, seed, mood::calm) : c.values, seed);
  for (std::size_t i = 0; none && i < v.in.size(); ++i) {
    v.in[i].shape = c.shapes[i];
    v.in[i].strides = dense(c.shapes[i]);
  }
  for (const varying& b : t.limits) {
    const_view& x = v.in[static_cast<std::size_t>(b.input)];
    if (c.unshaped && std::has_single_bit(b.axes))
      x = {x.data, x.type, extents(x.shape.count()), dense(extents(x.shape.count())), false};
  }
  const status s = caller.run(v.in, v.out);
  if (s.ok() && c.refused) return difference{c.way, "the call should have failed"};
  if (!s.ok()) {
    const bool may =
        c.refused || (c.varied && (s.what == code::broadcast || s.what == code::capacity));
    if (!may) return difference{c.way, std::string("the call failed: ") + text_of(s.what)};
    if (!v.untouched()) return difference{c.way, "a call that failed wrote to its outputs"};
    return {};
  }
  happened = true;
  return check(now, v, c.e, c.way);
}

}  // namespace tenon::trial

// Writes nodes into a table, with one function per family. Operators record themselves with it, for
// both front ends. Shapes have been checked before.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/leaf_index.hpp>
#include <tenon/graph/rewrite.hpp>
#include <initializer_list>

namespace tenon {

/// Builds a table. The first error stays in `fault`; recording goes on, so that numbers of nodes
/// stay valid.
class recorder {
 public:
  table out;
  error fault{};

  constexpr recorder() = default;
  /// Records into lent memory; no inputs and weights.
  template <table_sizes S> constexpr explicit recorder(frozen<S>& room)
      : out(room.lend()), states_(nullptr, 0), leaves_(without_memory{}) {}

  /// Keeps an error, if it is the first. While `put_last` records for the second time errors are
  /// ignored: the first time had them.
  constexpr void refuse(const error& e) {
    if (fault.ok() && !rehearses_) fault = e;
  }
  /// The tensor of a node; a copy, because the table grows.
  constexpr tensor at(int id) const { return out.nodes[id].out; }

  /// Records an input. On the axes in `limited` (bit i: axis i) the extent is a limit.
  constexpr int input(const name& label, const tensor& t, std::uint32_t limited = 0) {
    const int before = out.nodes.size(), id = leaf(family::input, "input", label, t);
    if (id != before)
      refuse({code::name_conflict, "input", label, at(id).shape, t.shape});
    else if (const int position = out.inputs.push(id); limited != 0)
      out.limits.push({position, limited});
    return id;
  }
  /// A state: zeros at first, then what `next` says. It joins the inputs when the table is
  /// complete.
  constexpr int state(const name& label, const tensor& t) {
    const int before = out.nodes.size(), id = leaf(family::input, "state", label, t);
    if (id != before)
      refuse({code::name_conflict, "state", label, at(id).shape, t.shape});
    else
      states_.push({id, -1});
    return id;
  }
  /// The value that a state has in the next call. Error: output, when `id` is no state or has a
  /// next value already; extent, element_type.
  constexpr void next(int id, int value) {
    if (rehearses_) return;
    carried* state = nullptr;
    for (carried& s : states_)
      if (s.state == id) state = &s;
    if (state == nullptr || state->next >= 0)
      return refuse({code::output, "next", "state", "a state without a next value",
                     state == nullptr ? "no state" : "two next values"});
    const tensor expected = at(id), found = at(value);
    if (!(expected.shape == found.shape))
      return refuse({code::extent, "next", "value", expected.shape, found.shape});
    if (expected.type != found.type)
      return refuse({code::element_type, "next", "value", expected.type, found.type});
    state->next = value;
  }
  /// Completes the table. Error: output, when a state has no next value.
  constexpr void seal() {
    for (const carried& s : states_) {
      if (s.next < 0)
        refuse(
            {code::output, "state", out.names[out.nodes[s.state].detail], "a next value", "none"});
      out.inputs.push(s.state);
      out.outputs.push(s.next);
      ++out.states;
    }
    states_.clear();
  }
  /// In graphs with limits, remembers the operator that recorded the nodes from `first` on, so that
  /// `replay` can record it again for other extents. Returns the recipe, or null if there is none.
  constexpr recipe* note(int first, list<int> operands, again_type again) {
    const int size = out.nodes.size() - first;
    if (out.limits.empty() || size == 0) return nullptr;
    recipe c{first, size, {out.used.size(), operands.size}, again};
    if (is_elementwise(c)) c.again = nullptr;
    for (const int id : operands) out.used.push(id);
    return &out.recipes[out.recipes.push(c)];
  }
  /// True for an operator whose shape rule is broadcasting and nothing else. A composite operator
  /// may also be a single map node, but has a shape rule of its own.
  constexpr bool is_elementwise(const recipe& c) const {
    const node& n = out.nodes[c.first];
    return c.size == 1 && n.kind == family::map && n.region < 0;
  }
  /// A weight is interned: the same name is the same node, and must have the same type and shape.
  constexpr int weight(const name& label, const tensor& t) {
    const int before = out.nodes.size(), id = leaf(family::weight, "weight", label, t);
    if (id == before)
      out.weights.push(id);
    else if (!(at(id) == t) || out.nodes[id].kind != family::weight)
      refuse({code::name_conflict, "weight", label, at(id).shape, t.shape});
    return id;
  }

  /// An element-wise node. `program`'s argument i is operand i, broadcast to `t`. Error: program,
  /// when it is invalid or needs more than `max_registers` registers.
  constexpr int map(const char* op, const recorded& program, std::initializer_list<int> in,
                    const tensor& t) {
    if (program.fault != code::ok)
      refuse({program.fault, op, "program", max_program, program.size});
    const int before = out.programs.size(), at = out.intern(program.view());
    if (at == before && program.fault == code::ok)
      if (const int n = allocate(program.view()).registers; n > max_registers)
        refuse({code::program, op, "registers", max_registers, n});
    return push(op, family::map, in, t, at);
  }
  constexpr int contract(const char* op, const contraction& c, int a, int b, const tensor& t) {
    return push(op, family::contract, {a, b}, t, out.contractions.push(c));
  }
  constexpr int window(const char* op, const windowing& w, int in, const tensor& t) {
    return push(op, family::window, {in}, t, out.windowings.push(w));
  }
  constexpr int reduce(const char* op, const reduction& r, int in, const tensor& t) {
    return push(op, family::reduce, {in}, t, out.reductions.push(r));
  }
  constexpr int move(const char* op, const movement& m, int in, const tensor& t) {
    return push(op, family::move, {in}, t, out.movements.push(m));
  }
  /// Joins all operands one behind the other along an axis. If they are more than a node has room
  /// for, the first ones are joined by a node of their own.
  constexpr int join(const char* op, int axis, list<int> in, const tensor& t) {
    if (in.size > max_operands) {
      tensor first = t;
      first.shape.extent[axis] = 0;
      for (int i = 0; i < max_operands; ++i) first.shape.extent[axis] += at(in[i]).shape[axis];
      int rest[max_operands * max_operands];
      int n = 0;
      rest[n++] = join(op, axis, {in.data, max_operands}, first);
      for (int i = max_operands; i < in.size; ++i) rest[n++] = in[i];
      return join(op, axis, {rest, n}, t);
    }
    movement m{};
    m.is = movement::form::join;
    m.axis = axis;
    const int id = push(op, family::move, {in[0]}, t, out.movements.push(m));
    for (int i = 1; i < in.size; ++i) out.nodes[id].in[out.nodes[id].operands++] = in[i];
    return id;
  }
  constexpr int gather(const char* op, const gathering& g, int data, int indices, const tensor& t) {
    return push(op, family::gather, {data, indices}, t, out.gatherings.push(g));
  }
  /// A gathering that writes; sets `g.writes`.
  constexpr int scatter(const char* op, gathering g, int data, int indices, int updates,
                        const tensor& t) {
    g.writes = true;
    return push(op, family::gather, {data, indices, updates}, t, out.gatherings.push(g));
  }
  /// Elements of 4 bits as whole bytes.
  constexpr int unpack(const char* op, int in) {
    movement m{};
    m.is = movement::form::unpack;
    const tensor t = at(in);
    return move(op, m, in, {unpacked(t.type), t.shape});
  }
  /// Whole bytes as elements of a type of 4 bits.
  constexpr int pack(const char* op, int in, type to) {
    movement m{};
    m.is = movement::form::pack;
    return move(op, m, in, {to, at(in).shape});
  }
  constexpr int reshape(const char* op, int in, const shape& to) {
    movement m{};
    m.is = movement::form::reshape;
    m.step = dense(to);
    return move(op, m, in, {at(in).type, to});
  }

  /// Nodes recorded from here on are the body of a scan. Error: capacity, in the body of another
  /// one.
  constexpr void begin_scan(const char* op, i64 steps, bool backward) {
    if (body_.loop >= 0) refuse({code::capacity, op, "body", "no scan within a scan", "two"});
    const int before = out.scans.empty() ? -1 : out.scans.back().loop;
    body_ = {scanning::part::slice, backward, before + 1, -1, steps};
    last_body_ = body_;
  }
  constexpr void end_scan() { body_ = {}; }
  /// In a body: the part of `in` at this step's position of its first axis.
  constexpr int slice_of_step(const char* op, int in) {
    tensor t = at(in);
    --t.shape.rank;
    for (int i = 0; i < t.shape.rank; ++i) t.shape.extent[i] = t.shape.extent[i + 1];
    t.shape.extent[t.shape.rank] = 0;
    return border(op, scanning::part::slice, {in}, t);
  }
  /// In a body: a state, which is `initial` in the first step.
  constexpr int state_of_step(const char* op, int initial) {
    return border(op, scanning::part::state, {initial}, at(initial));
  }
  /// In a body: a node that may leave it with the value of `id`. Results need memory of their own,
  /// so leaves, moves and values from outside are copied first.
  constexpr int result_of_step(const char* op, int id) {
    const node& n = out.nodes[id];
    if (n.loop == body_.loop && !is_leaf(n.kind) && n.kind != family::move &&
        n.kind != family::scan)
      return id;
    return copy_of_step(op, id);
  }
  constexpr int copy_of_step(const char* op, int id) {
    return map(op, copy_program(at(id).type), {id}, at(id));
  }
  /// Directly behind a body: the values of `value` in all steps, in the shape `to`. With `state`,
  /// `value` is also the next value of that state.
  constexpr int all_steps(const char* op, int value, const shape& to, int state = -1) {
    return leave(op, scanning::part::all, value, to, state);
  }
  /// As `all_steps`, with the value of the last step alone.
  constexpr int last_step(const char* op, int value, const shape& to, int state = -1) {
    return leave(op, scanning::part::last, value, to, state);
  }

  /// Nodes recorded while a region is open belong to it.
  constexpr void open(const char* op) { open_ = out.regions.push({op, open_}); }
  constexpr void close() { open_ = out.regions[open_].parent; }

  /// Asks for policy `policy` for all operators from node `first` on, except those for which a
  /// policy has been asked already.
  constexpr void put_from(int first, int policy) {
    for (int i = first; i < out.nodes.size(); ++i)
      if (!is_leaf(out.nodes[i].kind) && out.nodes[i].policy < 0)
        out.nodes[i].policy = static_cast<std::int8_t>(policy);
  }
  /// Asks for `policy` for what `record` has just recorded. `record` runs again to count its nodes;
  /// those of the second run are removed.
  template <class Record> constexpr void put_last(int policy, const Record& record) {
    const table_sizes before = sizes_of(out.view());
    const bool rehearsed = rehearses_;
    rehearses_ = true;
    record();
    rehearses_ = rehearsed;
    int operators = 0, first = before.nodes;
    for (int i = first; i < out.nodes.size(); ++i) operators += !is_leaf(out.nodes[i].kind);
    out.shrink(before);
    while (operators > 0) operators -= !is_leaf(out.nodes[--first].kind);
    put_from(first, policy);
  }
  /// Asks for policy `policy` for a node, or for the whole composite that it is the result of.
  constexpr void put(int id, int policy) {
    const int whole = out.nodes[id].region;
    for (int i = 0; i < out.nodes.size(); ++i) {
      int region = out.nodes[i].region;  // composites may be in composites
      while (region >= 0 && region != whole) region = out.regions[region].parent;
      if (i == id || (whole >= 0 && region == whole))
        out.nodes[i].policy = static_cast<std::int8_t>(policy);
    }
  }

 private:
  struct carried {
    int state = -1, next = -1;
  };
  sequence<carried> states_;
  leaf_index leaves_;
  bool rehearses_ = false;  ///< what is recorded will be removed again
  int open_ = -1;
  scanning body_{};       ///< the open body, if its `loop` is one
  scanning last_body_{};  ///< the body of the last scan, for the nodes that come out of it

  constexpr int border(const char* op, scanning::part is, std::initializer_list<int> in,
                       const tensor& t) {
    scanning s = last_body_;
    s.is = is;
    s.node = out.nodes.size();
    return push(op, family::scan, in, t, out.scans.push(s));
  }
  constexpr int leave(const char* op, scanning::part is, int value, const shape& to, int state) {
    const tensor t{at(value).type, to};
    return state < 0 ? border(op, is, {value}, t) : border(op, is, {value, state}, t);
  }

  constexpr int push(const char* op, family kind, std::initializer_list<int> in, const tensor& t,
                     int detail) {
    node n;
    n.kind = kind;
    n.op = op;
    n.region = static_cast<std::int16_t>(open_);
    n.loop = static_cast<std::int16_t>(is_leaf(kind) ? -1 : body_.loop);
    n.out = t;
    n.detail = detail;
    for (const int i : in) n.in[n.operands++] = i;
    return out.nodes.push(n);
  }
  constexpr int leaf(family kind, const char* op, const name& label, const tensor& t) {
    if (label.empty() || label.cut)
      refuse({code::name_length, op, label, name::capacity, label.size()});
    if (out.names.empty()) leaves_.clear();  // the names were moved out with a finished table
    int& id = leaves_.find(out, label);
    if (id < 0) id = push(op, kind, {}, t, out.names.push(label));
    return id;
  }
};

}  // namespace tenon

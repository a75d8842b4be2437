// The maps that follow a contraction before its results are stored: they are computed for the sums
// that an invocation holds, and only what the plan materialises goes to memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/policy/vulkan/spirv/loop_nest.hpp>
#include <tenon/policy/vulkan/spirv/scalar.hpp>

namespace tenon::spirv {

/// The maps behind a contraction, and what goes to memory: by axis of the output.
class epilogue_writer {
  // Before its users: clang rejects a later definition in constant expressions.
  template <class F> constexpr void where(id condition, F&& write) {
    if (condition.number != 0)
      m_.when(condition, write);
    else
      write();
  }

 public:
  constexpr epilogue_writer(writer& m, list<int> members, const loop_nest& n)
      : m_(m), members_(members) {
    const shape& whole = m.at(members[0]).out.shape;
    const auto along_output = [&](access v, const plans::location& at) {
      for (int i = 0; i < n.out.dims; ++i) v.step[i] = plans::restride(n.result[i], whole, at);
      return v;
    };
    for (int k = 0; k < members.size; ++k) {
      const node& member_node = m.at(members[k]);
      for (int i = 0; k > 0 && i < member_node.operands; ++i) {
        const int from = member_node.in[i];
        if (member_of(from) >= 0 || operand_of(from) >= 0) continue;
        const plans::location at{-1, 0, broadcast(m.value_of(from), m.at(from).out.shape, whole),
                                 true};
        read_.push({from, along_output(m.access_of(from, {}), at), {}});
      }
      if (m.value_of(members[k]).materialised)
        written_.push(
            {k, along_output(m.access_of(members[k], {}, true), m.value_of(members[k])), {}});
    }
  }
  /// All that is read and written.
  constexpr void add_accesses(sequence<access*>& all) {
    for (operand& o : read_) all.push(&o.is);
    for (result& r : written_) all.push(&r.is);
  }
  /// Begins at a position: where operands and results are; nothing is loaded yet.
  constexpr void enter(const space& s, const id* position) {
    loaded_.clear();
    for (operand& o : read_) o.start = m_.index_of(o.is, s, position);
    for (result& r : written_) r.start = m_.index_of(r.is, s, position);
  }
  /// Stores what becomes of a sum, `at[i]` positions of axis i behind that position; with a
  /// condition: where it holds.
  constexpr void store(id sum, const i64* at, int dims, id condition = {}) {
    const sequence<id> values = values_of(sum, at, dims);
    where(condition, [&] {
      for (const result& r : written_)
        m_.write(r.is, m_.plus(r.start, distance(r.is, at, dims)), values[r.member]);
    });
  }
  /// True if neighbours along an axis are neighbours in memory, and can be stored as one.
  constexpr bool takes_pairs(int axis) const {
    bool all = m_.has_pairs();
    for (const result& r : written_)
      all = all && r.is.step[axis] == 1 && size_bytes(r.is.element) == 4;
    return all;
  }
  /// Two neighbours along the last axis.
  constexpr void store_pair(id first, id second, const i64* at, int last, id condition = {}) {
    i64 next[max_axes]{};
    for (int i = 0; i <= last; ++i) next[i] = at[i] + (i == last);
    const sequence<id> low = values_of(first, at, last + 1),
                       high = values_of(second, next, last + 1);
    where(condition, [&] {
      for (const result& r : written_) {
        const id cursor = m_.cursor_of(r.is, m_.plus(r.start, distance(r.is, at, last + 1)));
        const id first_part = m_.as_stored(low[r.member]),
                 second_part = m_.as_stored(high[r.member]);
        m_.write_pair(cursor, first_part, second_part);
      }
    });
  }

 private:
  struct operand {
    int node = -1;
    access is{};
    id start{};
  };
  struct result {
    int member = -1;
    access is{};
    id start{};
  };
  struct loaded {
    int operand = -1;
    i64 behind = 0;
    id is{};
  };
  writer& m_;
  list<int> members_;
  sequence<operand> read_;
  sequence<result> written_;
  sequence<loaded> loaded_;

  /// A sum, and what each map makes of it.
  constexpr sequence<id> values_of(id sum, const i64* at, int dims) {
    sequence<id> values(members_.size);
    values[0] = sum;
    for (int k = 1; k < members_.size; ++k) {
      const node& n = m_.at(members_[k]);
      const program_view p = m_.table().program_of(n);
      id arguments[max_operands]{};
      for (int i = 0; i < n.operands; ++i)
        if (reads(p, i)) arguments[i] = argument(n.in[i], values, at, dims);
      values[k] = program_writer(m_, sum.width).write(p, arguments);
    }
    return values;
  }
  constexpr int member_of(int node) const {
    for (int k = 0; k < members_.size; ++k)
      if (members_[k] == node) return k;
    return -1;
  }
  constexpr int operand_of(int node) const {
    for (int k = 0; k < read_.size(); ++k)
      if (read_[k].node == node) return k;
    return -1;
  }
  static constexpr bool reads(program_view p, int operand) {
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].op() == sop::arg && p.code[i].a() == operand) return true;
    return false;
  }
  static constexpr i64 distance(const access& v, const i64* at, int dims) {
    i64 r = 0;
    for (int i = 0; i < dims; ++i) r += at[i] * v.step[i];
    return r;
  }
  /// An operand of a map: another map's result, or an element that is loaded once for all outputs
  /// that read it.
  constexpr id argument(int node, const sequence<id>& values, const i64* at, int dims) {
    const int k = member_of(node);
    if (k >= 0) return m_.as_stored(values[k]);
    const int from = operand_of(node);
    const operand& o = read_[from];
    const i64 behind = distance(o.is, at, dims);
    for (const loaded& l : loaded_)
      if (l.operand == from && l.behind == behind) return l.is;
    loaded_.push({from, behind, m_.read(o.is, m_.plus(o.start, behind))});
    return loaded_.back().is;
  }
};

/// Merges neighbouring axes over which all accesses move at one distance. Axes with edges stay,
/// since their taps have positions.
constexpr void merge_axes(loop_nest& n, epilogue_writer& epilogue) {
  sequence<access*> all;
  all.push(&n.a);
  all.push(&n.b);
  epilogue.add_accesses(all);
  for (int first = 0; first < n.out.dims; ++first) {
    int end = n.out.dims;
    for (int s = 0; s < n.edges; ++s)
      if (n.edge[s].axis >= first && n.edge[s].axis < end) end = n.edge[s].axis;
    const int left = merge(n.out, first, end, {all.data(), all.size()});
    for (int s = 0; s < n.edges; ++s)
      if (n.edge[s].axis >= end) n.edge[s].axis -= end - first - left;
    first += left;
  }
  if (n.out.dims > 0) return;  // a single element has an axis too
  n.out.extent[n.out.dims++] = 1;
  for (access* v : all) v->step[0] = 0;
}

}  // namespace tenon::spirv

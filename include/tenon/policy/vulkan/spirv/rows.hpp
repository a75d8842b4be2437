// The kernel of maps and of row groups: maps and reductions over the same trailing axes. An
// invocation computes a row, or, where rows are long and the device is a GPU, a workgroup does; of
// a map by itself an invocation computes one element or four. A workgroup shares partial results of
// reductions. Nothing that lives inside of a group goes to memory: each reduction computes anew
// what it reads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/policy/vulkan/spirv/folding.hpp>
#include <tenon/policy/vulkan/spirv/scalar.hpp>

namespace tenon::spirv {

/// A row group while it is written. Its axes: those of the rows, then those of a row.
class row_writer {
 public:
  constexpr row_writer(const plan_view& p, const plans::group& g, const target& t)
      : m_(p, t), g_(g), members_(p.members_of(g)), row_value_(g.size), memo_(g.size) {
    s_ = space_of(g.space);
    for (const int id : members_) add(id);
    sequence<access*> all;
    for (operand& o : read_) all.push(&o.is);
    for (result& r : written_) all.push(&r.is);
    const list<access*> accesses{all.data(), all.size()};
    row_axes_ = merge(s_, 0, g.space.rank - g.columns, accesses);
    merge(s_, row_axes_, s_.dims, accesses);
    // Of a map by itself the last axis is the row.
    if (g.columns == 0 && in_fours(t, s_)) --row_axes_;
    for (int i = 0; i < s_.dims; ++i) (i < row_axes_ ? rows_ : columns_) *= s_.extent[i];
  }
  constexpr bool fits() const { return m_.fits(); }
  constexpr kernel write() {
    if (g_.columns == 0) return write_map();
    const bool narrow = columns_ <= 32 && rows_ >= 4096;
    if (m_.device.cpu_driver || narrow)
      return write_by_invocation();  // g++ 12 destroys `? :` twice
    return write_by_workgroup();
  }

 private:
  /// What is read from outside.
  struct operand {
    int node = -1;
    access is{};
    id row{};     ///< where the row begins
    id loaded{};  ///< the value in the present scope
  };
  /// A member that goes to memory.
  struct result {
    int member = -1;
    access is{};
    bool whole = false;  ///< an element for each column
    id row{};
  };
  /// The columns at which values are computed: `width` (one or four) from `column` on, `apart`
  /// columns between them. No columns: a value of the row.
  struct scope {
    id column{};
    int width = 1;
    i64 apart = 1;
    bool by_row = false;
  };
  static constexpr scope of_row{{}, 1, 1, true};

  writer m_;
  const plans::group& g_;
  list<int> members_;
  space s_;
  int row_axes_ = 0;
  i64 rows_ = 1, columns_ = 1;
  sequence<operand> read_;
  sequence<result> written_;
  sequence<id> row_value_, memo_;  ///< by member: of the row; in the present scope

  constexpr int member_of(int node) const {
    for (int k = 0; k < members_.size; ++k)
      if (members_[k] == node) return k;
    return -1;
  }
  /// True of maps with an element for each column; all other members are values of the row.
  constexpr bool is_whole(const node& n) const {
    return n.kind == family::map && n.out.shape == g_.space;
  }
  /// Enters what a member reads from outside of the group, and where it goes if it has memory. A
  /// reduced axis that is dropped from the shape is missing in the strides as well.
  constexpr void add(int id) {
    const node& n = m_.at(id);
    for (int k = 0; k < n.operands; ++k)
      if (member_of(n.in[k]) < 0 && find(n.in[k]) < 0)
        read_.push({n.in[k], m_.broadcast_to(n.in[k], g_.space), {}, {}});
    const plans::location& v = m_.value_of(id);
    if (!v.materialised) return;
    const bool dropped = n.kind == family::reduce && n.out.shape.rank < g_.space.rank;
    const strides step = dropped ? v.step : broadcast(v, n.out.shape, g_.space);
    written_.push({member_of(id), m_.access_of(id, step, true), is_whole(n), {}});
  }
  constexpr int find(int node) const {
    for (int k = 0; k < read_.size(); ++k)
      if (read_[k].node == node) return k;
    return -1;
  }

  // ---- values
  /// Begins a scope: nothing is known in it.
  constexpr void enter() {
    for (id& x : memo_) x = {};
    for (operand& o : read_) o.loaded = {};
  }
  /// Where a row's elements begin in every buffer.
  constexpr void enter_row(id row) {
    id position[max_axes]{};
    space rows = s_;
    rows.dims = row_axes_;
    m_.unravel(rows, row, position);
    const auto begin = [&](const access& v) {
      return m_.or_zero(m_.advance(m_.begin_of(v), v, position, 0, row_axes_));
    };
    for (operand& o : read_) o.row = begin(o.is);
    for (result& r : written_) r.row = begin(r.is);
  }
  constexpr id index_at(const access& v, id row, id column) {
    id position[max_axes]{};
    space columns;
    for (int i = row_axes_; i < s_.dims; ++i) columns.extent[columns.dims++] = s_.extent[i];
    m_.unravel(columns, column, position + row_axes_);
    return m_.advance(row, v, position, row_axes_, s_.dims);
  }
  /// True if four columns lie evenly: they are of one axis.
  constexpr bool one_axis() const { return s_.dims <= row_axes_ + 1; }
  constexpr i64 step_of(const access& v) const {
    return s_.dims > row_axes_ ? v.step[row_axes_] : 0;
  }
  constexpr id load(operand& o, const scope& at) {
    if (o.loaded.number != 0) return o.loaded;
    const id index = at.by_row ? o.row : index_at(o.is, o.row, at.column);
    o.loaded =
        at.width == 1 ? m_.read(o.is, index) : m_.read4(o.is, index, step_of(o.is) * at.apart);
    return o.loaded;
  }
  /// A value in the present scope: loaded, of the row, or computed once.
  constexpr id value_at(int node, const scope& at) {
    const int k = member_of(node);
    if (k < 0) return load(read_[find(node)], at);
    if (row_value_[k].number != 0) return m_.splat(row_value_[k], at.width);
    if (memo_[k].number == 0) memo_[k] = computed(m_.at(node), at);
    return memo_[k];
  }
  constexpr id computed(const node& n, const scope& at) {
    const program_view p = m_.table().program_of(n);
    id arguments[max_operands]{};
    for (int k = 0; k < n.operands; ++k)
      if (reads(p, k)) arguments[k] = argument(n.in[k], at);
    return program_writer(m_, at.width).write(p, arguments);
  }
  /// A value as the operand of a program: what another program made of it in memory.
  constexpr id argument(int node, const scope& at) { return m_.as_stored(value_at(node, at)); }
  static constexpr bool reads(program_view p, int operand) {
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].op() == sop::arg && p.code[i].a() == operand) return true;
    return false;
  }

  // ---- a map by itself
  constexpr kernel write_map() {
    if (columns_ > 1) return write_map_in_fours();
    return m_.each(rows_, [&](id row) {
      enter_row(row);
      enter();
      for (const result& r : written_) m_.write(r.is, r.row, value_at(members_[r.member], of_row));
    });
  }

  constexpr kernel write_map_in_fours() {
    return m_.each_four(rows_, columns_, [&](id row, id column, int width, i64 apart) {
      enter_row(row);
      store_columns({column, width, apart});
    });
  }

  // ---- rows
  constexpr void store_row(int member, id x) {
    for (const result& r : written_)
      if (r.member == member && !r.whole) m_.write(r.is, r.row, x);
  }
  constexpr bool writes_row(int member) const {
    for (const result& r : written_)
      if (r.member == member && !r.whole) return true;
    return false;
  }
  constexpr bool writes_columns() const {
    for (const result& r : written_)
      if (r.whole) return true;
    return false;
  }
  constexpr void store_columns(const scope& at) {
    enter();
    for (const result& r : written_) {
      if (!r.whole) continue;
      const id x = value_at(members_[r.member], at), index = index_at(r.is, r.row, at.column);
      if (at.width == 1)
        m_.write(r.is, index, x);
      else
        m_.write4(r.is, index, step_of(r.is) * at.apart, x);
    }
  }
  /// The members that are values of the row: `reduce` gives those of reductions.
  template <class Reduce, class Store> constexpr void write_row(Reduce&& reduce, Store&& store) {
    for (int k = 0; k < members_.size; ++k) {
      const node& n = m_.at(members_[k]);
      if (is_whole(n)) continue;
      if (n.kind == family::reduce) {
        const reduction& r = m_.table().reduction_of(n);
        const folding f(m_, r, n.out.type);
        row_value_[k] = f.averaged(reduce(f, n.in[0]), columns_);
      } else {
        enter();
        row_value_[k] = computed(n, of_row);
      }
      if (writes_row(k)) store(k);
    }
  }

  /// Each invocation computes a row.
  constexpr kernel write_by_invocation() {
    return m_.each(rows_, [&](id row) {
      enter_row(row);
      write_row([&](const folding& f, int node) { return fold_row(f, node); },
                [&](int k) { store_row(k, row_value_[k]); });
      if (!writes_columns()) return;
      const i64 quads = one_axis() ? columns_ / 4 : 0;
      m_.loop(quads, [&](id q) { store_columns({m_.times(q, 4), 4}); });
      if (const i64 rest = columns_ - quads * 4; rest > 0)
        m_.loop(m_.integer(quads * 4), m_.integer(columns_), m_.integer(1), rest, [&](id c) {
          store_columns({c, 1});
        });
    });
  }
  /// The sixteen partial results in four vectors, added up as the reference adds.
  constexpr id fold_row(const folding& f, int node) {
    const auto at = [&](id column, int width) {
      const scope columns{column, width};
      enter();
      return argument(node, columns);
    };
    if (one_axis()) return f.fold_lanes(columns_, at);
    return f.fold_one_by_one(columns_, [&](id column) { return at(column, 1); });
  }

  /// Each workgroup computes a row.
  constexpr kernel write_by_workgroup() {
    const i64 local = group_size(m_.device, columns_);
    return m_.each_group(rows_, local, [&](id row, id invocation) {
      enter_row(row);
      write_row(
          [&](const folding& f, int node) {
            return f.fold_group(columns_, local, invocation, one_axis(), [&](id column, int width) {
              enter();
              return argument(node, {column, width, local});
            });
          },
          [&](int k) {
            m_.when(m_.equal(invocation, m_.integer(0)), [&] { store_row(k, row_value_[k]); });
          });
      if (!writes_columns()) return;
      m_.share(columns_, local, invocation, one_axis(), [&](id column, int width) {
        store_columns({column, width, local});
      });
    });
  }
};

}  // namespace tenon::spirv

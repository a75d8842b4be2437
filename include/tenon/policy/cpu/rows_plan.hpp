// How the CPU runs a row group: its stages, what each reads, and which axes are rows and columns.
//
// The group's iteration space (`group::space`) has leading axes that are the row index and trailing
// ones that are the columns of a row: those over which the group's reductions run, or none if there
// is no reduction. `collapse` then merges axes that all operands cross evenly; a map on contiguous
// tensors is one row of all elements.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/policy/bound_layout.hpp>
#include <tenon/policy/cpu/program.hpp>
#include <tenon/policy/policy.hpp>
#include <new>

namespace tenon::simd {

/// Where a stage reads or writes: a buffer, or a row buffer of the thread. Steps in elements.
struct stage_operand {
  int holder = -1;  ///< node whose buffer it is; -1: row buffer `local`
  int local = -1;
  i64 offset = 0;
  i64 step[max_rank]{};  ///< along the row dimensions
  i64 column = 0;        ///< along the row: 0, 1, or the stride of a view
  int bytes = 4;         ///< of an element
};

/// One map or reduction of a row group.
struct stage {
  bool reduces = false;
  combine how = combine::sum;
  type element = type::float32;  ///< of a reduction
  bool average = false;
  int operands = 0;
  i64 columns = 0;  ///< 1 for maps on row scalars, else the row's
  function f{};
  stage_operand in[max_operands]{};
  stage_operand out{};
};

/// A row group: `rows` rows of `columns` elements; the row index runs over `extent`.
struct row_plan {
  const stage* stages = nullptr;  ///< behind the plan in bound memory
  int stage_count = 0;
  int dims = 0;      ///< over which the row index runs
  int locals = 0;    ///< row buffers
  bool far = false;  ///< the operands are too long for a cache
  i64 rows = 1, columns = 1;
  i64 piece = 0;  ///< columns that a thread takes at a time; 0: whole rows
  i64 extent[max_rank]{};
  i64 local_bytes = 0;
};

/// Columns of a piece of a single map: 32 kB, long enough that the call of its function does not
/// count.
inline constexpr i64 map_piece = 8192;
/// A map whose operands have more bytes gets them from memory, and a processor does not look ahead
/// across the links of an interpreted program. Measured: with 20 MiB it is 10 % faster if it
/// fetches ahead, with 10 MiB it is slower.
inline constexpr i64 cached_bytes = 16 << 20;

/// Elements of a row of a group with reductions.
constexpr i64 columns_of(const plans::group& g) {
  i64 n = 1;
  for (int i = g.space.rank - g.columns; i < g.space.rank; ++i) n *= g.space[i];
  return n;
}
/// Bytes of a row buffer. Without reductions a row is as long as `collapse` makes it.
constexpr i64 local_bytes_of(const plan_view& p, const plans::group& g) {
  const i64 elements = g.space.count(), piece = elements < map_piece ? elements : map_piece;
  i64 bytes = 4;
  for (const int id : p.members_of(g))
    if (!p.locations[id].materialised && size_bytes(p.table.nodes[id].out.type) > bytes) bytes = 8;
  return aligned((g.columns > 0 ? columns_of(g) : piece) * bytes);
}
/// Bound memory: the plan, and its stages behind it. With null, its size alone.
struct rows_memory {
  row_plan* plan;
  stage* stages;
  i64 bytes;
};
constexpr rows_memory lay_out_rows(i64 stage_count, std::byte* bound) noexcept {
  bound_layout memory(bound);
  auto* plan = memory.take<row_plan>();
  auto* stages = memory.take<stage>(stage_count);
  return {plan, stages, memory.bytes()};
}
/// Row buffers: one for each intermediate that lives in the group.
constexpr footprint measure_rows(const plan_view& p, int g) {
  const list<int> members = p.members_of(p.groups[g]);
  i64 locals = 0;
  for (const int id : members) locals += !p.locations[id].materialised;
  return {0, 0, locals * local_bytes_of(p, p.groups[g]), lay_out_rows(members.size, nullptr).bytes};
}

/// How the value of node `id` is read or written at the positions of a group's space.
inline stage_operand operand_in(const plan_view& p, const plans::group& g, int id, bool member,
                                int local) noexcept {
  const plans::location& v = p.locations[id];
  const shape& s = p.table.nodes[id].out.shape;
  stage_operand w;
  w.bytes = static_cast<int>(size_bytes(p.table.nodes[id].out.type));
  if (local >= 0) {
    w.local = local;
    w.column = s == g.space ? 1 : 0;
    return w;
  }
  w.holder = v.holder;
  w.offset = v.offset;
  const bool dropped = member && p.table.nodes[id].kind == family::reduce && s.rank < g.space.rank;
  const strides step =
      dropped ? v.step : broadcast(v, s, g.space);  // dropped axes: one value per row
  for (int i = 0; i < g.space.rank; ++i) w.step[i] = step[i];
  return w;
}

/// Merges neighbouring axes along which all operands move evenly, drops axes of extent 1, and
/// splits off the columns: the trailing `g.columns` axes, or for a single map the last merged axis.
inline void collapse(row_plan& r, stage* stages, const plans::group& g) noexcept {
  stage_operand* moving[plans::max_stages * (max_operands + 1)];  // that lie in buffers
  int count = 0, dims = 0;
  for (int s = 0; s < r.stage_count; ++s) {
    for (int k = 0; k < stages[s].operands; ++k)
      if (stages[s].in[k].holder >= 0) moving[count++] = &stages[s].in[k];
    if (stages[s].out.holder >= 0) moving[count++] = &stages[s].out;
  }
  i64 extent[max_rank]{};
  const auto merge = [&](int first, int last) {
    for (int i = first, start = dims; i < last; ++i) {
      if (g.space[i] == 1) continue;
      bool even = dims > start;
      for (int k = 0; k < count && even; ++k)
        even = moving[k]->step[dims - 1] == moving[k]->step[i] * g.space[i];
      extent[even ? dims - 1 : dims] = g.space[i] * (even ? extent[dims - 1] : 1);
      dims += !even;
      for (int k = 0; k < count; ++k) moving[k]->step[dims - 1] = moving[k]->step[i];
    }
  };
  merge(0, g.space.rank - g.columns);
  const int lead = g.columns > 0 ? dims : dims > 0 ? dims - 1 : 0;
  merge(g.space.rank - g.columns, g.space.rank);
  r.columns = dims > lead ? extent[lead] : 1;
  r.dims = lead;
  for (int d = 0; d < lead; ++d) {
    r.extent[d] = extent[d];
    r.rows *= extent[d];
  }
  for (int k = 0; k < count; ++k) moving[k]->column = dims > lead ? moving[k]->step[lead] : 0;
}

}  // namespace tenon::simd

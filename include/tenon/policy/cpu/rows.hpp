// Row groups on the CPU: maps and reductions that run row by row, intermediates in row buffers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/policy/cpu/program.hpp>
#include <tenon/policy/cpu/reduce_integers.hpp>
#include <tenon/policy/policy.hpp>
#include <new>

namespace tenon::simd {

/// Sixteen partial results, combined as `reduction` says.
struct lanes {
  static constexpr int count = reduction_lanes / width;
  real r[count];
};
template <combine How> [[gnu::always_inline]] inline real combined(real a, real b) noexcept {
  if constexpr (How == combine::sum)
    return a + b;
  else if constexpr (How == combine::max)
    return max(a, b);
  else if constexpr (How == combine::min)
    return min(a, b);
  else
    return hidden(a * b);
}
/// Combines a register's elements as the tree (i, i + half), halves first.
template <combine How> inline float fold(lanes all) noexcept {
  alignas(64) float e[reduction_lanes];
  for (int k = 0; k < lanes::count; ++k) store(all.r[k], e + k * width);
  float padded[3 * width] = {};
  for (int half = reduction_lanes / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k += width) {
      const int n = half - k < width ? half - k : width;
      std::memcpy(padded, e + k, static_cast<std::size_t>(n) * sizeof(float));
      std::memcpy(padded + width, e + k + half, static_cast<std::size_t>(n) * sizeof(float));
      store(combined<How>(load(padded), load(padded + width)), padded + 2 * width);
      std::memcpy(e + k, padded + 2 * width, static_cast<std::size_t>(n) * sizeof(float));
    }
  return e[0];
}
/// Reduces `n` contiguous elements. Of the first sixteen each starts a lane.
template <combine How> float reduce_run(const float* x, i64 n) noexcept {
  lanes all;
  for (int k = 0; k < lanes::count; ++k) {
    const i64 left = n - k * width;
    if (left >= width) {
      all.r[k] = load(x + k * width);
    } else {
      float padded[width];
      for (int j = 0; j < width; ++j) padded[j] = j < left ? x[k * width + j] : neutral(How);
      all.r[k] = load(padded);
    }
  }
  i64 at = reduction_lanes;
  for (; at + reduction_lanes <= n; at += reduction_lanes)
    for (int k = 0; k < lanes::count; ++k)
      all.r[k] = combined<How>(all.r[k], load(x + at + k * width));
  if (at < n) {
    alignas(64) float e[reduction_lanes];
    for (int k = 0; k < lanes::count; ++k) store(all.r[k], e + k * width);
    for (i64 j = 0; at + j < n; ++j) {  // a vector operation on one element: the same code for all
      const real y = combined<How>(real(e[j]), real(x[at + j]));
      e[j] = y.get(0);
    }
    for (int k = 0; k < lanes::count; ++k) all.r[k] = load(e + k * width);
  }
  return fold<How>(all);
}
inline float reduce_run(combine how, const float* x, i64 n) noexcept {
  switch (how) {
    case combine::sum: return reduce_run<combine::sum>(x, n);
    case combine::max: return reduce_run<combine::max>(x, n);
    case combine::min: return reduce_run<combine::min>(x, n);
    default: return reduce_run<combine::product>(x, n);
  }
}

/// Where a stage reads or writes: a buffer, or a row buffer of the thread. Steps in elements.
struct place_of {
  int root = -1;  ///< node whose buffer it is; -1: row buffer `local`
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
  place_of in[max_operands]{};
  place_of out{};
};

/// A row group: `rows` rows of `columns` elements; the row index runs over `extent`.
struct row_plan {
  int stages = 0, dims = 0, locals = 0;
  bool far = false;                      ///< the operands are too long for a cache
  i64 rows = 1, columns = 1, chunk = 0;  ///< chunk: columns of a piece; 0: whole rows
  i64 extent[max_rank]{};
  i64 local_bytes = 0;
};

/// Elements of a stack buffer into which strided runs are gathered.
inline constexpr i64 gather_block = 256;
/// Columns of a piece of a single map: 32 kB, long enough to hide the call.
inline constexpr i64 map_chunk = 8192;
/// A map whose operands have more bytes gets them from memory, which a processor does not look
/// ahead to across the links of an interpreted program: with 20 MiB 10 % faster if fetched, with 10
/// MiB slower.
inline constexpr i64 cached_bytes = 16 << 20;

inline void gather(const float* from, i64 step, float* to, i64 n) noexcept {
  for (i64 i = 0; i < n; ++i) to[i] = from[i * step];
}
template <class T> inline void gather(const stream& from, void* to, i64 n) noexcept {
  const auto* x = static_cast<const T*>(from.data);
  auto* y = static_cast<T*>(to);
  for (i64 i = 0; i < n; ++i) y[i] = x[i * from.step];
}
/// The elements of a stream, one behind the other.
inline void gather(const stream& from, void* to, i64 n) noexcept {
  if (from.bytes == 4) return gather<float>(from, to, n);
  if (from.bytes == 1) return gather<std::byte>(from, to, n);
  if (from.bytes == 2) return gather<std::uint16_t>(from, to, n);
  gather<std::uint64_t>(from, to, n);
}

/// Runs a function whose streams may have any stride.
inline void run_streams(const function& f, const stream* in, int operands, void* out,
                        i64 n) noexcept {
  bool plain = true;
  for (int k = 0; k < operands; ++k) plain = plain && (in[k].step == 0 || in[k].step == 1);
  if (f.run == nullptr && in[0].step == 1) {
    std::memcpy(out, in[0].data, static_cast<std::size_t>(n * in[0].bytes));
    return;
  }
  if (f.run == nullptr) return gather(in[0], out, n);
  if (plain) return f.run(f.program, in, out, n);
  const i64 out_bytes = f.bytes;
  alignas(8) std::byte room[max_operands][gather_block * 8];
  for (i64 at = 0; at < n; at += gather_block) {
    const i64 m = n - at < gather_block ? n - at : gather_block;
    stream own[max_operands];
    for (int k = 0; k < operands; ++k) {
      own[k] = {in[k].at(at), in[k].step, in[k].bytes};
      if (in[k].step == 0 || in[k].step == 1) continue;
      gather(own[k], room[k], m);
      own[k] = {room[k], 1, in[k].bytes};
    }
    f.run(f.program, own, static_cast<std::byte*>(out) + at * out_bytes, m);
  }
}

/// Counts up a row index over the row dimensions.
struct row_index {
  i64 at[max_rank]{};
  void start(const row_plan& p, i64 row) noexcept {
    for (int d = p.dims - 1; d >= 0; --d) {
      at[d] = row % p.extent[d];
      row /= p.extent[d];
    }
  }
  void next(const row_plan& p) noexcept {
    for (int d = p.dims - 1; d >= 0 && ++at[d] == p.extent[d]; --d) at[d] = 0;
  }
  i64 offset(const row_plan& p, const place_of& w) const noexcept {
    i64 r = w.offset;
    for (int d = 0; d < p.dims; ++d) r += at[d] * w.step[d];
    return r;
  }
};

/// Where a stage's piece begins; a row buffer holds just the piece.
inline std::byte* address(const row_plan& p, const place_of& w, const row_index& row, i64 first,
                          const frame& f, std::byte* locals) noexcept {
  if (w.root < 0) return locals + w.local * p.local_bytes;
  return f.base[w.root] + (row.offset(p, w) + first * w.column) * w.bytes;
}

inline void reduce_row(const stage& g, const std::byte* from, std::byte* out, i64 n) noexcept {
  if (g.element != type::float32) {
    integer_sum all(g.how, g.element);
    all.add(from, 1, n);
    return store_integer(all.value(), g.element, out);
  }
  float& y = *reinterpret_cast<float*>(out);
  y = reduce_run(g.how, reinterpret_cast<const float*>(from), n);
  if (g.average) y /= static_cast<float>(n);
}
inline void run_row(const row_plan& p, const stage* stages, const row_index& row, i64 first, i64 n,
                    const frame& f, std::byte* locals) noexcept {
  for (int s = 0; s < p.stages; ++s) {
    const stage& g = stages[s];
    stream in[max_operands];
    for (int k = 0; k < g.operands; ++k) {
      const place_of& w = g.in[k];
      in[k] = {address(p, w, row, first, f, locals), w.column, w.bytes, p.far && w.root >= 0};
    }
    std::byte* out = address(p, g.out, row, first, f, locals);
    if (g.reduces) {
      reduce_row(g, static_cast<const std::byte*>(in[0].data), out, p.columns);
    } else {
      run_streams(g.f, in, g.operands, out, g.columns == 1 ? 1 : n);
    }
  }
}

inline void run_rows(const row_plan& p, const stage* stages, const frame& f) noexcept {
  const i64 pieces = p.chunk > 0 ? (p.columns + p.chunk - 1) / p.chunk : 1;
  const i64 work = p.columns * p.stages / pieces + 1;
  f.threads(p.rows * pieces, 1 + 16384 / work, [&](i64 begin, i64 end, int thread) {
    std::byte* locals = f.thread_memory + thread * f.thread_bytes;
    row_index row;
    row.start(p, begin / pieces);
    for (i64 u = begin; u < end; ++u) {
      const i64 first = u % pieces * p.chunk;
      const i64 n = pieces == 1 || first + p.chunk > p.columns ? p.columns - first : p.chunk;
      run_row(p, stages, row, first, n, f, locals);
      if (u % pieces == pieces - 1) row.next(p);
    }
  });
}

// ---- from the plan
// ---------------------------------------------------------------------------------

constexpr i64 columns_of(const plans::group& g) {
  i64 n = 1;
  for (int i = g.space.rank - g.columns; i < g.space.rank; ++i) n *= g.space[i];
  return n;
}
/// Bytes of a row buffer. Without reductions a row is as long as `collapse` makes it.
constexpr i64 local_bytes_of(const plan_view& p, const plans::group& g) {
  const i64 all = g.space.count(), piece = all < map_chunk ? all : map_chunk;
  i64 bytes = 4;
  for (const int id : p.members_of(g))
    if (!p.locations[id].materialised && size_bytes(p.table.nodes[id].out.type) > bytes) bytes = 8;
  return aligned((g.columns > 0 ? columns_of(g) : piece) * bytes);
}
/// Row buffers: one for each intermediate that lives in the group.
constexpr footprint measure_rows(const plan_view& p, int g) {
  const list<int> m = p.members_of(p.groups[g]);
  i64 locals = 0;
  for (const int id : m) locals += !p.locations[id].materialised;
  return {0, 0, locals * local_bytes_of(p, p.groups[g]),
          aligned(static_cast<i64>(sizeof(row_plan))) + m.size * static_cast<i64>(sizeof(stage))};
}

/// How the value of node `id` is read or written at the positions of a group's space.
inline place_of place_in(const plan_view& p, const plans::group& g, int id, bool member,
                         int local) noexcept {
  const plans::location& v = p.locations[id];
  const shape& s = p.table.nodes[id].out.shape;
  place_of w;
  w.bytes = static_cast<int>(size_bytes(p.table.nodes[id].out.type));
  if (local >= 0) {
    w.local = local;
    w.column = s == g.space ? 1 : 0;
    return w;
  }
  w.root = v.root;
  w.offset = v.offset;
  const bool dropped = member && p.table.nodes[id].kind == family::reduce && s.rank < g.space.rank;
  const strides step =
      dropped ? v.step : broadcast(v, s, g.space);  // dropped axes: one value per row
  for (int i = 0; i < g.space.rank; ++i) w.step[i] = step[i];
  return w;
}

/// Merges neighbouring axes along which all places move evenly, drops axes of extent 1, and splits
/// off the columns: the trailing `g.columns` axes, or for a single map the last merged axis.
inline void collapse(row_plan& r, stage* stages, const plans::group& g) noexcept {
  place_of* all[plans::max_stages * (max_operands + 1)];
  int count = 0, dims = 0;
  for (int s = 0; s < r.stages; ++s) {
    for (int k = 0; k < stages[s].operands; ++k)
      if (stages[s].in[k].root >= 0) all[count++] = &stages[s].in[k];
    if (stages[s].out.root >= 0) all[count++] = &stages[s].out;
  }
  i64 extent[max_rank]{};
  const auto merge = [&](int first, int last) {
    for (int i = first, start = dims; i < last; ++i) {
      if (g.space[i] == 1) continue;
      bool even = dims > start;
      for (int k = 0; k < count && even; ++k)
        even = all[k]->step[dims - 1] == all[k]->step[i] * g.space[i];
      extent[even ? dims - 1 : dims] = g.space[i] * (even ? extent[dims - 1] : 1);
      dims += !even;
      for (int k = 0; k < count; ++k) all[k]->step[dims - 1] = all[k]->step[i];
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
  for (int k = 0; k < count; ++k) all[k]->column = dims > lead ? all[k]->step[lead] : 0;
}

inline const stage* stages_of(const row_plan* p) noexcept {
  return reinterpret_cast<const stage*>(reinterpret_cast<const std::byte*>(p) +
                                        aligned(static_cast<i64>(sizeof(row_plan))));
}

inline void run_rows(const row_plan& p, const frame& f) noexcept { run_rows(p, stages_of(&p), f); }

/// Writes a group's row plan and stages into its bound memory.
inline const row_plan* bind_rows(const binding<function>& b) noexcept {
  const plan_view& p = *b.plan;
  const plans::group& g = p.groups[b.group];
  const list<int> m = p.members_of(g);
  auto* r = new (b.bound) row_plan{};
  auto* stages = const_cast<stage*>(stages_of(r));
  int local_of[plans::max_stages];
  for (int k = 0; k < m.size; ++k) local_of[k] = p.locations[m[k]].materialised ? -1 : r->locals++;
  const auto place = [&](int id) {
    for (int k = 0; k < m.size; ++k)
      if (m[k] == id) return place_in(p, g, id, true, local_of[k]);
    return place_in(p, g, id, false, -1);
  };
  r->stages = m.size;
  r->local_bytes = local_bytes_of(p, g);
  for (int k = 0; k < m.size; ++k) {
    const node& n = p.table.nodes[m[k]];
    stage& s = *new (stages + k) stage{};
    s.reduces = n.kind == family::reduce;
    s.operands = n.operands;
    s.columns = s.reduces || n.out.shape == g.space ? 0 : 1;
    if (s.reduces) s.how = p.table.reduction_of(n).how;
    if (s.reduces) s.element = n.out.type;
    if (s.reduces) s.average = p.table.reduction_of(n).average;
    if (n.kind == family::map) s.f = b.functions[n.detail];
    for (int j = 0; j < n.operands; ++j) s.in[j] = place(n.in[j]);
    s.out = place(m[k]);
  }
  collapse(*r, stages, g);
  r->far = m.size == 1 && g.space.count() * 4 * stages[0].operands > cached_bytes;
  r->chunk = g.columns == 0 && r->columns > map_chunk ? map_chunk : 0;
  return r;
}

}  // namespace tenon::simd

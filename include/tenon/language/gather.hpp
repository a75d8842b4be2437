// The gather family: reads and writes at positions that a tensor of indices names at run time.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>

namespace tenon {

namespace gathers {
/// Checks the number of operands, the type of the indices (int32, uint32 or int64) and that of the
/// updates (the input's). Error: operand_count, element_type.
constexpr error check_indices(const char* op, list<tensor> in, int operands = 2) {
  if (in.size != operands) return {code::operand_count, op, "", operands, in.size};
  if (operands == 3 && in[2].type != in[0].type)
    return {code::element_type, op, "updates", in[0].type, in[2].type};
  if (!is_one_of(in[1].type, type::int32, type::uint32, type::int64))
    return {code::element_type, op, "indices", type::int32, in[1].type};
  return {};
}
/// A gathering with one index for each element, along `axis` of `x`.
constexpr gathering of_elements(const shape& x, const shape& indices, int axis) {
  gathering g{};
  g.step = dense(x);
  g.index_step = dense(indices);
  g.extent[0] = x[axis];
  g.coordinate_stride[0] = g.step[axis];
  g.step.step[axis] = 0;
  return g;
}
/// A gathering in which the last axis of the indices holds the coordinates of a slice of `x`.
constexpr gathering of_slices(const shape& x, const shape& indices) {
  const strides from = dense(x), index = dense(indices);
  const int before = indices.rank - 1;
  gathering g{};
  g.coordinates = static_cast<int>(indices[before]);
  g.coordinate_step = 1;
  for (int i = 0; i < before; ++i) g.index_step.step[i] = index[i];
  for (int i = g.coordinates; i < x.rank; ++i) g.step.step[before + i - g.coordinates] = from[i];
  for (int i = 0; i < g.coordinates; ++i) {
    g.extent[i] = x[i];
    g.coordinate_stride[i] = from[i];
  }
  return g;
}
/// The shape of all slices together: the indices' axes but the last, then the axes of `x` for which
/// there is no coordinate. Error: rank, extent.
constexpr result<shape> slices(const char* op, const shape& x, const shape& n) {
  if (x.rank < 1) return error{code::rank, op, "input", 1, x.rank};
  if (n.rank < 1) return error{code::rank, op, "indices", 1, n.rank};
  const i64 depth = n[n.rank - 1];
  if (depth > x.rank) return error{code::extent, op, "indices", x.rank, depth};
  if (n.rank - 1 + x.rank - depth > max_rank)
    return error{code::rank, op, "indices", max_rank, n.rank - 1 + x.rank - depth};
  shape s = n;
  --s.rank;
  for (i64 i = depth; i < x.rank; ++i) s.extent[s.rank++] = x[static_cast<int>(i)];
  for (int i = s.rank; i < max_rank; ++i) s.extent[i] = 0;
  return s;
}
/// Checks the axis, and that indices and `x` have the same extents but for it. Error: axis, rank,
/// extent.
constexpr error check_elements(const char* op, i64 axis, const shape& x, const shape& n) {
  if (axis < 0 || axis >= x.rank) return {code::axis, op, "axis", x.rank, axis};
  if (n.rank != x.rank) return {code::rank, op, "indices", x.rank, n.rank};
  for (int i = 0; i < x.rank; ++i)
    if (i != axis && n[i] != x[i]) return {code::extent, op, "indices", x, n};
  return {};
}
}  // namespace gathers

struct gather_options {
  i64 axis = 0;
  constexpr bool operator==(const gather_options&) const = default;
};
/// Along one axis, every index reads a slice. A negative index counts from the end; an index out of
/// range reads the nearest slice, so that no index can read outside of the operand.
struct gather_t {
  static constexpr const char* name = "gather";
  static constexpr bool explains_types = true;
  using options = gather_options;
  static constexpr result<tensor> infer(const gather_options& o, list<tensor> in) {
    if (const error e = gathers::check_indices(name, in); !e.ok()) return e;
    const shape &x = in[0].shape, &n = in[1].shape;
    if (o.axis < 0 || o.axis >= x.rank) return error{code::axis, name, "axis", x.rank, o.axis};
    if (x.rank - 1 + n.rank > max_rank)
      return error{code::rank, name, "indices", max_rank - x.rank + 1, n.rank};
    shape s{};
    for (int i = 0; i < x.rank; ++i) {
      if (i != o.axis) s.extent[s.rank++] = x[i];
      for (int k = 0; i == o.axis && k < n.rank; ++k) s.extent[s.rank++] = n[k];
    }
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const gather_options& o, list<int> in,
                              const tensor& out) {
    const shape x = r.at(in[0]).shape, n = r.at(in[1]).shape;
    const strides from = dense(x), index = dense(n);
    const int axis = static_cast<int>(o.axis);
    gathering g{};
    int out_axis = 0;
    for (int i = 0; i < x.rank; ++i) {
      if (i != axis) g.step.step[out_axis++] = from[i];
      for (int k = 0; i == axis && k < n.rank; ++k) g.index_step.step[out_axis++] = index[k];
    }
    g.extent[0] = x[axis];
    g.coordinate_stride[0] = from[axis];
    return r.gather(name, g, in[0], in[1], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis, "gather: the axis must be below the input's rank");
    static_assert(E.what != code::rank, "gather: the result has too many axes; reshape() indices");
    static_assert(E.what != code::element_type,
                  "gather: the indices must be int32, uint32 or int64; cast() them");
  }
};

/// Every index reads one element. Indices and input have the same extents but for the axis.
struct gatherElements_t {
  static constexpr const char* name = "gatherElements";
  static constexpr bool explains_types = true;
  using options = gather_options;
  static constexpr result<tensor> infer(const gather_options& o, list<tensor> in) {
    if (const error e = gathers::check_indices(name, in); !e.ok()) return e;
    if (const error e = gathers::check_elements(name, o.axis, in[0].shape, in[1].shape); !e.ok())
      return e;
    return tensor{in[0].type, in[1].shape};
  }
  static constexpr int record(recorder& r, const gather_options& o, list<int> in,
                              const tensor& out) {
    const gathering g =
        gathers::of_elements(r.at(in[0]).shape, out.shape, static_cast<int>(o.axis));
    return r.gather(name, g, in[0], in[1], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis, "gatherElements: the axis must be below the input's rank");
    static_assert(E.what != code::rank && E.what != code::extent,
                  "gatherElements: indices and input must have the same extents but for the axis");
    static_assert(E.what != code::element_type,
                  "gatherElements: the indices must be int32, uint32 or int64; cast() them");
  }
};

/// The last axis of the indices holds the coordinates of a slice of the input.
struct gatherND_t {
  static constexpr const char* name = "gatherND";
  static constexpr bool explains_types = true;
  using options = no_options;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    if (const error e = gathers::check_indices(name, in); !e.ok()) return e;
    const result<shape> s = gathers::slices(name, in[0].shape, in[1].shape);
    if (!s.ok()) return s.error();
    return tensor{in[0].type, *s};
  }
  static constexpr int record(recorder& r, no_options, list<int> in, const tensor& out) {
    const gathering g = gathers::of_slices(r.at(in[0]).shape, r.at(in[1]).shape);
    return r.gather(name, g, in[0], in[1], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank && E.what != code::extent,
                  "gatherND: the last axis of the indices must hold at most as many coordinates as "
                  "the input has axes");
    static_assert(E.what != code::element_type,
                  "gatherND: the indices must be int32, uint32 or int64; cast() them");
  }
};

/// A copy of the input in which every index replaces one element: update i goes where index i
/// points to. Where several indices name one element, the last one in row-major order wins.
struct scatterElements_t {
  static constexpr const char* name = "scatterElements";
  static constexpr bool explains_types = true;
  using options = gather_options;
  static constexpr result<tensor> infer(const gather_options& o, list<tensor> in) {
    if (const error e = gathers::check_indices(name, in, 3); !e.ok()) return e;
    if (const error e = gathers::check_elements(name, o.axis, in[0].shape, in[1].shape); !e.ok())
      return e;
    if (!(in[2].shape == in[1].shape))
      return error{code::extent, name, "updates", in[1].shape, in[2].shape};
    return in[0];
  }
  static constexpr int record(recorder& r, const gather_options& o, list<int> in,
                              const tensor& out) {
    const gathering g =
        gathers::of_elements(out.shape, r.at(in[1]).shape, static_cast<int>(o.axis));
    return r.scatter(name, g, in[0], in[1], in[2], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis, "scatterElements: the axis must be below the input's rank");
    static_assert(
        (E.what != code::rank && E.what != code::extent) || E.operand == tenon::name("updates"),
        "scatterElements: indices and input must have the same extents but for the axis");
    static_assert(E.what != code::extent || E.operand != tenon::name("updates"),
                  "scatterElements: give one update for each index");
    static_assert(
        E.what != code::element_type,
        "scatterElements: the indices must be int32, uint32 or int64, and the updates have "
        "the input's type; cast() them");
  }
};

/// A copy of the input in which the slices whose coordinates stand in the last axis of the indices
/// are replaced by those of the updates. Where several name one slice, the last one wins.
struct scatterND_t {
  static constexpr const char* name = "scatterND";
  static constexpr bool explains_types = true;
  using options = no_options;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    if (const error e = gathers::check_indices(name, in, 3); !e.ok()) return e;
    const result<shape> s = gathers::slices(name, in[0].shape, in[1].shape);
    if (!s.ok()) return s.error();
    if (!(in[2].shape == *s)) return error{code::extent, name, "updates", *s, in[2].shape};
    return in[0];
  }
  static constexpr int record(recorder& r, no_options, list<int> in, const tensor& out) {
    const gathering g = gathers::of_slices(out.shape, r.at(in[1]).shape);
    return r.scatter(name, g, in[0], in[1], in[2], out);
  }
  template <error E> static consteval void explain() {
    static_assert(
        (E.what != code::rank && E.what != code::extent) || E.operand == tenon::name("updates"),
        "scatterND: the last axis of the indices must hold at most as many coordinates as "
        "the input has axes");
    static_assert(E.what != code::extent || E.operand != tenon::name("updates"),
                  "scatterND: the updates must have the shape that gatherND gives");
    static_assert(E.what != code::element_type,
                  "scatterND: the indices must be int32, uint32 or int64, and the updates have the "
                  "input's type; cast() them");
  }
};

/// Reads slices along an axis: `gather<1>(x, indices)`.
/// Shape: that of x, with the axes of the indices in the place of the axis.
/// Type: any, with int32, uint32 or int64 indices.
/// Error: operand_count, element_type, axis, rank.
/// Source: WebNN gather.
template <i64 Axis = 0, operand_like X, operand_like I> constexpr auto gather(X x, I indices) {
  return apply<gather_t, gather_options{Axis}>(x, indices);
}
/// Reads single elements along an axis: `gatherElements<1>(x, indices)`.
/// Shape: that of the indices.
/// Type: any, with int32, uint32 or int64 indices.
/// Error: operand_count, element_type, axis, rank, extent.
/// Source: WebNN gatherElements.
template <i64 Axis = 0, operand_like X, operand_like I>
constexpr auto gatherElements(X x, I indices) {
  return apply<gatherElements_t, gather_options{Axis}>(x, indices);
}
/// Reads slices by coordinates: `gatherND(x, indices)`.
/// Shape: x [n0, n1, ...] and indices [..., k] -> [..., n_k, n_k+1, ...].
/// Type: any, with int32, uint32 or int64 indices.
/// Error: operand_count, element_type, rank, extent.
/// Source: WebNN gatherND.
template <operand_like X, operand_like I> constexpr auto gatherND(X x, I indices) {
  return apply<gatherND_t>(x, indices);
}
/// Replaces single elements along an axis: `scatterElements<1>(x, indices, updates)`.
/// Shape: that of x; one update for each index.
/// Type: any, the same for x and updates, with int32, uint32 or int64 indices.
/// Error: operand_count, element_type, axis, rank, extent.
/// Cost: a copy of x.
/// Source: WebNN scatterElements.
template <i64 Axis = 0, operand_like X, operand_like I, operand_like U>
constexpr auto scatterElements(X x, I indices, U updates) {
  return apply<scatterElements_t, gather_options{Axis}>(x, indices, updates);
}
/// Replaces slices by coordinates: `scatterND(x, indices, updates)`.
/// Shape: that of x; the updates have the shape that gatherND gives for x and indices.
/// Type: any, the same for x and updates, with int32, uint32 or int64 indices.
/// Error: operand_count, element_type, rank, extent.
/// Cost: a copy of x.
/// Source: WebNN scatterND.
template <operand_like X, operand_like I, operand_like U>
constexpr auto scatterND(X x, I indices, U updates) {
  return apply<scatterND_t>(x, indices, updates);
}

}  // namespace tenon

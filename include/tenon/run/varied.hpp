// What an instance of a graph with bounds has of its own: the plan for the extents of the last call.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/model.hpp>
#include <span>

namespace tenon::calling {

/// The extents that a call brings for an input with bounds. A view without a shape has one unknown
/// extent at most: its elements divided by the others. Error: size, rank, extent.
inline status actual_shape(const const_view& v, const tensor& bounds, std::uint32_t axes,
                           int operand, shape& found) noexcept {
  found = bounds.shape;
  if (v.shaped && v.shape.rank != found.rank)
    return {code::rank, operand, found.rank, v.shape.rank};
  int unknown = -1;
  i64 known = 1;
  for (int i = 0; i < found.rank; ++i) {
    const bool varies = (axes >> i & 1u) != 0;
    if (varies && v.shaped) found.extent[i] = v.shape[i];
    if (varies && !v.shaped && unknown >= 0 && v.shape.count() != found.count())
      return {code::rank, operand, found.rank, v.shape.rank};
    if (varies) unknown = i;
    if (!varies) known *= found[i];
  }
  if (!v.shaped && unknown >= 0 && v.shape.count() != found.count()) {
    if (v.shape.count() % known != 0) return {code::size, operand, known, v.shape.count()};
    found.extent[unknown] = v.shape.count() / known;
  }
  for (int i = 0; i < found.rank; ++i)
    if (found[i] < 1 || found[i] > bounds.shape[i])
      return {code::extent, operand, bounds.shape[i], found[i]};
  return {};
}

/// What an instance of a graph with bounds has of its own: the plan for the extents of the last call,
/// and what the policies bound for it.
template <class Model> class varied {
 public:
  /// Allocates; nothing on the host does afterwards. Devices make kernels for extents that are new. False when there is no memory.
  bool start(const Model& m) noexcept {
    return platform::guarded(
        [&] {
          const plan_view& p = m.plan_of();
          extents_.start(p);
          for (const int i : p.table.inputs) shapes_.push(p.table.nodes[i].out.shape);
          wanted_ = shapes_;
          bound_.reserve(p.bound_bytes);
          return (p.bound_bytes == 0 || bound_.data() != nullptr) && adapt(m).ok();
        },
        [] { return false; });
  }
  /// Makes `view()` fit the inputs of a call. Error: see `actual_shape` and `actual_extents::set`.
  status follow(const Model& m, std::span<const const_view> in) noexcept {
    const table_view& t = m.plan_of().table;
    for (const varying& v : t.bounds)
      if (const status s =
              actual_shape(in[static_cast<std::size_t>(v.input)], t.nodes[t.inputs[v.input]].out,
                           v.axes, v.input, wanted_[v.input]);
          !s.ok())
        return s;
    bool same = fits_;
    for (int i = 0; i < shapes_.size(); ++i) same = same && shapes_[i] == wanted_[i];
    if (same) return {};
    for (int i = 0; i < shapes_.size(); ++i) shapes_[i] = wanted_[i];
    return adapt(m);
  }
  const plan_view& view() const noexcept { return view_; }
  template <class Way>
  status run(const frame& f, typename Model::sessions& own, const Way& way) noexcept {
    if (!told_) policies_.renew(own);
    told_ = true;
    return policies_.run(view_, f, own, way);
  }

 private:
  status adapt(const Model& m) {
    fits_ = false;
    if (const error e = extents_.set(shapes_.data()); !e.ok())
      return {e.what, -1, e.expected.number, e.found.number};
    view_ = extents_.view();
    for (int g = 0; g < view_.groups.size; ++g) {
      const footprint have = view_.needs[g],
                      need = view_.policies[view_.groups[g].place].measure(view_, g);
      if (need.packed != have.packed) return {code::capacity, -1, have.packed, need.packed};
      if (need.bound > have.bound) return {code::capacity, -1, have.bound, need.bound};
      if (need.scratch > have.scratch) return {code::capacity, -1, have.scratch, need.scratch};
      if (need.per_thread > view_.per_thread_bytes)
        return {code::capacity, -1, have.per_thread, need.per_thread};
    }
    const error e = policies_.bind(view_, m.weight_addresses(), m.policies(), m.packed_weights(),
                                   bound_.data());
    fits_ = e.ok();
    told_ = false;
    return {e.what, -1, 0, 0};
  }

  actual_extents extents_;
  plan_view view_{};
  sequence<shape> shapes_, wanted_;
  typename Model::policies_type policies_{};
  aligned_memory bound_;
  bool fits_ = false;
  bool told_ = false;  ///< the sessions know what was bound last
};
/// A graph without bounds needs none of it.
struct not_varied {
  template <class M> bool start(const M&) noexcept { return true; }
};

}  // namespace tenon::calling

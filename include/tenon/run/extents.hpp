// What an instance of a graph with limits has of its own: the plan for the extents of the last
// call.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/model.hpp>
#include <new>
#include <span>

namespace tenon::calling {

/// The extents that a call brings for an input with limits. A view without a shape has one unknown
/// extent at most: its elements divided by the others. Error: size, rank, extent.
inline status actual_shape(const const_view& v, const tensor& limits, std::uint32_t axes,
                           int operand, shape& actual) noexcept {
  actual = limits.shape;
  if (v.shaped && v.shape.rank != actual.rank)
    return {code::rank, operand, actual.rank, v.shape.rank};
  int unknown_axis = -1;
  i64 fixed_elements = 1;
  for (int i = 0; i < actual.rank; ++i) {
    const bool varies = (axes >> i & 1u) != 0;
    if (varies && v.shaped) actual.extent[i] = v.shape[i];
    if (varies && !v.shaped && unknown_axis >= 0 && v.shape.count() != actual.count())
      return {code::rank, operand, actual.rank, v.shape.rank};
    if (varies) unknown_axis = i;
    if (!varies) fixed_elements *= actual[i];
  }
  if (!v.shaped && unknown_axis >= 0 && v.shape.count() != actual.count()) {
    if (v.shape.count() % fixed_elements != 0)
      return {code::size, operand, fixed_elements, v.shape.count()};
    actual.extent[unknown_axis] = v.shape.count() / fixed_elements;
  }
  for (int i = 0; i < actual.rank; ++i)
    if (actual[i] < 1 || actual[i] > limits.shape[i])
      return {code::extent, operand, limits.shape[i], actual[i]};
  return {};
}

/// Memory for the plan of a call: on the heap.
struct varied_on_heap {
  plans::actual_extents extents;
  sequence<shape> shapes, requested;
  aligned_memory bound;
};
/// As `varied_on_heap`, inside of the instance of a static graph, whose sizes are constants.
template <class Plan> struct varied_parts {
  plans::actual_extents::room<Plan::source_sizes, Plan::sizes.table, Plan::groups> room;
  pool<shape, Plan::sizes.table.inputs> shapes_room, requested_room;
  plans::actual_extents extents{room};
  sequence<shape> shapes = shapes_room.lend(), requested = requested_room.lend();
  memory_inside<Plan::bound_bytes> bound;
};

/// Parts that are never destroyed, as they have nothing to give back: a static object without a
/// destructor asks nothing of the end of the program.
template <class Plan> class varied_inside {
 public:
  varied_inside() noexcept { new (memory_) varied_parts<Plan>; }
  varied_parts<Plan>& operator*() noexcept {
    return *std::launder(reinterpret_cast<varied_parts<Plan>*>(memory_));
  }

 private:
  alignas(varied_parts<Plan>) std::byte memory_[sizeof(varied_parts<Plan>)];
};

/// What an instance of a graph with limits has of its own: the plan for the extents of the last
/// call, and what the policies bound for it. `Memory`: one of the above.
template <class Model, class Memory> class varied {
 public:
  /// Allocates on the heap if `Memory` is there; nothing on the host does afterwards. Devices make
  /// kernels for extents that are new. False when there is no memory.
  bool start(const Model& m) noexcept;
  /// Makes `view()` fit the inputs of a call. Error: see `actual_shape` and `actual_extents::set`.
  status follow(const Model& m, std::span<const const_view> in) noexcept {
    const table_view& t = m.plan_of().table;
    for (const varying& v : t.limits)
      if (const status s =
              actual_shape(in[static_cast<std::size_t>(v.input)], t.nodes[t.inputs[v.input]].out,
                           v.axes, v.input, parts().requested[v.input]);
          !s.ok())
        return s;
    bool same = fits_;
    for (int i = 0; i < parts().shapes.size(); ++i)
      same = same && parts().shapes[i] == parts().requested[i];
    if (same) return {};
    for (int i = 0; i < parts().shapes.size(); ++i) parts().shapes[i] = parts().requested[i];
    return adapt(m);
  }
  const plan_view& view() const noexcept { return view_; }
  template <class Way>
  status run(const frame& f, typename Model::sessions& sessions, const Way& way) noexcept {
    if (!told_) policies_.renew(sessions);
    told_ = true;
    return policies_.run(view_, f, sessions, way);
  }

 private:
  status adapt(const Model& m);
  auto& parts() noexcept {
    if constexpr (std::same_as<Memory, varied_on_heap>)
      return parts_;
    else
      return *parts_;
  }

  Memory parts_;
  plan_view view_{};
  typename Model::policies_type policies_{};
  bool fits_ = false;
  bool told_ = false;  ///< the sessions know what was bound last
};
// Not inline: see tenon/compiled.hpp.
template <class Model, class Memory> bool varied<Model, Memory>::start(const Model& m) noexcept {
  return platform::guarded(
      [&] {
        const plan_view& p = m.plan_of();
        parts().extents.start(p);
        for (const int i : p.table.inputs) parts().shapes.push(p.table.nodes[i].out.shape);
        parts().requested = parts().shapes;
        parts().bound.reserve(p.bound_bytes);
        return (p.bound_bytes == 0 || parts().bound.data() != nullptr) && adapt(m).ok();
      },
      [] { return false; });
}
template <class Model, class Memory> status varied<Model, Memory>::adapt(const Model& m) {
  fits_ = false;
  if (const error e = parts().extents.set(parts().shapes.data()); !e.ok())
    return {e.what, -1, e.expected.number, e.found.number};
  view_ = parts().extents.view();
  for (int g = 0; g < view_.groups.size; ++g) {
    const footprint have = view_.needs[g],
                    need = view_.policies[view_.groups[g].policy].measure(view_, g);
    if (need.packed != have.packed) return {code::capacity, -1, have.packed, need.packed};
    if (need.bound > have.bound) return {code::capacity, -1, have.bound, need.bound};
    if (need.scratch > have.scratch) return {code::capacity, -1, have.scratch, need.scratch};
    if (need.per_thread > view_.per_thread_bytes)
      return {code::capacity, -1, have.per_thread, need.per_thread};
  }
  const error e = policies_.follow(
      m.policies(), view_, {m.weight_addresses(), m.packed_weights(), parts().bound.data()});
  fits_ = e.ok();
  told_ = false;
  return {e.what, -1, 0, 0};
}

/// A graph without limits needs none of it.
struct not_varied {
  template <class M> bool start(const M&) noexcept { return true; }
};

}  // namespace tenon::calling

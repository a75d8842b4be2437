// The definition of gathering and scattering: elements at positions that a tensor of indices holds.
// Indices below zero count from the end of their axis; what is still outside is clamped to the axis
// (`position_of`). Source: WebNN, gather and scatterND.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/move.hpp>

namespace tenon::reference_kernels {

/// The position on an axis that an index of any of the three index types means.
constexpr i64 index_at(const source& indices, i64 at, i64 extent) {
  if (indices.type == type::int64) return position_of(indices.wide[at], extent);
  return position_of(indices.type == type::uint32 ? i64{indices.word[at]} : indices.integer[at],
                     extent);
}
/// Each result has one index for each coordinate; the other axes it shares with the operand.
constexpr void gather(const gathering& g, const operand& in, const operand& indices,
                      const shape& space, target out) {
  with_type(out.type, [&](auto element) {
    const auto* x = in.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<2> o{space};
    for (int i = 0; i < space.rank; ++i) {
      o.step[0].step[i] = plans::restride(g.step[i], in.extent, in.where);
      o.step[1].step[i] = plans::restride(g.index_step[i], indices.extent, indices.where);
    }
    const i64 further = plans::restride(g.coordinate_step, indices.extent, indices.where),
              n = space.count();
    for (i64 i = 0; i < n; ++i, o.next()) {
      i64 from = o.offset[0];
      for (int c = 0; c < g.coordinates; ++c)
        from += index_at(indices.data, o.offset[1] + c * further, g.extent[c]) *
                plans::restride(g.coordinate_stride[c], in.extent, in.where);
      y[i] = x[from];
    }
  });
}

/// The operand is copied, then the updates are written in row-major order: of several for one
/// position the last stays.
constexpr void scatter(const gathering& g, const operand& in, const operand& indices,
                       const operand& updates, const shape& space, target out) {
  copy(in.data, in.where.step, out, dense(space), space);
  with_type(out.type, [&](auto element) {
    const auto* x = updates.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<3> o{updates.extent, {g.step, {}, updates.where.step}};
    for (int i = 0; i < updates.extent.rank; ++i)
      o.step[1].step[i] = plans::restride(g.index_step[i], indices.extent, indices.where);
    const i64 further = plans::restride(g.coordinate_step, indices.extent, indices.where),
              n = updates.extent.count();
    for (i64 i = 0; i < n; ++i, o.next()) {
      i64 to = o.offset[0];
      for (int c = 0; c < g.coordinates; ++c)
        to +=
            index_at(indices.data, o.offset[1] + c * further, g.extent[c]) * g.coordinate_stride[c];
      y[to] = x[o.offset[2]];
    }
  });
}

}  // namespace tenon::reference_kernels

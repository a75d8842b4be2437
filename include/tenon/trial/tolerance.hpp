// What a policy that rounds otherwise than `reference` may give: interval arithmetic over a table,
// each operation widened by the rounding that a policy declares.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/interval_moves.hpp>
#include <tenon/trial/interval_sums.hpp>

namespace tenon::trial {

namespace intervals {

/// A leaf's contents.
inline values given(const tensor& t, const elements& e) {
  if (is_four_bit(t.type)) {
    values r;
    for (i64 i = 0; i < t.shape.count(); ++i)
      r.push_back(interval::point(half_byte(t.type, e.data(), i)));
    return r;
  }
  return with_element(t.type, [&]<class T>() {
    values r;
    for (std::size_t i = 0; i < e.size(); i += sizeof(T)) {
      T x;
      std::memcpy(&x, e.data() + i, sizeof x);
      r.push_back(interval::point(static_cast<double>(x)));
    }
    return r;
  });
}

}  // namespace intervals

/// What all nodes of a table may hold when every operation is off by `e`. Who rounds more than
/// float32, or takes small numbers for zero, also does so to what it reads and moves. A family that
/// is not known here may hold anything.
/// `known`: of leaves whose contents are only known to be in these intervals, by node.
inline node_intervals intervals_of(const table_view& t, const contents& c, const inexact& e,
                                   const node_intervals& leaf_intervals = {}) {
  node_intervals all(static_cast<std::size_t>(t.nodes.size));
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    const auto in = [&](int k) -> const intervals::values& {
      return all[static_cast<std::size_t>(n.in[k])];
    };
    auto& here = all[static_cast<std::size_t>(i)];
    if (!leaf_intervals.empty() && !leaf_intervals[static_cast<std::size_t>(i)].empty()) {
      here = leaf_intervals[static_cast<std::size_t>(i)];
      continue;
    }
    switch (n.kind) {
      case family::input:
      case family::weight: here = intervals::given(n.out, c[static_cast<std::size_t>(i)]); break;
      case family::map: here = intervals::map(t, n, all, e); break;
      case family::reduce: here = intervals::reduce(t, n, in(0), e); break;
      case family::contract: here = intervals::contract(t, n, in(0), in(1), e); break;
      case family::window: here = intervals::window(t, n, in(0), e); break;
      case family::move: here = intervals::move(t, n, all); break;
      case family::gather:
        here = t.gathering_of(n).writes ? intervals::scatter(t, n, in(0), in(1), in(2))
                                        : intervals::gather(t, n, in(0), in(1));
        break;
      default: here.resize(static_cast<std::size_t>(n.out.shape.count())); break;
    }
    if ((e.relative > 0x1p-24 || e.least > smallest_float) && n.out.type == type::float32)
      for (interval& r : here) r = intervals::widened(r, e);
  }
  return all;
}

}  // namespace tenon::trial

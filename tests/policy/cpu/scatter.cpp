// How a scatter divides its updates: rows of one index, axes for threads, axes that keep the order.
// SPDX-License-Identifier: MIT
#include <tenon/policy/cpu/scatter.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon;
using simd::scatter_plan;

constexpr strides steps(std::initializer_list<i64> each) {
  strides s{};
  int i = 0;
  for (const i64 one : each) s.step[i++] = one;
  return s;
}
/// `to`: elements of the result from an update to the next along each axis; `by`: of the indices.
constexpr scatter_plan sorted(const shape& updates, const shape& indices, const strides& to,
                              const strides& by) {
  scatter_plan w;
  w.g.step = to;
  w.g.index_step = by;
  plans::location from, at;
  from.step = dense(updates);
  at.step = dense(indices);
  sort_axes(w, updates, from, indices, at);
  return w;
}

// scatterND: every index writes a row of the result [4, 5], and may write the same one again.
constexpr scatter_plan rows = sorted(extents(3, 5), extents(3, 1), steps({0, 1}), steps({1, 0}));
static_assert(rows.columns == 5 && rows.in_column == 1 && rows.out_column == 1);
static_assert(rows.turns.dims == 1 && rows.turns.count == 3 && rows.apart.dims == 0);

// Two axes that one index writes are one row where both sides lie evenly.
constexpr scatter_plan planes =
    sorted(extents(3, 2, 5), extents(3, 1), steps({0, 5, 1}), steps({1, 0, 0}));
static_assert(planes.columns == 10 && planes.turns.count == 3 && planes.apart.dims == 0);
constexpr scatter_plan gaps =
    sorted(extents(3, 2, 5), extents(3, 1), steps({0, 7, 1}), steps({1, 0, 0}));
static_assert(gaps.columns == 5 && gaps.apart.count == 2 && gaps.apart.to[0] == 7,
              "the result's rows are longer than those of the updates");

// scatterElements along axis 0: each element has its index. Columns cannot meet, rows can.
constexpr scatter_plan elements =
    sorted(extents(2, 6), extents(2, 6), steps({0, 1}), steps({6, 1}));
static_assert(elements.columns == 1 && elements.apart.count == 6 && elements.turns.count == 2);
static_assert(elements.apart.index[0] == 1 && elements.turns.index[0] == 6);

// Axes of extent 1 are left out.
constexpr scatter_plan single =
    sorted(extents(1, 6, 1), extents(1, 6, 1), steps({0, 0, 9}), steps({6, 1, 1}));
static_assert(single.columns == 1 && single.apart.dims == 0 && single.turns.count == 6);

}  // namespace

TEST_CASE("offsets along axes count the last one fastest") {
  simd::scatter_axes along;
  along.add(2, 100, 10, 1000);
  along.add(3, 1, 1, 1);
  const simd::scatter_offsets at = simd::scatter_offsets{5, 6, 7}.moved(along, 4);
  CHECK((along.count == 6 && at.to == 5 + 100 + 1));
  CHECK((at.index == 6 + 10 + 1 && at.from == 7 + 1000 + 1));
}

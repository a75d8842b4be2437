// Which axes of a row group become one row, and which the row index runs over.
// SPDX-License-Identifier: MIT
#include <tenon/policy/cpu/rows_plan.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon;
using simd::row_plan, simd::stage, simd::stage_operand;

stage_operand moving(const strides& step) {
  stage_operand o;
  o.holder = 0;
  for (int i = 0; i < max_rank; ++i) o.step[i] = step[i];
  return o;
}
/// A map of operands with these steps over `space`, whose last `columns` axes a reduction takes.
struct collapsed {
  row_plan plan;
  stage only;
  collapsed(const shape& space, int columns, std::initializer_list<strides> operands) {
    plan.stage_count = 1;
    only.out = moving(dense(space));
    for (const strides& s : operands) only.in[only.operands++] = moving(s);
    plans::group g;
    g.space = space;
    g.columns = columns;
    collapse(plan, &only, g);
  }
};
strides steps(std::initializer_list<i64> each) {
  strides s{};
  int i = 0;
  for (const i64 one : each) s.step[i++] = one;
  return s;
}

}  // namespace

TEST_CASE("a map over contiguous tensors is one row of all elements") {
  const shape space = extents(2, 3, 4);
  const collapsed all(space, 0, {dense(space), dense(space)});
  CHECK((all.plan.rows == 1 && all.plan.dims == 0 && all.plan.columns == 24));
  CHECK((all.only.in[0].column == 1 && all.only.out.column == 1));
}

TEST_CASE("an operand that repeats ends the row where it begins again") {
  const collapsed bias(extents(2, 3, 4), 0, {steps({12, 4, 1}), steps({0, 0, 1})});
  CHECK((bias.plan.rows == 6 && bias.plan.dims == 1 && bias.plan.columns == 4));
  CHECK((bias.only.in[1].step[0] == 0 && bias.only.in[1].column == 1));
  const collapsed channel(extents(2, 3, 4), 0, {steps({12, 4, 1}), steps({0, 1, 0})});
  CHECK((channel.plan.dims == 2 && channel.plan.extent[0] == 2 && channel.plan.extent[1] == 3));
  CHECK((channel.plan.columns == 4 && channel.only.in[1].column == 0));
}

TEST_CASE("axes of extent 1 are no axes, whatever their steps are") {
  const collapsed flat(extents(2, 1, 4), 0, {steps({4, 77, 1})});
  CHECK((flat.plan.rows == 1 && flat.plan.columns == 8));
  const collapsed point(extents(1, 1), 0, {steps({5, 7})});
  CHECK((point.plan.rows == 1 && point.plan.columns == 1 && point.plan.dims == 0));
}

TEST_CASE("a transposed operand is read down its columns") {
  const collapsed turned(extents(3, 4), 0, {steps({1, 3})});
  CHECK((turned.plan.dims == 1 && turned.plan.rows == 3 && turned.plan.columns == 4));
  CHECK((turned.only.in[0].step[0] == 1 && turned.only.in[0].column == 3));
}

TEST_CASE("the axes of a reduction stay apart from the others") {
  const shape space = extents(2, 3, 4, 5);
  const collapsed last(space, 1, {dense(space)}), two(space, 2, {dense(space)});
  CHECK((last.plan.rows == 24 && last.plan.dims == 1 && last.plan.columns == 5));
  CHECK((two.plan.rows == 6 && two.plan.dims == 1 && two.plan.columns == 20));
}

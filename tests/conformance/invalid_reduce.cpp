// Reductions that the WebNN specification rejects.
// SPDX-License-Identifier: MIT
#include "invalid.hpp"

namespace {
using namespace invalid;

constexpr auto axes =
    each<reduceSum_t, reduceProduct_t, reduceMax_t, reduceMin_t, reduceMean_t, reduceL1_t,
         reduceSumSquare_t, reduceL2_t, reduceLogSum_t, reduceLogSumExp_t>([]<class Op>() {
      return std::array{
          refused_plain<Op, f32(4), f32(4)>(code::operand_count, "", 1, 2),
          refused<Op, reduce_options{.axes = {2}}, f32(4, 4)>(code::axis, "axes", 2, 2),
          refused<Op, reduce_options{.axes = {1, 0, 1}}, f32(4, 4)>(code::axis, "axes", 2, 1),
          refused<Op, reduce_options{.axes = {0, -1}}, f16(4, 4)>(code::axis, "axes", 2, -1),
          refused<Op, reduce_options{.axes = {0}}, f32()>(code::axis, "axes", 0, 0),
          refused<Op, reduce_options{.axes = {least}}, f32(4, 4)>(code::axis, "axes", 2, least),
          refused<Op, reduce_options{.axes = {most}}, f32(4, 4)>(code::axis, "axes", 2, most),
          refused<Op, reduce_options{.axes = {0, 1, 2, 3, 4, 5, 6, 7, 8}},
                  f32(1, 1, 1, 1, 1, 1, 1, 1)>(code::axis, "axes", 8, -1),
          accepted<Op, reduce_options{.axes = axis_list({})}, f32(4, 4)>(),
          accepted<Op, reduce_options{}, f32()>(),
      };
    });
constexpr auto without_bytes =
    each<reduceSum_t, reduceProduct_t, reduceL1_t, reduceSumSquare_t>([]<class Op>() {
      return std::array{
          refused_plain<Op, u8(4)>(code::element_type, "input", type::float32, type::uint8),
          refused_plain<Op, of(type::int8, 4)>(code::element_type, "input", type::float32,
                                               type::int8),
      };
    });
constexpr auto without_integers =
    each<reduceMean_t, reduceL2_t, reduceLogSum_t, reduceLogSumExp_t>([]<class Op>() {
      return std::array{
          refused_plain<Op, i32(4)>(code::element_type, "input", type::float32, type::int32),
          refused_plain<Op, of(type::uint64, 4)>(code::element_type, "input", type::float32,
                                                 type::uint64),
          refused_plain<Op, u8(4)>(code::element_type, "input", type::float32, type::uint8),
      };
    });
template <class Op> constexpr typename Op::options at(i64 axis, type positions = type::int32) {
  return {axis, {false, positions}};
}
constexpr i64 last = (one << 31) - 1;
constexpr auto positions = each<argMin_t, argMax_t>([]<class Op>() {
  return std::array{
      refused<Op, at<Op>(0), f32(4), f32(4)>(code::operand_count, "", 1, 2),
      refused<Op, at<Op>(2), f32(4, 4)>(code::axis, "axis", 2, 2),
      refused<Op, at<Op>(-1), u8(4, 4)>(code::axis, "axis", 2, -1),
      refused<Op, at<Op>(0), f32()>(code::axis, "axis", 0, 0),
      refused<Op, at<Op>(least), f32(4, 4)>(code::axis, "axis", 2, least),
      refused<Op, at<Op>(most), f32(4, 4)>(code::axis, "axis", 2, most),
      refused<Op, at<Op>(0, type::float32), f32(4)>(code::element_type, "outputDataType",
                                                    type::int32, type::float32),
      refused<Op, at<Op>(0, type::uint32), f32(4)>(code::element_type, "outputDataType",
                                                   type::int32, type::uint32),
      refused<Op, at<Op>(0, type::uint8), i32(4)>(code::element_type, "outputDataType", type::int32,
                                                  type::uint8),
      refused<Op, at<Op>(1), u8(2, last + 1)>(code::extent, "input", last, last + 1),
      accepted<Op, at<Op>(1), u8(2, last)>(),
      accepted<Op, at<Op>(1, type::int64), u8(2, last + 1)>(),
  };
});
static_assert(as_wanted(axes) && as_wanted(without_bytes) && as_wanted(without_integers) &&
              as_wanted(positions));

}  // namespace

TEST_CASE("reductions refuse what the specification rejects") {
  check_lines(axes);
  check_lines(without_bytes);
  check_lines(without_integers);
  check_lines(positions);
}
TEST_CASE("reductions without operands are refused") {
  check_without_operands<reduceSum_t, reduceProduct_t, reduceMax_t, reduceMin_t, reduceMean_t,
                         reduceL1_t, reduceSumSquare_t, reduceL2_t, reduceLogSum_t,
                         reduceLogSumExp_t, argMin_t, argMax_t>();
}
TEST_CASE("no two misuses of these operators give the same error", "[.distinct]") {
  std::printf("distinct: %d\n", distinct(axes, without_bytes, without_integers, positions));
}

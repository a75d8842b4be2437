// Element-wise operators that the WebNN specification rejects, and tensors that are none.
// SPDX-License-Identifier: MIT
#include "invalid.hpp"

namespace {
using namespace invalid;

template <class Op> consteval auto two_of_one_type() {
  return std::array{
      refused_plain<Op, f32(4)>(code::operand_count, "", 2, 1),
      refused_plain<Op, f32(4), f32(4), f32(4)>(code::operand_count, "", 2, 3),
      refused_plain<Op, f32(4), i32(4)>(code::element_type, "b", type::float32, type::int32),
      refused_plain<Op, i64s(4), of(type::uint64, 4)>(code::element_type, "b", type::int64,
                                                      type::uint64),
      refused_plain<Op, f32(2, 3), f32(2)>(code::broadcast, "b", sh(2, 3), sh(2)),
      refused_plain<Op, u8(4, 1, 3), u8(5, 4, 2)>(code::broadcast, "b", sh(4, 1, 3), sh(5, 4, 2)),
      refused_plain<Op, f32(one << 30, 1), f32(one << 30)>(code::extent, "result", max_elements,
                                                           sh(one << 30, one << 30)),
  };
}
constexpr auto binary = each<add_t, sub_t, mul_t, tn::div_t, max_t, min_t, pow_t>(
    []<class Op>() { return two_of_one_type<Op>(); });
constexpr auto comparisons =
    each<equal_t, notEqual_t, greater_t, greaterOrEqual_t, lesser_t, lesserOrEqual_t>(
        []<class Op>() { return two_of_one_type<Op>(); });

constexpr auto real =
    each<ceil_t, floor_t, roundEven_t, sqrt_t, reciprocal_t, exp_t, log_t, sin_t, cos_t, tan_t,
         erf_t, tanh_t, sigmoid_t, softplus_t, softsign_t, hardSwish_t, gelu_t, elu_t, leakyRelu_t,
         hardSigmoid_t, linear_t>([]<class Op>() {
      return std::array{
          refused_plain<Op, f32(4), f32(4)>(code::operand_count, "", 1, 2),
          refused_plain<Op, i32(4)>(code::element_type, "input", type::float32, type::int32),
          refused_plain<Op, u8()>(code::element_type, "input", type::float32, type::uint8),
          refused_plain<Op, i64s(2, 3)>(code::element_type, "input", type::float32, type::int64),
      };
    });
constexpr auto with_sign = each<abs_t, neg_t, sign_t, relu_t>([]<class Op>() {
  return std::array{
      refused_plain<Op, f32(4), f32(4)>(code::operand_count, "", 1, 2),
      refused_plain<Op, u8(4)>(code::element_type, "input", type::float32, type::uint8),
      refused_plain<Op, of(type::uint32, 4)>(code::element_type, "input", type::float32,
                                             type::uint32),
      refused_plain<Op, of(type::uint64)>(code::element_type, "input", type::float32, type::uint64),
  };
});
constexpr auto two_booleans = each<logicalAnd_t, logicalOr_t, logicalXor_t>([]<class Op>() {
  return std::array{
      refused_plain<Op, u8(4)>(code::operand_count, "", 2, 1),
      refused_plain<Op, f32(4), f32(4)>(code::element_type, "a", type::uint8, type::float32),
      refused_plain<Op, of(type::int8, 4), u8(4)>(code::element_type, "a", type::uint8, type::int8),
      refused_plain<Op, u8(4), i32(4)>(code::element_type, "b", type::uint8, type::int32),
      refused_plain<Op, u8(2, 3), u8(2)>(code::broadcast, "b", sh(2, 3), sh(2)),
  };
});
constexpr auto not_numbers = each<isNaN_t, isInfinite_t>([]<class Op>() {
  return std::array{
      refused_plain<Op, f32(4), f32(4)>(code::operand_count, "", 1, 2),
      refused_plain<Op, i32(4)>(code::element_type, "a", type::float32, type::int32),
      refused_plain<Op, u8(4)>(code::element_type, "a", type::float32, type::uint8),
  };
});

constexpr clamp_options clamped(any_number low, any_number high) {
  clamp_options o;
  o.minValue = low;
  o.maxValue = high;
  return o;
}
constexpr auto others = std::to_array<line>({
    refused_plain<identity_t, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused_plain<identity_t, u8(4), u8(4), u8(4)>(code::operand_count, "", 1, 3),
    refused_plain<logicalNot_t, u8(4), u8(4)>(code::operand_count, "", 1, 2),
    refused_plain<logicalNot_t, f32(4)>(code::element_type, "a", type::uint8, type::float32),
    refused_plain<logicalNot_t, of(type::int8, 4)>(code::element_type, "a", type::uint8,
                                                   type::int8),
    refused_plain<logicalNot_t, of(type::uint32, 4)>(code::element_type, "a", type::uint8,
                                                     type::uint32),
    refused_plain<cast_t, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<cast_t, cast_options{type::uint8}, f32(4), i32(4)>(code::operand_count, "", 1, 2),
    refused_plain<prelu_t, f32(4)>(code::operand_count, "", 2, 1),
    refused_plain<prelu_t, u8(4), u8(4)>(code::element_type, "input", type::float32, type::uint8),
    refused_plain<prelu_t, of(type::uint64, 4), of(type::uint64, 4)>(code::element_type, "input",
                                                                     type::float32, type::uint64),
    refused_plain<prelu_t, f32(4), f16(4)>(code::element_type, "slope", type::float32,
                                           type::float16),
    refused_plain<prelu_t, f32(2, 3), f32(2)>(code::broadcast, "slope", sh(2, 3), sh(2)),
    refused_plain<where_t, u8(4), f32(4)>(code::operand_count, "", 3, 2),
    refused_plain<where_t, u8(4), f32(4), f32(4), f32(4)>(code::operand_count, "", 3, 4),
    refused_plain<where_t, f32(4), f32(4), f32(4)>(code::element_type, "condition", type::uint8,
                                                   type::float32),
    refused_plain<where_t, of(type::int8, 4), f32(4), f32(4)>(code::element_type, "condition",
                                                              type::uint8, type::int8),
    refused_plain<where_t, u8(4), f32(4), i32(4)>(code::element_type, "falseValue", type::float32,
                                                  type::int32),
    refused_plain<where_t, u8(4), f16(4), f32(4)>(code::element_type, "falseValue", type::float16,
                                                  type::float32),
    refused_plain<where_t, u8(2), f32(3), f32(3)>(code::broadcast, "trueValue", sh(2), sh(3)),
    refused_plain<where_t, u8(1), f32(3), f32(2)>(code::broadcast, "falseValue", sh(3), sh(2)),
    refused_plain<where_t, u8(one << 30, 1), i32(), i32(1, one << 30)>(
        code::extent, "result", max_elements, sh(one << 30, one << 30)),
    refused_plain<clamp_t, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<clamp_t, clamped(1.5, 1.25), f32(4)>(code::option, "minValue", "at most maxValue",
                                                 "more"),
    // Both limits become what the element type holds, and then are compared.
    accepted<clamp_t, clamped(1.75, 1.25), i32(4)>(),
    accepted<clamp_t, clamped(300, 256), u8(4)>(),
    accepted<clamp_t, clamped(1.00000002, 1.00000001), f32(4)>(),
    accepted<clamp_t, clamped(1e300, 1e299), f32(4)>(),
    accepted<clamp_t, clamped(std::numeric_limits<double>::quiet_NaN(), 1), i32(4)>(),
    accepted<clamp_t, clamped(least, most), of(type::int8, 4)>(),
});
/// The same error again, of other types: a compiler that has said it is silent.
constexpr auto repeated = std::to_array<line>({
    refused<clamp_t, clamped(2, 1), i32(4)>(code::option, "minValue", "at most maxValue", "more"),
    refused<clamp_t, clamped((one << 53) + 1, one << 53), i64s(4)>(code::option, "minValue",
                                                                   "at most maxValue", "more"),
    refused<clamp_t, clamped(~std::uint64_t{0}, ~std::uint64_t{0} - 1), of(type::uint64, 4)>(
        code::option, "minValue", "at most maxValue", "more"),
    refused<clamp_t, clamped(most, least), of(type::int8, 4)>(code::option, "minValue",
                                                              "at most maxValue", "more"),
    refused<clamp_t, clamped(1.25, -1), f16(4)>(code::option, "minValue", "at most maxValue",
                                                "more"),
});
constexpr auto tensors = std::to_array<line>({
    refused_input<f32(0)>(code::extent, max_elements, 0),
    refused_input<f32(4, 0, 4)>(code::extent, max_elements / 4, 0),
    refused_input<f32(-1)>(code::extent, max_elements, -1),
    refused_input<u8(2, least)>(code::extent, max_elements / 2, least),
    refused_input<f32(most)>(code::extent, max_elements, most),
    refused_input<f32(most, most, most)>(code::extent, max_elements, most),
    refused_input<f32(one << 32, one << 32)>(code::extent, 256, one << 32),
    refused_input<u8((one << 40) + 1)>(code::extent, max_elements, (one << 40) + 1),
    accepted<identity_t, no_options{}, u8(one << 40)>(),
});
static_assert(as_wanted(binary) && as_wanted(comparisons) && as_wanted(real));
static_assert(as_wanted(with_sign) && as_wanted(two_booleans) && as_wanted(not_numbers));
static_assert(as_wanted(others) && as_wanted(repeated) && as_wanted(tensors));

}  // namespace

TEST_CASE("element-wise operators refuse what the specification rejects") {
  check_lines(binary);
  check_lines(comparisons);
  check_lines(real);
  check_lines(with_sign);
  check_lines(two_booleans);
  check_lines(not_numbers);
  check_lines(others);
  check_lines(repeated);
}
TEST_CASE("inputs without elements, or with too many, are refused") { check_lines(tensors); }
TEST_CASE("element-wise operators without operands are refused") {
  check_without_operands<
      add_t, sub_t, mul_t, tn::div_t, max_t, min_t, pow_t, prelu_t, equal_t, notEqual_t, greater_t,
      greaterOrEqual_t, lesser_t, lesserOrEqual_t, logicalAnd_t, logicalOr_t, logicalXor_t,
      logicalNot_t, isNaN_t, isInfinite_t, where_t, cast_t, identity_t, abs_t, neg_t, ceil_t,
      floor_t, roundEven_t, sign_t, sqrt_t, reciprocal_t, exp_t, log_t, sin_t, cos_t, tan_t, erf_t,
      tanh_t, sigmoid_t, relu_t, softplus_t, softsign_t, hardSwish_t, gelu_t, elu_t, leakyRelu_t,
      hardSigmoid_t, linear_t, clamp_t>();
}
TEST_CASE("no two misuses of these operators give the same error", "[.distinct]") {
  std::printf("distinct: %d\n", distinct(binary, comparisons, real, with_sign, two_booleans,
                                         not_numbers, others, repeated) +
                                    8);
}

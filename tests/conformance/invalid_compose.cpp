// Compositions that the WebNN specification rejects.
// SPDX-License-Identifier: MIT
#include "invalid.hpp"

namespace {
using namespace invalid;

constexpr tensor image = f32(1, 4, 8, 8);
constexpr resample2d_options scaled(float first, float second,
                                    interpolation mode = interpolation::nearest_neighbor) {
  return {.mode = mode, .scales = {first, second}};
}
constexpr resample2d_options sized(axis_list sizes, axis_list axes = {}) {
  return {.sizes = sizes, .axes = axes};
}
constexpr resample2d_options linear{.mode = interpolation::linear};
constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
constexpr auto others = std::to_array<line>({
    refused_plain<resample2d_t, image, image>(code::operand_count, "", 1, 2),
    refused_plain<resample2d_t, i32(1, 4, 8, 8)>(code::element_type, "input", type::float32,
                                                 type::int32),
    refused<resample2d_t, linear, i64s(1, 4, 8, 8)>(code::element_type, "input", type::float32,
                                                    type::int64),
    refused_plain<resample2d_t, f32(4, 8, 8)>(code::rank, "input", 4, 3),
    refused_plain<resample2d_t, f32(1, 1, 4, 8, 8)>(code::rank, "input", 4, 5),
    refused<resample2d_t, scaled(0, 1), image>(code::option, "scales", "above zero", "not"),
    refused<resample2d_t, scaled(0.1f, 1), image>(code::option, "scales", 1, 0),
    refused<resample2d_t, scaled(1, infinity), image>(code::capacity, "scales", one << 24, "more"),
    refused<resample2d_t, sized({4}), image>(code::option, "sizes", 2, 1),
    refused<resample2d_t, sized({4, 4, 4}), image>(code::option, "sizes", 2, 3),
    refused<resample2d_t, sized({4, 0}), image>(code::option, "sizes", 1, 0),
    refused<resample2d_t, sized({least, 4}), image>(code::option, "sizes", 1, least),
    refused<resample2d_t, sized({4, most}), image>(code::capacity, "sizes", one << 24, most),
    refused<resample2d_t, sized({one << 24, one << 24}), image>(
        code::extent, "result", max_elements, sh(1, 4, one << 24, one << 24)),
    refused<resample2d_t, sized({4, 4}, {2}), image>(code::axis, "axes", 2, 1),
    refused<resample2d_t, sized({4, 4}, {2, 2}), image>(code::axis, "axes", 4, 2),
    refused<resample2d_t, sized({4, 4}, {3, 4}), image>(code::axis, "axes", 4, 4),
    refused<resample2d_t, sized({4, 4}, {-1, 0}), image>(code::axis, "axes", 4, -1),
    refused<resample2d_t, sized({4, 4}, {least, most}), image>(code::axis, "axes", 4, least),
    refused_plain<resample2d_t, u8(1, 1, one << 25, 1)>(code::capacity, "input", one << 24,
                                                        one << 25),
    accepted<resample2d_t, linear, u8(1, 4, 8, 8)>(),
    accepted<resample2d_t, resample2d_options{}, of(type::int8, 1, 4, 8, 8)>(),

    refused<softmax_t, softmax_options{0}, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<softmax_t, softmax_options{0}, i32(4)>(code::element_type, "input", type::float32,
                                                   type::int32),
    refused<softmax_t, softmax_options{0}, u8(4)>(code::element_type, "input", type::float32,
                                                  type::uint8),
    refused<softmax_t, softmax_options{2}, f32(4, 4)>(code::axis, "axis", 2, 2),
    refused<softmax_t, softmax_options{-1}, f32(4, 4)>(code::axis, "axis", 2, -1),
    refused<softmax_t, softmax_options{0}, f32()>(code::axis, "axis", 0, 0),
    refused<softmax_t, softmax_options{least}, f32(4)>(code::axis, "axis", 1, least),
    refused<softmax_t, softmax_options{most}, f32(4)>(code::axis, "axis", 1, most),
});
constexpr auto repeated = std::to_array<line>({
    refused<resample2d_t, scaled(1, -2), image>(code::option, "scales", "above zero", "not"),
    refused<resample2d_t, scaled(1, nan, interpolation::linear), image>(code::option, "scales",
                                                                        "above zero", "not"),
});

constexpr layerNormalization_options over(axis_list axes) { return {.axes = axes}; }
constexpr batchNormalization_options along(i64 axis) { return {.axis = axis}; }
constexpr instanceNormalization_options channels_last{.layout = image_layout::nhwc};
constexpr auto normalized = std::to_array<line>({
    refused_plain<layerNormalization_t, f32(4, 5), f32(5), f32(5), f32(5)>(code::operand_count, "",
                                                                           1, 4),
    refused_plain<layerNormalization_t, i32(4, 5)>(code::element_type, "input", type::float32,
                                                   type::int32),
    refused_plain<layerNormalization_t, f32(4, 5), f16(5)>(code::element_type, "scale",
                                                           type::float32, type::float16),
    refused_plain<layerNormalization_t, f32(4, 5), f32(5), u8(5)>(code::element_type, "bias",
                                                                  type::float32, type::uint8),
    refused<layerNormalization_t, over({2}), f32(4, 5)>(code::axis, "axes", 2, 2),
    refused<layerNormalization_t, over({1, 1}), f32(4, 5)>(code::axis, "axes", 2, 1),
    refused<layerNormalization_t, over({-1}), f32(4, 5)>(code::axis, "axes", 2, -1),
    refused<layerNormalization_t, over({least}), f32(4, 5)>(code::axis, "axes", 2, least),
    refused<layerNormalization_t, over({0, 1, 2, 3, 4, 5, 6, 7, 0}), f32(1, 1, 1, 1, 1, 1, 1, 1)>(
        code::axis, "axes", 8, -1),
    refused<layerNormalization_t, over({0}), f32()>(code::axis, "axes", 0, 0),
    refused_plain<layerNormalization_t, f32(4, 5), f32(4)>(code::extent, "scale", sh(5), sh(4)),
    refused_plain<layerNormalization_t, f32(4, 5), f32(5), f32(1, 5)>(code::extent, "bias", sh(5),
                                                                      sh(1, 5)),
    refused<layerNormalization_t, over({1, 0}), f32(4, 5), f32(4, 5)>(code::extent, "scale",
                                                                      sh(5, 4), sh(4, 5)),
    refused<layerNormalization_t, over(axis_list({})), f32(4, 5), f32(5)>(code::extent, "scale",
                                                                          sh(), sh(5)),
    accepted<layerNormalization_t, layerNormalization_options{}, f32()>(),

    refused_plain<batchNormalization_t, f32(4, 5), f32(5)>(code::operand_count, "", 3, 2),
    refused_plain<batchNormalization_t, f32(4, 5), f32(5), f32(5), f32(5), f32(5), f32(5)>(
        code::operand_count, "", 3, 6),
    refused_plain<batchNormalization_t, i32(4, 5), i32(5), i32(5)>(code::element_type, "input",
                                                                   type::float32, type::int32),
    refused_plain<batchNormalization_t, f32(4, 5), f16(5), f32(5)>(code::element_type, "mean",
                                                                   type::float32, type::float16),
    refused_plain<batchNormalization_t, f16(4, 5), f16(5), f32(5)>(code::element_type, "variance",
                                                                   type::float16, type::float32),
    refused_plain<batchNormalization_t, f32(4, 5), f32(5), f32(5), i32(5)>(
        code::element_type, "scale", type::float32, type::int32),
    refused_plain<batchNormalization_t, f32(4, 5), f32(5), f32(5), f32(5), i32(5)>(
        code::element_type, "bias", type::float32, type::int32),
    refused<batchNormalization_t, along(2), f32(4, 5), f32(5), f32(5)>(code::axis, "axis", 2, 2),
    refused<batchNormalization_t, along(-1), f32(4, 5), f32(5), f32(5)>(code::axis, "axis", 2, -1),
    refused<batchNormalization_t, along(least), f32(4, 5), f32(5), f32(5)>(code::axis, "axis", 2,
                                                                           least),
    refused<batchNormalization_t, along(0), f32(), f32(1), f32(1)>(code::axis, "axis", 0, 0),
    refused_plain<batchNormalization_t, f32(4, 5), f32(4), f32(5)>(code::extent, "mean", sh(5),
                                                                   sh(4)),
    refused_plain<batchNormalization_t, f32(4, 5), f32(5), f32(1, 5)>(code::extent, "variance",
                                                                      sh(5), sh(1, 5)),
    refused_plain<batchNormalization_t, f32(4, 5), f32(5), f32(5), f32()>(code::extent, "scale",
                                                                          sh(5), sh()),
    refused_plain<batchNormalization_t, f32(4, 5), f32(5), f32(5), f32(5), f32(6)>(
        code::extent, "bias", sh(5), sh(6)),

    refused_plain<instanceNormalization_t, image, f32(4), f32(4), f32(4)>(code::operand_count, "",
                                                                          1, 4),
    refused_plain<instanceNormalization_t, u8(1, 4, 8, 8)>(code::element_type, "input",
                                                           type::float32, type::uint8),
    refused_plain<instanceNormalization_t, image, f16(4)>(code::element_type, "scale",
                                                          type::float32, type::float16),
    refused_plain<instanceNormalization_t, image, f32(4), i32(4)>(code::element_type, "bias",
                                                                  type::float32, type::int32),
    refused_plain<instanceNormalization_t, f32(4, 8, 8)>(code::rank, "input", 4, 3),
    refused_plain<instanceNormalization_t, image, f32(8)>(code::extent, "scale", sh(4), sh(8)),
    refused_plain<instanceNormalization_t, image, f32(4), f32(4, 1)>(code::extent, "bias", sh(4),
                                                                     sh(4, 1)),
    refused<instanceNormalization_t, channels_last, image, f32(4)>(code::extent, "scale", sh(8),
                                                                   sh(4)),
});

constexpr tensor query = f32(2, 3, 8), key = f32(2, 5, 8);
constexpr attention_options heads(i64 n) { return {n}; }
/// No operator of WebNN, but of the same form.
constexpr auto attentions = std::to_array<line>({
    refused_plain<attention_t, query, key>(code::operand_count, "", 3, 2),
    refused_plain<attention_t, i32(2, 3, 8), key, key>(code::element_type, "query", type::float32,
                                                       type::int32),
    refused_plain<attention_t, query, key, f16(2, 5, 8)>(code::element_type, "value", type::float32,
                                                         type::float16),
    refused_plain<attention_t, f32(3, 8), key, key>(code::rank, "query", 3, 2),
    refused_plain<attention_t, query, key, f32(5, 8)>(code::rank, "value", 3, 2),
    refused_plain<attention_t, query, f32(2, 5, 4), key>(code::extent, "key", sh(2, 3, 8),
                                                         sh(2, 5, 4)),
    refused_plain<attention_t, query, key, f32(2, 4, 8)>(code::extent, "value", sh(2, 5, 8),
                                                         sh(2, 4, 8)),
    refused<attention_t, heads(0), query, key, key>(code::option, "heads", 8, 0),
    refused<attention_t, heads(3), query, key, key>(code::option, "heads", 8, 3),
    refused<attention_t, heads(least), query, key, key>(code::option, "heads", 8, least),
    refused<attention_t, heads(most), query, key, key>(code::option, "heads", 8, most),
    refused<attention_t, heads(2), query, key, key, f32(2, 3)>(code::broadcast, "mask",
                                                               sh(2, 2, 3, 5), sh(2, 3)),
    refused<attention_t, heads(2), query, key, key, f32(3, 1, 1, 1, 1)>(
        code::broadcast, "mask", sh(2, 2, 3, 5), sh(3, 1, 1, 1, 1)),
});
static_assert(as_wanted(others) && as_wanted(repeated) && as_wanted(normalized) &&
              as_wanted(attentions));

}  // namespace

TEST_CASE("compositions refuse what the specification rejects") {
  check_lines(others);
  check_lines(repeated);
  check_lines(normalized);
}
TEST_CASE("attention refuses operands that do not fit") { check_lines(attentions); }
TEST_CASE("compositions without operands are refused") {
  check_without_operands<resample2d_t, softmax_t, attention_t, layerNormalization_t,
                         batchNormalization_t, instanceNormalization_t>();
}
TEST_CASE("no two misuses of these operators give the same error", "[.distinct]") {
  std::printf("distinct: %d\n", distinct(others, repeated, normalized, attentions));
}

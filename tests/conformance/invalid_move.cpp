// Moves, gathers and scatters that the WebNN specification rejects.
// SPDX-License-Identifier: MIT
#include "invalid.hpp"

namespace {
using namespace invalid;

constexpr i64 far = one << 40;
constexpr reshape_options to(axis_list s) { return {s}; }
constexpr slice_options cut(axis_list starts, axis_list sizes, axis_list strides = {}) {
  return {starts, sizes, strides};
}
constexpr auto shapes = std::to_array<line>({
    refused_plain<reshape_t, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<reshape_t, to({5}), f32(4)>(code::element_count, "newShape", sh(4), sh(5)),
    refused<reshape_t, to({2, 2, 2}), f32(2, 3)>(code::element_count, "newShape", sh(2, 3),
                                                 sh(2, 2, 2)),
    refused_plain<reshape_t, f32(4)>(code::element_count, "newShape", sh(4), sh()),
    refused<reshape_t, to({0, 4}), f32(4)>(code::extent, "newShape", 1, 0),
    refused<reshape_t, to({4, -1}), f32(4)>(code::extent, "newShape", 1, -1),
    refused<reshape_t, to({least}), f32(4)>(code::extent, "newShape", 1, least),
    refused<reshape_t, to({most, most}), f32(4)>(code::element_count, "newShape", sh(4),
                                                 sh(most, most)),
    refused<reshape_t, to({one << 32, one << 32}), f32(1)>(code::element_count, "newShape", sh(1),
                                                           sh(one << 32, one << 32)),
    refused<reshape_t, to({1, 1, 1, 1, 1, 1, 1, 1, 4}), f32(4)>(code::rank, "newShape", 8, 9),
    accepted<reshape_t, to(axis_list({})), f32(1, 1)>(),

    refused_plain<transpose_t, f32(4, 4), f32(4)>(code::operand_count, "", 1, 2),
    refused<transpose_t, transpose_options{.permutation = {0}}, f32(4, 4)>(code::rank,
                                                                           "permutation", 2, 1),
    refused<transpose_t, transpose_options{.permutation = {0, 1, 2}}, f32(4, 4)>(
        code::rank, "permutation", 2, 3),
    refused<transpose_t, transpose_options{.permutation = axis_list({})}, f32(4, 4)>(
        code::rank, "permutation", 2, 0),
    refused<transpose_t, transpose_options{.permutation = {1, 1}}, f32(4, 4)>(code::permutation,
                                                                              "permutation", 2, 1),
    refused<transpose_t, transpose_options{.permutation = {0, 2}}, f32(4, 4)>(code::permutation,
                                                                              "permutation", 2, 2),
    refused<transpose_t, transpose_options{.permutation = {-1, 0}}, f32(4, 4)>(
        code::permutation, "permutation", 2, -1),
    refused<transpose_t, transpose_options{.permutation = {least, most}}, f32(4, 4)>(
        code::permutation, "permutation", 2, least),

    refused<slice_t, cut({0}, {1}), f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<slice_t, cut({0}, {1, 1}), f32(4, 4)>(code::rank, "starts", 2, 1),
    refused<slice_t, cut({0, 0}, {1}), f32(4, 4)>(code::rank, "sizes", 2, 1),
    refused<slice_t, cut({0, 0}, {1, 1}, {1}), f32(4, 4)>(code::rank, "strides", 2, 1),
    refused_plain<slice_t, f32(4, 4)>(code::rank, "starts", 2, 0),
    refused<slice_t, cut({4}, {1}), f32(4)>(code::extent, "starts", 3, 4),
    refused<slice_t, cut({-1}, {1}), f32(4)>(code::extent, "starts", 3, -1),
    refused<slice_t, cut({least}, {1}), f32(4)>(code::extent, "starts", 3, least),
    refused<slice_t, cut({0}, {0}), f32(4)>(code::extent, "sizes", 4, 0),
    refused<slice_t, cut({2}, {3}), f32(4)>(code::extent, "sizes", 2, 3),
    refused<slice_t, cut({3}, {most}), f32(4)>(code::extent, "sizes", 1, most),
    refused<slice_t, cut({0}, {least}), f32(4)>(code::extent, "sizes", 4, least),
    refused<slice_t, cut({0}, {4}, {0}), f32(4)>(code::stride, "strides", 1, 0),
    refused<slice_t, cut({0}, {4}, {least}), f32(4)>(code::stride, "strides", 1, least),
    accepted<slice_t, cut({0}, {4}, {most}), f32(4)>(),
    accepted<slice_t, slice_options{}, f32()>(),

    refused<split_t, split_options{0, 0, 1}, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<split_t, split_options{1, 0, 1}, f32(4)>(code::axis, "axis", 1, 1),
    refused<split_t, split_options{-1, 0, 1}, f32(4)>(code::axis, "axis", 1, -1),
    refused<split_t, split_options{0, 0, 1}, f32()>(code::axis, "axis", 0, 0),
    refused<split_t, split_options{most, 0, 1}, f32(4)>(code::axis, "axis", 1, most),
    refused<split_t, split_options{0, 0, 0}, f32(4)>(code::extent, "splits", 4, 0),
    refused<split_t, split_options{0, 2, 3}, f32(4)>(code::extent, "splits", 2, 3),
    refused<split_t, split_options{0, 4, 1}, f32(4)>(code::extent, "splits", 3, 4),
    refused<split_t, split_options{0, least, 1}, f32(4)>(code::extent, "splits", 3, least),
    refused<split_t, split_options{0, 3, most}, f32(4)>(code::extent, "splits", 1, most),

    refused<concat_t, concat_options{1}, f32(4)>(code::axis, "axis", 1, 1),
    refused<concat_t, concat_options{-1}, f32(4), f32(4)>(code::axis, "axis", 1, -1),
    refused<concat_t, concat_options{0}, f32(), f32()>(code::axis, "axis", 0, 0),
    refused<concat_t, concat_options{least}, f32(4), f32(4)>(code::axis, "axis", 1, least),
    refused<concat_t, concat_options{0}, f32(4), i32(4)>(code::element_type, "input1",
                                                         type::float32, type::int32),
    refused<concat_t, concat_options{0}, f16(4), f16(4), f32(4)>(code::element_type, "input2",
                                                                 type::float16, type::float32),
    refused<concat_t, concat_options{0}, f32(2, 3), f32(2, 4)>(code::extent, "input1", sh(2, 3),
                                                               sh(2, 4)),
    refused<concat_t, concat_options{1}, f32(2, 3), f32(3, 3)>(code::extent, "input1", sh(2, 3),
                                                               sh(3, 3)),
    refused<concat_t, concat_options{0}, f32(2, 3), f32(2)>(code::extent, "input1", sh(2, 3),
                                                            sh(2)),
    refused<concat_t, concat_options{0}, u8(far), u8(far)>(code::extent, "result", max_elements,
                                                           sh(2 * far)),

    refused<expand_t, expand_options{.newShape = {4}}, f32(4), f32(4)>(code::operand_count, "", 1,
                                                                       2),
    refused<expand_t, expand_options{.newShape = {4}}, f32(4, 4)>(code::rank, "newShape", 2, 1),
    refused_plain<expand_t, f32(4)>(code::rank, "newShape", 1, 0),
    refused<expand_t, expand_options{.newShape = {1, 1, 1, 1, 1, 1, 1, 1, 4}}, f32(4)>(
        code::rank, "newShape", 1, 9),
    refused<expand_t, expand_options{.newShape = {2, 4}}, f32(3, 1)>(code::broadcast, "newShape",
                                                                     sh(3, 1), sh(2, 4)),
    refused<expand_t, expand_options{.newShape = {4, 1}}, f32(4, 4)>(code::broadcast, "newShape",
                                                                     sh(4, 4), sh(4, 1)),
    refused<expand_t, expand_options{.newShape = {0}}, f32(1)>(code::extent, "newShape", 1, 0),
    refused<expand_t, expand_options{.newShape = {least, 1}}, f32(1)>(code::extent, "newShape", 1,
                                                                      least),
    refused<expand_t, expand_options{.newShape = {most, most}}, f32(1)>(
        code::extent, "result", max_elements, sh(most, most)),
    accepted<expand_t, expand_options{}, f32()>(),

    refused<tile_t, tile_options{.repetitions = {1}}, f32(4), f32(4)>(code::operand_count, "", 1,
                                                                      2),
    refused<tile_t, tile_options{.repetitions = {2}}, f32(4, 4)>(code::rank, "repetitions", 2, 1),
    refused<tile_t, tile_options{.repetitions = {2}}, f32()>(code::rank, "repetitions", 0, 1),
    refused_plain<tile_t, f32(4, 4)>(code::rank, "repetitions", 2, 0),
    refused<tile_t, tile_options{.repetitions = {0, 1}}, f32(4, 4)>(code::extent, "repetitions", 1,
                                                                    0),
    refused<tile_t, tile_options{.repetitions = {1, least}}, f32(4, 4)>(code::extent, "repetitions",
                                                                        1, least),
    refused<tile_t, tile_options{.repetitions = {most}}, f32(2)>(code::extent, "repetitions", 1,
                                                                 most),
    refused<tile_t, tile_options{.repetitions = {one << 20, one << 20}}, f32(2, 1)>(
        code::extent, "result", max_elements, sh(one << 21, one << 20)),
    accepted<tile_t, tile_options{}, f32()>(),

    refused_plain<reverse_t, f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<reverse_t, reverse_options{.axes = {1}}, f32(4)>(code::axis, "axes", 1, 1),
    refused<reverse_t, reverse_options{.axes = {0, 0}}, f32(4)>(code::axis, "axes", 1, 0),
    refused<reverse_t, reverse_options{.axes = {-1}}, f32(4)>(code::axis, "axes", 1, -1),
    refused<reverse_t, reverse_options{.axes = {0}}, f32()>(code::axis, "axes", 0, 0),
    refused<reverse_t, reverse_options{.axes = {most}}, f32(4)>(code::axis, "axes", 1, most),
    accepted<reverse_t, reverse_options{.axes = axis_list({})}, f32(4)>(),

    refused<triangular_t, triangular_options{}, f32(4, 4), f32(4, 4)>(code::operand_count, "", 1,
                                                                      2),
    refused_plain<triangular_t, f32(4)>(code::rank, "input", 2, 1),
    refused_plain<triangular_t, u8()>(code::rank, "input", 2, 0),
    refused<triangular_t, triangular_options{.diagonal = least}, f32(4, 4)>(
        code::option, "diagonal", (one << 31) - 1, least),
    refused<triangular_t, triangular_options{.diagonal = one << 31}, f32(4, 4)>(
        code::option, "diagonal", (one << 31) - 1, one << 31),
    accepted<triangular_t, triangular_options{.diagonal = -(one << 31)}, f32(4, 4)>(),
});

constexpr pad_options around(axis_list beginning, axis_list ending,
                             padding_mode mode = padding_mode::constant, any_number value = {}) {
  return {beginning, ending, mode, value};
}
constexpr auto nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
constexpr auto pads = std::to_array<line>({
    refused<pad_t, around({1}, {1}), f32(4), f32(4)>(code::operand_count, "", 1, 2),
    refused<pad_t, around({1}, {1, 1}), f32(4, 4)>(code::rank, "beginningPadding", 2, 1),
    refused<pad_t, around({1, 1}, {1, 1, 1}), f32(4, 4)>(code::rank, "endingPadding", 2, 3),
    refused_plain<pad_t, f32(4, 4)>(code::rank, "beginningPadding", 2, 0),
    refused<pad_t, around({-1}, {1}), f32(4)>(code::padding, "beginningPadding", 0, -1),
    refused<pad_t, around({1}, {least}), f32(4)>(code::padding, "endingPadding", 0, least),
    refused<pad_t, around({most}, {most}), f32(4)>(code::capacity, "beginningPadding", one << 24,
                                                   most),
    refused<pad_t, around({4}, {0}, padding_mode::reflection), f32(4)>(code::window,
                                                                       "beginningPadding", 3, 4),
    refused<pad_t, around({0}, {1}, padding_mode::reflection), f32(1)>(code::window,
                                                                       "endingPadding", 0, 1),
    refused<pad_t, around({one << 24, one << 24}, {0, 0}), f32(1, 1)>(
        code::extent, "result", max_elements, sh((one << 24) + 1, (one << 24) + 1)),
    // The specification leaves open what a number beyond an integer type becomes.
    refused<pad_t, around({1}, {1}, padding_mode::constant, 256), u8(4)>(
        code::option, "value", type::uint8, "a number beyond it"),
    refused<pad_t, around({1}, {1}, padding_mode::constant, most), i32(4)>(
        code::option, "value", type::int32, "a number beyond it"),
    refused<pad_t, around({1}, {1}, padding_mode::constant, nan), i64s(4)>(
        code::option, "value", type::int64, "a number beyond it"),
    refused<pad_t, around({1}, {1}, padding_mode::constant, -infinity), of(type::int8, 4)>(
        code::option, "value", type::int8, "a number beyond it"),
    refused<pad_t, around({1}, {1}, padding_mode::constant, -1), of(type::uint64, 4)>(
        code::option, "value", type::uint64, "a number beyond it"),
    accepted<pad_t, around({1}, {1}, padding_mode::constant, 1.75), i32(4)>(),
    accepted<pad_t, around({1}, {1}, padding_mode::constant, -0.75), u8(4)>(),
    accepted<pad_t, around({1}, {1}, padding_mode::constant, -128.5), of(type::int8, 4)>(),
    accepted<pad_t, around({1}, {1}, padding_mode::constant, 1e300), f32(4)>(),
    accepted<pad_t, around({1}, {1}, padding_mode::edge, 256), u8(4)>(),
    accepted<pad_t, pad_options{}, f32()>(),
});

constexpr gather_options at(i64 axis) { return {axis}; }
constexpr auto gathers_of = each<gather_t, gatherElements_t>([]<class Op>() {
  return std::array{
      refused<Op, at(0), f32(4)>(code::operand_count, "", 2, 1),
      refused<Op, at(0), f32(4), i32(4), f32(4)>(code::operand_count, "", 2, 3),
      refused<Op, at(0), f32(4), f32(4)>(code::element_type, "indices", type::int32, type::float32),
      refused<Op, at(0), f32(4), u8(4)>(code::element_type, "indices", type::int32, type::uint8),
      refused<Op, at(0), f32(4), of(type::uint64, 4)>(code::element_type, "indices", type::int32,
                                                      type::uint64),
      refused<Op, at(1), f32(4), i32(4)>(code::axis, "axis", 1, 1),
      refused<Op, at(-1), f32(4), i32(4)>(code::axis, "axis", 1, -1),
      refused<Op, at(0), f32(), i32(4)>(code::axis, "axis", 0, 0),
      refused<Op, at(least), f32(4), i32(4)>(code::axis, "axis", 1, least),
      refused<Op, at(most), f32(4), i32(4)>(code::axis, "axis", 1, most),
      accepted<Op, at(0), f32(4), of(type::uint32, 4)>(),
  };
});
constexpr auto reads = std::to_array<line>({
    refused<gather_t, at(0), f32(1, 1, 1, 1, 1), i32(1, 1, 1, 1, 1)>(code::rank, "indices", 4, 5),
    refused<gather_t, at(0), u8(1, one << 30), i32(one << 30)>(code::extent, "result", max_elements,
                                                               sh(one << 30, one << 30)),
    refused<gatherElements_t, at(0), f32(4, 5), i32(4)>(code::rank, "indices", 2, 1),
    refused<gatherElements_t, at(0), f32(4, 5), i32(9, 4)>(code::extent, "indices", sh(4, 5),
                                                           sh(9, 4)),
    refused<gatherElements_t, at(1), f32(4, 5), i32(3, 5)>(code::extent, "indices", sh(4, 5),
                                                           sh(3, 5)),
    refused_plain<gatherND_t, f32(4)>(code::operand_count, "", 2, 1),
    refused_plain<gatherND_t, f32(4), i32(4, 1), f32(4)>(code::operand_count, "", 2, 3),
    refused_plain<gatherND_t, f32(4), f32(4, 1)>(code::element_type, "indices", type::int32,
                                                 type::float32),
    refused_plain<gatherND_t, f32(4), of(type::int8, 4, 1)>(code::element_type, "indices",
                                                            type::int32, type::int8),
    refused_plain<gatherND_t, f32(), i32(1)>(code::rank, "input", 1, 0),
    refused_plain<gatherND_t, f32(4), i32()>(code::rank, "indices", 1, 0),
    refused_plain<gatherND_t, f32(4, 5), i32(2, 3)>(code::extent, "indices", 2, 3),
    refused_plain<gatherND_t, f32(4, 5), i32(one << 40)>(code::extent, "indices", 2, one << 40),
    refused_plain<gatherND_t, f32(1, 1, 1, 1, 1, 1), i32(1, 1, 1, 1, 1)>(code::rank, "indices", 8,
                                                                         9),
    refused_plain<gatherND_t, u8(1, one << 30), i32(one << 30, 1)>(
        code::extent, "result", max_elements, sh(one << 30, one << 30)),
});
constexpr auto writes = std::to_array<line>({
    refused<scatterElements_t, at(0), f32(4), i32(4)>(code::operand_count, "", 3, 2),
    refused<scatterElements_t, at(0), f32(4), i32(4), i32(4)>(code::element_type, "updates",
                                                              type::float32, type::int32),
    refused<scatterElements_t, at(0), f32(4), f32(4), f32(4)>(code::element_type, "indices",
                                                              type::int32, type::float32),
    refused<scatterElements_t, at(0), f32(4), of(type::uint64, 4), f32(4)>(
        code::element_type, "indices", type::int32, type::uint64),
    refused<scatterElements_t, at(1), f32(4), i32(4), f32(4)>(code::axis, "axis", 1, 1),
    refused<scatterElements_t, at(least), f32(4), i32(4), f32(4)>(code::axis, "axis", 1, least),
    refused<scatterElements_t, at(0), f32(), i32(), f32()>(code::axis, "axis", 0, 0),
    refused<scatterElements_t, at(0), f32(4, 5), i32(4), f32(4)>(code::rank, "indices", 2, 1),
    refused<scatterElements_t, at(0), f32(4, 5), i32(3, 4), f32(3, 4)>(code::extent, "indices",
                                                                       sh(4, 5), sh(3, 4)),
    refused<scatterElements_t, at(0), f32(4, 5), i32(3, 5), f32(4, 5)>(code::extent, "updates",
                                                                       sh(3, 5), sh(4, 5)),
    refused<scatterElements_t, at(0), f32(4, 5), i32(3, 5), f32(15)>(code::extent, "updates",
                                                                     sh(3, 5), sh(15)),
    accepted<scatterElements_t, at(0), f32(4), of(type::uint32, 4), f32(4)>(),

    refused_plain<scatterND_t, f32(4), i32(4, 1)>(code::operand_count, "", 3, 2),
    refused_plain<scatterND_t, f32(4), i32(4, 1), f16(4)>(code::element_type, "updates",
                                                          type::float32, type::float16),
    refused_plain<scatterND_t, f32(4), u8(4, 1), f32(4)>(code::element_type, "indices", type::int32,
                                                         type::uint8),
    refused_plain<scatterND_t, f32(), i32(1), f32()>(code::rank, "input", 1, 0),
    refused_plain<scatterND_t, f32(4), i32(), f32()>(code::rank, "indices", 1, 0),
    refused_plain<scatterND_t, f32(4), i32(3, 2), f32(3)>(code::extent, "indices", 1, 2),
    refused_plain<scatterND_t, f32(4, 5), i32(3, 1), f32(3)>(code::extent, "updates", sh(3, 5),
                                                             sh(3)),
    refused_plain<scatterND_t, f32(4, 5), i32(3, 2), f32(3, 5)>(code::extent, "updates", sh(3),
                                                                sh(3, 5)),
    refused_plain<scatterND_t, u8(1, one << 39), i32(one << 30, 1), u8(1)>(
        code::extent, "updates", sh(one << 30, one << 39), sh(1)),
});
static_assert(as_wanted(shapes) && as_wanted(pads) && as_wanted(gathers_of));
static_assert(as_wanted(reads) && as_wanted(writes));

}  // namespace

TEST_CASE("moves refuse what the specification rejects") {
  check_lines(shapes);
  check_lines(pads);
}
TEST_CASE("gathers and scatters refuse what the specification rejects") {
  check_lines(gathers_of);
  check_lines(reads);
  check_lines(writes);
}
TEST_CASE("a concat has at most 64 operands") {
  builder b;
  const std::vector<builder::value> all(65, b.input("x", f32(4)));
  (void)b.add<concat_t>({}, list<builder::value>{all.data(), 65});
  CHECK(b.fault() == error{code::operand_count, "concat", "", 64, 65});
  const std::vector<tensor> types(65, f32(4));
  CHECK(concat_t::infer({}, {types.data(), 65}).error() == b.fault());
}
TEST_CASE("moves and gathers without operands are refused") {
  check_without_operands<reshape_t, transpose_t, slice_t, split_t, concat_t, expand_t, tile_t,
                         reverse_t, pad_t, triangular_t, gather_t, gatherElements_t, gatherND_t,
                         scatterElements_t, scatterND_t>();
}
TEST_CASE("no two misuses of these operators give the same error", "[.distinct]") {
  std::printf("distinct: %d\n", distinct(shapes, pads, gathers_of, reads, writes));
}

// Products, convolutions and pools that the WebNN specification rejects.
// SPDX-License-Identifier: MIT
#include "invalid.hpp"

namespace {
using namespace invalid;

constexpr auto products = std::to_array<line>({
    refused_plain<matmul_t, f32(4, 4)>(code::operand_count, "", 2, 1),
    refused_plain<matmul_t, f32(4, 4), f32(4, 4), f32(4, 4)>(code::operand_count, "", 2, 3),
    refused_plain<matmul_t, i32(4, 4), i32(4, 4)>(code::element_type, "a", type::float32,
                                                  type::int32),
    refused_plain<matmul_t, f16(4, 4), f32(4, 4)>(code::element_type, "b", type::float16,
                                                  type::float32),
    refused_plain<matmul_t, f32(4), f32(4, 4)>(code::rank, "a", 2, 1),
    refused_plain<matmul_t, f32(4, 4), f32()>(code::rank, "b", 2, 0),
    refused_plain<matmul_t, f32(2, 3), f32(4, 5)>(code::inner_extent, "b", 3, 4),
    refused_plain<matmul_t, f32(2, 3, 4), f32(3, 4, 5)>(code::broadcast, "b", sh(2, 3, 4),
                                                        sh(3, 4, 5)),
    refused_plain<matmul_t, f32(2, 1, 3, 4), f32(5, 3, 4, 5)>(code::broadcast, "b", sh(2, 1, 3, 4),
                                                              sh(5, 3, 4, 5)),
    refused_plain<matmul_t, f32(one << 30, 1), f32(1, one << 30)>(
        code::extent, "result", max_elements, sh(one << 30, one << 30)),

    refused_plain<gemm_t, f32(4, 4)>(code::operand_count, "", 2, 1),
    refused_plain<gemm_t, f32(4, 4), f32(4, 4), f32(4), f32(4)>(code::operand_count, "", 2, 4),
    refused_plain<gemm_t, u8(4, 4), u8(4, 4)>(code::element_type, "a", type::float32, type::uint8),
    refused_plain<gemm_t, f32(4, 4), f32(4, 4), i32(4, 4)>(code::element_type, "c", type::float32,
                                                           type::int32),
    refused_plain<gemm_t, f32(1, 4, 4), f32(4, 4)>(code::rank, "a", 2, 3),
    refused_plain<gemm_t, f32(4, 4), f32(4)>(code::rank, "b", 2, 1),
    refused_plain<gemm_t, f32(4, 4), f32(4, 4), f32(1, 4, 4)>(code::rank, "c", 2, 3),
    refused_plain<gemm_t, f32(2, 3), f32(4, 5)>(code::inner_extent, "b", 3, 4),
    refused<gemm_t, gemm_options{.aTranspose = true}, f32(2, 3), f32(3, 5)>(code::inner_extent, "b",
                                                                            2, 3),
    refused<gemm_t, gemm_options{.bTranspose = true}, f32(2, 3), f32(3, 5)>(code::inner_extent, "b",
                                                                            3, 5),
    refused_plain<gemm_t, f32(2, 3), f32(3, 5), f32(2)>(code::broadcast, "c", sh(2, 5), sh(2)),
    refused_plain<gemm_t, f32(2, 3), f32(3, 5), f32(3, 5)>(code::broadcast, "c", sh(2, 5),
                                                           sh(3, 5)),
    refused_plain<gemm_t, f32(1, 3), f32(3, 1), f32(2, 1)>(code::broadcast, "c", sh(1, 1),
                                                           sh(2, 1)),
    refused<gemm_t, gemm_options{.alpha = 2}, f32(one << 21, 1), f32(1, one << 21)>(
        code::extent, "result", max_elements, sh(one << 21, one << 21)),
    accepted<gemm_t, gemm_options{.beta = 0}, f32(2, 3), f32(3, 5), f32()>(),
});

constexpr tensor image = f32(1, 4, 8, 8), filter = f32(6, 4, 3, 3);
constexpr auto convolutions = std::to_array<line>({
    refused_plain<conv2d_t, image>(code::operand_count, "", 2, 1),
    refused_plain<conv2d_t, image, filter, f32(6), f32(6)>(code::operand_count, "", 2, 4),
    refused_plain<conv2d_t, i32(1, 4, 8, 8), i32(6, 4, 3, 3)>(code::element_type, "input",
                                                              type::float32, type::int32),
    refused_plain<conv2d_t, image, f16(6, 4, 3, 3)>(code::element_type, "filter", type::float32,
                                                    type::float16),
    refused_plain<conv2d_t, image, filter, f16(6)>(code::element_type, "bias", type::float32,
                                                   type::float16),
    refused_plain<conv2d_t, f32(4, 8, 8), filter>(code::rank, "input", 4, 3),
    refused_plain<conv2d_t, image, f32(6, 4, 3)>(code::rank, "filter", 4, 3),
    refused_plain<conv2d_t, image, f32(1, 6, 4, 3, 3)>(code::rank, "filter", 4, 5),
    refused<conv2d_t, conv2d_options{.padding = {-1, 0, 0, 0}}, image, filter>(code::padding,
                                                                               "padding", 0, -1),
    refused<conv2d_t, conv2d_options{.padding = {0, 0, 0, least}}, image, filter>(
        code::padding, "padding", 0, least),
    refused<conv2d_t, conv2d_options{.padding = {most, most, 0, 0}}, image, filter>(
        code::capacity, "padding", one << 24, most),
    refused<conv2d_t, conv2d_options{.strides = {0, 1}}, image, filter>(code::stride, "strides", 1,
                                                                        0),
    refused<conv2d_t, conv2d_options{.strides = {1, -1}}, image, filter>(code::stride, "strides", 1,
                                                                         -1),
    refused<conv2d_t, conv2d_options{.strides = {1, least}}, image, filter>(code::stride, "strides",
                                                                            1, least),
    refused<conv2d_t, conv2d_options{.strides = {most, 1}}, image, filter>(
        code::capacity, "strides", one << 24, most),
    refused<conv2d_t, conv2d_options{.dilations = {0, 1}}, image, filter>(code::stride, "dilations",
                                                                          1, 0),
    refused<conv2d_t, conv2d_options{.dilations = {1, least}}, image, filter>(
        code::stride, "dilations", 1, least),
    refused<conv2d_t, conv2d_options{.dilations = {most, 1}}, image, filter>(
        code::capacity, "dilations", one << 24, most),
    refused<conv2d_t, conv2d_options{.dilations = {1, 4}}, image, filter>(code::window, "filter", 8,
                                                                          9),
    refused_plain<conv2d_t, image, f32(6, 4, 9, 3)>(code::window, "filter", 8, 9),
    refused<conv2d_t, conv2d_options{.padding = {0, 1, 0, 0}}, image, f32(6, 4, 10, 3)>(
        code::window, "filter", 9, 10),
    refused_plain<conv2d_t, f32(1, 1, 1, one << 39), f32(1, 1, 1, one << 40)>(
        code::window, "filter", one << 24, one << 40),
    refused<conv2d_t, conv2d_options{.groups = 0}, image, filter>(code::groups, "groups", 4, 0),
    refused<conv2d_t, conv2d_options{.groups = -1}, image, filter>(code::groups, "groups", 4, -1),
    refused<conv2d_t, conv2d_options{.groups = least}, image, filter>(code::groups, "groups", 4,
                                                                      least),
    refused<conv2d_t, conv2d_options{.groups = most}, image, filter>(code::groups, "groups", 4,
                                                                     most),
    refused<conv2d_t, conv2d_options{.groups = 3}, image, f32(6, 1, 3, 3)>(code::groups, "groups",
                                                                           4, 3),
    refused<conv2d_t, conv2d_options{.groups = 4}, image, f32(6, 1, 3, 3)>(code::groups, "groups",
                                                                           4, 4),
    refused<conv2d_t, conv2d_options{.groups = 2}, image, filter>(code::input_channels, "filter", 2,
                                                                  4),
    refused_plain<conv2d_t, image, f32(6, 3, 3, 3)>(code::input_channels, "filter", 4, 3),
    refused<conv2d_t, conv2d_options{.inputLayout = image_layout::nhwc}, image, filter>(
        code::input_channels, "filter", 8, 4),
    refused<conv2d_t, conv2d_options{.filterLayout = filter_layout::hwio}, image, f32(6, 4, 3, 3)>(
        code::input_channels, "filter", 4, 3),
    refused<conv2d_t, conv2d_options{.filterLayout = filter_layout::ihwo}, image, f32(6, 4, 3, 3)>(
        code::input_channels, "filter", 4, 6),
    refused_plain<conv2d_t, image, filter, f32(4)>(code::bias, "bias", sh(6), sh(4)),
    refused_plain<conv2d_t, image, filter, f32(6, 1)>(code::bias, "bias", sh(6), sh(6, 1)),
    refused_plain<conv2d_t, image, filter, f32()>(code::bias, "bias", sh(6), sh()),
    refused<conv2d_t, conv2d_options{.padding = {one << 24, one << 24, one << 24, one << 24}},
            image, filter>(code::extent, "result", max_elements,
                           sh(1, 6, (one << 25) + 6, (one << 25) + 6)),
});

constexpr tensor turned = f32(4, 3, 3, 3);
using ct = convTranspose2d_options;
constexpr ct sized(i64 height, i64 width, i64 stride = 2) {
  return {.strides = {stride, stride}, .outputSizes = {height, width}};
}
constexpr auto transposed = std::to_array<line>({
    refused_plain<convTranspose2d_t, image>(code::operand_count, "", 2, 1),
    refused_plain<convTranspose2d_t, image, turned, f32(3), f32(3)>(code::operand_count, "", 2, 4),
    refused_plain<convTranspose2d_t, u8(1, 4, 8, 8), u8(4, 3, 3, 3)>(code::element_type, "input",
                                                                     type::float32, type::uint8),
    refused_plain<convTranspose2d_t, image, i32(4, 3, 3, 3)>(code::element_type, "filter",
                                                             type::float32, type::int32),
    refused_plain<convTranspose2d_t, image, turned, f16(3)>(code::element_type, "bias",
                                                            type::float32, type::float16),
    refused_plain<convTranspose2d_t, f32(8, 8), turned>(code::rank, "input", 4, 2),
    refused_plain<convTranspose2d_t, image, f32(4, 3, 3)>(code::rank, "filter", 4, 3),
    refused<convTranspose2d_t, ct{.padding = {0, -1, 0, 0}}, image, turned>(code::padding,
                                                                            "padding", 0, -1),
    refused<convTranspose2d_t, ct{.padding = {5, 5, 0, 0}}, image, turned>(code::window, "padding",
                                                                           1, 0),
    refused<convTranspose2d_t, ct{.padding = {0, 0, one << 24, one << 24}}, image, turned>(
        code::window, "padding", 1, 10 - (one << 25)),
    refused<convTranspose2d_t, ct{.padding = {most, 0, 0, 0}}, image, turned>(
        code::capacity, "padding", one << 24, most),
    refused<convTranspose2d_t, ct{.strides = {0, 1}}, image, turned>(code::stride, "strides", 1, 0),
    refused<convTranspose2d_t, ct{.strides = {1, least}}, image, turned>(code::stride, "strides", 1,
                                                                         least),
    refused<convTranspose2d_t, ct{.strides = {1, 65}}, image, turned>(code::capacity, "strides", 64,
                                                                      65),
    refused<convTranspose2d_t, ct{.strides = {most, 1}}, image, turned>(code::capacity, "strides",
                                                                        one << 24, most),
    refused<convTranspose2d_t, ct{.dilations = {1, 0}}, image, turned>(code::stride, "dilations", 1,
                                                                       0),
    refused<convTranspose2d_t, ct{.outputPadding = {1, 0}}, image, turned>(code::option,
                                                                           "outputPadding", 0, 1),
    refused<convTranspose2d_t, ct{.strides = {2, 2}, .outputPadding = {1, 2}}, image, turned>(
        code::option, "outputPadding", 1, 2),
    refused<convTranspose2d_t, ct{.outputPadding = {-1, 0}}, image, turned>(code::option,
                                                                            "outputPadding", 0, -1),
    refused<convTranspose2d_t, ct{.outputPadding = {most, 0}}, image, turned>(
        code::option, "outputPadding", 0, most),
    refused<convTranspose2d_t, sized(16, 17), image, turned>(code::option, "outputSizes", 17, 16),
    refused<convTranspose2d_t, sized(17, 19), image, turned>(code::option, "outputSizes", 17, 19),
    refused<convTranspose2d_t, sized(17, 0), image, turned>(code::option, "outputSizes", 17, 0),
    refused<convTranspose2d_t, sized(0, 17), image, turned>(code::option, "outputSizes", 17, 0),
    refused<convTranspose2d_t, sized(least, 17), image, turned>(code::option, "outputSizes", 17,
                                                                least),
    refused<convTranspose2d_t, sized(17, most), image, turned>(code::option, "outputSizes", 17,
                                                               most),
    refused<convTranspose2d_t,
            ct{.padding = {9, 9, 0, 0}, .strides = {8, 1}, .outputSizes = {-1, 10}},
            f32(1, 4, 1, 8), turned>(code::option, "outputSizes", -15, -1),
    refused<convTranspose2d_t, ct{.groups = 0}, image, turned>(code::groups, "groups", 4, 0),
    refused<convTranspose2d_t, ct{.groups = least}, image, turned>(code::groups, "groups", 4,
                                                                   least),
    refused<convTranspose2d_t, ct{.groups = 3}, image, turned>(code::groups, "groups", 4, 3),
    refused_plain<convTranspose2d_t, image, f32(3, 4, 3, 3)>(code::input_channels, "filter", 4, 3),
    refused<convTranspose2d_t, ct{.inputLayout = image_layout::nhwc}, image, turned>(
        code::input_channels, "filter", 8, 4),
    refused<convTranspose2d_t, ct{.filterLayout = transposed_filter_layout::hwoi}, image, turned>(
        code::input_channels, "filter", 4, 3),
    refused_plain<convTranspose2d_t, image, turned, f32(4)>(code::bias, "bias", sh(3), sh(4)),
    refused<convTranspose2d_t, ct{.groups = 2}, image, turned, f32(3)>(code::bias, "bias", sh(6),
                                                                       sh(3)),
    refused_plain<convTranspose2d_t, image, turned, f32(3, 1)>(code::bias, "bias", sh(3), sh(3, 1)),
    refused_plain<convTranspose2d_t, f32(1, 1, one << 25, 1), f32(1, 1, 3, 3)>(
        code::capacity, "input", one << 24, one << 25),
    refused_plain<convTranspose2d_t, f32(1, 1, 1, 1), f32(1, 1, one << 25, 3)>(
        code::capacity, "filter", one << 24, one << 25),
    refused<convTranspose2d_t, ct{.groups = one << 30}, f32(2, one << 30, 1, 1),
            f32(one << 30, 1 << 10, 1, 1)>(code::extent, "result", max_elements,
                                           sh(2, one << 40, 1, 1)),
});

constexpr pool2d_options three{.windowDimensions = {3, 3}, .strides = {2, 2}};
constexpr pool2d_options pool_sized(i64 height, i64 width) {
  pool2d_options o = three;
  o.outputSizes = {height, width};
  return o;
}
constexpr pool2d_options window(i64 height, i64 width) {
  return {.windowDimensions = {height, width}};
}
constexpr auto pools = each<maxPool2d_t, averagePool2d_t, l2Pool2d_t>([]<class Op>() {
  return std::array{
      refused_plain<Op, image, image>(code::operand_count, "", 1, 2),
      refused_plain<Op, f32(8, 8)>(code::rank, "input", 4, 2),
      refused_plain<Op, f32(1, 1, 4, 8, 8)>(code::rank, "input", 4, 5),
      refused<Op, window(3, 9), image>(code::window, "windowDimensions", 8, 9),
      refused<Op, window(-3, 2), image>(code::window, "windowDimensions", 1, -3),
      refused<Op, window(0, 2), image>(code::window, "windowDimensions", 1, 0),
      refused<Op, window(2, least), image>(code::window, "windowDimensions", 1, least),
      refused<Op, window(most, 2), image>(code::window, "windowDimensions", 1, most),
      refused<Op, pool2d_options{.windowDimensions = {5, 5}, .layout = image_layout::nhwc}, image>(
          code::window, "windowDimensions", 4, 5),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .dilations = {8, 1}}, image>(
          code::window, "windowDimensions", 8, 2),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .padding = {-1, 0, 0, 0}}, image>(
          code::padding, "padding", 0, -1),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .padding = {0, 0, most, 0}}, image>(
          code::capacity, "padding", one << 24, most),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .strides = {0, 1}}, image>(
          code::stride, "strides", 1, 0),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .strides = {1, least}}, image>(
          code::stride, "strides", 1, least),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .dilations = {0, 1}}, image>(
          code::stride, "dilations", 1, 0),
      refused<Op, pool2d_options{.windowDimensions = {2, 2}, .dilations = {1, most}}, image>(
          code::capacity, "dilations", one << 24, most),
      refused<Op, pool_sized(5, 3), image>(code::option, "outputSizes", 3, 5),
      refused<Op, pool_sized(3, -1), image>(code::option, "outputSizes", 3, -1),
      refused<Op, pool_sized(3, 0), image>(code::option, "outputSizes", 3, 0),
      refused<Op, pool_sized(least, most), image>(code::option, "outputSizes", 3, least),
      refused<Op, pool_sized(3, 4), image>(code::option, "outputSizes",
                                           "both rounded down or both up", "mixed"),
      accepted<Op, pool_sized(4, 4), image>(),
      accepted<Op, pool_sized(3, 3), image>(),
      accepted<Op, pool2d_options{}, image>(),
  };
});
constexpr auto sums = each<averagePool2d_t, l2Pool2d_t>([]<class Op>() {
  return std::array{
      refused_plain<Op, i32(1, 4, 8, 8)>(code::element_type, "input", type::float32, type::int32),
      refused_plain<Op, u8(1, 4, 8, 8)>(code::element_type, "input", type::float32, type::uint8),
  };
});
/// Another window, the same error.
constexpr auto repeated = each<maxPool2d_t, averagePool2d_t, l2Pool2d_t>([]<class Op>() {
  return std::array{
      refused<Op, window(2, 0), image>(code::window, "windowDimensions", 1, 0),
      refused<Op, pool_sized(4, 3), image>(code::option, "outputSizes",
                                           "both rounded down or both up", "mixed"),
  };
});
static_assert(as_wanted(products) && as_wanted(convolutions) && as_wanted(transposed));
static_assert(as_wanted(pools) && as_wanted(sums) && as_wanted(repeated));

}  // namespace

TEST_CASE("products refuse what the specification rejects") { check_lines(products); }
TEST_CASE("convolutions refuse what the specification rejects") {
  check_lines(convolutions);
  check_lines(transposed);
}
TEST_CASE("pools refuse what the specification rejects") {
  check_lines(pools);
  check_lines(sums);
  check_lines(repeated);
}
TEST_CASE("products, convolutions and pools without operands are refused") {
  check_without_operands<matmul_t, gemm_t, conv2d_t, convTranspose2d_t, maxPool2d_t,
                         averagePool2d_t, l2Pool2d_t>();
}
TEST_CASE("no two misuses of these operators give the same error", "[.distinct]") {
  std::printf("distinct: %d\n",
              distinct(products, convolutions, transposed, pools, sums, repeated));
}

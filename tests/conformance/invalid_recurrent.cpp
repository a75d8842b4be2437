// Scans, recurrent networks and quantization that the WebNN specification rejects.
// SPDX-License-Identifier: MIT
#include "invalid.hpp"

namespace {
using namespace invalid;

constexpr cumulativeSum_options along(i64 axis) { return {.axis = axis}; }
constexpr auto sums = std::to_array<line>({
    refused<cumulativeSum_t, along(2), f32(2, 3)>(code::axis, "axis", 2, 2),
    refused<cumulativeSum_t, along(-1), f32(2, 3)>(code::axis, "axis", 2, -1),
    refused<cumulativeSum_t, along(most), f32(2, 3)>(code::axis, "axis", 2, most),
    refused<cumulativeSum_t, along(least), f32(2, 3)>(code::axis, "axis", 2, least),
    refused<cumulativeSum_t, along(0), u8(2, 3)>(code::element_type, "input", type::int32,
                                                 type::uint8),
    refused<cumulativeSum_t, along(0), of(type::int8, 2)>(code::element_type, "input", type::int32,
                                                          type::int8),
    refused<cumulativeSum_t, along(0), f32(2), f32(2)>(code::operand_count, "", 1, 2),
    accepted<cumulativeSum_t, along(1), i64s(2, 3)>(),
});

// Four batches, three inputs, two hidden values, five steps.
constexpr tensor x = f32(4, 3), h = f32(4, 2), steps = f32(5, 4, 3);
template <class Op, i64 Gates> consteval auto cell_lines() {
  constexpr tensor w = f32(Gates * 2, 3), u = f32(Gates * 2, 2);
  constexpr typename Op::options biased{.bias = true}, large{.hiddenSize = most},
      other{.hiddenSize = 3}, active{.activations = {recurrent_activation::relu}};
  if constexpr (Gates == 3)
    return std::to_array<line>({
        refused_plain<Op, f32(4, 3, 1), w, u, h>(code::rank, "input", 2, 3),
        refused_plain<Op, x, f32(7, 3), u, h>(code::extent, "weight", sh(6, 3), sh(7, 3)),
        refused_plain<Op, x, w, f32(6, 3), h>(code::extent, "weight", sh(9, 3), sh(6, 3)),
        refused_plain<Op, x, w, u, f32(3, 2)>(code::extent, "hiddenState", sh(4, 2), sh(3, 2)),
        refused_plain<Op, x, w, u, f32(2)>(code::rank, "hiddenState", 2, 1),
        refused_plain<Op, x, f16(6, 3), u, h>(code::element_type, "weight", type::float32,
                                              type::float16),
        refused_plain<Op, i32(4, 3), w, u, h>(code::element_type, "input", type::float32,
                                              type::int32),
        refused_plain<Op, x, w, u>(code::operand_count, "", 4, 3),
        refused<Op, biased, x, w, u, h>(code::operand_count, "", 5, 4),
        refused<Op, biased, x, w, u, h, f32(5)>(code::extent, "bias", sh(6), sh(5)),
        refused<Op, other, x, w, u, h>(code::extent, "weight", sh(9, 3), sh(6, 3)),
        refused<Op, large, x, w, u, h>(code::capacity, "hiddenSize", 357913941, most),
        refused<Op, active, x, w, u, h>(code::option, "activations", 2, 1),
        accepted<Op, typename Op::options{}, x, w, u, h>(),
    });
  else
    return std::to_array<line>({
        refused_plain<Op, f32(4), w, u, h, h>(code::rank, "input", 2, 1),
        refused_plain<Op, x, f32(8, 4), u, h, h>(code::extent, "weight", sh(8, 3), sh(8, 4)),
        refused_plain<Op, x, w, f32(7, 2), h, h>(code::extent, "recurrentWeight", sh(8, 2),
                                                 sh(7, 2)),
        refused_plain<Op, x, w, u, f32(4, 3), h>(code::extent, "hiddenState", sh(4, 2), sh(4, 3)),
        refused_plain<Op, x, w, u, h, f32(1, 2)>(code::extent, "cellState", sh(4, 2), sh(1, 2)),
        refused_plain<Op, x, w, u, h, f16(4, 2)>(code::element_type, "cellState", type::float32,
                                                 type::float16),
        refused_plain<Op, x, w, u, h>(code::operand_count, "", 5, 4),
        refused<Op, biased, x, w, u, h, h, f32(8, 1)>(code::rank, "bias", 1, 2),
        refused<Op, large, x, w, u, h, h>(code::capacity, "hiddenSize", 268435455, most),
        refused<Op, active, x, w, u, h, h>(code::option, "activations", 3, 1),
        accepted<Op, typename Op::options{}, x, w, u, h, h>(),
    });
}
constexpr auto gru_cells = cell_lines<gruCell_t, 3>();
constexpr auto lstm_cells = cell_lines<lstmCell_t, 4>();

template <class Op, i64 Gates> consteval auto net_lines() {
  using options = typename Op::options;
  constexpr tensor w = f32(1, Gates * 2, 3), u = f32(1, Gates * 2, 2);
  constexpr options both{.direction = recurrent_direction::both}, counted{.steps = 4},
      biased{.bias = true}, begun{.initialHiddenState = true},
      active{.activations = {recurrent_activation::relu}};
  return std::to_array<line>({
      refused_plain<Op, x, w, u>(code::rank, "input", 3, 2),
      refused_plain<Op, steps, f32(Gates * 2, 3), u>(code::rank, "weight", 3, 2),
      refused_plain<Op, steps, w, f32(2, Gates * 2, 2)>(code::extent, "recurrentWeight",
                                                        sh(1, Gates * 2, 2), sh(2, Gates * 2, 2)),
      refused<Op, both, steps, w, u>(code::extent, "weight", sh(2, Gates * 2, 3),
                                     sh(1, Gates * 2, 3)),
      refused<Op, counted, steps, w, u>(code::option, "steps", 5, 4),
      refused<Op, biased, steps, w, u>(code::operand_count, "", 4, 3),
      refused<Op, biased, steps, w, u, f32(1, 1)>(code::extent, "bias", sh(1, Gates * 2), sh(1, 1)),
      refused<Op, begun, steps, w, u, f32(1, 4, 3)>(code::extent, "initialHiddenState", sh(1, 4, 2),
                                                    sh(1, 4, 3)),
      refused<Op, begun, steps, w, u, f32(4, 2)>(code::rank, "initialHiddenState", 3, 2),
      refused<Op, active, steps, w, u>(code::option, "activations", Gates == 3 ? 2 : 3, 1),
      refused_plain<Op, steps, w, i32(1, Gates * 2, 2)>(code::element_type, "recurrentWeight",
                                                        type::float32, type::int32),
      refused_plain<Op, steps, w>(code::operand_count, "", 3, 2),
      accepted<Op, begun, steps, w, u, f32(1, 4, 2)>(),
  });
}
constexpr auto grus = net_lines<gru_t, 3>();
constexpr auto lstms = net_lines<lstm_t, 4>();

constexpr tensor bytes = of(type::int8, 4, 6), scale = f32(1, 1), zero = of(type::int8, 1, 1);
constexpr auto quantizations = std::to_array<line>({
    refused_plain<dequantizeLinear_t, f32(4, 6), scale, zero>(code::element_type, "input",
                                                              type::int8, type::float32),
    refused_plain<dequantizeLinear_t, i64s(4, 6), scale, zero>(code::element_type, "input",
                                                               type::int8, type::int64),
    refused_plain<dequantizeLinear_t, bytes, i32(1, 1), zero>(code::element_type, "scale",
                                                              type::float32, type::int32),
    refused_plain<dequantizeLinear_t, bytes, scale, u8(1, 1)>(code::element_type, "zeroPoint",
                                                              type::int8, type::uint8),
    refused_plain<dequantizeLinear_t, bytes, f32(1), zero>(code::rank, "scale", 2, 1),
    refused_plain<dequantizeLinear_t, bytes, scale, of(type::int8, 1)>(code::rank, "zeroPoint", 2,
                                                                       1),
    refused_plain<dequantizeLinear_t, bytes, f32(1, 6), zero>(code::extent, "zeroPoint", sh(1, 6),
                                                              sh(1, 1)),
    refused_plain<dequantizeLinear_t, bytes, f32(1, 4), of(type::int8, 1, 4)>(
        code::broadcast, "scale", sh(4, 6), sh(1, 4)),
    refused_plain<dequantizeLinear_t, bytes, f32(8, 1), of(type::int8, 8, 1)>(
        code::broadcast, "scale", sh(4, 6), sh(8, 1)),
    refused_plain<dequantizeLinear_t, bytes, scale>(code::operand_count, "", 3, 2),
    refused_plain<quantizeLinear_t, i32(4, 6), scale, zero>(code::element_type, "input",
                                                            type::float32, type::int32),
    refused_plain<quantizeLinear_t, f32(4, 6), f16(1, 1), zero>(code::element_type, "scale",
                                                                type::float32, type::float16),
    refused_plain<quantizeLinear_t, f32(4, 6), scale, i64s(1, 1)>(code::element_type, "zeroPoint",
                                                                  type::int8, type::int64),
    refused_plain<quantizeLinear_t, f32(4, 6), f32(1, 1, 1), zero>(code::rank, "scale", 2, 3),
    refused_plain<quantizeLinear_t, f32(4, 6), scale, of(type::int8, 4, 1)>(
        code::extent, "zeroPoint", sh(1, 1), sh(4, 1)),
    refused_plain<quantizeLinear_t, f32(4, 6), f32(3, 1), of(type::int8, 3, 1)>(
        code::broadcast, "scale", sh(4, 6), sh(3, 1)),
    refused_plain<quantizeLinear_t, f32(4, 6), scale>(code::operand_count, "", 3, 2),
    refused_plain<add_t, of(type::int4, 4), of(type::int4, 4)>(code::element_type, "input",
                                                               type::int8, type::int4),
    refused_plain<transpose_t, of(type::uint4, 4, 2)>(code::element_type, "input", type::uint8,
                                                      type::uint4),
    accepted<quantizeLinear_t, no_options{}, f32(4, 6), f32(2, 3), of(type::uint4, 2, 3)>(),
    accepted<dequantizeLinear_t, no_options{}, of(type::int4, 4, 6), f32(4, 1),
             of(type::int4, 4, 1)>(),
});
static_assert(as_wanted(sums) && as_wanted(gru_cells) && as_wanted(lstm_cells) && as_wanted(grus) &&
              as_wanted(lstms) && as_wanted(quantizations));

}  // namespace

TEST_CASE("running sums refuse what the specification rejects") { check_lines(sums); }
TEST_CASE("recurrent networks refuse operands that do not fit") {
  check_lines(gru_cells);
  check_lines(lstm_cells);
  check_lines(grus);
  check_lines(lstms);
}
TEST_CASE("quantization refuses what the specification rejects") { check_lines(quantizations); }
TEST_CASE("scans and quantization without operands are refused") {
  check_without_operands<cumulativeSum_t, gru_t, gruCell_t, lstm_t, lstmCell_t, quantizeLinear_t,
                         dequantizeLinear_t>();
}
TEST_CASE("no two misuses of these operators give the same error", "[.distinct]") {
  std::printf("distinct: %d\n", distinct(sums, gru_cells, lstm_cells, grus, lstms, quantizations));
}

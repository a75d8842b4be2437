// Fragments of matrices: what the invocations of a subgroup hold together. They are written as
// SPV_KHR_cooperative_matrix has them, or, with the same members, as arrays that any device has.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/writer.hpp>

namespace tenon::spirv {

/// Where a fragment begins in an array of the workgroup with elements of 8 bytes: four operands, or
/// two sums. `stride` is the distance of its rows, or of its columns.
struct fragment_access {
  variable memory{};
  id start{};
  int stride = 0;
  matrix_layout layout = matrix_layout::by_rows;
};

/// Rounds operands to 16 bits, four at a time.
class operand_rounding {
 public:
  constexpr operand_rounding(writer& m, precision to) : m_(m), to_(to) {
    if (to == precision::float16 && m.device.matrix.keeps_denormals) {
      m.require(capability::DenormPreserve);
      m.mode(execution_mode::DenormPreserve, 16);
    }
    if (!converts()) return;
    m.require(capability::RoundingModeRTE);
    m.mode(execution_mode::RoundingModeRTE, 16);
  }
  constexpr precision to() const { return to_; }
  /// Four float32 as two words; the first one is in the low bits. Ties to even; NaN stays NaN.
  constexpr id packed(id four) {
    if (converts()) {
      const id halves = m_.convert(op::FConvert, four, kind::float16);
      return m_.emit(op::Bitcast, kind::int32, 2, {halves.number});
    }
    const id bits = to_ == precision::float16 ? m_.half_bits(four) : brain_bits(four);
    const id low = pair(bits, 0), high = pair(bits, 2);
    return m_.vector(low, high);
  }
  /// The number in the low or the high half of a word.
  constexpr id unpacked(id both, id is_high) {
    const id high = m_.shifted_right(both, 16),
             low = m_.binary(op::BitwiseAnd, both, m_.constant(kind::int32, 0xffff));
    const id half = m_.select(is_high, high, low);
    if (to_ == precision::float16) return m_.half_value(half);
    return m_.bits_as(m_.shifted_left(half, 16), kind::float32);
  }

 private:
  writer& m_;
  precision to_;

  constexpr bool converts() const {
    return to_ == precision::float16 && m_.device.matrix.rounds_even;
  }
  /// bfloat16 in the low bits: the upper half of a float32, rounded to nearest even. A NaN keeps
  /// its upper half with bit 0x40 set: rounding its digits could carry into the sign and give zero.
  constexpr id brain_bits(id x) {
    const id bits = m_.bits_as(x, kind::int32);
    const auto n = [&](std::uint64_t v) { return m_.integer_like(bits, v); };
    const id upper = m_.shifted_right(bits, 16);
    const id odd = m_.binary(op::BitwiseAnd, upper, n(1));
    const id rounded = m_.shifted_right(m_.add(bits, m_.add(odd, n(0x7fff))), 16),
             quiet = m_.binary(op::BitwiseOr, upper, n(0x40));
    const id size = m_.binary(op::BitwiseAnd, bits, n(0x7fffffffu));
    return m_.select(m_.below(n(0x7f800000u), size), quiet, rounded);
  }
  constexpr id pair(id bits, int at) {
    const id low = m_.component(bits, at), high = m_.component(bits, at + 1);
    return m_.binary(op::BitwiseOr, low, m_.shifted_left(high, 16));
  }
};

/// Fragments as SPV_KHR_cooperative_matrix has them: only the driver knows which invocation holds
/// what. Source: revision 10 of that extension, revision 1 of SPV_KHR_bfloat16.
class matrix_fragments {
 public:
  struct operand {
    word number = 0;
  };
  struct accumulator {
    word variable = 0;
  };
  constexpr matrix_fragments(writer& m, const operand_rounding& operands, int) : m_(m) {
    for (const capability c : {capability::CooperativeMatrix, capability::VulkanMemoryModel,
                               capability::GroupNonUniform})
      m.require(c);
    m.require(extension::cooperative_matrix);
    const matrix_shape s = m.device.matrix.of(operands.to());
    const auto size = [](int n) { return static_cast<word>(n); };
    const word component = component_type(operands.to()), real = m.type_id(kind::float32);
    a_ = m.matrix_type(component, size(s.rows), size(s.terms), matrix_use::a);
    b_ = m.matrix_type(component, size(s.terms), size(s.columns), matrix_use::b);
    sum_ = m.matrix_type(real, size(s.rows), size(s.columns), matrix_use::accumulator);
  }
  /// Which of the workgroup's subgroups this is.
  constexpr id subgroup(id) { return m_.input(builtin::SubgroupId); }
  constexpr accumulator zero() {
    const word v = m_.local_of(sum_), none = m_.real(0).number;
    m_.emit(op::Store, {v, m_.once(op::ConstantComposite, {sum_, none})});
    return {v};
  }
  constexpr operand load(matrix_use use, const fragment_access& from) {
    const word p = m_.element_of(from.memory, from.start), layout = layout_of(from),
               stride = m_.integer(from.stride).number, t = use == matrix_use::a ? a_ : b_;
    return {m_.emit_typed(op::CooperativeMatrixLoad, t, {p, layout, stride, m_.non_private})};
  }
  /// sum = a * b + sum
  constexpr void multiply(const operand& a, const operand& b, const accumulator& sum) {
    const word before = m_.emit_typed(op::Load, sum_, {sum.variable});
    const word r = m_.emit_typed(op::CooperativeMatrixMulAdd, sum_, {a.number, b.number, before});
    m_.emit(op::Store, {sum.variable, r});
  }
  constexpr void store(const accumulator& sum, const fragment_access& to) {
    const word p = m_.element_of(to.memory, to.start), layout = layout_of(to),
               stride = m_.integer(to.stride).number;
    const word x = m_.emit_typed(op::Load, sum_, {sum.variable});
    m_.emit(op::CooperativeMatrixStore, {p, x, layout, stride, m_.non_private});
  }

 private:
  writer& m_;
  word a_ = 0, b_ = 0, sum_ = 0;

  constexpr word layout_of(const fragment_access& p) {
    return m_.integer(static_cast<word>(p.layout)).number;
  }
  constexpr word component_type(precision p) {
    constexpr word bits = 16, brain_float = 0;
    if (p == precision::float16) return m_.type_id(kind::float16);
    m_.require(capability::BFloat16Type);
    m_.require(capability::BFloat16CooperativeMatrix);
    m_.require(extension::bfloat16);
    return m_.once(op::TypeFloat, {bits, brain_float});
  }
};

/// As `matrix_fragments`, for devices without matrix units: `lanes` neighbouring invocations are a
/// subgroup, and number l holds the elements l, l + lanes, l + 2 * lanes, ... of a sum, counted by
/// rows. Operands stay in the memory of the workgroup, which nobody changes between a load and the
/// products with it. Terms are added in their order.
class array_fragments {
  /// A loop whose number of iterations is hidden from the driver: lavapipe would unroll it, and
  /// compile for seconds.
  template <class F> constexpr void count(int n, F&& body) {
    const id end = m_.hidden(m_.integer(n));
    m_.loop(m_.integer(0), end, m_.integer(1), n, body);
  }

 public:
  using operand = fragment_access;
  struct accumulator {
    variable held{};
  };
  constexpr array_fragments(writer& m, operand_rounding& operands, int lanes)
      : m_(m), rounding_(operands), shape_(m.device.matrix.of(operands.to())), lanes_(lanes) {
    sum_ = m.local(kind::float32);
  }
  constexpr id subgroup(id invocation) {
    lane_ = m_.modulo(invocation, lanes_);
    return m_.over(invocation, lanes_);
  }
  constexpr accumulator zero() {
    const accumulator r{m_.local_array(kind::float32, each())};
    count(each(), [&](id i) { m_.set(r.held, i, m_.real(0)); });
    return r;
  }
  constexpr operand load(matrix_use, const fragment_access& from) { return from; }
  constexpr void multiply(const operand& a, const operand& b, const accumulator& sum) {
    count(each(), [&](id i) {
      const element position = element_of(i);
      m_.set(sum_, m_.get(sum.held, i));
      count(shape_.terms, [&](id k) {
        const id x = value_of(a, position.row, k), y = value_of(b, k, position.column);
        m_.set(sum_, m_.plus_product(m_.get(sum_), x, y));
      });
      m_.set(sum.held, i, m_.get(sum_));
    });
  }
  constexpr void store(const accumulator& sum, const fragment_access& to) {
    count(each(), [&](id i) {
      const element position = element_of(i);
      const bool by_rows = to.layout == matrix_layout::by_rows;
      const id line = by_rows ? position.row : position.column,
               at = by_rows ? position.column : position.row,
               first = m_.times(m_.add(to.start, m_.times(line, to.stride)), 2);
      const id x = m_.bits_as(m_.get(sum.held, i), kind::int32);
      m_.set_component(to.memory, m_.add(first, at), x);
    });
  }

 private:
  struct element {
    id row{}, column{};
  };
  writer& m_;
  operand_rounding& rounding_;
  matrix_shape shape_;
  int lanes_;
  id lane_{};
  variable sum_{};

  constexpr int each() const { return shape_.rows * shape_.columns / lanes_; }
  constexpr element element_of(id i) {
    const id at = m_.add(lane_, m_.times(i, lanes_));
    const id row = m_.over(at, shape_.columns);
    return {row, m_.modulo(at, shape_.columns)};
  }
  constexpr id value_of(const operand& o, id row, id column) {
    const bool by_rows = o.layout == matrix_layout::by_rows;
    const id line = by_rows ? row : column, at = by_rows ? column : row,
             first = m_.times(m_.add(o.start, m_.times(line, o.stride)), 2);
    const id pair = m_.get_component(o.memory, m_.add(first, m_.over(at, 2)));
    return rounding_.unpacked(pair, m_.equal(m_.modulo(at, 2), m_.integer(1)));
  }
};

}  // namespace tenon::spirv

// Types and constants of a SPIR-V module: declared when they are first asked for, once.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/module.hpp>
#include <bit>

namespace tenon::spirv {

/// A module with the types and constants that kernels have.
class typed_module : public module_sections {
 public:
  // ---- types
  constexpr word type_id(kind k, int width = 1) {
    word& number = types_[static_cast<int>(k)][width];
    if (number == 0) number = width > 1 ? declare_vector(k, width) : declare_scalar(k);
    return number;
  }
  constexpr word array_type(word element, word count) {
    return once(op::TypeArray, {element, integer(count).number});
  }
  constexpr word pointer_type(storage s, word to) {
    return once(op::TypePointer, {static_cast<word>(s), to});
  }
  constexpr word pointer_type(storage s, kind k, int width = 1) {
    return pointer_type(s, type_id(k, width));
  }
  /// A matrix that the invocations of a subgroup hold together.
  constexpr word matrix_type(word component, word rows, word columns, matrix_use use) {
    const word held_by = integer(subgroup_).number, high = integer(rows).number,
               wide = integer(columns).number, used = integer(static_cast<word>(use)).number;
    return once(op::TypeCooperativeMatrix, {component, held_by, high, wide, used});
  }
  /// A block that is nothing but elements of a type.
  constexpr word block_of(kind k, int width = 1) {
    const int before = entry_count();
    const word elements = once(op::TypeRuntimeArray, {type_id(k, width)}),
               block = once(op::TypeStruct, {elements});
    if (entry_count() == before) return block;
    decorate(elements, decoration::ArrayStride, static_cast<word>(bytes_of(k) * width));
    decorate(block, decoration::Block);
    decorate_member(block, 0, decoration::Offset, 0);
    return block;
  }
  // ---- constants
  constexpr id integer(std::int64_t v) {
    return constant(kind::int32, static_cast<std::uint32_t>(v));
  }
  constexpr id real(float v) { return constant(kind::float32, std::bit_cast<word>(v)); }
  constexpr id constant(kind k, std::uint64_t bits) {
    if (k == kind::boolean) return truth(bits != 0);
    if (bytes_of(k) < 8) bits &= (std::uint64_t{1} << bytes_of(k) * 8) - 1;
    const word t = type_id(k), low = static_cast<word>(bits), high = static_cast<word>(bits >> 32);
    return {bytes_of(k) == 8 ? once(op::Constant, {t, low, high}) : once(op::Constant, {t, low}), k,
            1};
  }
  constexpr id truth(bool yes) {
    const op o = yes ? op::ConstantTrue : op::ConstantFalse;
    return {once(o, {type_id(kind::boolean)}), kind::boolean, 1};
  }
  /// A constant of the same type and width as `like`, all components alike.
  constexpr id constant_like(id like, std::uint64_t bits) {
    const word one = constant(like.is, bits).number, t = type_id(like.is, like.width);
    if (like.width == 1) return {one, like.is, 1};
    if (like.width == 2) return {once(op::ConstantComposite, {t, one, one}), like.is, 2};
    return {once(op::ConstantComposite, {t, one, one, one, one}), like.is, 4};
  }
  constexpr id integer_like(id like, std::uint64_t v) { return constant_like(like, v); }
  constexpr id real_like(id like, float v) { return constant_like(like, std::bit_cast<word>(v)); }

 protected:
  static constexpr word subgroup_ = 3;  ///< the scope

 private:
  word types_[9][5]{};  ///< by kind and width; 0: not asked for yet

  constexpr word declare_scalar(kind k) {
    const word bits = static_cast<word>(bytes_of(k)) * 8;
    if (k == kind::boolean) return once(op::TypeBool, {});
    if (k == kind::float16) require(capability::Float16);
    if (k == kind::float64) require(capability::Float64);
    if (k == kind::int64) require(capability::Int64);
    return is_float(k) ? once(op::TypeFloat, {bits}) : once(op::TypeInt, {bits, 0});
  }
  constexpr word declare_vector(kind k, int width) {
    return once(op::TypeVector, {type_id(k), static_cast<word>(width)});
  }
};

}  // namespace tenon::spirv

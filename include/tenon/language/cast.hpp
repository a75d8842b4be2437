// Conversions between the types of a scalar program's symbols: `cast<T>(x)` and what it is made of.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/scalar.hpp>

namespace tenon {

namespace symbols {
/// A number of any other slot kind as a float. There is no instruction for uint32 to float: it goes
/// by way of 64 bits, where the number is positive.
constexpr scalar to_real(scalar a) {
  if (a.is() == slot_kind::integer && !a.is_unsigned()) return a.apply(sop::to_float);
  if (a.is() == slot_kind::integer) return a.apply(sop::to_wide_unsigned).apply(sop::wide_to_real);
  return a.apply(a.is_unsigned() ? sop::wide_to_real_unsigned : sop::wide_to_real);
}
/// A float or a 32-bit integer as a 64-bit integer.
constexpr scalar to_wide(scalar a, bool is_unsigned) {
  if (a.is() == slot_kind::real)
    return a.apply(is_unsigned ? sop::real_to_wide_unsigned : sop::real_to_wide);
  return a.apply(a.is_unsigned() ? sop::to_wide_unsigned : sop::to_wide);
}
/// A float or a 64-bit integer as a 32-bit integer. A uint32 comes from a float by way of int64,
/// since int32 holds only half of its numbers.
constexpr scalar to_word(scalar a, bool is_unsigned) {
  if (a.is() == slot_kind::real && !is_unsigned) return a.apply(sop::to_int);
  return (a.is() == slot_kind::real ? to_wide(a, false) : a).apply(sop::narrow);
}
/// A number in the slot kind and with the signedness in which elements of type `t` are computed.
constexpr scalar in_kind(scalar a, type t) {
  const bool is_unsigned = !is_real(t) && !is_signed(t);
  scalar r = a;
  if (a.is() != slot_kind_of(t))
    r = slot_kind_of(t) == slot_kind::real   ? to_real(a)
        : slot_kind_of(t) == slot_kind::wide ? to_wide(a, is_unsigned)
                                             : to_word(a, is_unsigned);
  return r.as_unsigned(is_unsigned);
}
/// The instruction that makes an element of a type from a number in the type's slot kind: it rounds
/// or cuts off, or it only says the type. The order is that of `tenon::type`.
constexpr sop element(type t) {
  constexpr sop all[] = {sop::typed_float32, sop::to_half,      sop::typed_int32, sop::typed_uint32,
                         sop::typed_int64,   sop::typed_uint64, sop::to_int8,     sop::to_byte,
                         sop::to_int8,       sop::to_byte};
  return all[static_cast<int>(t)];
}
/// A result in the type's slot kind as an element of the type.
constexpr scalar as_element(scalar a, type t) {
  if (type_at(a.where()->code[a.slot()]) == t) return a;
  return a.apply(element(t)).as_unsigned(a.is_unsigned());
}
}  // namespace symbols

/// Converts to an element type; a mask becomes 1 or 0.
/// - Float to int32 or int64: truncated. What the type cannot hold, NaN included, becomes the
///   type's most negative number. To uint64 likewise, but numbers below 2^64 keep their value.
/// - Float to int8 or uint8: the low bits of the int32. Float to uint32: those of the int64.
/// - Integer to integer: the low bits. Integer to float: the nearest float.
/// `cast<tenon::float16>(x)` rounds, and what follows computes with a float. After a cast to int8
/// or uint8, what follows computes with an int32 that holds this byte.
template <class T> constexpr scalar cast(scalar a) {
  static_assert(is_element<T>, "map: cast<T> knows the element types of tensors");
  if constexpr (!is_element<T>) return a;
  constexpr type t = type_of<T>;
  const scalar whole = a.is() == slot_kind::mask ? a.apply(sop::mask_to_int) : a;
  return symbols::as_element(symbols::in_kind(whole, computed_in(t)), t);
}
/// The bits of a float as an int32, and back. Other types do not compile.
template <class T> constexpr scalar bitcast(scalar a) {
  static_assert(std::same_as<T, float> || std::same_as<T, std::int32_t>,
                "map: bitcast<T> knows float and std::int32_t");
  if constexpr (std::same_as<T, float>)
    return a.apply(sop::as_float);
  else if constexpr (std::same_as<T, std::int32_t>)
    return a.apply(sop::as_int);
  else
    return a;
}

}  // namespace tenon

// What the defining loops read and write: typed elements, and all positions of a shape in order.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/policy/reference/scalar.hpp>

namespace tenon::reference_kernels {

/// Calls `f` with a zero of the C++ type that holds an element type; types of 4 bits by the byte.
template <class F> constexpr auto with_type(type t, F&& f) {
  switch (t) {
    case type::float16: return f(float16{});
    case type::int32: return f(std::int32_t{});
    case type::uint32: return f(std::uint32_t{});
    case type::int64: return f(std::int64_t{});
    case type::uint64: return f(std::uint64_t{});
    case type::int8: return f(std::int8_t{});
    case type::int4:
    case type::uint4:  // by the byte
    case type::uint8: return f(std::uint8_t{});
    default: return f(float{});
  }
}

/// The address of elements of a type. Of the pointers just the type's own is set: a constant
/// expression knows no other.
template <bool Const> struct memory {
  template <class T> using pointer = std::conditional_t<Const, const T*, T*>;
  tenon::type type = tenon::type::float32;
  pointer<float> real = nullptr;
  pointer<float16> half = nullptr;
  pointer<std::int32_t> integer = nullptr;
  pointer<std::uint32_t> word = nullptr;
  pointer<std::int64_t> wide = nullptr;
  pointer<std::uint64_t> wide_word = nullptr;
  pointer<std::int8_t> small = nullptr;
  pointer<std::uint8_t> byte = nullptr;

  constexpr memory() = default;
  template <class T> constexpr memory(T* p) : type(type_of<std::remove_const_t<T>>) {
    pointer_of<std::remove_const_t<T>>(*this) = p;
  }
  /// The pointer to elements of type T.
  template <class T> constexpr pointer<T> as() const { return pointer_of<T>(*this); }
  constexpr memory operator+(i64 elements) const {
    return with_type(type,
                     [&](auto element) { return memory(as<decltype(element)>() + elements); });
  }

 private:
  template <class T, class Self> static constexpr auto& pointer_of(Self& self) {
    if constexpr (std::is_same_v<T, float16>)
      return self.half;
    else if constexpr (std::is_same_v<T, std::int32_t>)
      return self.integer;
    else if constexpr (std::is_same_v<T, std::uint32_t>)
      return self.word;
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return self.wide;
    else if constexpr (std::is_same_v<T, std::uint64_t>)
      return self.wide_word;
    else if constexpr (std::is_same_v<T, std::int8_t>)
      return self.small;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
      return self.byte;
    else
      return self.real;
  }
};
using source = memory<true>;
using target = memory<false>;

/// Untyped memory at run time.
inline source source_at(const std::byte* p, type t) noexcept {
  return with_type(t, [&](auto e) { return source(reinterpret_cast<const decltype(e)*>(p)); });
}
inline target target_at(std::byte* p, type t) noexcept {
  return with_type(t, [&](auto e) { return target(reinterpret_cast<decltype(e)*>(p)); });
}

/// A tensor as a kernel reads it: address of element (0, 0, ...) and strides in elements.
struct operand {
  source data{};
  plans::location where{};  ///< offset is already in `data`
  shape extent{};
};

/// Steps through all positions of a shape in row-major order, keeping the offsets of `N` operands.
template <int N> struct odometer {
  shape space{};
  strides step[N > 0 ? N : 1]{};
  i64 offset[N > 0 ? N : 1]{};
  i64 at[max_rank]{};
  constexpr void start(i64 position) {
    for (int i = space.rank - 1; i >= 0 && position > 0; --i) {
      at[i] = position % space.extent[i];
      position /= space.extent[i];
      for (int k = 0; k < N; ++k) offset[k] += at[i] * step[k].step[i];
    }
  }
  /// Reads members, not operators: clang counts a call as two steps of a constant expression.
  constexpr void next() {
    for (int i = space.rank - 1; i >= 0; --i) {
      for (int k = 0; k < N; ++k) offset[k] += step[k].step[i];
      if (++at[i] < space.extent[i]) return;
      for (int k = 0; k < N; ++k) offset[k] -= step[k].step[i] * space.extent[i];
      at[i] = 0;
    }
  }
};

/// An element as programs compute with it: float16 as float32, narrow integers as words.
constexpr scalar_register read(const source& s, i64 at) {
  scalar_register r{};
  switch (s.type) {
    case type::int32: r.word = static_cast<std::uint32_t>(s.integer[at]); break;
    case type::uint8: r.word = s.byte[at]; break;
    case type::float16: r.real = static_cast<float>(s.half[at]); break;
    case type::uint32: r.word = s.word[at]; break;
    case type::int8: r.word = arithmetic::word(std::int32_t{s.small[at]}); break;
    case type::int64: r.wide = arithmetic::word(s.wide[at]); break;
    case type::uint64: r.wide = s.wide_word[at]; break;
    default: r.real = s.real[at];
  }
  return r;
}
/// The low bits of a word for narrow integers; float16 is rounded to nearest even.
constexpr void write(const target& t, i64 at, scalar_register r) {
  switch (t.type) {
    case type::int32: t.integer[at] = arithmetic::wrap(r.word); break;
    case type::uint8: t.byte[at] = static_cast<std::uint8_t>(r.word); break;
    case type::float16: t.half[at] = float16(r.real); break;
    case type::uint32: t.word[at] = r.word; break;
    case type::int8: t.small[at] = static_cast<std::int8_t>(r.word); break;
    case type::int64: t.wide[at] = arithmetic::wrap(r.wide); break;
    case type::uint64: t.wide_word[at] = r.wide; break;
    default: t.real[at] = r.real;
  }
}

}  // namespace tenon::reference_kernels

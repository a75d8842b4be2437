// Scalar programs on runs of elements: one loop, two kinds of programs. `inlined` has its program as
// a constant and keeps everything in registers; `interpreted` sweeps a block per instruction.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/elementary.hpp>
#include <tenon/plan/program.hpp>
#include <tenon/run/cpu/simd.hpp>

namespace tenon::simd {

/// An operand of a run: address of its first element; step 1 (contiguous) or 0 (one value); bytes of
/// an element. The program knows the type.
struct stream {
  const void* data = nullptr;
  i64 step = 1;
  int bytes = 4;
  const std::byte* at(i64 i) const noexcept {
    return static_cast<const std::byte*>(data) + i * step * bytes;
  }
};

/// Computes `n` elements. A null `run` copies operand 0.
struct function {
  using run_type = void (*)(program_view, const stream* in, void* out, i64 n) noexcept;
  run_type run = nullptr;
  program_view program{};
  i64 bytes = 4;                             ///< of an element of the result
  const struct dot_kernels* dots = nullptr;  ///< of what dequantizes bytes: how to multiply them
};

/// Registers of the three lanes; only those that a program uses come to life.
template <int N> struct registers {
  real f[N];
  integer i[N];
  mask m[N];
};

template <int N> constexpr int register_count(const program<N>& p) {
  int most = 0;
  for (const instruction& x : p.code)
    if (x.dst() >= most) most = x.dst() + 1;
  return most;
}
/// True if instruction `at` of a program compares with a literal that is a number.
template <int N> constexpr bool second_is_number(const program<N>& p, int at) {
  for (int i = at - 1; i >= 0; --i)
    if (p.code[i].dst() == p.code[at].b())
      return p.code[i].op() == sop::literal && p.code[i].real() == p.code[i].real();
  return false;
}

template <auto P> [[gnu::always_inline]] inline real run_program(const real* arguments) noexcept;

template <auto P, int At, class R>
[[gnu::always_inline]] inline void step(R& r, const real* arguments) noexcept {
  constexpr instruction x = P.code[At];
  constexpr sop o = x.op();
  constexpr int d = x.dst(), a = x.a(), b = x.b(), c = x.c();
  if constexpr (o == sop::arg && is_real(x.type()))
    r.f[d] = arguments[a];
  else if constexpr (o == sop::arg)
    r.i[d] = as_integer(arguments[a]);
  else if constexpr (o == sop::literal)
    r.f[d] = real(x.real());
  else if constexpr (o == sop::literal_int)
    r.i[d] = integer(static_cast<std::int32_t>(x.bits()));
  else if constexpr (o == sop::max && second_is_number(P, At))
    r.f[d] = max_with_number(r.f[a], r.f[b]);
  else if constexpr (o == sop::min && second_is_number(P, At))
    r.f[d] = min_with_number(r.f[a], r.f[b]);
  else if constexpr (o == sop::select)
    r.f[d] = xsimd::select(r.m[a], r.f[b], r.f[c]);
  else if constexpr (o == sop::less || o == sop::less_equal || o == sop::equal)
    r.m[d] = compare<o>(r.f[a], r.f[b]);
  else if constexpr (o == sop::int_less || o == sop::int_less_equal || o == sop::int_equal)
    r.m[d] = compare<o>(r.i[a], r.i[b]);
  else if constexpr (o == sop::int_less_unsigned)
    r.m[d] = less_unsigned(r.i[a], r.i[b]);
  else if constexpr (o == sop::mask_to_int)
    r.i[d] = as_integer(from_mask(r.m[a])) & integer(1);
  else if constexpr (o == sop::to_byte)
    r.i[d] = r.i[a] & integer(255);
  else if constexpr (o == sop::to_int8)
    r.i[d] = low_int8(r.i[a]);
  else if constexpr (o == sop::to_half)
    r.f[d] = rounded_to_half(r.f[a]);
  else if constexpr (o == sop::typed_float32)
    r.f[d] = r.f[a];
  else if constexpr (o == sop::typed_int32 || o == sop::typed_uint32)
    r.i[d] = r.i[a];
  else if constexpr (o == sop::mask_and)
    r.m[d] = r.m[a] & r.m[b];
  else if constexpr (o == sop::mask_or)
    r.m[d] = r.m[a] | r.m[b];
  else if constexpr (o == sop::mask_not)
    r.m[d] = !r.m[a];
  else if constexpr (o == sop::to_int)
    r.i[d] = truncated(r.f[a]);
  else if constexpr (o == sop::to_float)
    r.f[d] = converted(r.i[a]);
  else if constexpr (o == sop::as_int)
    r.i[d] = as_integer(r.f[a]);
  else if constexpr (o == sop::as_float)
    r.f[d] = as_real(r.i[a]);
  else if constexpr (o == sop::shift_left)
    r.i[d] = shift_left(r.i[a], b);
  else if constexpr (o == sop::shift_right)
    r.i[d] = shift_right(r.i[a], b);
  else if constexpr (lane_of(o) == lane::integer)
    r.i[d] = apply_integer<o>(r.i[a], r.i[b]);
  else if constexpr (is_elementary(o)) {
    const real own[2] = {r.f[a], r.f[sources_of(o) > 1 ? b : a]};
    r.f[d] = run_program<elementary_program<o>>(own);
  } else {
    constexpr int n = sources_of(o);
    r.f[d] = apply_real<o>(r.f[a], r.f[n > 1 ? b : a], r.f[n > 2 ? c : a]);
  }
}
template <auto P> [[gnu::always_inline]] inline real run_program(const real* arguments) noexcept {
  registers<register_count(P)> r;
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (step<P, I>(r, arguments), ...);
  }
  (std::make_integer_sequence<int, P.size>{});
  constexpr instruction last = P.code[P.size - 1];
  if constexpr (lane_of(last) == lane::real)
    return r.f[last.dst()];
  else if constexpr (lane_of(last) == lane::integer)
    return as_real(r.i[last.dst()]);
  else
    return as_real(as_integer(from_mask(r.m[last.dst()])) & integer(1));
}
template <int N> constexpr int arity_of(const program<N>& p) {
  int most = 0;
  for (const instruction& x : p.code)
    if (x.op() == sop::arg && x.a() >= most) most = x.a() + 1;
  return most;
}

/// The element type of operand `k`.
template <int N> constexpr type operand_type(const program<N>& p, int k) {
  for (const instruction& x : p.code)
    if (x.op() == sop::arg && x.a() == k) return x.type();
  return type::float32;
}

/// A register of elements as the lanes of a program: bytes and halves are widened.
template <type T> [[gnu::always_inline]] inline real load_as(const std::byte* p) noexcept {
  if constexpr (T == type::float16) return load_halves(p);
  if constexpr (size_bytes(T) == 4) return load(reinterpret_cast<const float*>(p));
  alignas(64) std::int32_t wide[width];
  for (int i = 0; i < width; ++i)
    wide[i] = T == type::int8 ? static_cast<std::int8_t>(p[i]) : static_cast<std::int32_t>(p[i]);
  return as_real(integer::load_aligned(wide));
}
/// The first n < width elements; the others are 0.
template <type T> inline real load_part_as(const std::byte* p, i64 n) noexcept {
  if constexpr (size_bytes(T) == 4) return load_part(reinterpret_cast<const float*>(p), n);
  std::byte padded[2 * width] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(n * size_bytes(T)));
  return load_as<T>(padded);
}
template <type T> [[gnu::always_inline]] inline real repeat_as(const std::byte* p) noexcept {
  if constexpr (T == type::uint8) return as_real(integer(static_cast<std::int32_t>(*p)));
  if constexpr (T == type::int8) return as_real(integer(static_cast<std::int8_t>(*p)));
  if constexpr (T == type::float16) {
    std::uint16_t half;
    std::memcpy(&half, p, sizeof(half));
    return real(halves::to_float(half));
  }
  float x;  // the bits of an integer just as well
  std::memcpy(&x, p, sizeof(x));
  return real(x);
}
template <type T> [[gnu::always_inline]] inline void store_as(real x, std::byte* p) noexcept {
  if constexpr (T == type::float16) return store_halves(x, p);
  if constexpr (size_bytes(T) == 4) return store(x, reinterpret_cast<float*>(p));
  alignas(64) std::int32_t wide[width];
  as_integer(x).store_aligned(wide);
  for (int i = 0; i < width; ++i) p[i] = static_cast<std::byte>(wide[i]);
}
template <type T> inline void store_part_as(real x, std::byte* p, i64 n) noexcept {
  std::byte padded[4 * width];
  store_as<T>(x, padded);
  std::memcpy(p, padded, static_cast<std::size_t>(n * size_bytes(T)));
}

/// Whole registers of elements; returns how many elements that were.
template <auto P, bool Contiguous>
[[gnu::always_inline]] inline i64 run_whole(const stream* in, std::byte* out, i64 n) noexcept {
  constexpr int arity = arity_of(P), room = arity > 0 ? arity : 1;
  constexpr type result = result_type({P.code, P.size});
  stream s[room];
  for (int k = 0; k < arity; ++k) s[k] = in[k];
  real x[room];
  i64 i = 0;
  for (; i + width <= n; i += width) {
    [&]<int... K>(std::integer_sequence<int, K...>) __attribute__((always_inline)) {
      ((x[K] = Contiguous || s[K].step != 0
                   ? load_as<operand_type(P, K)>(static_cast<const std::byte*>(s[K].data) +
                                                 i * size_bytes(operand_type(P, K)))
                   : repeat_as<operand_type(P, K)>(static_cast<const std::byte*>(s[K].data))),
       ...);
    }
    (std::make_integer_sequence<int, arity>{});
    store_as<result>(run_program<P>(x), out + i * size_bytes(result));
  }
  return i;
}
/// The loop with a constant program. The tail runs the same code over a padded copy.
template <auto P> void run_inlined(program_view, const stream* in, void* out, i64 n) noexcept {
  constexpr int arity = arity_of(P), room = arity > 0 ? arity : 1;
  constexpr type result = result_type({P.code, P.size});
  auto* to = static_cast<std::byte*>(out);
  bool contiguous = true;
  for (int k = 0; k < arity; ++k) contiguous = contiguous && in[k].step != 0;
  const i64 i = contiguous ? run_whole<P, true>(in, to, n) : run_whole<P, false>(in, to, n);
  if (i == n) return;
  real x[room];
  [&]<int... K>(std::integer_sequence<int, K...>) {
    ((x[K] = in[K].step != 0 ? load_part_as<operand_type(P, K)>(in[K].at(i), n - i)
                             : repeat_as<operand_type(P, K)>(in[K].at(0))),
     ...);
  }
  (std::make_integer_sequence<int, arity>{});
  store_part_as<result>(run_program<P>(x), to + i * size_bytes(result), n - i);
}

/// Registers per instruction that the interpreter sweeps at once.
inline constexpr int block = 8;

/// One instruction on one register of the block.
template <sop O>
[[gnu::always_inline]] inline real interpret(instruction x, real a, real b, real c) noexcept {
  if constexpr (O == sop::literal || O == sop::literal_int)
    return as_real(integer(static_cast<std::int32_t>(x.bits())));
  else if constexpr (O == sop::select)
    return xsimd::select(to_mask(a), b, c);
  else if constexpr (O == sop::less || O == sop::less_equal || O == sop::equal)
    return from_mask(compare<O>(a, b));
  else if constexpr (O == sop::int_less || O == sop::int_less_equal || O == sop::int_equal)
    return from_mask(compare<O>(as_integer(a), as_integer(b)));
  else if constexpr (O == sop::int_less_unsigned)
    return from_mask(less_unsigned(as_integer(a), as_integer(b)));
  else if constexpr (O == sop::mask_to_int)
    return as_real(as_integer(a) & integer(1));
  else if constexpr (O == sop::to_byte)
    return as_real(as_integer(a) & integer(255));
  else if constexpr (O == sop::to_int8)
    return as_real(low_int8(as_integer(a)));
  else if constexpr (O == sop::to_half)
    return rounded_to_half(a);
  else if constexpr (is_typed(O))
    return a;
  else if constexpr (O == sop::mask_and)
    return as_real(as_integer(a) & as_integer(b));
  else if constexpr (O == sop::mask_or)
    return as_real(as_integer(a) | as_integer(b));
  else if constexpr (O == sop::mask_not)
    return as_real(as_integer(a) ^ integer(-1));
  else if constexpr (O == sop::to_int)
    return as_real(truncated(a));
  else if constexpr (O == sop::to_float)
    return converted(as_integer(a));
  else if constexpr (O == sop::as_int || O == sop::as_float)
    return a;
  else if constexpr (O == sop::shift_left)
    return as_real(shift_left(as_integer(a), x.b()));
  else if constexpr (O == sop::shift_right)
    return as_real(shift_right(as_integer(a), x.b()));
  else if constexpr (lane_of(O) == lane::integer)
    return as_real(apply_integer<O>(as_integer(a), as_integer(b)));
  else if constexpr (is_elementary(O)) {
    const real own[2] = {a, b};
    return run_program<elementary_program<O>>(own);
  } else
    return apply_real<O>(a, b, c);
}
/// Sweeps one instruction over a block. The destination may be one of the sources.
template <sop O> void sweep_block(instruction x, const float* a, const float* b, const float* c,
                                  float* out) noexcept {
  constexpr int n = sources_of(O);
  const real none(0.0f);
  for (int k = 0; k < block * width; k += width)
    store(interpret<O>(x, n > 0 ? load(a + k) : none, n > 1 ? load(b + k) : none,
                       n > 2 ? load(c + k) : none),
          out + k);
}
using sweep_type = void (*)(instruction, const float*, const float*, const float*, float*) noexcept;
template <int... I> constexpr auto sweep_table(std::integer_sequence<int, I...>) {
  struct {
    sweep_type of[sizeof...(I)];
  } t{{&sweep_block<static_cast<sop>(I + 1)>...}};
  return t;
}
/// One entry for each operation behind `arg`.
inline constexpr int operations = static_cast<int>(sop::pow);
template <int Operations>
inline constexpr auto sweeps = sweep_table(std::make_integer_sequence<int, Operations>{});

/// The interpreter's registers, a block of elements each; a register may be an operand in place.
struct machine {
  alignas(64) float room[max_registers][block * width];
  const float* at[max_registers];
};

/// `n` elements of one or two bytes, widened into words.
inline void widen(const stream& s, type t, i64 at, i64 n, float* to) noexcept {
  if (t == type::float16) {
    for (i64 k = 0; k + width <= n; k += width) store(load_halves(s.at(at + k)), to + k);
    if (const i64 done = n / width * width; done < n)
      store(load_part_as<type::float16>(s.at(at + done), n - done), to + done);
    return;
  }
  const std::byte* from = s.at(at);
  const std::int32_t sign = t == type::int8 ? 128 : 0;
  for (i64 k = 0; k < n; ++k) {
    const std::int32_t wide = (static_cast<std::int32_t>(from[k]) ^ sign) - sign;
    std::memcpy(to + k, &wide, sizeof(wide));
  }
}
inline real repeated(const stream& s, type t) noexcept {
  if (t == type::uint8) return repeat_as<type::uint8>(s.at(0));
  if (t == type::int8) return repeat_as<type::int8>(s.at(0));
  return t == type::float16 ? repeat_as<type::float16>(s.at(0)) : repeat_as<type::float32>(s.at(0));
}
/// Brings an operand's elements [at, at + n) into a block: in place where they fill it, else into
/// `room`.
inline const float* load_operand(float* room, const stream& s, type t, i64 at, i64 n) noexcept {
  const bool words = size_bytes(t) == 4;
  if (s.step == 0) {
    const real x = repeated(s, t);
    for (int k = 0; k < block * width; k += width) store(x, room + k);
  } else if (n == block * width && words) {
    return reinterpret_cast<const float*>(s.at(at));
  } else {
    if (n < block * width) std::memset(room, 0, block * width * sizeof(float));
    if (words)
      std::memcpy(room, s.at(at), static_cast<std::size_t>(n) * sizeof(float));
    else
      widen(s, t, at, n, room);
  }
  return room;
}
/// The elements of a result in `n` words: those of a mask, which are -1 or 0, as 1 or 0.
inline void store_words(const float* words, type t, bool is_mask, std::byte* out, i64 n) noexcept {
  if (size_bytes(t) == 4) {
    std::memcpy(out, words, static_cast<std::size_t>(n) * sizeof(float));
  } else if (t == type::float16) {
    for (i64 k = 0; k + width <= n; k += width) store_halves(load(words + k), out + 2 * k);
    if (const i64 done = n / width * width; done < n)
      store_part_as<type::float16>(load(words + done), out + 2 * done, n - done);
  } else {
    for (i64 k = 0; k < n; ++k) {
      std::uint32_t word;
      std::memcpy(&word, words + k, sizeof(word));
      out[k] = static_cast<std::byte>(is_mask ? word & 1u : word);
    }
  }
}
/// Runs a program over `n` elements, a block at most.
template <int Operations> void run_block(machine& m, program_view p, const stream* in, i64 at,
                                         i64 n, type result, std::byte* out) noexcept {
  const bool whole = n == block * width && size_bytes(result) == 4;
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const int d = x.dst();
    if (x.op() == sop::arg) {
      m.at[d] = load_operand(m.room[d], in[x.a()], x.type(), at, n);
      continue;
    }
    const sweep_type sweep = sweeps<Operations>.of[static_cast<int>(x.op()) - 1];
    const int sources = sources_of(x.op());
    float* to = whole && i == p.size - 1 ? reinterpret_cast<float*>(out) : m.room[d];
    sweep(x, sources > 0 ? m.at[x.a()] : nullptr, sources > 1 ? m.at[x.b()] : nullptr,
          sources > 2 ? m.at[x.c()] : nullptr, to);
    m.at[d] = to;
  }
  const instruction last = p.code[p.size - 1];
  const float* y = m.at[last.dst()];
  if (y != reinterpret_cast<float*>(out))
    store_words(y, result, lane_of(last) == lane::mask, out, n);
}
template <int Operations = operations>
void run_interpreted(program_view p, const stream* in, void* out, i64 n) noexcept {
  machine m;
  const type result = result_type(p);
  auto* to = static_cast<std::byte*>(out);
  for (i64 at = 0; at < n; at += block * width)
    run_block<Operations>(m, p, in, at, n - at < block * width ? n - at : i64{block} * width,
                          result, to + at * size_bytes(result));
}

}  // namespace tenon::simd

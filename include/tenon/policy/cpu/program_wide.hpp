// Programs with 64-bit integers, integer division or integer powers ("rare").
//
// Chosen by `is_rare`, for constant programs and those given at run time alike. Each instruction
// runs over a block of two of the interpreter's blocks before the next one does; values lie in
// memory, as words of 32 bits or as 64-bit integers. Instructions that other programs have too run
// as links of the interpreter, with all sources from memory; the others are plain loops (`sweep`),
// whose scalar functions are those of base/arithmetic.hpp, so that they have the bits of
// `reference`.
//
// These programs compute indices and quantized values, not the bulk of a network: they are kept out
// of the other two loops to keep those small.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/policy/cpu/program_interpreted.hpp>

namespace tenon::simd {

/// True if a program needs more than slots of 32 bits.
constexpr bool is_rare(program_view p) {
  for (int i = 0; i < p.size; ++i)
    if (tenon::is_rare(p.code[i].op()) || slot_kind_of(p.code[i]) == slot_kind::wide) return true;
  return false;
}

namespace rare {

/// Elements of a block: two of the interpreter's.
inline constexpr i64 elements = 2 * block;

/// Registers of words and of 64-bit integers. They do not share memory, because an instruction from
/// one to the other may name the same register as source and destination. `at`: where a register's
/// value is, there or in an operand.
struct machine {
  alignas(64) std::byte words[max_registers][elements * 4];
  alignas(64) std::byte wides[max_registers][elements * 8];
  const std::byte* at[max_registers];
  std::byte* room(int d, slot_kind l) noexcept {
    return l == slot_kind::wide ? wides[d] : words[d];
  }
};

/// Element k of a block, which may not be aligned for it.
template <class T> inline T element(const std::byte* p, i64 k) noexcept {
  T x;
  std::memcpy(&x, p + k * static_cast<i64>(sizeof(T)), sizeof(T));
  return x;
}
/// out[k] = f(sources[k]...); the sources have the types of `f`'s parameters. A register at a time
/// goes through `y`, so that compilers see no overlap of sources and destination.
template <class To, class... From, class... P>
inline void each(std::byte* out, To (*f)(From...), const P*... from) noexcept {
  for (i64 k = 0; k < elements; k += width) {
    To y[width];
    for (int j = 0; j < width; ++j) y[j] = f(element<From>(from, k + j)...);
    std::memcpy(out + k * static_cast<i64>(sizeof(To)), y, sizeof(y));
  }
}

using word = std::uint32_t;
using wide = std::uint64_t;
/// Masks are -1 or 0.
constexpr word truth(bool x) noexcept { return x ? ~word{0} : word{0}; }

/// Shifts of 64-bit integers. The count is masked, because a longer shift is undefined in C++.
inline void shift(instruction x, const std::byte* a, std::byte* out) noexcept {
  for (i64 k = 0; k < elements; ++k) {
    const wide e = element<wide>(a, k);
    const wide y = x.op() == sop::wide_shift_left ? e << (x.b() & 63) : e >> (x.b() & 63);
    std::memcpy(out + k * 8, &y, sizeof(y));
  }
}
/// Sweeps one instruction over a block. The destination may be a source of the same width.
inline void sweep(instruction x, const std::byte* a, const std::byte* b, const std::byte* c,
                  std::byte* out) noexcept {
  namespace m = arithmetic;
  switch (x.op()) {
    case sop::int_div: return each(out, &m::signed_quotient<word>, a, b);
    case sop::int_div_unsigned: return each(out, &m::quotient<word>, a, b);
    case sop::int_pow: return each(out, &m::signed_power<word>, a, b);
    case sop::int_pow_unsigned: return each(out, &m::power<word>, a, b);
    case sop::to_wide:
      return each(
          out, +[](word e) { return m::word(std::int64_t{m::wrap(e)}); }, a);
    case sop::to_wide_unsigned:
      return each(
          out, +[](word e) { return wide{e}; }, a);
    case sop::wide_join:
      return each(
          out, +[](word low, word high) { return wide{high} << 32 | low; }, a, b);
    case sop::narrow:
      return each(
          out, +[](wide e) { return static_cast<word>(e); }, a);
    case sop::real_to_wide:
      return each(
          out, +[](float e) { return m::word(m::to_wide(e)); }, a);
    case sop::real_to_wide_unsigned:
      return each(
          out, +[](float e) { return m::to_wide_unsigned(e); }, a);
    case sop::wide_to_real:
      return each(
          out, +[](wide e) { return static_cast<float>(m::wrap(e)); }, a);
    case sop::wide_to_real_unsigned:
      return each(
          out, +[](wide e) { return static_cast<float>(e); }, a);
    case sop::wide_add:
      return each(
          out, +[](wide e, wide f) { return e + f; }, a, b);
    case sop::wide_sub:
      return each(
          out, +[](wide e, wide f) { return e - f; }, a, b);
    case sop::wide_mul:
      return each(
          out, +[](wide e, wide f) { return e * f; }, a, b);
    case sop::wide_div: return each(out, &m::signed_quotient<wide>, a, b);
    case sop::wide_div_unsigned: return each(out, &m::quotient<wide>, a, b);
    case sop::wide_pow: return each(out, &m::signed_power<wide>, a, b);
    case sop::wide_pow_unsigned: return each(out, &m::power<wide>, a, b);
    case sop::wide_and:
      return each(
          out, +[](wide e, wide f) { return e & f; }, a, b);
    case sop::wide_or:
      return each(
          out, +[](wide e, wide f) { return e | f; }, a, b);
    case sop::wide_xor:
      return each(
          out, +[](wide e, wide f) { return e ^ f; }, a, b);
    case sop::wide_shift_left:
    case sop::wide_shift_right: return shift(x, a, out);
    case sop::wide_less:
      return each(
          out, +[](wide e, wide f) { return truth(m::wrap(e) < m::wrap(f)); }, a, b);
    case sop::wide_less_unsigned:
      return each(
          out, +[](wide e, wide f) { return truth(e < f); }, a, b);
    case sop::wide_equal:
      return each(
          out, +[](wide e, wide f) { return truth(e == f); }, a, b);
    default:  // wide_select
      return each(
          out, +[](word e, wide f, wide g) { return e != 0 ? f : g; }, a, b, c);
  }
}

/// Brings an operand's words [at, at + n) into a block: in place where they fill it, else into
/// `room`.
inline const float* load_words(float* room, const stream& s, type t, i64 at, i64 n) noexcept {
  const bool words = size_bytes(t) == 4;
  if (s.step == 0) {
    const real x = repeated(s, t);
    for (i64 k = 0; k < elements; k += width) store(x, room + k);
  } else if (n == elements && words) {
    return reinterpret_cast<const float*>(s.at(at));
  } else {
    if (n < elements) std::memset(room, 0, elements * sizeof(float));
    if (words)
      std::memcpy(room, s.at(at), static_cast<std::size_t>(n) * sizeof(float));
    else
      widen(s, t, at, n, room);
  }
  return room;
}
/// Runs one of the interpreter's links over a block, as a chain of itself and a write: the
/// destination may be a source, because a link reads all of its block before the write.
inline void run_words(link::run_type run, instruction x, const std::byte* const (&from)[3],
                      std::byte* out) noexcept {
  const auto words = [](const std::byte* p) { return reinterpret_cast<const float*>(p); };
  const link chain[2] = {
      {run, x, {words(from[0]), words(from[1]), words(from[2])}, {-1, -1, -1}, {}},
      {&write_block, x, {words(out)}, {-1}, {}}};
  const real none(0.0f);
  for (i64 at = 0; at < elements; at += block) run(chain, at, none, none, none, none);
}
/// Operands and results as 64-bit integers: a block of them, padded behind the last one.
inline const std::byte* load_wide(std::byte* room, const stream& s, i64 at, i64 n) noexcept {
  if (s.step != 0 && n == elements) return s.at(at);
  if (s.step != 0) {
    std::memset(room, 0, elements * 8);
    std::memcpy(room, s.at(at), static_cast<std::size_t>(n) * 8);
  } else {
    const auto x = element<wide>(s.at(0), 0);
    for (i64 k = 0; k < elements; ++k) std::memcpy(room + k * 8, &x, sizeof(x));
  }
  return room;
}
/// All instructions over one block of `n` elements from `at` on. (`Operations` makes it depend on a
/// parameter: who only includes this header compiles no loops.)
template <int Operations> void run_block(machine& m, program_view p, const stream* in, i64 at,
                                         i64 n, type result, std::byte* out) noexcept {
  const auto words = [](const std::byte* q) { return reinterpret_cast<const float*>(q); };
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    std::byte* room = m.room(x.dst(), slot_kind_of(x));
    const int sources = sources_of(x.op());
    const std::byte *a = sources > 0 ? m.at[x.a()] : nullptr,
                    *b = sources > 1 ? m.at[x.b()] : nullptr,
                    *c = sources > 2 ? m.at[x.c()] : nullptr;
    m.at[x.dst()] = room;
    if (x.op() == sop::arg && slot_kind_of(x.type()) == slot_kind::wide)
      m.at[x.dst()] = load_wide(room, in[x.a()], at, n);
    else if (x.op() == sop::arg)
      m.at[x.dst()] = reinterpret_cast<const std::byte*>(
          load_words(reinterpret_cast<float*>(room), in[x.a()], x.type(), at, n));
    else if (is_typed(x.op()))
      m.at[x.dst()] = a;  // the last instruction
    else if (tenon::is_rare(x.op()))
      sweep(x, a, b, c, room);
    else
      run_words(links<Operations>.of[static_cast<int>(x.op()) - 1][3], x, {a, b, c}, room);
  }
  const instruction last = p.code[p.size - 1];
  const std::byte* y = m.at[last.dst()];
  if (size_bytes(result) == 8)
    std::memcpy(out, y, static_cast<std::size_t>(n) * 8);
  else
    store_words(words(y), result, slot_kind_of(last) == slot_kind::mask, out, n);
}

}  // namespace rare

/// The loop for programs that are rare; a last block may have fewer elements.
template <int Operations = operations>
void run_rare(program_view p, const stream* in, void* out, i64 n) noexcept {
  rare::machine m;
  const type result = result_type(p);
  auto* to = static_cast<std::byte*>(out);
  for (i64 at = 0; at < n; at += rare::elements)
    rare::run_block<Operations>(m, p, in, at, n - at < rare::elements ? n - at : rare::elements,
                                result, to + at * size_bytes(result));
}

}  // namespace tenon::simd

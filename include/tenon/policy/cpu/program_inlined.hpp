// Scalar programs that are constants: the compiler sees every instruction, and all values stay in
// SIMD registers from the loads to the store.
//
// Chosen for the programs of graphs that are constants, for those of program_known.hpp, and for the
// elementary functions (exp, tanh, ...), which are programs of primitives themselves.
//
// `step` is one instruction, `run_program` all of them on a register of elements, `run_together` on
// several registers side by side, `run_inlined` the loop over a stream. The loop takes a register
// of elements at a time; the last elements, fewer than a register, go through the same code from a
// padded copy, so that an element's bits do not depend on its position.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/elementary.hpp>
#include <tenon/policy/cpu/program.hpp>

namespace tenon::simd {

/// Registers of the three slot kinds; only those that a program uses come to life.
template <int N> struct registers {
  real f[N];
  integer i[N];
  mask m[N];
};

/// Those of one kind.
template <slot_kind Kind, int N> [[gnu::always_inline]] inline auto& of_kind(registers<N>& r) {
  if constexpr (Kind == slot_kind::real)
    return r.f;
  else if constexpr (Kind == slot_kind::integer)
    return r.i;
  else
    return r.m;
}

template <int N> constexpr int register_count(const program<N>& p) {
  int count = 0;
  for (const instruction& x : p.code)
    if (x.dst() >= count) count = x.dst() + 1;
  return count;
}

template <auto P> [[gnu::always_inline]] inline real run_program(const real* arguments) noexcept;

/// Instruction `At` of program `P`: registers of one kind or several are read, one is written.
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
  else if constexpr (o == sop::max && second_is_number(P.code, At))
    r.f[d] = max_with_number(r.f[a], r.f[b]);
  else if constexpr (o == sop::min && second_is_number(P.code, At))
    r.f[d] = min_with_number(r.f[a], r.f[b]);
  else if constexpr (is_elementary(o)) {
    const real sources[2] = {r.f[a], r.f[sources_of(o) > 1 ? b : a]};
    r.f[d] = run_program<elementary_program<o>>(sources);
  } else {
    // A select's branches have the kind of its result, all other sources that of the first one.
    constexpr int n = sources_of(o);
    constexpr slot_kind in = facts_of(o).in, others = o == sop::select ? slot_kind_of(o) : in;
    constexpr int second = n > 1 ? b : a, third = n > 2 ? c : a;
    of_kind<slot_kind_of(o)>(r)[d] =
        compute<o>(x, of_kind<in>(r)[a], of_kind<others>(r)[second], of_kind<others>(r)[third]);
  }
}
/// The last instruction's result as a word; a mask as 1 or 0.
template <auto P, int N>
[[gnu::always_inline]] inline real result_of(const registers<N>& r) noexcept {
  constexpr instruction last = P.code[P.size - 1];
  if constexpr (slot_kind_of(last) == slot_kind::real)
    return r.f[last.dst()];
  else if constexpr (slot_kind_of(last) == slot_kind::integer)
    return as_real(r.i[last.dst()]);
  else
    return as_real(as_integer(from_mask(r.m[last.dst()])) & integer(1));
}
/// A program on one register of each operand. All inlining is forced: compilers would make calls of
/// long programs, and every value would go through memory.
template <auto P> [[gnu::always_inline]] inline real run_program(const real* arguments) noexcept {
  registers<register_count(P)> r;
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (step<P, I>(r, arguments), ...);
  }
  (std::make_integer_sequence<int, P.size>{});
  return result_of<P>(r);
}
/// An instruction on several registers of elements.
template <auto P, int At, class R, int Arity, int... J>
[[gnu::always_inline]] inline void step_each(R* r, const real (*arguments)[Arity],
                                             std::integer_sequence<int, J...>) noexcept {
  (step<P, At>(r[J], arguments[J]), ...);
}
/// A program on `N` registers of elements, each instruction on all of them before the next one. An
/// elementary function is a long chain of instructions that wait for each other; registers side by
/// side fill the time.
template <auto P, int N, int Arity>
[[gnu::always_inline]] inline void run_together(const real (&arguments)[N][Arity],
                                                real (&results)[N]) noexcept {
  registers<register_count(P)> r[N];
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (step_each<P, I>(r, arguments, std::make_integer_sequence<int, N>{}), ...);
  }
  (std::make_integer_sequence<int, P.size>{});
  for (int j = 0; j < N; ++j) results[j] = result_of<P>(r[j]);
}
/// Operands that a program reads: the largest number plus one.
template <int N> constexpr int arity_of(const program<N>& p) {
  int count = 0;
  for (const instruction& x : p.code)
    if (x.op() == sop::arg && x.a() >= count) count = x.a() + 1;
  return count;
}

/// The element type of operand `k`.
template <int N> constexpr type operand_type(const program<N>& p, int k) {
  for (const instruction& x : p.code)
    if (x.op() == sop::arg && x.a() == k) return x.type();
  return type::float32;
}
/// Variables, not calls: clang would call a constexpr function at run time, in every round of a
/// loop.
template <auto P, int K> inline constexpr type operand_of = operand_type(P, K);
template <type T> inline constexpr i64 bytes_each = size_bytes(T);

/// Whole registers of elements; returns how many elements that were. `Contiguous`: no operand is
/// repeated, which leaves the loop without branches.
template <auto P, bool Contiguous>
[[gnu::always_inline]] inline i64 run_whole(const stream* in, std::byte* out, i64 n) noexcept {
  constexpr int arity = arity_of(P), room = arity > 0 ? arity : 1;
  constexpr type result = result_type({P.code, P.size});
  stream s[room];  // a copy: the stores might change what `in` points to, for all compilers know
  for (int k = 0; k < arity; ++k) s[k] = in[k];
  real x[room];
  i64 i = 0;
  for (; i + width <= n; i += width) {
    [&]<int... K>(std::integer_sequence<int, K...>) __attribute__((always_inline)) {
      ((x[K] = Contiguous || s[K].step != 0
                   ? load_as<operand_of<P, K>>(static_cast<const std::byte*>(s[K].data) +
                                               i * bytes_each<operand_of<P, K>>)
                   : repeat_as<operand_of<P, K>>(static_cast<const std::byte*>(s[K].data))),
       ...);
    }
    (std::make_integer_sequence<int, arity>{});
    store_as<result>(run_program<P>(x), out + i * bytes_each<result>);
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
    ((x[K] = in[K].step != 0 ? load_part_as<operand_of<P, K>>(in[K].at(i), n - i)
                             : repeat_as<operand_of<P, K>>(in[K].at(0))),
     ...);
  }
  (std::make_integer_sequence<int, arity>{});
  store_part_as<result>(run_program<P>(x), to + i * size_bytes(result), n - i);
}

}  // namespace tenon::simd

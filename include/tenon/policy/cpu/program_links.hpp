// The links of interpreted programs: one function for each instruction, on blocks of registers.
//
// A program as data runs as a chain of links (program_interpreted.hpp writes it). A link computes
// one instruction on a block of 4 registers. It takes at most one source from the link before, in
// registers, and the others from memory; then it calls the next link with its result as the last
// thing that it does. Compilers turn that call into a jump, so a chain costs one indirect jump an
// instruction and a block, and a value that is used once never goes through memory.
//
// For every instruction there is one link for each source that can arrive in registers, and one for
// none: `link_table`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/program_inlined.hpp>

namespace tenon::simd {

/// A word as a register of a kind, and back.
template <slot_kind Kind> [[gnu::always_inline]] inline auto from_word(real x) noexcept {
  if constexpr (Kind == slot_kind::integer)
    return as_integer(x);
  else if constexpr (Kind == slot_kind::mask)
    return to_mask(x);
  else
    return x;
}
[[gnu::always_inline]] inline real to_word(real x) noexcept { return x; }
[[gnu::always_inline]] inline real to_word(integer x) noexcept { return as_real(x); }
[[gnu::always_inline]] inline real to_word(mask x) noexcept { return from_mask(x); }

/// One instruction of the interpreter on one register. Between links all values are words in real
/// registers: integers by their bits, masks as all ones or all zeros. Logic on masks stays on
/// words, which saves the way into masks and back.
template <sop O>
[[gnu::always_inline]] inline real interpret(instruction x, real a, real b, real c) noexcept {
  constexpr slot_kind in = facts_of(O).in,
                      others = O == sop::select ? slot_kind_of(O) : facts_of(O).in;
  if constexpr (O == sop::literal || O == sop::literal_int)
    return as_real(integer(static_cast<std::int32_t>(x.bits())));
  else if constexpr (O == sop::mask_to_int)
    return as_real(as_integer(a) & integer(1));
  else if constexpr (O == sop::mask_and)
    return as_real(as_integer(a) & as_integer(b));
  else if constexpr (O == sop::mask_or)
    return as_real(as_integer(a) | as_integer(b));
  else if constexpr (O == sop::mask_not)
    return as_real(as_integer(a) ^ integer(-1));
  else if constexpr (is_elementary(O)) {
    const real sources[2] = {a, b};
    return run_program<elementary_program<O>>(sources);
  } else
    return to_word(compute<O>(x, from_word<in>(a), from_word<others>(b), from_word<others>(c)));
}

/// Registers that a link computes at once, and their elements. A call hands all of them on in
/// registers.
inline constexpr int block_registers = 4;
inline constexpr i64 block = i64{block_registers} * width;

/// Which memory of the caller a link uses: none (-1: it uses a room of the interpreter), that of
/// operand 0, 1, ..., or of the result.
inline constexpr std::int8_t no_operand = -1, result_operand = max_operands;

/// A link of the interpreter's chain. It computes a block, hands it to the next link in registers,
/// and calls that last, which compilers turn into a jump: no link loops, and none but the last one
/// writes to memory, unless a value is needed again later.
struct link {
  using run_type = void (*)(const link*, i64 at, real, real, real, real) noexcept;
  run_type run;
  instruction x;
  const float* from[3];   ///< the sources in memory; of one that writes, the destination
  std::int32_t moves[3];  ///< -1 where the address moves with `at`, else 0
  std::int8_t operand[3];
  const float* source(int k, i64 at) const noexcept { return from[k] + (at & moves[k]); }
};

/// One instruction. Source number `Held` comes from the link before, 3 for none. `Number`: source 1
/// is a number and no NaN (`second_is_number`). An elementary function runs on all 4 registers side
/// by side.
template <sop O, int Held, bool Number = false>
void run_link(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  constexpr int n = sources_of(O);
  const float *a = nullptr, *b = nullptr, *c = nullptr;
  if constexpr (n > 0 && Held != 0) a = s->source(0, at);
  if constexpr (n > 1 && Held != 1) b = s->source(1, at);
  if constexpr (n > 2 && Held != 2) c = s->source(2, at);
  const auto source = [&](int k, const float* p, real h, int i) __attribute__((always_inline)) {
    return k >= n ? real(0.0f) : k == Held ? h : load(p + i * width);
  };
  const auto result = [&](real h, int i) __attribute__((always_inline)) {
    if constexpr (Number && O == sop::max)
      return max_with_number(source(0, a, h, i), source(1, b, h, i));
    else if constexpr (Number)
      return min_with_number(source(0, a, h, i), source(1, b, h, i));
    else
      return interpret<O>(s->x, source(0, a, h, i), source(1, b, h, i), source(2, c, h, i));
  };
  if constexpr (is_elementary(O)) {
    real x[block_registers][2], y[block_registers];
    for (int i = 0; i < block_registers; ++i)
      x[i][0] = source(0, a, h0, i), x[i][1] = source(1, b, h0, i);
    run_together<elementary_program<O>>(x, y);
    s[1].run(s + 1, at, y[0], y[1], y[2], y[3]);
  } else {
    s[1].run(s + 1, at, result(h0, 0), result(h1, 1), result(h2, 2), result(h3, 3));
  }
}
/// Fetches blocks of three operands before they are needed, 8 blocks ahead: a processor
/// does not look ahead across the links of a chain (see `cached_bytes` in rows_plan.hpp).
inline void fetch_ahead(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  constexpr i64 blocks = 8;
  for (int k = 0; k < 3; ++k) {
    const float* from = s->source(k, at) + blocks * block;
    for (int i = 0; i < block_registers; ++i) __builtin_prefetch(from + i * width);
  }
  s[1].run(s + 1, at, h0, h1, h2, h3);
}
/// Loads the block that the next link takes in registers.
inline void take_block(const link* s, i64 at, real, real, real, real) noexcept {
  const float* a = s->source(0, at);
  s[1].run(s + 1, at, load(a), load(a + width), load(a + 2 * width), load(a + 3 * width));
}
/// The end of a chain: writes the result.
inline void write_block(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  auto* to = const_cast<float*>(s->source(0, at));
  store(h0, to);
  store(h1, to + width);
  store(h2, to + 2 * width);
  store(h3, to + 3 * width);
}
/// Writes a block that is needed again later, and hands it on.
inline void keep_block(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  write_block(s, at, h0, h1, h2, h3);
  s[1].run(s + 1, at, h0, h1, h2, h3);
}

/// Real arithmetic comes in chains: the operations that can take a source from the link before. All
/// others read theirs from memory, a store and a load more.
inline constexpr bool takes_held(sop o) { return o >= sop::add && o <= sop::max; }
template <sop O, int Held> constexpr link::run_type link_of() {
  if constexpr (Held < 3 && (!takes_held(O) || Held >= sources_of(O)))
    return nullptr;
  else
    return &run_link<O, Held>;
}
/// For each operation after `arg` in `sop`: its links that receive source 0, 1, 2 or none in
/// registers.
template <int... I> constexpr auto link_table(std::integer_sequence<int, I...>) {
  struct {
    link::run_type of[sizeof...(I)][4];
  } t{{{link_of<static_cast<sop>(I + 1), 0>(), link_of<static_cast<sop>(I + 1), 1>(),
        link_of<static_cast<sop>(I + 1), 2>(), link_of<static_cast<sop>(I + 1), 3>()}...}};
  return t;
}
/// One entry for each operation behind `arg`; the rare ones have loops of their own.
inline constexpr int operations = instructions::first_rare - 1;
/// Those of the two operations that are cheaper with a number.
inline constexpr link::run_type max_with[4] = {&run_link<sop::max, 0, true>, nullptr, nullptr,
                                               &run_link<sop::max, 3, true>};
inline constexpr link::run_type min_with[4] = {&run_link<sop::min, 0, true>, nullptr, nullptr,
                                               &run_link<sop::min, 3, true>};
template <int Operations>
inline constexpr auto links = link_table(std::make_integer_sequence<int, Operations>{});

/// Widens a block of bytes or halves into the operand's room; what the link before handed on passes
/// through.
inline void widen_block(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  const type t = s->x.type();
  auto* to = const_cast<float*>(s->from[1]);
  widen({s->from[0], 1, static_cast<int>(size_bytes(t))}, t, at, block, to);
  s[1].run(s + 1, at, h0, h1, h2, h3);
}

}  // namespace tenon::simd

// Scalar programs as data: an interpreter that works on blocks of registers.
//
// Chosen for programs that are given at run time (builder, model files) and not known to
// program_known.hpp. At each execution, that is for each row or piece of one, `machine::write`
// makes the program a chain of links: it decides which values go from link to link in registers,
// which go through rooms in memory, and makes the blocks of literals and repeated operands once.
// Then the chain runs once for each block of 4 registers of elements.
//
// The last elements, fewer than a block, run through the same chain: `pad` copies the operands
// into blocks filled up with zeros and lets all links read and write those.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/program_links.hpp>

namespace tenon::simd {

/// Literals whose blocks are made once for each execution; further ones are links, made for every
/// block.
inline constexpr int max_literals = 32;

/// A program as a chain of links, on the stack: nothing is allocated. About 50 kB with AVX-512, of
/// which a program touches what it needs.
struct machine {
  /// Where a value's blocks lie: an operand, whose address moves, or one block in a room.
  struct block_source {
    const float* first;
    std::int8_t operand;
  };
  alignas(64) float room[max_registers + max_operands][block];  ///< registers, widened operands
  alignas(64) float literal[max_literals][block];
  alignas(64) float padded[max_operands + 1][block];  ///< operands' last elements, and the result's
  block_source value_of[max_registers];  ///< of a register, unless only the last link holds it
  link code[2 * max_program];
  int size = 0, literals = 0;

  /// Makes the chain for operands `in` and a result at `out`.
  void write(program_view p, const stream* in, float* out,
             const link::run_type (*table)[4]) noexcept;
  /// Computes the block at element `at`.
  void start(i64 at) const noexcept {
    const real none(0.0f);
    code[0].run(code, at, none, none, none, none);
  }
  /// From now on `start(0)` computes `n` elements at `at` of the operands, into `padded`.
  void pad(program_view p, const stream* in, i64 at, i64 n) noexcept;

 private:
  link& add(link::run_type how, instruction x) noexcept {
    link& l = code[size++];
    l.run = how;
    l.x = x;
    for (std::int8_t& k : l.operand) k = no_operand;
    return l;
  }
  static void set(link& l, int k, block_source a) noexcept {
    l.from[k] = a.first;
    l.moves[k] = a.operand == no_operand ? 0 : -1;
    l.operand[k] = a.operand;
  }
  /// Where operand `x.a()` is read: in place if its elements are words, else from a room.
  block_source operand(instruction x, const stream& s) noexcept {
    float* words = room[max_registers + x.a()];
    if (s.step == 0) return filled(words, repeated(s, x.type()));
    const block_source given{static_cast<const float*>(s.data), static_cast<std::int8_t>(x.a())};
    if (size_bytes(x.type()) == 4) return given;
    link& widens = add(&widen_block, x);
    set(widens, 0, given);
    set(widens, 1, {words, no_operand});
    return {words, no_operand};
  }
  /// A room whose words are all the same.
  static block_source filled(float* to, real x) noexcept {
    for (int i = 0; i < block_registers; ++i) store(x, to + i * width);
    return {to, no_operand};
  }
  void fetch(program_view p, const stream* in) noexcept;
  void compute(instruction x, int& before, std::uint32_t later,
               const link::run_type* forms) noexcept;
};
constexpr int source_of(instruction x, int k) { return k == 0 ? x.a() : k == 1 ? x.b() : x.c(); }
/// By instruction: the registers (a bit each) whose values later instructions still read.
inline void find_later(program_view p, std::uint32_t* later) noexcept {
  std::uint32_t live = 0;
  for (int i = p.size - 1; i >= 0; --i) {
    const instruction x = p.code[i];
    later[i] = live;
    live &= ~(1u << x.dst());
    for (int k = 0; k < sources_of(x.op()); ++k) live |= 1u << source_of(x, k);
  }
}
/// Adds an instruction. The last link hands on the register `before`, which is stored if needed
/// `later`, or if this instruction cannot take that source from registers.
inline void machine::compute(instruction x, int& before, std::uint32_t later,
                             const link::run_type* forms) noexcept {
  const int n = sources_of(x.op());
  int takes = 3;
  bool keeps = before >= 0 && before != x.dst() && (later >> before & 1) != 0;
  for (int k = 0; k < n; ++k) {
    if (source_of(x, k) != before) continue;
    if (takes == 3 && forms[k] != nullptr)
      takes = k;
    else
      keeps = true;
  }
  if (keeps) set(add(&keep_block, x), 0, value_of[before]);
  link& l = add(forms[takes], x);
  for (int k = 0; k < n; ++k)
    if (k != takes) set(l, k, value_of[source_of(x, k)]);
  before = x.dst();
  value_of[before] = {room[before], no_operand};
}
/// Adds links that fetch those operands ahead which are far.
inline void machine::fetch(program_view p, const stream* in) noexcept {
  block_source far[max_operands + 2];
  int count = 0;
  std::uint32_t found = 0;  // a program may take an operand more than once
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    if (x.op() != sop::arg || (found >> x.a() & 1) != 0) continue;
    found |= 1u << x.a();
    const stream& s = in[x.a()];
    if (s.far && s.step != 0 && s.bytes == 4)
      far[count++] = {static_cast<const float*>(s.data), static_cast<std::int8_t>(x.a())};
  }
  if (count == 0) return;
  far[count] = far[count + 1] = far[count - 1];  // a link fetches three: the last one again
  for (int i = 0; i < count; i += 3) {
    link& l = add(&fetch_ahead, p.code[0]);
    for (int k = 0; k < 3; ++k) set(l, k, far[i + k]);
  }
}
/// Arguments and literals become addresses, all other instructions links. `before` is the register
/// that the last link hands on, -1 for none.
inline void machine::write(program_view p, const stream* in, float* out,
                           const link::run_type (*table)[4]) noexcept {
  std::uint32_t later[max_program];
  find_later(p, later);
  fetch(p, in);
  int before = -1;
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const int d = x.dst();
    const bool once = x.is_literal() && literals < max_literals;
    if (x.op() != sop::arg && !once) {
      const bool number = second_is_number(p.code, i);
      compute(x, before, later[i],
              number && x.op() == sop::max   ? max_with
              : number && x.op() == sop::min ? min_with
                                             : table[static_cast<int>(x.op()) - 1]);
      continue;
    }
    value_of[d] =
        once ? filled(literal[literals++], as_real(integer(static_cast<std::int32_t>(x.bits()))))
             : operand(x, in[x.a()]);
    if (d == before) before = -1;
  }
  const instruction last = p.code[p.size - 1];
  if (before != last.dst()) set(add(&take_block, last), 0, value_of[last.dst()]);
  set(add(&write_block, last), 0, {out, out == padded[max_operands] ? no_operand : result_operand});
}
/// The first n of a block's elements; the others are 0.
inline void copy_padded(const stream& s, i64 at, i64 n, float* to) noexcept {
  if (s.bytes != 4) {
    std::memset(to, 0, block * sizeof(float));
    std::memcpy(to, s.at(at), static_cast<std::size_t>(n * s.bytes));
    return;
  }
  const auto* from = reinterpret_cast<const float*>(s.at(at));
  for (i64 k = 0; k < block; k += width)
    store(n - k >= width ? load(from + k)
          : n > k        ? load_part(from + k, n - k)
                         : real(0.0f),
          to + k);
}
inline void machine::pad(program_view p, const stream* in, i64 at, i64 n) noexcept {
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    if (x.op() != sop::arg || in[x.a()].step == 0) continue;
    copy_padded(in[x.a()], at, n, padded[x.a()]);
  }
  for (int i = 0; i < size; ++i)
    for (int k = 0; k < 3; ++k)
      if (code[i].operand[k] != no_operand) code[i].from[k] = padded[code[i].operand[k]];
}
/// The loop with a program as data. The tail runs the same chain over padded copies.
template <int Operations = operations>
void run_interpreted(program_view p, const stream* in, void* out, i64 n) noexcept {
  machine m;
  const type result = result_type(p);
  const bool words = size_bytes(result) == 4,
             is_mask = slot_kind_of(p.code[p.size - 1]) == slot_kind::mask;
  auto* to = static_cast<std::byte*>(out);
  const float* result_words = m.padded[max_operands];
  m.write(p, in, words ? static_cast<float*>(out) : m.padded[max_operands], links<Operations>.of);
  i64 at = 0;
  for (; at + block <= n; at += block) {
    m.start(at);
    if (!words) store_words(result_words, result, is_mask, to + at * size_bytes(result), block);
  }
  if (at == n) return;
  m.pad(p, in, at, n - at);
  m.start(0);
  store_words(result_words, result, is_mask, to + at * size_bytes(result), n - at);
}

}  // namespace tenon::simd

// Passes over scalar programs: join two, form fma, share registers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/program.hpp>

namespace tenon {

/// Writes one instruction onto a tape, its sources being in the slots `to`; returns its slot.
constexpr int rewrite(tape& t, instruction x, const int* to) {
  if (x.op() == sop::literal) return t.literal(x.real());
  if (x.op() == sop::literal_int) return t.literal_int(static_cast<std::int32_t>(x.bits()));
  const int n = sources_of(x.op());
  return t.emit(x.op(), n > 0 ? to[x.a()] : x.a(), n > 1 ? to[x.b()] : x.b(),
                n > 2 ? to[x.c()] : 0);
}

/// Writes an SSA program onto a tape, its argument i being slot `args[i]`; returns the result's
/// slot. A mask that was to be stored as a uint8 is read as the integer 1 or 0.
constexpr int append(tape& t, program_view p, const int* args) {
  int to[max_program]{};
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    to[i] = x.op() == sop::arg ? args[x.a()] : rewrite(t, x, to);
    if (x.op() == sop::arg && t.slot_kind_at(to[i]) == slot_kind::mask)
      to[i] = t.emit(sop::mask_to_int, to[i]);
  }
  const instruction last = p.code[p.size - 1];
  if (last.op() == sop::arg)
    return args[last.a()];  // a mask stays one: as the result it is a uint8
  return to[p.size - 1];
}

/// Replaces a product that has one use, a sum or a difference, by one fma. The same for every
/// policy: results are a property of the table. SSA in, SSA out.
constexpr recorded form_fma(program_view p) {
  int uses[max_program]{};
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const int n = sources_of(x.op());
    if (n > 0) ++uses[x.a()];
    if (n > 1) ++uses[x.b()];
    if (n > 2) ++uses[x.c()];
  }
  tape t;
  int to[max_program]{};
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const auto product = [&](int slot) { return p.code[slot].op() == sop::mul && uses[slot] == 1; };
    const bool sum = x.op() == sop::add, difference = x.op() == sop::sub;
    if ((sum || difference) && product(x.a())) {
      const instruction m = p.code[x.a()];
      const int c = difference ? t.emit(sop::neg, to[x.b()]) : to[x.b()];
      to[i] = t.emit(sop::fma, to[m.a()], to[m.b()], c);
    } else if ((sum || difference) && product(x.b())) {
      const instruction m = p.code[x.b()];
      const int a = difference ? t.emit(sop::neg, to[m.a()]) : to[m.a()];
      to[i] = t.emit(sop::fma, a, to[m.b()], to[x.a()]);
    } else {
      to[i] = rewrite(t, x, to);
    }
  }
  if (t.fault == code::ok) return finish(t, to[p.size - 1]);
  recorded same;  // the negations of differences do not fit: the program stays as it is
  for (int i = 0; i < p.size; ++i) same.code[i] = p.code[i];
  same.size = p.size;
  return same;
}

/// Most registers a finished program uses (what an interpreter has room for).
inline constexpr int max_registers = 32;

/// Gives every instruction a register, re-using those whose value is dead. SSA in; the number of
/// registers is returned in `registers`.
struct allocated {
  recorded program;
  int registers = 0;
};
constexpr allocated allocate(program_view p) {
  int last[max_program]{}, register_of[max_program]{};
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const int n = sources_of(x.op());
    if (n > 0) last[x.a()] = i;
    if (n > 1) last[x.b()] = i;
    if (n > 2) last[x.c()] = i;
  }
  last[p.size - 1] = p.size;
  allocated r;
  r.program.size = p.size;
  bool busy[max_program]{};
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const int n = sources_of(x.op());
    const int source[] = {n > 0 ? register_of[x.a()] : x.a(), n > 1 ? register_of[x.b()] : x.b(),
                          n > 2 ? register_of[x.c()] : 0};
    if (n > 0 && last[x.a()] == i) busy[register_of[x.a()]] = false;
    if (n > 1 && last[x.b()] == i) busy[register_of[x.b()]] = false;
    if (n > 2 && last[x.c()] == i) busy[register_of[x.c()]] = false;
    int d = 0;
    while (busy[d]) ++d;
    busy[d] = true;
    register_of[i] = d;
    if (d >= r.registers) r.registers = d + 1;
    r.program.code[i] = x.is_literal()
                            ? instruction::make_literal(x.op(), d, x.bits())
                            : instruction::make(x.op(), d, source[0], source[1], source[2]);
  }
  return r;
}

}  // namespace tenon

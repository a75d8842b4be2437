// Passes over scalar programs: joining two to one, forming fma, sharing registers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/program.hpp>

namespace tenon {

/// Appends one instruction of another program to a tape and returns its slot. `to[i]` is the tape's
/// slot for that program's instruction i.
constexpr int rewrite(tape& t, instruction x, const int* to) {
  if (x.op() == sop::literal) return t.literal(x.real());
  if (x.op() == sop::literal_int) return t.literal_int(static_cast<std::int32_t>(x.bits()));
  const int n = sources_of(x.op());
  return t.emit(x.op(), n > 0 ? to[x.a()] : x.a(), n > 1 ? to[x.b()] : x.b(),
                n > 2 ? to[x.c()] : 0);
}

/// Appends a program in SSA form to a tape and returns its result's slot. Argument i is the tape's
/// slot `args[i]`. If that is a mask, which between two nodes would have been stored as a uint8,
/// the program reads it as the integer 1 or 0.
constexpr int append(tape& t, program_view p, const int* args) {
  int to[max_program]{};
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    to[i] = x.op() == sop::arg ? args[x.a()] : rewrite(t, x, to);
    if (x.op() == sop::arg && t.slot_kind_at(to[i]) == slot_kind::mask)
      to[i] = t.emit(sop::mask_to_int, to[i]);
  }
  const instruction last = p.code[p.size - 1];
  // A program that only copies: a mask need not become an integer, as a result it is a uint8
  // anyway.
  if (last.op() == sop::arg) return args[last.a()];
  return to[p.size - 1];
}

/// Replaces a sum or a difference and a product that has no other use by one fma, which rounds
/// once. The rules depend on the program alone, so that results have the same bits on every policy.
/// Takes and gives SSA form.
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
  recorded same;  // too long with the negations of differences: the program stays as it is
  for (int i = 0; i < p.size; ++i) same.code[i] = p.code[i];
  same.size = p.size;
  return same;
}

/// The limit of a finished program's registers: an interpreter has room for so many.
inline constexpr int max_registers = 32;

/// A program whose instructions share registers, and how many it needs.
struct allocated {
  recorded program;
  int registers = 0;
};
/// Gives every instruction of a program in SSA form the first register whose value is not needed
/// any more. An instruction may write a register that it reads.
constexpr allocated allocate(program_view p) {
  int last[max_program]{};  // the last user of each value
  int register_of[max_program]{};
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

// Random scalar programs, as users' lambdas may mean them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/rewrite.hpp>
#include <tenon/trial/random.hpp>

namespace tenon::trial::draw {

/// Instructions of the table from which one is drawn: adding one to the table is enough for it to
/// be drawn. Those that only give a result its element type are left to `programmer::write`.
struct instruction_list {
  sop of[instructions::count]{};
  int size = 0;
};
/// Those whose facts `wanted` takes.
template <class Wanted> consteval instruction_list all_where(Wanted wanted) {
  instruction_list all;
  for (const instruction_facts& f : instructions::table) {
    const type t = type_at(instruction::make(f.op, 0));
    const bool narrows =
        t == type::float16 || t == type::int8 || (t == type::uint8 && f.out != slot_kind::mask);
    if (f.sources > 0 && !is_typed(f.op) && !narrows && wanted(f)) all.of[all.size++] = f.op;
  }
  return all;
}
/// Primitives, by what they read and give.
template <slot_kind In, slot_kind Out>
inline constexpr instruction_list primitives_of = all_where([](const instruction_facts& f) {
  return f.kind == instruction_kind::primitive && f.in == In && f.out == Out;
});
/// Sums, products and the like: what most programs are made of.
inline constexpr auto real_arithmetic = all_where([](const instruction_facts& f) {
  return f.kind == instruction_kind::primitive && f.in == slot_kind::real &&
         f.out == slot_kind::real && f.sources > 1;
});
inline constexpr auto real_functions = all_where([](const instruction_facts& f) {
  return f.in == slot_kind::real && f.out == slot_kind::real &&
         (f.sources == 1 || f.kind == instruction_kind::elementary);
});
inline constexpr auto rare_ones =
    all_where([](const instruction_facts& f) { return f.kind == instruction_kind::rare; });
inline constexpr auto into_wide = all_where([](const instruction_facts& f) {
  return f.in == slot_kind::integer && f.out == slot_kind::wide;
});
inline constexpr auto out_of_wide = all_where(
    [](const instruction_facts& f) { return f.in == slot_kind::wide && f.out != slot_kind::wide; });

/// Writes a random program over arguments of these types, with values of all slot kinds. Every
/// argument is used. The bits of a real are taken only where it is a number: nothing defines the
/// bits of a NaN that was computed. Programs over reals alone are the simplest.
class programmer {
 public:
  programmer(choices& d, const std::vector<type>& types) : d_(d) {
    int i = 0;
    for (const type t : types) list_of(slot_kind_of(t)).push_back(t_.argument(i++, t));
    arity_ = i;
    if (reals_.empty())
      reals_.push_back(
          t_.emit(t_.slot_kind_at(0) == slot_kind::wide ? sop::wide_to_real : sop::to_float, 0));
  }
  /// Draws instructions, with one in nine the last, and then makes the result: a real, or one time
  /// in six an integer, or, less often, one of the narrow or wide types.
  recorded write() {
    do instruct();
    while (t_.size < max_program - 40 && d_.below(9) != 0);  // 40: a step, and what follows here
    int holder = reals_.back();
    for (int i = 0; i < arity_; ++i)  // every argument counts
      if (!uses(i)) holder = t_.emit(sop::add, holder, as_real(i));
    if (d_.one_in(12)) return finish(t_, t_.emit(sop::to_half, holder));
    if (d_.one_in(12)) return finish(t_, t_.emit(sop::real_to_wide, holder));
    if (d_.one_in(6)) holder = t_.emit(sop::to_int, holder);
    return finish(t_, d_.one_in(12) && t_.slot_kind_at(holder) == slot_kind::integer
                          ? t_.emit(d_.one_in(2) ? sop::to_int8 : sop::to_byte, holder)
                          : holder);
  }

 private:
  std::vector<int>& list_of(slot_kind l) {
    switch (l) {
      case slot_kind::real: return reals_;
      case slot_kind::integer: return integers_;
      case slot_kind::wide: return wides_;
      default: return masks_;
    }
  }
  int as_real(int i) {
    const slot_kind l = t_.slot_kind_at(i);
    if (l == slot_kind::real) return i;
    return t_.emit(l == slot_kind::wide ? sop::wide_to_real : sop::to_float, i);
  }
  bool uses(int slot) const {
    for (int i = 0; i < t_.size; ++i) {
      const instruction x = t_.code[i];
      const int n = sources_of(x.op());
      if ((n > 0 && x.a() == slot) || (n > 1 && x.b() == slot) || (n > 2 && x.c() == slot))
        return true;
    }
    return false;
  }
  /// One of the six newest values of a kind, so that programs become deep.
  int of(const std::vector<int>& list) {
    const int n = static_cast<int>(list.size());
    return list[static_cast<std::size_t>(n - 1 - d_.below(n < 6 ? n : 6))];
  }
  /// An integer: one of the program's, or a literal. 0x7fffff is a mask of float32's digits,
  /// 0x3f800000 the bits of 1.0f.
  int integer() {
    if (!integers_.empty() && !d_.one_in(4)) return of(integers_);
    constexpr int usual[] = {1, 0, -1, 0x7fffff, 0x3f800000, 31};
    integers_.push_back(t_.literal_int(d_.pick(usual)));
    return integers_.back();
  }
  /// A truth value: an old one, or a new comparison of reals or of integers.
  int mask() {
    if (masks_.empty() || d_.one_in(3)) {
      if (!integers_.empty() && d_.one_in(3))
        draw_from(primitives_of<slot_kind::integer, slot_kind::mask>);
      else
        draw_from(primitives_of<slot_kind::real, slot_kind::mask>);
    }
    return of(masks_);
  }
  /// A value of 64 bits, made of integers where there is none yet.
  int wide() {
    if (wides_.empty() || d_.one_in(6)) draw_from(into_wide);
    return of(wides_);
  }
  int any(slot_kind l) {
    switch (l) {
      case slot_kind::real: return of(reals_);
      case slot_kind::integer: return integer();
      case slot_kind::wide: return wide();
      default: return mask();
    }
  }
  void draw_from(const instruction_list& list) { add(list.of[d_.below(list.size)]); }
  /// Adds an instruction with operands of the kinds that it reads. Shifts have a count in place of
  /// the second one.
  void add(sop o) {
    const instruction_facts& f = facts_of(o);
    const bool selects = f.sources == 3 && f.in == slot_kind::mask;
    const slot_kind others = selects ? f.out : f.in;
    int a = any(f.in);
    const int b = f.written == syntax::shift ? d_.below(f.in == slot_kind::wide ? 64 : 32)
                  : f.sources > 1            ? any(others)
                                             : 0;
    const int c = f.sources > 2 ? any(others) : 0;
    // a where it is a number, else 0: the bits of a NaN would differ between policies
    if (o == sop::as_int) a = t_.emit(sop::select, t_.emit(sop::equal, a, a), a, t_.literal(0.0f));
    list_of(f.out).push_back(t_.emit(o, a, b, c));
  }
  /// One of the rare instructions, and mostly one that leads out of 64 bits: what is computed there
  /// would seldom matter to the result.
  void add_rare() {
    draw_from(rare_ones);
    if (!wides_.empty() && !d_.one_in(3)) draw_from(out_of_wide);
  }
  /// One instruction, or a few that belong together. Arithmetic is most frequent; the numbers at
  /// the cases are parts of 14.
  void instruct() {
    constexpr float numbers[] = {1.0f, 0.0f, -0.0f, 0.5f, -2.0f, 0.1f, 3.0f, 1e-40f};
    if (d_.one_in(wides_.empty() ? 24 : 4)) return add_rare();
    switch (d_.below(14)) {
      case 0:
      case 1:
      case 2:
      case 3: return draw_from(real_arithmetic);
      case 4:
      case 5: return draw_from(real_functions);
      case 6: {
        const int x = of(reals_);
        reals_.push_back(t_.emit(sop::add, x, t_.literal(d_.pick(numbers))));
        return;
      }
      case 7: return draw_from(primitives_of<slot_kind::mask, slot_kind::real>);
      case 8: return draw_from(primitives_of<slot_kind::mask, slot_kind::mask>);
      case 9: return draw_from(primitives_of<slot_kind::real, slot_kind::integer>);
      case 10:
        if (!masks_.empty()) return draw_from(primitives_of<slot_kind::mask, slot_kind::integer>);
        [[fallthrough]];
      case 11:
      case 12: return draw_from(primitives_of<slot_kind::integer, slot_kind::integer>);
      default: return draw_from(primitives_of<slot_kind::integer, slot_kind::real>);
    }
  }
  choices& d_;
  tape t_;
  int arity_ = 0;
  std::vector<int> reals_, integers_, wides_, masks_;
};
}  // namespace tenon::trial::draw

// Random scalar programs, as users' lambdas may mean them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/rewrite.hpp>
#include <tenon/trial/random.hpp>

namespace tenon::trial::draw {

/// The functions of one real: primitives and all elementary ones.
struct function_list {
  sop of[5 + instructions::elementary_count] = {sop::neg, sop::abs, sop::sqrt, sop::floor,
                                                sop::round_even};
  int size = 5;
};
inline constexpr function_list real_functions = [] {
  function_list all;
  for (const instruction_facts& f : instructions::table)
    if (is_elementary(f.op) && f.sources == 1) all.of[all.size++] = f.op;
  return all;
}();

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
    while (t_.size < max_program - 8 && d_.below(9) != 0);
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
    return l == slot_kind::real ? reals_ : l == slot_kind::wide ? wides_ : integers_;
  }
  int as_real(int i) {
    const slot_kind l = t_.slot_kind_at(i);
    if (l == slot_kind::real) return i;
    return t_.emit(l == slot_kind::wide ? sop::wide_to_real : sop::to_float, i);
  }
  /// A value of 64 bits, made of an integer where there is none yet.
  int wide() {
    if (wides_.empty() || d_.one_in(6)) wides_.push_back(t_.emit(sop::to_wide, integer()));
    return of(wides_);
  }
  /// One instruction on 64 bits, and one that leads out of them.
  void instruct_wide() {
    constexpr sop binary[] = {sop::wide_add, sop::wide_sub, sop::wide_mul, sop::wide_div,
                              sop::wide_and, sop::wide_or,  sop::wide_xor};
    const int x = wide(), y = wide();
    if (d_.one_in(4)) {
      const sop shift = d_.one_in(2) ? sop::wide_shift_left : sop::wide_shift_right;
      wides_.push_back(t_.emit(shift, x, d_.below(64)));
    } else {
      wides_.push_back(t_.emit(d_.pick(binary), x, y));
    }
    if (d_.one_in(3)) wides_.push_back(t_.emit(sop::wide_select, mask(), x, y));
    if (d_.one_in(2)) integers_.push_back(t_.emit(sop::narrow, wides_.back()));
    if (d_.one_in(2)) reals_.push_back(t_.emit(sop::wide_to_real, wides_.back()));
    if (d_.one_in(2))
      masks_.push_back(t_.emit(d_.one_in(2) ? sop::wide_less : sop::wide_equal, x, y));
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
  int real() { return of(reals_); }
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
      constexpr sop compares[] = {sop::less, sop::less_equal, sop::equal};
      constexpr sop of_words[] = {sop::int_less, sop::int_less_equal, sop::int_equal};
      const bool words = !integers_.empty() && d_.one_in(3);
      const int a = words ? integer() : real(), b = words ? integer() : real();
      masks_.push_back(t_.emit(words ? d_.pick(of_words) : d_.pick(compares), a, b));
    }
    return of(masks_);
  }
  /// One instruction, or a few that belong together. Arithmetic is most frequent; the numbers at
  /// the cases are parts of 14.
  void instruct() {
    constexpr sop binary[] = {sop::add, sop::mul, sop::sub, sop::div,
                              sop::min, sop::max, sop::mul, sop::add};
    constexpr sop words[] = {sop::int_add, sop::int_sub, sop::int_and, sop::int_or,
                             sop::int_xor, sop::int_mul, sop::int_div};
    constexpr float numbers[] = {1.0f, 0.0f, -0.0f, 0.5f, -2.0f, 0.1f, 3.0f, 1e-40f};
    const int x = real(), y = real();
    if (d_.one_in(wides_.empty() ? 24 : 4)) return instruct_wide();
    switch (d_.below(14)) {
      case 0:
      case 1:
      case 2:
      case 3: reals_.push_back(t_.emit(d_.pick(binary), x, y)); break;
      case 4:
      case 5: reals_.push_back(t_.emit(real_functions.of[d_.below(real_functions.size)], x)); break;
      case 6: reals_.push_back(t_.emit(sop::fma, x, y, real())); break;
      case 7: reals_.push_back(t_.emit(sop::add, x, t_.literal(d_.pick(numbers)))); break;
      case 8: reals_.push_back(t_.emit(sop::select, mask(), x, y)); break;
      case 9: {
        const int p = mask(), q = mask();
        masks_.push_back(d_.one_in(3) ? t_.emit(sop::mask_not, p)
                                      : t_.emit(d_.one_in(2) ? sop::mask_or : sop::mask_and, p, q));
        break;
      }
      case 10: {
        if (!masks_.empty() && d_.one_in(4)) {
          integers_.push_back(t_.emit(sop::mask_to_int, mask()));
          break;
        }
        // x where it is a number, else 0: the bits of a NaN would differ between policies
        const int sure = t_.emit(sop::select, t_.emit(sop::equal, x, x), x, t_.literal(0.0f));
        integers_.push_back(d_.one_in(2) ? t_.emit(sop::as_int, sure) : t_.emit(sop::to_int, x));
        break;
      }
      case 11: {
        const int u = integer(), v = integer();
        integers_.push_back(t_.emit(d_.pick(words), u, v));
        break;
      }
      case 12: {
        const int u = integer();
        const int count = d_.below(32);
        integers_.push_back(t_.emit(d_.one_in(2) ? sop::shift_left : sop::shift_right, u, count));
        break;
      }
      default: {
        const int u = integer();
        reals_.push_back(d_.one_in(6) ? t_.emit(sop::pow, x, y)
                                      : t_.emit(d_.one_in(2) ? sop::as_float : sop::to_float, u));
        break;
      }
    }
  }
  choices& d_;
  tape t_;
  int arity_ = 0;
  std::vector<int> reals_, integers_, wides_, masks_;
};
}  // namespace tenon::trial::draw

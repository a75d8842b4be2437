// Epilogues that a tile computes itself, in registers: bias, residual, limits.
//
// A contraction's epilogue is a scalar program over the sums and up to `max_operands` operands. Run
// over memory it costs a load and a store for each sum. Nearly all networks end a contraction with
// the one form of `fused_epilogue`, so binding looks for it in the program's code
// (`read_fused_epilogue`). If the program is that form, tiles apply it to their accumulators just
// before they store them; if it is any other, the interpreter runs it over the stored sums. The
// bits are the same: the form keeps the order of the program's additions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/program.hpp>
#include <limits>

namespace tenon::simd {

/// min(max((sums + bias) + (residual + shift), low), high). `bias`, `residual` and `shift` are
/// numbers of operands of the program, or -1 for none.
struct fused_epilogue {
  bool used = false;
  int bias = -1, residual = -1, shift = -1;
  float low = -std::numeric_limits<float>::infinity(),
        high = std::numeric_limits<float>::infinity();
};

/// What an operand of a program is to the sums. A constant is one number for a whole filter (or
/// column), a residual has the strides of the output.
enum class epilogue_role : std::uint8_t { sums, constant, residual, other };

/// Walks over a program once and notes for each register of it which part of a `fused_epilogue` it
/// holds so far.
struct epilogue_reader {
  struct held {
    /// In the order of the sum's operands: `sum` sorts by it.
    enum class form : std::uint8_t {
      other,
      sums,      ///< the accumulators
      biased,    ///< sums + bias
      constant,  ///< an operand: bias or shift, as it will turn out
      residual,  ///< an operand
      shifted,   ///< residual + shift
      total,     ///< (sums + bias) + (residual + shift), perhaps clamped
      number     ///< a literal: a limit
    };
    form is = form::other;
    fused_epilogue so_far{};
    float number = 0;
  };
  held at[max_registers]{};

  static held of_operand(int k, epilogue_role role) noexcept {
    held h;
    if (role == epilogue_role::sums) h.is = held::form::sums;
    if (role == epilogue_role::constant) h.is = held::form::constant, h.so_far.bias = k;
    if (role == epilogue_role::residual) h.is = held::form::residual, h.so_far.residual = k;
    return h;
  }
  /// Operands may be swapped: addition commutes in every bit but those of a NaN. It does not
  /// associate, so only the one bracketing of `fused_epilogue` is recognized.
  static held sum(const held& a, const held& b) noexcept {
    using form = held::form;
    if (b.is < a.is) return sum(b, a);
    held h;
    h.so_far = a.so_far;
    if (a.is == form::sums && b.is == form::constant) {
      h.is = form::biased;
      h.so_far.bias = b.so_far.bias;
    } else if (a.is == form::constant && b.is == form::residual) {
      h.is = form::shifted;
      h.so_far = {false, -1, b.so_far.residual, a.so_far.bias};
    } else if ((a.is == form::sums || a.is == form::biased) &&
               (b.is == form::residual || b.is == form::shifted)) {
      h.is = form::total;
      h.so_far.residual = b.so_far.residual;
      h.so_far.shift = b.so_far.shift;
    }
    return h;
  }
  static bool is_sum(const held& h) noexcept {
    return h.is == held::form::sums || h.is == held::form::biased || h.is == held::form::total;
  }
  /// `a` clamped by a literal, from above or below. max stands before min in the form: a lower
  /// limit after an upper one, or a second limit on the same side, is another program.
  static held clamped(const held& a, const held& b, bool above) noexcept {
    held h;
    const bool free = a.so_far.high == std::numeric_limits<float>::infinity() &&
                      (above || a.so_far.low == -std::numeric_limits<float>::infinity());
    if (!is_sum(a) || !free || b.is != held::form::number || b.number != b.number) return h;
    h.is = held::form::total;
    h.so_far = a.so_far;
    (above ? h.so_far.high : h.so_far.low) = b.number;
    return h;
  }
  void read(instruction x, const epilogue_role* roles) noexcept {
    held& to = at[x.dst()];
    if (x.op() == sop::arg && x.type() == type::float32)
      to = of_operand(x.a(), roles[x.a()]);
    else if (x.op() == sop::literal)
      to = {held::form::number, {}, x.real()};
    else if (x.op() == sop::add)
      to = sum(at[x.a()], at[x.b()]);
    else if (x.op() == sop::max || x.op() == sop::min)
      to = clamped(at[x.a()], at[x.b()], x.op() == sop::min);
    else
      to = {};
  }
};
/// The fused epilogue that program `p` is; `used` is false if it is none.
inline fused_epilogue read_fused_epilogue(program_view p, const epilogue_role* roles) noexcept {
  epilogue_reader reader;
  if (p.size == 0) return {};
  for (int i = 0; i < p.size; ++i) reader.read(p.code[i], roles);
  const epilogue_reader::held& result = reader.at[p.code[p.size - 1].dst()];
  if (!epilogue_reader::is_sum(result)) return {};
  fused_epilogue e = result.so_far;
  e.used = true;
  return e;
}

/// A fused epilogue with its operands' addresses, for one tile. There always is a bias: where the
/// program has none it is -0, and x + -0 is x for every x, 0 and -0 included.
struct tile_epilogue {
  bool used = false;
  const float* bias = nullptr;      ///< one for each column; for each row where rows are filters
  const float* residual = nullptr;  ///< only where rows are filters
  i64 residual_row = 0;             ///< elements from a row's residual to the next
  const float* shift = nullptr;     ///< one for each row
  float low = 0, high = 0;
};
[[gnu::always_inline]] inline real clamped(real x, real low, real high) noexcept {
  return min_with_number(max_with_number(x, low), high);
}
/// Copies `n` constants of an operand, or as many -0 if there is no operand: tiles load them as
/// whole registers, whatever the operand's stride.
inline void copy_constants(const float* from, i64 step, i64 n, float* to) noexcept {
  for (i64 i = 0; i < n; ++i) to[i] = from == nullptr ? -0.0f : from[i * step];
}

}  // namespace tenon::simd

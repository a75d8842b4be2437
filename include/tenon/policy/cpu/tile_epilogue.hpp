// Epilogues that a tile computes itself, in registers: bias, residual, bounds.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/program.hpp>
#include <limits>

namespace tenon::simd {

/// min(max((sums + bias) + (residual + shift), low), high), whose operands are numbers of operands
/// of the program or -1. Every network's convolutions end so; other programs run over the sums in
/// memory.
struct closing {
  bool used = false;
  int bias = -1, residual = -1, shift = -1;
  float low = -std::numeric_limits<float>::infinity(),
        high = std::numeric_limits<float>::infinity();
};

/// What an operand of a program is to the sums.
enum class epilogue_role : std::uint8_t { sums, constant, residual, other };

/// Reads a program as a closing, following what each register holds.
struct closing_reader {
  struct held {
    enum class form : std::uint8_t {
      other,
      sums,
      biased,
      constant,
      residual,
      shifted,
      total,
      number
    };
    form is = form::other;
    closing so_far{};
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
  /// Addition commutes in every bit but those of a NaN; it does not associate.
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
  static held bounded(const held& a, const held& b, bool above) noexcept {
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
      to = bounded(at[x.a()], at[x.b()], x.op() == sop::min);
    else
      to = {};
  }
};
/// The closing that `p` is; not used if it is none.
inline closing read_closing(program_view p, const epilogue_role* roles) noexcept {
  closing_reader r;
  if (p.size == 0) return {};
  for (int i = 0; i < p.size; ++i) r.read(p.code[i], roles);
  const closing_reader::held& result = r.at[p.code[p.size - 1].dst()];
  if (!closing_reader::is_sum(result)) return {};
  closing c = result.so_far;
  c.used = true;
  return c;
}

/// A closing with its operands' addresses, for one tile. Adding -0 changes nothing, so there always
/// is a bias.
struct tile_closing {
  bool used = false;
  const float* bias = nullptr;      ///< of a tile's vectors, or of its rows where those are filters
  const float* residual = nullptr;  ///< only where rows are filters
  i64 residual_row = 0;
  const float* shift = nullptr;  ///< of the rows
  float low = 0, high = 0;
};
[[gnu::always_inline]] inline real bounded(real x, real low, real high) noexcept {
  return min_with_number(max_with_number(x, low), high);
}
/// Copies `n` constants into whole registers, or what changes nothing.
inline void copy_constants(const float* from, i64 step, i64 n, float* to) noexcept {
  for (i64 i = 0; i < n; ++i) to[i] = from == nullptr ? -0.0f : from[i * step];
}

}  // namespace tenon::simd

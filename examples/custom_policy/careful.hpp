// A policy from outside the library: `careful` computes in double precision and counts what it
// does. It runs two families; what it cannot run goes to the next policy of the model. Copy this
// file to begin a policy of your own: every member that the library asks for is marked `required`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/policy.hpp>
#include <cmath>

namespace careful_kernels {
namespace tn = tenon;

/// True if the program only computes with float32 and masks: no other types, no bits.
constexpr bool is_real(tn::program_view p) {
  for (int i = 0; i < p.size; ++i) {
    const tn::sop o = p.code[i].op();
    const tn::slot_kind l = slot_kind_of(p.code[i]);
    const bool other = o == tn::sop::to_float || o == tn::sop::as_float || o == tn::sop::to_half;
    if (other || is_rare(o) || (l != tn::slot_kind::real && l != tn::slot_kind::mask)) return false;
  }
  return true;
}

/// NaN wins, as WebNN wants it; of two zeros the first.
inline double smaller(double a, double b) { return b < a || std::isnan(b) ? b : a; }
inline double larger(double a, double b) { return b > a || std::isnan(b) ? b : a; }

/// One instruction; masks are 1 and 0.
inline double step(tn::instruction i, const double* r, const double* arguments) {
  using tn::sop;
  const double a = r[i.a()], b = r[i.b()], c = r[i.c()];
  switch (i.op()) {
    case sop::arg: return arguments[i.a()];
    case sop::literal: return static_cast<double>(i.real());
    case sop::add: return a + b;
    case sop::sub: return a - b;
    case sop::mul: return a * b;
    case sop::div: return a / b;
    case sop::fma: return std::fma(a, b, c);
    case sop::neg: return -a;
    case sop::abs: return std::abs(a);
    case sop::min: return smaller(a, b);
    case sop::max: return larger(a, b);
    case sop::sqrt: return std::sqrt(a);
    case sop::floor: return std::floor(a);
    case sop::round_even: return std::nearbyint(a);
    case sop::less: return a < b;
    case sop::less_equal: return a <= b;
    case sop::equal: return a == b;
    case sop::mask_and: return a * b;
    case sop::mask_or: return a + b > 0;
    case sop::mask_not: return 1 - a;
    case sop::select: return a > 0 ? b : c;
    case sop::exp: return std::exp(a);
    case sop::log: return std::log(a);
    case sop::tanh: return std::tanh(a);
    case sop::erf: return std::erf(a);
    case sop::sigmoid: return 1 / (1 + std::exp(-a));
    case sop::sin: return std::sin(a);
    case sop::cos: return std::cos(a);
    case sop::tan: return std::tan(a);
    case sop::log1p: return std::log1p(a);
    case sop::expm1: return std::expm1(a);
    case sop::erfc: return std::erfc(a);
    case sop::pow: return std::pow(a, b);
    default: return 0;  // not is_real
  }
}
inline double value(tn::program_view p, const double* arguments) {
  double r[256]{};
  for (int i = 0; i < p.size; ++i) r[p.code[i].dst()] = step(p.code[i], r, arguments);
  return r[p.code[p.size - 1].dst()];
}

/// The next position in row-major order; false after the last.
inline bool next(const tn::shape& s, tn::i64* at) {
  for (int i = s.rank - 1; i >= 0; at[i--] = 0)
    if (++at[i] < s[i]) return true;
  return false;
}
/// The same over those axes of a contraction that are reduced, or those that are not.
inline bool next(const tn::contraction& c, bool reduced, tn::i64* at) {
  for (int i = c.axes - 1; i >= 0; --i) {
    if (c.axis[i].reduced != reduced) continue;
    if (++at[i] < c.axis[i].extent) return true;
    at[i] = 0;
  }
  return false;
}

/// An operand: dense, because this policy does not fuse.
struct operand {
  const float* data;
  tn::strides step;  ///< with which it is read at the positions of the result: 0 where it repeats
};

inline void map(tn::program_view p, const tn::shape& space, const operand* in, int operands,
                float* out) {
  tn::i64 at[tn::max_rank]{}, i = 0;
  do {
    double arguments[tn::max_operands]{};
    for (int k = 0; k < operands; ++k) {
      tn::i64 offset = 0;
      for (int axis = 0; axis < space.rank; ++axis) offset += at[axis] * in[k].step[axis];
      arguments[k] = static_cast<double>(in[k].data[offset]);
    }
    out[i++] = static_cast<float>(value(p, arguments));
  } while (next(space, at));
}

/// One product of a contraction; zero in the padding of a window.
inline double product(const tn::contraction& c, const tn::i64* at, const float* a, const float* b) {
  tn::i64 of_a = 0, of_b = 0;
  for (int i = 0; i < c.axes; ++i) {
    of_a += at[i] * c.axis[i].a;
    of_b += at[i] * c.axis[i].b;
  }
  bool inside = true;
  for (int s = 0; s < c.sweeps; ++s) {
    const tn::sweep& w = c.swept[s];
    const tn::i64 position = at[w.out_axis] * w.stride + at[w.tap_axis] * w.dilation - w.begin;
    inside = inside && position >= 0 && position < w.extent;
    of_a += position * w.step;
  }
  return (inside ? static_cast<double>(a[of_a]) : 0.0) * static_cast<double>(b[of_b]);
}
inline void contract(const tn::contraction& c, const float* a, const float* b, float* out) {
  tn::i64 at[tn::contraction::max_axes]{};
  do {
    double sum = 0;
    do sum += product(c, at, a, b);
    while (next(c, true, at));
    tn::i64 offset = 0;
    for (int i = 0; i < c.axes; ++i) offset += at[i] * c.axis[i].out;
    out[offset] = static_cast<float>(sum);
  } while (next(c, false, at));
}

/// Numbers that a contraction multiplies.
inline tn::i64 multiplications(const tn::contraction& c) {
  tn::i64 n = 1;
  for (int i = 0; i < c.axes; ++i) n *= c.axis[i].extent;
  return n;
}

}  // namespace careful_kernels

/// Maps and contractions, accumulated in double precision and rounded once for each element.
struct careful {
  /// For people: in plans and errors.
  static constexpr const char* name = "careful";  // required
  /// Where its kernels read and write: here in the caller's own memory.
  static constexpr tenon::sharing memory = tenon::sharing::same;  // required
  /// Whether `run` can be given groups of several nodes. With false each node comes alone and all
  /// its operands are dense.
  static constexpr bool fuses = false;  // required

  /// Whether this node can run here; what cannot goes to the next policy. Asked by the planner, so
  /// it is a constant expression.
  static constexpr bool supports(const tenon::table_view& t, const tenon::node& n) {  // required
    if (!tenon::is_float32(t, n)) return false;
    if (n.kind == tenon::family::map) return careful_kernels::is_real(t.program_of(n));
    return n.kind == tenon::family::contract;
  }
  /// Memory that a group wants beside its operands: packed weights, scratch. Here none.
  static constexpr tenon::footprint measure(const tenon::plan_view&, int) {  // required
    return {};
  }

  /// The compiled form of a scalar program. Here the program itself, to be interpreted; a policy
  /// may also offer `constant<program>()`, a kernel of its own for a program that the compiler
  /// knows.
  using function = tenon::program_view;                                      // required
  static function interpreted(tenon::program_view p) noexcept { return p; }  // required

  /// What `bind` remembers of a group until it runs. Trivially copyable; the plan outlives it.
  struct work {  // required
    const tenon::plan_view* plan = nullptr;
    int node = -1;
    function program{};
  };
  /// Called once for each group of this policy, when the model is bound.
  static void bind(const tenon::binding<function>& b, work& w) noexcept {  // required
    const int id = b.plan->groups[b.group].anchor;
    const tenon::node& n = b.plan->table.nodes[id];
    w = {b.plan, id, n.kind == tenon::family::map ? b.functions[n.detail] : function{}};
  }
  /// Called for each group at every inference.
  static void run(const work& w, const tenon::frame& f) noexcept {  // required
    const tenon::plan_view& p = *w.plan;
    const tenon::node& n = p.table.nodes[w.node];
    careful_kernels::operand in[tenon::max_operands];
    for (int k = 0; k < n.operands; ++k) {
      const tenon::plans::location& v =
          p.locations[n.in[k]];  // a reshape has the address of what it reshapes
      in[k].data = f.at<const float>(v.holder, v.offset);
      in[k].step = tenon::plans::broadcast(v, p.table.nodes[n.in[k]].out.shape, n.out.shape);
    }
    const tenon::plans::location& own =
        p.locations[w.node];  // a concat may have given it a place in its own
    float* const out = f.at<float>(own.holder, own.offset);
    if (n.kind == tenon::family::map) {
      careful_kernels::map(w.program, n.out.shape, in, n.operands, out);
      elements_mapped += n.out.shape.count();
    } else {
      const tenon::contraction& c = p.table.contraction_of(n);
      careful_kernels::contract(c, in[0].data, in[1].data, out);
      products_summed += careful_kernels::multiplications(c);
    }
  }

  /// What this policy is for: how much it did, on this thread.
  static inline thread_local tenon::i64 elements_mapped = 0, products_summed = 0;
};
static_assert(tenon::backend<careful>);  // else the compiler names the part that is missing

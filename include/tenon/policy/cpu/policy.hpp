// The policy `cpu`: SIMD kernels on the host's processor.
//
// `measure` says at planning how much memory a group needs, `bind` makes its plan, packs its
// weights and picks its kernel, `run` is one call through a pointer. Which header has which family:
//
//   map, map + reductions of rows   rows.hpp; programs in program.hpp and those that it names
//   reduction                       reduce.hpp; gather.hpp for positions; reduce_integers.hpp
//   contraction                     contract.hpp, depthwise.hpp, dot.hpp (multiplies integers)
//   window (pooling)                window.hpp; reduce_integers.hpp
//   move, gather, scatter           move.hpp, gather.hpp, scatter.hpp
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_limits.hpp>
#include <tenon/policy/cpu/depthwise.hpp>
#include <tenon/policy/cpu/dot.hpp>
#include <tenon/policy/cpu/gather.hpp>
#include <tenon/policy/cpu/move.hpp>
#include <tenon/policy/cpu/program_known.hpp>
#include <tenon/policy/cpu/program_wide.hpp>
#include <tenon/policy/cpu/reduce.hpp>
#include <tenon/policy/cpu/reduce_integers.hpp>
#include <tenon/policy/cpu/rows.hpp>
#include <tenon/policy/cpu/scatter.hpp>
#include <tenon/policy/cpu/window.hpp>

namespace tenon {

/// Runs every family with the widest SIMD the translation unit is compiled for. Fuses; packs
/// weights at binding; results do not depend on the number of threads, nor on whether a program is
/// a constant. Error against `reference`: none for contractions and element-wise programs on
/// targets with fma; reductions use the same tree.
struct cpu {
  static constexpr const char* name = "cpu";
  static constexpr sharing memory = sharing::same;
  static constexpr bool fuses = true;
  static constexpr bool multiplies_integers = true;
  /// Without fma products are rounded twice; see `differential`.
  static constexpr double rounding = simd::has_fma ? 0 : 0x1p-24;

  /// Every family in every type that it has; offsets fit into 31 bits.
  static constexpr bool supports(const table_view& t, const node& n) {
    constexpr i64 limit = i64{1} << 29;
    for (int k = 0; k < n.operands; ++k)
      if (t.nodes[n.in[k]].out.shape.count() > limit) return false;
    if (n.kind == family::window && !simd::takes_window(t.windowing_of(n), n.out.shape))
      return false;
    return n.out.shape.count() <= limit && has_family_types(t, n);
  }
  /// With limits on extents a contraction reserves what any extents below them need.
  static constexpr footprint measure(const plan_view& p, int g) {
    if (simd::is_integer(p, g)) return simd::measure_integers();
    switch (p.groups[g].kind) {
      case family::map: return simd::measure_rows(p, g);
      case family::reduce: return simd::measure_reduce();
      case family::gather: return writes(p, g) ? simd::measure_scatter() : simd::measure_gather();
      case family::contract:
        if (p.has_limits()) return simd::most_for_contract(p, g);
        if (simd::is_depthwise(p, g)) return simd::plan_depthwise(p, g).need;
        if (offers_integers(p.anchor_of(g)))
          return simd::either(simd::plan_contract(p, g).need, simd::plan_dot(p, g).need);
        return simd::plan_contract(p, g).need;
      case family::window: return simd::measure_window(p, g);
      default: return simd::measure_move();
    }
  }

  using function = simd::function;
  /// The function of a program given at run time: one of the known constants, or the interpreter.
  template <class = void> static function interpreted(program_view p) noexcept;
  /// The function of a constant program.
  template <auto Program> static function constant() noexcept {
    constexpr i64 bytes = size_bytes(result_type({Program.code, Program.size}));
    if constexpr (is_copy({Program.code, Program.size}))
      return {nullptr, {}, bytes};
    else if constexpr (simd::is_rare({Program.code, Program.size}))
      return {&simd::run_rare<>, {Program.code, Program.size}, bytes};
    else if constexpr (simd::is_widening({Program.code, Program.size}))
      return {&simd::run_inlined<Program>, {}, bytes, &simd::dots<>};
    else
      return {&simd::run_inlined<Program>, {}, bytes};
  }

  /// A kernel, and what binding made for it.
  struct work {
    void (*run)(const void*, const frame&) noexcept = nullptr;
    const void* bound = nullptr;
    multiplied how = multiplied::nothing;
  };
  static multiplied multiplication(const work& w) noexcept { return w.how; }
  template <class = void> static void bind(const binding<function>& b, work& w) noexcept;
  static void run(const work& w, const frame& f) noexcept { w.run(w.bound, f); }

 private:
  /// True for scatters, which are gathers that write.
  static constexpr bool writes(const plan_view& p, int g) {
    return p.table.gathering_of(p.anchor_of(g)).writes;
  }
  /// Integers are multiplied as integers where that was offered and the weights allow it.
  static work bind_contraction(const binding<function>& b, const node& anchor) noexcept {
    const multiplied how = judge(b, b.group);
    if (how == multiplied::integers) {
      const simd::dot_kernels* dots = kernels_of(b, anchor);
      return {dots->run, dots->bind(b), how};
    }
    work w = simd::is_depthwise(*b.plan, b.group)
                 ? bound<simd::depthwise_work, simd::run_depthwise>(simd::bind_depthwise(b))
                 : bound<simd::contract_work, simd::run_contract>(simd::bind_contract(b));
    w.how = how;
    return w;
  }
  static const simd::dot_kernels* kernels_of(const binding<function>& b,
                                             const node& contraction) noexcept {
    return b.functions[b.plan->table.nodes[contraction.in[0]].detail].dots;
  }
  /// How group `g` multiplies the integers that it is offered.
  static multiplied judge(const binding<function>& b, int g) noexcept {
    const node& n = b.plan->anchor_of(g);
    return offers_integers(n) ? kernels_of(b, n)->judge(*b.plan, g, b.weights)
                              : multiplied::nothing;
  }
  /// True for what dequantizes numbers that nobody reads: their integers are multiplied instead.
  static bool stays_out(const binding<function>& b) noexcept {
    const node& n = b.plan->anchor_of(b.group);
    return n.kind == family::map && b.functions[n.detail].dots != nullptr &&
           plans::is_left_out(*b.plan, b.group, [&](int g) { return judge(b, g); });
  }
  /// A program that hands on operand 0.
  static constexpr bool is_copy(program_view p) {
    return p.size == 1 && p.code[0].op() == sop::arg && p.code[0].a() == 0;
  }
  /// A kernel with what was bound for it.
  template <class Bound, void (*Kernel)(const Bound&, const frame&) noexcept>
  static work bound(const Bound* data) noexcept {
    return {
        [](const void* p, const frame& f) noexcept { Kernel(*static_cast<const Bound*>(p), f); },
        data};
  }
};

// Not inline: tenon/compiled.hpp can then leave these, and all kernels behind them, to one source.
template <class> cpu::function cpu::interpreted(program_view p) noexcept {
  const i64 bytes = size_bytes(result_type(p));
  if (is_copy(p)) return {nullptr, {}, bytes};
  if (simd::is_rare(p)) return {&simd::run_rare<>, p, bytes};
  if (simd::is_widening(p)) return {&simd::run_interpreted<>, p, bytes, &simd::dots<>};
  if (const auto run = simd::find_known_program(p)) return {run, p, bytes};
  return {&simd::run_interpreted<>, p, bytes};
}
template <class> void cpu::bind(const binding<function>& b, work& w) noexcept {
  const node& anchor = b.plan->anchor_of(b.group);
  if (simd::is_integer(*b.plan, b.group)) {
    w = bound<simd::integer_plan, simd::run_integers>(simd::bind_integers(b));
    return;
  }
  switch (b.plan->groups[b.group].kind) {
    case family::map:
      if (stays_out(b))
        w = {[](const void*, const frame&) noexcept {}, nullptr};
      else
        w = bound<simd::row_plan, simd::run_rows>(simd::bind_rows(b));
      return;
    case family::reduce:
      if (gives_position(b.plan->table.reduction_of(anchor).how))
        w = bound<simd::position_plan, simd::run_position>(simd::bind_position(b));
      else
        w = bound<simd::reduce_plan, simd::run_reduce>(simd::bind_reduce(b));
      return;
    case family::gather:
      if (writes(*b.plan, b.group))
        w = bound<simd::scatter_plan, simd::run_scatter>(simd::bind_scatter(b));
      else
        w = bound<simd::gather_plan, simd::run_gather>(simd::bind_gather(b));
      return;
    case family::contract: w = bind_contraction(b, anchor); return;
    case family::window:
      w = bound<simd::window_plan, simd::run_window>(simd::bind_window(b));
      return;
    default: w = bound<simd::move_work, simd::run_move>(simd::bind_move(b)); return;
  }
}

static_assert(backend<cpu>);  // templates: who only includes this header compiles no kernels

}  // namespace tenon

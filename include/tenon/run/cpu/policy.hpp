// The policy `cpu`: SIMD kernels on the host's processor.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/depthwise.hpp>
#include <tenon/run/cpu/fold.hpp>
#include <tenon/run/cpu/known.hpp>
#include <tenon/run/cpu/move.hpp>
#include <tenon/run/cpu/window.hpp>

namespace tenon {

/// Runs every family with the widest SIMD the translation unit is compiled for. Fuses; packs weights
/// at binding; results do not depend on the number of threads, nor on whether a program is a constant.
/// Error against `reference`: none for contractions and element-wise programs on targets with fma;
/// reductions use the same tree.
struct cpu {
  static constexpr const char* name = "cpu";
  static constexpr sharing memory = sharing::same;
  static constexpr bool fuses = true;

  /// Everything in float32 whose offsets fit into 31 bits.
  static constexpr bool supports(const table_view& t, const node& n) {
    constexpr i64 limit = i64{1} << 29;
    for (int k = 0; k < n.operands; ++k)
      if (t.nodes[n.in[k]].out.type != type::float32 || t.nodes[n.in[k]].out.shape.count() > limit)
        return false;
    if (n.kind == family::window && !simd::takes_window(t.windowing_of(n), n.out.shape))
      return false;
    return n.out.type == type::float32 && n.out.shape.count() <= limit;
  }
  static constexpr footprint measure(const plan_view& p, int g) {
    switch (p.groups[g].kind) {
      case family::map: return simd::measure_rows(p, g);
      case family::reduce: return {0, 0, 0, static_cast<i64>(sizeof(simd::fold_plan))};
      case family::contract:
        return simd::is_depthwise(p, g) ? simd::plan_depthwise(p, g).need
                                        : simd::plan_contract(p, g).need;
      case family::window: return simd::measure_window(p, g);
      default: return simd::measure_move();
    }
  }

  using function = simd::function;
  /// The function of a program given at run time: one of the known constants, or the interpreter.
  template <class = void> static function interpreted(program_view p) noexcept {
    if (p.size == 1 && p.code[0].op() == sop::arg && p.code[0].a() == 0) return {};
    if (const auto known = simd::find_known_program(p)) return {known, p};
    return {&simd::run_interpreted<>, p};
  }
  /// The function of a constant program.
  template <auto Program> static function constant() noexcept {
    if constexpr (Program.size == 1 && Program.code[0].op() == sop::arg && Program.code[0].a() == 0)
      return {};
    else
      return {&simd::run_inlined<Program>, {}};
  }

  struct work {
    void (*run)(const void*, const frame&) noexcept = nullptr;
    const void* bound = nullptr;
  };
  template <class = void> static void bind(const binding<function>& b, work& w) noexcept {
    switch (b.plan->groups[b.group].kind) {
      case family::map: w = bound<simd::row_plan, simd::run_rows>(simd::bind_rows(b)); return;
      case family::reduce: w = bound<simd::fold_plan, simd::run_fold>(simd::bind_fold(b)); return;
      case family::contract:
        w = simd::is_depthwise(*b.plan, b.group)
                ? bound<simd::depthwise_work, simd::run_depthwise>(simd::bind_depthwise(b))
                : bound<simd::contract_work, simd::run_contract>(simd::bind_contract(b));
        return;
      case family::window:
        w = bound<simd::window_plan, simd::run_window>(simd::bind_window(b));
        return;
      default: w = bound<simd::row_plan, simd::run_rows>(simd::bind_move(b)); return;
    }
  }
  static void run(const work& w, const frame& f) noexcept { w.run(w.bound, f); }

 private:
  /// A kernel with what was bound for it.
  template <class Bound, void (*Kernel)(const Bound&, const frame&) noexcept>
  static work bound(const Bound* data) noexcept {
    return {
        [](const void* p, const frame& f) noexcept { Kernel(*static_cast<const Bound*>(p), f); },
        data};
  }
};
static_assert(backend<cpu>);  // templates: who only includes this header compiles no kernels

}  // namespace tenon

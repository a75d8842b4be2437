// The policy `cpu`: SIMD kernels on the host's processor.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/depthwise.hpp>
#include <tenon/run/cpu/fold.hpp>
#include <tenon/run/cpu/gather.hpp>
#include <tenon/run/cpu/known.hpp>
#include <tenon/run/cpu/most.hpp>
#include <tenon/run/cpu/move.hpp>
#include <tenon/run/cpu/scatter.hpp>
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
  /// Without fma products are rounded twice; see `differential`.
  static constexpr double rounding = simd::has_fma ? 0 : 0x1p-24;

  /// Maps in float32, int32 and uint8, moves and gathers of int64 too, all else in float32; offsets
  /// fit into 31 bits.
  static constexpr bool supports(const table_view& t, const node& n) {
    const bool moves = n.kind == family::move || n.kind == family::gather,
               maps = n.kind == family::map;
    const auto takes = [&](const tensor& x) {
      const bool known = moves  ? computes(x.type) || x.type == type::int64
                         : maps ? computes(x.type)
                                : x.type == type::float32;
      return known && x.shape.count() <= i64{1} << 29;
    };
    for (int k = 0; k < n.operands; ++k)
      if (!takes(t.nodes[n.in[k]].out)) return false;
    if (n.kind == family::window && !simd::takes_window(t.windowing_of(n), n.out.shape))
      return false;
    return takes(n.out) || (n.kind == family::reduce && gives_position(t.reduction_of(n).how));
  }
  static constexpr footprint measure(const plan_view& p, int g) {
    switch (p.groups[g].kind) {
      case family::map: return simd::measure_rows(p, g);
      case family::reduce: return simd::measure_fold();
      case family::gather: return writes(p, g) ? simd::measure_scatter() : simd::measure_gather();
      case family::contract:
        if (p.has_bounds()) return simd::most_for_contract(p, g);
        return simd::is_depthwise(p, g) ? simd::plan_depthwise(p, g).need
                                        : simd::plan_contract(p, g).need;
      case family::window: return simd::measure_window(p, g);
      default: return simd::measure_move();
    }
  }

  using function = simd::function;
  /// The function of a program given at run time: one of the known constants, or the interpreter.
  template <class = void> static function interpreted(program_view p) noexcept {
    if (is_copy(p)) return {};
    const i64 bytes = size_bytes(result_type(p));
    if (const auto known = simd::find_known_program(p)) return {known, p, bytes};
    return {&simd::run_interpreted<>, p, bytes};
  }
  /// The function of a constant program.
  template <auto Program> static function constant() noexcept {
    if constexpr (is_copy({Program.code, Program.size}))
      return {};
    else
      return {
          &simd::run_inlined<Program>, {}, size_bytes(result_type({Program.code, Program.size}))};
  }

  struct work {
    void (*run)(const void*, const frame&) noexcept = nullptr;
    const void* bound = nullptr;
  };
  template <class = void> static void bind(const binding<function>& b, work& w) noexcept {
    const node& anchor = b.plan->table.nodes[b.plan->groups[b.group].anchor];
    switch (b.plan->groups[b.group].kind) {
      case family::map: w = bound<simd::row_plan, simd::run_rows>(simd::bind_rows(b)); return;
      case family::reduce:
        if (gives_position(b.plan->table.reduction_of(anchor).how))
          w = bound<simd::position_plan, simd::run_position>(simd::bind_position(b));
        else
          w = bound<simd::fold_plan, simd::run_fold>(simd::bind_fold(b));
        return;
      case family::gather:
        if (writes(*b.plan, b.group))
          w = bound<simd::scatter_plan, simd::run_scatter>(simd::bind_scatter(b));
        else
          w = bound<simd::gather_plan, simd::run_gather>(simd::bind_gather(b));
        return;
      case family::contract:
        w = simd::is_depthwise(*b.plan, b.group)
                ? bound<simd::depthwise_work, simd::run_depthwise>(simd::bind_depthwise(b))
                : bound<simd::contract_work, simd::run_contract>(simd::bind_contract(b));
        return;
      case family::window:
        w = bound<simd::window_plan, simd::run_window>(simd::bind_window(b));
        return;
      default: w = bound<simd::move_work, simd::run_move>(simd::bind_move(b)); return;
    }
  }
  static void run(const work& w, const frame& f) noexcept { w.run(w.bound, f); }

 private:
  static constexpr bool writes(const plan_view& p, int g) {
    return p.table.gathering_of(p.table.nodes[p.groups[g].anchor]).writes;
  }
  /// A program that hands on operand 0, four bytes an element.
  static constexpr bool is_copy(program_view p) {
    return p.size == 1 && p.code[0].op() == sop::arg && p.code[0].a() == 0 &&
           size_bytes(p.code[0].type()) == 4;
  }
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

// The policy `reference`: one node after the other with the defining loops.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/policy.hpp>
#include <tenon/policy/reference/kernels.hpp>

namespace tenon {

/// Defines every result. Runs every family in every type, fuses nothing, needs no packed weights,
/// no heap and no libraries; its kernels are the ones that `evaluate` runs in constant expressions.
struct reference {
  static constexpr const char* name = "reference";
  static constexpr sharing memory = sharing::same;
  static constexpr bool fuses = false;
  static constexpr double rounding = 0;
  static constexpr bool supports(const table_view& t, const node& n) {
    return has_family_types(t, n);
  }
  static constexpr footprint measure(const plan_view&, int) { return {}; }

  struct function {};
  static function interpreted(program_view) noexcept { return {}; }

  struct work {
    const plan_view* plan = nullptr;
    int node = -1;
  };
  static void bind(const binding<function>& b, work& w) noexcept {
    w = {b.plan, b.plan->groups[b.group].anchor};
  }
  template <class = void> static void run(const work& w, const frame& f) noexcept;
};

// Not inline: see tenon/compiled.hpp.
template <class> void reference::run(const work& w, const frame& f) noexcept {
  const plan_view& p = *w.plan;
  const node& n = p.table.nodes[w.node];
  reference_kernels::operand in[max_operands];
  for (int k = 0; k < n.operands; ++k) {
    const plans::location& v = p.locations[n.in[k]];
    const tensor& t = p.table.nodes[n.in[k]].out;
    in[k] = {reference_kernels::source_at(f.base[v.holder], t.type) + v.offset, v, t.shape};
  }
  const plans::location& out = p.locations[w.node];
  reference_kernels::run_node(
      p.table, n, in,
      reference_kernels::target_at(f.at<std::byte>(out.holder), n.out.type) + out.offset);
}

static_assert(backend<reference>);

}  // namespace tenon

// Contractions of dequantized numbers are offered the integers behind them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/quantized_maps.hpp>

namespace tenon::plans {

/// Gives contractions of dequantized numbers a third operand, for policies that multiply integers:
/// the integers behind the first operand. The result stays what the first two operands define.
/// The second operand must be dequantized from weights, and all scales and zero points must be
/// weights: only their values say whether sums of integers have the same bits, so binding decides
/// whether the offer is taken.
class integer_offers {
 public:
  constexpr integer_offers(table_view t, list<policy_facts> policies)
      : t_(t), policies_(policies) {}
  /// The node of the integers, or -1.
  constexpr int of(const node& n) const {
    if (n.kind != family::contract || n.operands != 2 || n.whole >= 0) return -1;
    const int policy = n.policy < 0 ? 0 : n.policy;
    if (policy >= policies_.size || !policies_[policy].multiplies_integers) return -1;
    if (!dequantized(n.in[0]) || !dequantized(n.in[1])) return -1;
    const node &a = t_.nodes[n.in[0]], &b = t_.nodes[n.in[1]];
    const bool one_scale = t_.nodes[a.in[1]].out.shape.count() == 1;
    return one_scale && is_weight(b.in[0]) && is_worth_it(t_.contraction_of(n), b) ? a.in[0] : -1;
  }

 private:
  table_view t_;
  list<policy_facts> policies_;

  constexpr bool is_weight(int id) const {
    while (t_.nodes[id].kind == family::move && t_.movement_of(t_.nodes[id]).reshapes())
      id = t_.nodes[id].in[0];
    return t_.nodes[id].kind == family::weight;
  }
  constexpr bool dequantized(int id) const {
    const node& n = t_.nodes[id];
    if (n.kind != family::map || n.whole >= 0 || !(t_.nodes[n.in[0]].out.shape == n.out.shape))
      return false;
    const range r = t_.programs[n.detail];
    return widens_bytes({t_.code.data + r.begin, r.size}) && is_weight(n.in[1]) &&
           is_weight(n.in[2]) && n.in[0] != n.in[2];
  }
  /// Fewer terms than this are not worth the packing: integers are multiplied four to a word.
  static constexpr i64 least_terms = 3;
  /// True if all terms of a sum have the same scale, and the sums run over just one axis besides
  /// the taps of a window: the axis that is packed into words.
  constexpr bool is_worth_it(const contraction& c, const node& b) const {
    const strides scale = broadcast(t_.nodes[b.in[1]].out.shape, b.out.shape);
    int axes = 0;
    for (int i = 0; i < c.axes; ++i) {
      const contraction::loop& l = c.axis[i];
      if (!l.reduced || l.extent == 1) continue;
      for (int k = 0; k < b.out.shape.rank; ++k)
        if (scale[k] != 0 && l.b == dense(b.out.shape)[k] && b.out.shape[k] > 1) return false;
      bool tap = false;
      for (int s = 0; s < c.sweeps; ++s) tap = tap || c.swept[s].tap_axis == i;
      if (tap) continue;
      if (l.extent < least_terms) return false;
      ++axes;
    }
    return axes == 1;
  }
};
/// Adds these operands to a table. Graphs with limits have none.
constexpr void offer_integers(table& r, list<policy_facts> policies) {
  const table_view t = r.view();
  if (t.limits.size > 0 || !dequantizes(t)) return;
  const integer_offers offers(t, policies);
  for (node& n : r.nodes)
    if (const int integers = offers.of(n); integers >= 0) n.in[n.operands++] = integers;
}

}  // namespace tenon::plans

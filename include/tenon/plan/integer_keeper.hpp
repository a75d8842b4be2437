// Integers stay integers between dequantizeLinear and quantizeLinear of one scale and zero point,
// where what is between them only moves numbers or orders them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/recorder.hpp>
#include <tenon/plan/quantized_maps.hpp>

namespace tenon::plans {

/// Finds chains from dequantizeLinear to quantizeLinear that only move or order numbers, and
/// rewrites them to integers. Reads the table, the uses and the whole regions; decides which nodes
/// hold integers (`keeps_integers`). Afterwards every result has the bits that it had before.
///
/// Why: a number x of 8 bits comes back from `y = (x - zero) * scale` by `round(y / scale) + zero`.
/// The product and the quotient of float32 are off by 2^-15 at most where the difference is an
/// integer below 256, so rounding gives x back. That holds for positive scales with which the
/// numbers do not overflow (WebNN leaves other scales to the implementation). Quantizing keeps the
/// order of numbers, so a minimum or maximum gives the same before it and after it. Literals in
/// such a program are quantized once.
class integer_keeper {
 public:
  constexpr integer_keeper(table_view t, const sequence<int>& uses, const sequence<int>& whole)
      : t_(t), uses_(uses), whole_(whole) {
    for (int i = 0; i < t.programs.size; ++i) roles_.push(role_of(i));
  }
  /// The table with what can be kept in integers; `origin` is a node's number in the
  /// old table. Nodes are added only to graphs without limits.
  constexpr table rewrite() {
    sequence<int> kept(t_.nodes.size, -1);
    for (int i = 0; i < t_.nodes.size; ++i) {
      sequence<int> chain;
      if (!narrows(i) || !collect(t_.nodes[i].in[0], t_.nodes[i], chain)) continue;
      kept[i] = i;
      for (const int c : chain) kept[c] = i;
    }
    table r = copy_of(t_);
    r.nodes.clear();
    to_.resize(t_.nodes.size);
    for (int i = 0; i < t_.nodes.size; ++i) {
      const node& n = t_.nodes[i];
      if (kept[i] == i)
        to_[i] = value(n.in[0]);
      else
        to_[i] = kept[i] < 0 ? push(r, n, i) : push_integer(r, n, i, t_.nodes[kept[i]]);
    }
    for (int& i : r.inputs) i = to_[i];
    for (int& i : r.weights) i = to_[i];
    for (int& i : r.outputs) i = to_[i];
    return r;
  }

 private:
  /// What a program does, as far as it matters here.
  enum class role : std::uint8_t { other, widens, narrows, orders };
  table_view t_;
  const sequence<int>& uses_;
  const sequence<int>& whole_;
  sequence<role> roles_;
  sequence<int> to_;

  constexpr program_view program(int detail) const {
    const range r = t_.programs[detail];
    return {t_.code.data + r.begin, r.size};
  }
  constexpr role role_of(int detail) const {
    const program_view p = program(detail);
    return widens_bytes(p)       ? role::widens
           : narrows_to_bytes(p) ? role::narrows
           : orders(p)           ? role::orders
                                 : role::other;
  }
  /// Minima and maxima of float32 operands and numbers.
  static constexpr bool orders(program_view p) {
    for (int i = 0; i < p.size; ++i) {
      const instruction x = p.code[i];
      const bool number = x.op() == sop::literal && x.real() == x.real();
      const bool operand = x.op() == sop::arg && x.type() == type::float32;
      if (!number && !operand && x.op() != sop::min && x.op() != sop::max) return false;
    }
    return sources_of(p.code[p.size - 1].op()) == 2;
  }
  static constexpr int numbers_in(program_view p) {
    int n = 0;
    for (int i = 0; i < p.size; ++i) n += p.code[i].is_literal();
    return n;
  }
  constexpr bool has(int id, role r) const {
    const node& n = t_.nodes[id];
    return n.kind == family::map && roles_[n.detail] == r;
  }
  constexpr bool narrows(int id) const {
    return has(id, role::narrows) && uses_[id] > 0 && whole_[id] < 0 && keeps_shape(id);
  }
  /// True if broadcasting with scale and zero point leaves the first operand's shape as it is.
  constexpr bool keeps_shape(int id) const {
    const node& n = t_.nodes[id];
    return t_.nodes[n.in[0]].out.shape == n.out.shape;
  }
  /// The node in front of a chain of reshapes that ends with `id`.
  constexpr int behind(int id) const {
    while (t_.nodes[id].kind == family::move && t_.movement_of(t_.nodes[id]).reshapes())
      id = t_.nodes[id].in[0];
    return id;
  }
  constexpr bool one_number(const node& last) const {
    return t_.nodes[last.in[1]].out.shape.count() == 1;
  }
  /// True if node `id` dequantizes with the scale and the zero point of `last`, the node that
  /// quantizes again. A single scale may come through other reshapes of the same weight.
  constexpr bool widens(int id, const node& last) const {
    if (!has(id, role::widens) || !keeps_shape(id)) return false;
    const node& n = t_.nodes[id];
    if (n.in[1] == last.in[1] && n.in[2] == last.in[2]) return true;
    return one_number(last) && behind(n.in[1]) == behind(last.in[1]) &&
           behind(n.in[2]) == behind(last.in[2]);
  }
  /// Collects the nodes from `id`, which `last` quantizes, back to the nodes that dequantize. False
  /// if one of them cannot run on integers, or has other readers, which need the float32 numbers.
  constexpr bool collect(int id, const node& last, sequence<int>& chain) const {
    chain.push(id);
    for (int k = 0; k < chain.size(); ++k) {
      const int at = chain[k];
      if (widens(at, last)) continue;
      const node& n = t_.nodes[at];
      if (uses_[at] != 1 || whole_[at] >= 0 || n.policy != last.policy || !carries(n, last))
        return false;
      for (int j = 0; j < n.operands; ++j)
        if (carried(n, j) && (j == 0 || n.in[j] != n.in[j - 1])) chain.push(n.in[j]);
    }
    int left = 0;
    for (const int at : chain)
      if (!widens(at, last)) chain[left++] = at;
    chain.resize(left);
    return true;
  }
  /// Operands that are numbers: not the indices of a gather.
  static constexpr bool carried(const node& n, int k) { return n.kind != family::gather || k != 1; }
  /// True if every result of `n` is an element of an operand, or a minimum or maximum of some.
  constexpr bool carries(const node& n, const node& last) const {
    switch (n.kind) {
      case family::map:
        return roles_[n.detail] == role::orders &&
               n.operands + numbers_in(program(n.detail)) <= max_operands &&
               (t_.limits.size == 0 || numbers_in(program(n.detail)) == 0) &&
               (one_number(last) || n.out.shape == last.out.shape);
      case family::move: return one_number(last) && carries(t_.movement_of(n));
      case family::gather: return one_number(last);
      case family::reduce: {
        // Only with the last axis: along the others alone integers run at 0.44 times the speed of
        // rounding twice.
        const reduction& r = t_.reduction_of(n);
        const int rank = t_.nodes[n.in[0]].out.shape.rank;
        return rank > 0 && one_number(last) && (r.how == combine::max || r.how == combine::min) &&
               r.reduces(rank - 1);
      }
      case family::window: return carries(t_.windowing_of(n), n.out.shape, last);
      default: return false;
    }
  }
  static constexpr bool carries(const movement& m) {
    using form = movement::form;
    if (m.is == form::pad) return m.mode != padding_mode::constant;  // that is no element of x
    if (m.is == form::sample) return m.how != sampling::fraction;
    return m.is == form::affine || m.is == form::reshape || m.is == form::join;
  }
  /// A window that has no element at all gives 0.
  constexpr bool carries(const windowing& w, const shape& out, const node& last) const {
    if (t_.limits.size > 0 || w.average || (w.how != combine::max && w.how != combine::min))
      return false;
    const tensor& scale = t_.nodes[last.in[1]].out;
    for (const sweep& s : w.swept) {
      if (!always_inside(s, out[s.out_axis])) return false;
      if (scale.shape.count() != 1 && (!(out == last.out.shape) || scale.shape[s.out_axis] != 1))
        return false;
    }
    return true;
  }

  /// The node of the new table that holds the integers of node `id`.
  constexpr int value(int id) const {
    return has(id, role::widens) ? to_[t_.nodes[id].in[0]] : to_[id];
  }
  constexpr int push(table& r, node n, int at) const {
    n.origin = at;
    for (int k = 0; k < n.operands; ++k) n.in[k] = to_[n.in[k]];
    return r.nodes.push(n);
  }
  constexpr int push_integer(table& out, const node& n, int at, const node& last) const {
    node kept = n;
    kept.origin = at;
    kept.keeps_integers = true;
    kept.out.type = last.out.type;
    for (int k = 0; k < n.operands; ++k) kept.in[k] = carried(n, k) ? value(n.in[k]) : to_[n.in[k]];
    if (n.kind == family::map) order(out, kept, program(n.detail), last);
    return out.nodes.push(kept);
  }
  /// Gives `kept` the program `p` of minima and maxima on integers. Its literals become operands:
  /// their integers depend on the scale, a weight, whose value is known at binding only.
  constexpr void order(table& out, node& kept, program_view p, const node& last) const {
    tape t;
    int slots[max_program]{};
    const int operands = kept.operands;  // grows below, by the numbers
    for (int k = 0; k < operands; ++k) slots[k] = t.argument(k, kept.out.type);
    int at[max_program]{};
    for (int i = 0; i < p.size; ++i) {
      const instruction x = p.code[i];
      if (x.op() == sop::arg) {
        at[x.dst()] = slots[x.a()];
      } else if (x.is_literal()) {
        kept.in[kept.operands] = quantized_number(out, x.real(), kept, last);
        at[x.dst()] = t.argument(kept.operands++, kept.out.type);
      } else {
        const scalar a{&t, at[x.a()]}, b{&t, at[x.b()]};
        at[x.dst()] = (x.op() == sop::min ? min(a, b) : max(a, b)).slot();
      }
    }
    const int holder = at[p.code[p.size - 1].dst()];
    kept.detail = out.intern(finish(t, stored_as({&t, holder}, kept.out.type).slot()).view());
  }
  /// The node that holds `number` quantized. For 0 that is the zero point.
  constexpr int quantized_number(table& out, float number, const node& kept,
                                 const node& last) const {
    const bool single = one_number(last);
    const int zero = to_[single ? behind(last.in[2]) : last.in[2]],
              scale = to_[single ? behind(last.in[1]) : last.in[1]];
    int id = zero;
    if (number != 0) {
      const type to = kept.out.type;
      const recorded narrowing = record_program<2>(
          [&](scalar s, scalar z) {
            return quantized::narrowed(s.lift(number), s, z,
                                       static_cast<int>(numbers::begin_of(to)),
                                       static_cast<int>(numbers::end_of(to)) - 1);
          },
          {{type::float32, to}, true, to});
      node n = new_node(kept, family::map);
      n.operands = 2;
      n.in[0] = scale;
      n.in[1] = zero;
      const shape &a = out.nodes[scale].out.shape, &b = out.nodes[zero].out.shape;
      n.out = {to, a.rank > b.rank ? a : b};
      n.detail = out.intern(narrowing.view());
      id = out.nodes.push(n);
    }
    if (!single || out.nodes[id].out.shape.rank == 0) return id;
    node n = new_node(kept, family::move);
    movement m{};
    m.is = movement::form::reshape;
    n.operands = 1;
    n.in[0] = id;
    n.out = {kept.out.type, {}};
    n.detail = out.movements.push(m);
    return out.nodes.push(n);
  }
  /// A new node beside `kept`, for the same operator on the same policy.
  static constexpr node new_node(const node& kept, family kind) {
    node n;
    n.kind = kind;
    n.policy = kept.policy;
    n.op = kept.op;
    n.origin = kept.origin;
    return n;
  }
};

/// Adds the most that `integer_keeper` can add to a table: programs on integers, and for each
/// number a node that quantizes it, its program and a reshape.
constexpr void make_room_for_integers(table_view t, table_sizes& room) {
  constexpr int number = 24, longer = 6;  // instructions of a number, of an integer's extreme
  for (const node& n : t.nodes) {
    if (n.kind != family::map) continue;
    const range p = t.programs[n.detail];
    int numbers = 0;
    for (int i = 0; i < p.size; ++i) numbers += t.code[p.begin + i].is_literal();
    room.nodes += 2 * numbers;
    room.movements += numbers;
    room.programs += numbers;
    room.code += numbers * number + p.size * longer;
  }
}
/// Whether all policies run what was rewritten where it was.
constexpr bool supported(table_view t, list<policy_facts> policies) {
  for (const node& n : t.nodes) {
    const int p = n.policy < 0 ? 0 : n.policy;
    if (n.keeps_integers && p < policies.size && !policies[p].supports(t, n)) return false;
  }
  return true;
}

}  // namespace tenon::plans

// Nodes as formulas: expressions, and the geometry of contractions and windows.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/infix.hpp>
#include <tenon/plan/plan_view.hpp>
#include <charconv>
#include <vector>

namespace tenon::notation {

/// What a combination is called, in the words of the operators that reduce.
inline const char* word_of(combine how) {
  constexpr const char* words[] = {"sum", "max", "min", "product", "argMax", "argMin"};
  return words[static_cast<int>(how)];
}
inline const char* word_of(const reduction& r) { return r.average ? "mean" : word_of(r.how); }

/// `5 x 5 taps, stride 2, dilation 2, padding 1`, of two sweeps whose results have these extents.
inline std::string taps(const sweep& h, const sweep& w, i64 height, i64 width) {
  const auto both = [](i64 a, i64 b) {
    return std::to_string(a) + (a == b ? "" : joined(" x ", b));
  };
  const auto end = [](const sweep& s, i64 positions) {  // what the last position reads beyond
    const i64 past =
        (positions - 1) * s.stride + (s.taps - 1) * s.dilation + 1 - s.begin - s.extent;
    return past > 0 ? past : 0;
  };
  std::string text = std::to_string(h.taps) + joined(" x ", w.taps) + " taps";
  if (h.stride != 1 || w.stride != 1) text += ", stride " + both(h.stride, w.stride);
  if (h.dilation != 1 || w.dilation != 1) text += ", dilation " + both(h.dilation, w.dilation);
  const i64 around[] = {h.begin, end(h, height), w.begin, end(w, width)};
  const bool even = around[0] == around[1] && around[0] == around[2] && around[0] == around[3];
  if (even && around[0] == 0) return text;
  text += joined(", padding ", around[0]);
  for (int i = 1; i < 4 && !even; ++i) text += joined(", ", around[i]);
  return text;
}

/// The loop nest of a contraction: `[m x n x k]`, or a convolution's geometry. A loop that moves in
/// both operands is a batch or a convolution's groups, one in the second operand alone columns or
/// filters, one in the first alone rows or images.
inline std::string geometry(const contraction& c) {
  i64 rows = 1, columns = 1, batch = 1, terms = 1;
  bool swept[contraction::max_axes]{};
  for (int i = 0; i < c.sweeps; ++i) swept[c.swept[i].out_axis] = swept[c.swept[i].tap_axis] = true;
  for (int i = 0; i < c.axes; ++i) {
    const contraction::loop& l = c.axis[i];
    if (swept[i] || l.extent == 1) continue;
    (l.reduced ? terms : l.a != 0 && l.b != 0 ? batch : l.b != 0 ? columns : rows) *= l.extent;
  }
  if (c.sweeps == 0)
    return joined("[", rows, " x ", columns, " x ", terms, "] rows x columns x terms") +
           (batch > 1 ? joined(", ", batch, " times") : "");
  const sweep &h = c.swept[0], &w = c.swept[c.sweeps - 1];
  const i64 height = c.axis[h.out_axis].extent, width = c.axis[w.out_axis].extent;
  std::string text = joined(columns, columns == 1 ? " filter" : " filters", " of ", terms,
                            terms == 1 ? " channel, " : " channels, ", taps(h, w, height, width),
                            ", ", height, " x ", width, " positions");
  if (batch > 1) text += joined(", ", batch, " groups");
  if (rows > 1) text += joined(", ", rows, " images");
  return text;
}

/// The numbers, with commas: `0, 1`.
inline std::string listed(const i64* numbers, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += joined(i > 0 ? ", " : "", numbers[i]);
  return text;
}
/// Where a move's elements come from, unless its name tells that: reshapes and joins say nothing. A
/// band's limits beyond 2^31 are none.
inline std::string origin_of(table_view t, const node& n) {
  const movement& m = t.movement_of(n);
  const int rank = n.out.shape.rank;
  if (m.is == movement::form::affine)
    return (m.offset != 0 ? joined("from element ", m.offset, " on, ") : "") + "steps " +
           listed(m.step.step, rank);
  if (m.is == movement::form::band) {
    constexpr i64 far = i64{1} << 31;
    std::string text = "the rest 0; columns";
    if (m.low > -far)
      text += joined(" from row ", m.low < 0 ? "- " : "+ ", m.low < 0 ? -m.low : m.low);
    if (m.high < far)
      text += joined(" to row ", m.high < 0 ? "- " : "+ ", m.high < 0 ? -m.high : m.high);
    return text;
  }
  if (m.is == movement::form::sample) {
    constexpr const char* shown[] = {"the nearest element", "the element below",
                                     "the element above", "the fraction between two elements"};
    return shown[static_cast<int>(m.how)];
  }
  if (m.is == movement::form::unpack) return "two elements from each byte";
  if (m.is == movement::form::pack) return "two elements into each byte";
  if (m.is != movement::form::pad) return "";
  i64 after[max_rank]{};
  for (int i = 0; i < rank; ++i)
    after[i] = n.out.shape[i] - t.nodes[n.in[0]].out.shape[i] - m.begin[i];
  const std::string around =
      joined("before ", listed(m.begin, rank), "; after ", listed(after, rank), "; ");
  if (m.mode == padding_mode::edge) return around + "the nearest element";
  if (m.mode == padding_mode::reflection) return around + "mirrored";
  char value[32];
  const auto write = [&](auto x) { return std::to_chars(value, value + sizeof value, x).ptr; };
  const any_number& v = m.value;
  const auto end = !v.whole      ? write(v.value)
                   : v.value < 0 ? write(static_cast<std::int64_t>(v.digits))
                                 : write(v.digits);
  return around + "value " + std::string(value, end);
}

/// What its family adds to a node's name: geometry, window, or where elements come from; empty
/// where there is no more to say.
inline std::string details(table_view t, const node& n) {
  switch (n.kind) {
    case family::move: return origin_of(t, n);
    case family::gather: {
      const gathering& g = t.gathering_of(n);
      return (g.writes ? "updates go to computed positions below "
                       : "at computed positions below ") +
             listed(g.extent, g.coordinates);
    }
    case family::contract: return geometry(t.contraction_of(n));
    case family::window: {
      const windowing& w = t.windowing_of(n);
      const sweep &v = w.swept[0], &h = w.swept[1];
      return (w.average ? std::string("average") : word_of(w.how)) + " of " +
             taps(v, h, n.out.shape[v.out_axis], n.out.shape[h.out_axis]);
    }
    default: return "";
  }
}

/// True for what the graph keeps between calls: states stand behind all other inputs.
inline bool is_state(table_view t, int id) {
  for (int i = t.call_inputs(); i < t.inputs.size; ++i)
    if (t.inputs[i] == id) return true;
  return false;
}

/// The operator's name; the reshape of a bias inside of a convolution is a reshape.
inline std::string operator_name(table_view t, int id) {
  const node& n = t.nodes[id];
  return n.kind == family::move && t.movement_of(n).reshapes() ? "reshape" : printable(n.op);
}

/// A node's name in programs: an input's or weight's own, where it reads like one word; else `%5`.
inline std::string symbol(table_view t, int id) {
  const std::string number = joined("%", id);
  const node& n = t.nodes[id];
  if (!is_leaf(n.kind)) return number;
  const std::string label = t.name_of(n).c_str();
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':';
  };
  for (const char c : label)
    if (!plain(c)) return number;
  const bool number_like = label.empty() || (label[0] >= '0' && label[0] <= '9') || label[0] == '.';
  return number_like || label.size() > 40 ? number : label;
}

/// The operand of a program: a reshaped input or weight keeps its name.
inline std::string argument(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  const bool same_order = n.kind == family::move && p.group_of[id] < 0 &&
                          p.table.movement_of(n).reshapes() && is_leaf(p.table.nodes[n.in[0]].kind);
  return symbol(p.table, same_order ? n.in[0] : id);
}

/// `, axis 1` or `, axes 0 2`.
inline std::string axes(const reduction& r, int rank) {
  std::string text;
  int count = 0;
  for (int i = 0; i < rank; ++i)
    if (r.reduces(i)) text += (++count, joined(" ", i));
  return std::string(count == 1 ? ", axis" : count == 0 ? ", no axis" : ", axes") + text;
}

/// How node `id` is computed: `max(%3 + conv.bias, 0)`, `conv2d(image, conv.weight)`,
/// `sum(%5, axis 1)`, `concat(%4, %6, axis 0)`.
inline std::string expression(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  std::vector<std::string> operands;
  for (int k = 0; k < n.operands; ++k) operands.push_back(argument(p, n.in[k]));
  if (n.kind == family::map) return infix(p.table.program_of(n), operands);
  std::string text;
  for (std::size_t k = 0; k < operands.size(); ++k) text += joined(k > 0 ? ", " : "", operands[k]);
  if (n.kind == family::move && p.table.movement_of(n).is == movement::form::join)
    text += joined(", axis ", p.table.movement_of(n).axis);
  if (n.kind != family::reduce) return operator_name(p.table, id) + "(" + text + ")";
  const reduction& r = p.table.reduction_of(n);  // softmax's maximum is no softmax
  return joined(word_of(r), "(", text, axes(r, p.table.nodes[n.in[0]].out.shape.rank), ")");
}

/// The names of a group's operators, each once: `conv2d + relu`. Of more than `limit` the first.
inline std::string title(const plan_view& p, const plans::group& g, std::size_t limit = 100) {
  std::vector<std::string> ops;
  for (const int i : p.members_of(g)) {
    const std::string op = operator_name(p.table, i);
    bool again = false;
    for (const std::string& s : ops) again |= s == op;
    if (!again) ops.push_back(op);
  }
  std::string text;
  for (std::size_t i = 0; i < ops.size() && i < limit; ++i)
    text += joined(i > 0 ? " + " : "", ops[i]);
  return text + (ops.size() > limit ? joined(" + ", ops.size() - limit) + " more" : "");
}

/// The form in which a group runs: its family, or `rows` for a row group.
inline const char* kind_of(const plans::group& g) {
  return g.kind == family::map && g.columns > 0 ? "rows" : name_of(g.kind);
}

}  // namespace tenon::notation

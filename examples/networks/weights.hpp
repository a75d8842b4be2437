// Weights for networks that nobody has trained: random, but scaled so that every layer passes on
// numbers of about the size that it got. Results stay comparable through a hundred layers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/load/weights.hpp>
#include <tenon/tenon.hpp>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace networks {
namespace tn = tenon;

/// Close to normally distributed numbers of deviation 1: sums of four evenly distributed ones. The
/// same for one seed on every machine.
class normal_numbers {
 public:
  explicit normal_numbers(std::uint64_t seed) : state_(seed) {}
  float next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;  // splitmix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    const std::uint64_t sum = (z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48);
    return (static_cast<float>(sum) / 65535 - 2) * 1.7320508f;  // of variance 4 / 12
  }

 private:
  std::uint64_t state_;
};

/// How many products each sum has to which the weight `id` contributes; 0 where it is no factor of
/// a matrix product or convolution.
inline tn::i64 fan_in(const tn::table_view& t, int id) {
  for (int i = id + 1; i < t.nodes.size; ++i) {
    const tn::node& n = t.nodes[i];
    if (n.kind == tn::family::move && n.in[0] == id) id = i;
    if (n.kind != tn::family::contract || n.in[1] != id) continue;
    const tn::contraction& c = t.contraction_of(n);
    tn::i64 products = 1;
    for (int k = 0; k < c.axes; ++k) products *= c.axis[k].reduced ? c.axis[k].extent : 1;
    return products;
  }
  return 0;
}

/// Appends random values for one weight: deviation sqrt(2 / fan-in) for factors (He et al., 2015);
/// about 1 for the scales of normalizations, which are called NAME.weight too; about 0 for biases.
inline void append_random(std::vector<float>& out, const tn::table_view& t, int id,
                          normal_numbers& dice) {
  const tn::i64 products = fan_in(t, id);
  const tn::name& label = t.name_of(t.nodes[id]);
  const bool scale =
      products == 0 && label.size() > 7 && tn::name(label.c_str() + label.size() - 7) == ".weight";
  const float deviation = products > 0 ? std::sqrt(2 / static_cast<float>(products)) : 0.1f;
  for (tn::i64 i = t.nodes[id].out.shape.count(); i > 0; --i)
    out.push_back((scale ? 1.0f : 0.0f) + deviation * dice.next());
}

/// Random values for all weights of a table, one weight behind the other in the table's order.
inline std::vector<float> random_weights(const tn::table_view& t, std::uint64_t seed) {
  normal_numbers dice(seed);
  std::vector<float> all;
  for (const int id : t.weights) append_random(all, t, id, dice);
  return all;
}

/// A source of weights that stand one behind the other in the order in which the table names them.
struct weights_in_order {
  tn::table_view table;
  std::span<const float> values;

  tn::i64 count() const {
    tn::i64 n = 0;
    for (const int id : table.weights) n += table.nodes[id].out.shape.count();
    return n;
  }
  tn::const_view find(const tn::name& wanted) const noexcept {
    const float* at = values.data();
    for (const int id : table.weights) {
      const tn::i64 size = table.nodes[id].out.shape.count();
      if (table.name_of(table.nodes[id]) == wanted) return tn::flat_view_of(at, size);
      at += size;
    }
    return {};
  }
};
static_assert(tn::weight_source<weights_in_order>);

}  // namespace networks

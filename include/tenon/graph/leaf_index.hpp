// Inputs and weights of a table by name, and the limits of their shapes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/table.hpp>

namespace tenon {

/// The limit of a tensor's elements. It keeps numbers of bytes, and sums of them, far from
/// overflow.
inline constexpr i64 max_elements = i64{1} << 40;
/// Checks the shape of an input or a weight.
/// Error: rank, above 8 or below 0; extent, below 1 or with too many elements.
constexpr error check_extents(const char* op, const name& label, const shape& s) {
  if (s.rank < 0 || s.rank > max_rank) return {code::rank, op, label, max_rank, s.rank};
  i64 room = max_elements;  // what the extents that follow may still multiply to
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] < 1 || s[i] > room) return {code::extent, op, label, room, s[i]};
    room /= s[i];
  }
  return {};
}
/// Checks that an operator's result has not too many elements. Its extents are at least 1 already.
/// Error: extent.
constexpr error check_result(const char* op, const shape& s) {
  i64 room = max_elements;
  for (int i = 0; i < s.rank; ++i) room /= s[i];
  return room > 0 ? error{} : error{code::extent, op, "result", max_elements, s};
}

/// Says that a recorder records no inputs and weights, and so needs no memory for an index.
struct without_memory {};

/// The leaves of a table by name: a hash table with open addressing, whose size is a power of two.
/// Models have hundreds of weights; a linear search would take steps that grow with their square.
class leaf_index {
 public:
  constexpr leaf_index() = default;
  constexpr explicit leaf_index(without_memory) : entries_(nullptr, 0) {}
  constexpr void clear() { entries_.clear(); }
  /// The node of the leaf with this name; -1 if there is none yet. The caller that adds the leaf
  /// writes its node there.
  constexpr int& find(const table& t, const name& label) {
    if (t.names.size() * 2 >= entries_.size())
      spread(t, entries_.empty() ? 64 : entries_.size() * 2);
    entry& slot = slot_of(t, label.hash(), label);
    slot.hash = label.hash();
    return slot.id;
  }

 private:
  struct entry {
    std::uint32_t hash = 0;
    int id = -1;
  };
  sequence<entry> entries_;

  constexpr entry& slot_of(const table& t, std::uint32_t hash, const name& label) {
    const int mask = entries_.size() - 1;
    entry* slots = entries_.data();
    int i = static_cast<int>(hash) & mask;
    while (slots[i].id >= 0 &&
           (slots[i].hash != hash || !(t.names[t.nodes[slots[i].id].detail] == label)))
      i = (i + 1) & mask;
    return slots[i];
  }
  constexpr void spread(const table& t, int room) {
    const sequence<entry> before = static_cast<sequence<entry>&&>(entries_);
    entries_.resize(room);
    for (const entry& e : before)
      if (e.id >= 0) slot_of(t, e.hash, t.names[t.nodes[e.id].detail]) = e;
  }
};

}  // namespace tenon

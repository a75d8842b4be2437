// Inputs and weights of a table by name, and the limits of their shapes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/table.hpp>

namespace tenon {

/// Most elements of a tensor: their number of bytes is far from overflowing.
inline constexpr i64 max_elements = i64{1} << 40;
/// Error: rank above 8 or below 0; extent below 1, or too many elements.
constexpr error check_extents(const char* op, const name& called, const shape& s) {
  if (s.rank < 0 || s.rank > max_rank) return {code::rank, op, called, max_rank, s.rank};
  i64 most = max_elements;
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] < 1 || s[i] > most) return {code::extent, op, called, most, s[i]};
    most /= s[i];
  }
  return {};
}
/// A result that has too many elements, its extents being at least 1.
constexpr error check_result(const char* op, const shape& s) {
  i64 room = max_elements;
  for (int i = 0; i < s.rank; ++i) room /= s[i];
  return room > 0 ? error{} : error{code::extent, op, "result", max_elements, s};
}

/// For a recorder that records no inputs and weights.
struct without_memory {};

/// The leaves of a table by name, in an open hash table of a power of two: models have hundreds of
/// weights.
class leaf_index {
 public:
  constexpr leaf_index() = default;
  constexpr explicit leaf_index(without_memory) : entries_(nullptr, 0) {}
  constexpr void clear() { entries_.clear(); }
  /// The node of the leaf with this name, -1 if there is none yet: whoever adds it writes it there.
  constexpr int& find(const table& t, const name& called) {
    if (t.names.size() * 2 >= entries_.size())
      spread(t, entries_.empty() ? 64 : entries_.size() * 2);
    entry& found = slot_of(t, called.hash(), called);
    found.hash = called.hash();
    return found.id;
  }

 private:
  struct entry {
    std::uint32_t hash = 0;
    int id = -1;
  };
  sequence<entry> entries_;

  constexpr entry& slot_of(const table& t, std::uint32_t hash, const name& called) {
    const int mask = entries_.size() - 1;
    entry* slots = entries_.data();
    int at = static_cast<int>(hash) & mask;
    while (slots[at].id >= 0 &&
           (slots[at].hash != hash || !(t.names[t.nodes[slots[at].id].detail] == called)))
      at = (at + 1) & mask;
    return slots[at];
  }
  constexpr void spread(const table& t, int room) {
    const sequence<entry> before = static_cast<sequence<entry>&&>(entries_);
    entries_.resize(room);
    for (const entry& e : before)
      if (e.id >= 0) slot_of(t, e.hash, t.names[t.nodes[e.id].detail]) = e;
  }
};

}  // namespace tenon

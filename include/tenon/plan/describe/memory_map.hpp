// The arenas of a plan: what lies where, and when it lives.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/plan_words.hpp>

namespace tenon::notation {

/// A line of the memory map: what lies where in an arena, and between which groups.
struct arena_entry {
  int home;  ///< of a policy, or -1: of the host
  i64 offset, bytes;
  int first, last;
  std::string name;
};
/// Everything that lies in an arena, by arena, offset and time.
inline std::vector<arena_entry> arena_entries(const plan_words& words) {
  const plan_view& p = words.p;
  std::vector<arena_entry> entries;
  for (int i = 0; i < p.buffers.size; ++i)
    if (const plans::buffer& b = p.buffers[i]; b.in == plans::buffer::storage::arena)
      entries.push_back({b.home, b.offset, b.bytes, b.first, b.last, words.node_name(i)});
  for (const plans::mirror& m : p.mirrors)
    entries.push_back(
        {m.policy, m.offset, m.bytes, m.first, m.last, "copy of " + words.node_name(m.holder)});
  for (int g = 0; g < p.groups.size; ++g)
    if (p.needs[g].scratch > 0)
      entries.push_back({plans::home_of(p.policies, p.groups[g].policy), p.scratch_offset[g],
                         p.needs[g].scratch, g, g, joined("scratch of group ", g)});
  std::sort(entries.begin(), entries.end(), [](const arena_entry& a, const arena_entry& b) {
    if (a.home != b.home) return a.home < b.home;
    return a.offset != b.offset ? a.offset < b.offset : a.first < b.first;
  });
  return entries;
}
/// The memory map. Lifetimes are drawn as bars where there are few groups.
inline void write_memory(const plan_words& words, page& out) {
  const plan_view& p = words.p;
  const std::vector<arena_entry> entries = arena_entries(words);
  out.line();
  if (entries.empty()) return out.line("arena      empty");
  const bool drawn = p.groups.size <= 30;  // what fits
  out.line("arena      buffer                        bytes              at               groups" +
           std::string(drawn ? "    live" : ""));
  int home = -1;
  for (const arena_entry& e : entries) {
    if (e.home != home) out.line(joined("           in memory of ", p.policies[e.home].name));
    home = e.home;
    std::string bar;
    for (int g = 0; drawn && g < p.groups.size; ++g) bar += e.first <= g && g <= e.last ? '#' : '.';
    out.line(joined("           ", left(cut(e.name, 22), 22)) + right(digits(e.bytes), 13) + "  " +
             right(digits(e.offset), 12) + " .. " + left(digits(e.offset + e.bytes), 12) +
             right(std::to_string(e.first), 4) + " .. " + left(std::to_string(e.last), 4) + bar);
  }
}

}  // namespace tenon::notation

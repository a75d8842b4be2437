// Fusion: which nodes run as one step. Element-wise chains are one node already (`prepare`); here
// maps join the contraction they follow, reductions and maps over the same rows form row groups.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuser.hpp>

namespace tenon::plans {

/// Numbers the groups so that each stands behind those whose values it reads: depth first, from the
/// first group on. Members of a group come out in the order in which they joined.
constexpr grouping order_groups(const grown_groups& grown) {
  const node* nodes = grown.table.nodes.data;
  grouping r;
  r.of.resize(grown.table.nodes.size, -1);
  sequence<int> path;
  sequence<int> at(grown.count);  // by group: the next member to look at, -1 when it is done
  for (int g = 0; g < grown.count; ++g) at[g] = grown.groups[g].anchor;
  const auto missing = [&](int g) {
    for (int& i = at[g]; i >= 0; i = grown.next[i])
      for (int k = 0; k < nodes[i].operands; ++k)
        if (const int before = grown.of[nodes[i].in[k]];
            before >= 0 && before != g && at[before] >= 0)
          return before;
    return -1;
  };
  for (int g = 0; g < grown.count; ++g) {
    if (at[g] < 0) continue;
    path.push(g);
    while (!path.empty()) {
      const int last = path.back(), before = missing(last);
      if (before >= 0) {
        path.push(before);
        continue;
      }
      path.pop();
      group ready = grown.groups[last];
      ready.begin = r.members.size();
      for (int i = ready.anchor; i >= 0; i = grown.next[i]) {
        r.members.push(i);
        r.of[i] = r.groups.size();
      }
      r.groups.push(ready);
    }
  }
  return r;
}

/// The pass. Reads the table and the policies; decides which nodes run as one step. Afterwards
/// every operator is in one group, whose members run on one policy and in one scan's body (or in
/// none). A group is convex: nothing outside lies on a path between two of its members. Groups come
/// out in the order of execution. That is the order of their first members, except where a group
/// reads one that began later: then the other one comes first.
constexpr grouping fuse(table_view t, list<policy_facts> policies) {
  fuser f(t, policies);
  for (int i = 0; i < t.nodes.size; ++i)
    if (!is_leaf(t.nodes.data[i].kind)) f.add(i);
  return order_groups(f.grown());
}

}  // namespace tenon::plans

// What the passes decide, as plain values: groups of nodes that run together, and where every
// result lives.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/policy_facts.hpp>

namespace tenon::plans {

/// Nodes that run as one step. `anchor` is the node that gives the group its kind; the iteration
/// space of a row group is `space`, of which the last `columns` axes form a row.
struct group {
  family kind = family::map;  ///< map (row groups, with reductions over whole rows), reduce (one
                              ///< reduction over other axes), contract, window, move, gather,
                              ///< compose (a region; its last member is its result)
  std::int8_t policy = 0;
  int begin = 0, size = 0;  ///< members, in `grouping::members`
  int anchor = -1;
  shape space{};
  int columns = 0;  ///< trailing axes that form a row; 0: not decided by a reduction
};

/// The groups in the order of their execution, and each node's group (-1: leaves and aliases).
struct grouping {
  sequence<group> groups;
  sequence<int> members;
  sequence<int> of;
};

/// How a node's elements are found: in the buffer of node `holder`, at `offset` + index * `step`.
struct location {
  int holder = -1;
  i64 offset = 0;
  strides step{};
  bool materialised = false;  ///< false: lives only inside its group (in registers or a row buffer)
  int inside = -1;            ///< the join in whose result it is computed
};

/// The memory of a holder, by its node; other nodes have none.
struct buffer {
  enum class storage : std::uint8_t {
    none,
    input,
    weight,
    output,
    arena,
    step,  ///< moves with the steps of a scan: see `scanning`
  };
  storage in = storage::none;
  int index = -1;  ///< position among inputs, weights or outputs
  i64 offset = 0;  ///< bytes, in the arena
  i64 bytes = 0;
  int first = 0, last = 0;  ///< groups between which an arena buffer is live
  int home = -1;  ///< of the arena: the policy in whose own memory it lies; -1: the host's memory
};

/// The copy of a buffer in the memory of a policy that cannot share the host's.
struct mirror {
  int holder = -1;  ///< the node whose buffer it copies
  int policy = 0;   ///< the policy
  i64 offset = 0;   ///< bytes, in the policy's own arena
  i64 bytes = 0;
  int first = 0, last = 0;  ///< groups between which it is live
  int copied_before = -1;   ///< the group before which the bytes are copied here; -1: none
  int copied_after = -1;    ///< the group after which they are copied back; -1: none
};

/// An output that is not produced in place: node -> output.
struct output_copy {
  int node = -1;
  int output = -1;
};

/// Edges between policies: distinct (buffer, target) pairs. The caller's side counts as policy 0
/// where that policy works in the caller's memory. Weights do not count: they are uploaded once, at
/// binding.
struct traffic {
  int crossings = 0;
  int copies = 0;        ///< in every call
  i64 bytes_moved = 0;   ///< by them
  i64 upload_bytes = 0;  ///< weights of policies that have a memory of their own
};

/// The policy in whose own memory a group of policy `policy` works; -1: in the host's.
constexpr int home_of(list<policy_facts> policies, int policy) {
  return policies[policy].memory == sharing::same ? -1 : policy;
}

/// The groups of each scan's body, by the scan's number; a `first` of -1: there is none.
struct body_groups {
  int first = -1, last = -1;
};
/// The first and the last group of every body; those between them belong to it, too.
constexpr sequence<body_groups> bodies_of(table_view t, list<int> group_of) {
  sequence<body_groups> bodies(t.scans.size > 0 ? t.scans[t.scans.size - 1].loop + 1 : 0);
  for (int i = 0; bodies.size() > 0 && i < t.nodes.size; ++i) {
    const int g = group_of[i];
    if (g < 0 || t.nodes[i].loop < 0) continue;
    body_groups& body = bodies[t.nodes[i].loop];
    if (body.first < 0 || g < body.first) body.first = g;
    if (g > body.last) body.last = g;
  }
  return bodies;
}

}  // namespace tenon::plans

// Who reads each node of a table: the edges of the graph the other way round, in one array.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/table.hpp>

namespace tenon::plans {

/// The users of every node, in order; a node that reads another one twice is there twice.
class users {
 public:
  constexpr explicit users(table_view t) : begin_(t.nodes.size + 2) {
    const node *nodes = t.nodes.data, *end = nodes + t.nodes.size;
    int* at = begin_.data() + 2;  // counts first, then where each list begins, one place further on
    for (const node* n = nodes; n != end; ++n)
      for (int k = 0; k < n->operands; ++k) ++at[n->in[k]];
    for (int i = 0; i + 1 < t.nodes.size; ++i) at[i + 1] += at[i];
    user_.resize(t.nodes.size > 0 ? at[t.nodes.size - 1] : 0);
    int* to = user_.data();
    for (const node* n = nodes; n != end; ++n)
      for (int k = 0; k < n->operands; ++k) to[at[n->in[k] - 1]++] = static_cast<int>(n - nodes);
  }
  constexpr list<int> of(int id) const {
    const int* at = begin_.data() + id;
    return {user_.data() + at[0], at[1] - at[0]};
  }

 private:
  sequence<int> begin_, user_;
};

}  // namespace tenon::plans

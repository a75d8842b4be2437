// The steps of a scan: every one runs the same groups of its body, at other addresses.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/backend.hpp>

namespace tenon::scans {

/// Where a node's elements begin.
inline std::byte* address_of(const plan_view& p, int id, const frame& f) noexcept {
  const value& v = p.values[id];
  return f.base[v.root] + v.offset * size_bytes(p.table.nodes[id].out.type);
}

/// Sets the addresses that one node of the border moves in a step. A sequence is read and written in
/// place, position by position. The state behind a sequence is its position of the step before; one of
/// which only the last value comes out alternates between that value's memory and its own, so that the
/// last step writes where it is wanted. Nothing is copied.
inline void move(const plan_view& p, const scanning& s, i64 step, const frame& f) noexcept {
  const node& n = p.table.nodes[s.node];
  if (s.is == scanning::part::slice) {
    f.base[s.node] = address_of(p, n.in[0], f) + s.position(step) * n.out.bytes();
    return;
  }
  if (s.is == scanning::part::state) return;  // moves with its next value
  const int made = n.in[0], state = n.operands == 2 ? n.in[1] : -1;
  std::byte* const out = address_of(p, s.node, f);
  std::byte* before = out;
  if (s.is == scanning::part::all) {
    const i64 bytes = p.table.nodes[made].out.bytes();
    f.base[made] = out + s.position(step) * bytes;
    before = out + (step > 0 ? s.position(step - 1) * bytes : 0);
  } else {
    const bool odd = state >= 0 && (s.steps - 1 - step) % 2 != 0;
    std::byte* const own = odd || state < 0 ? out : f.arena + p.buffers[state].offset;
    f.base[made] = odd ? f.arena + p.buffers[state].offset : out;
    before = own;
  }
  if (state < 0) return;
  f.base[state] = step > 0 ? before : address_of(p, p.table.nodes[state].in[0], f);
}

}  // namespace tenon::scans

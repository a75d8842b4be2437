// The definition of every bit of a result: each family is plain loops, usable in constant
// expressions. Other policies are right if they give these bits, or come within what they say.
//
//   memory.hpp    typed elements, and positions in order    scalar.hpp  one element of a program
//   map.hpp       reduce.hpp    window.hpp    move.hpp      gather.hpp  contract.hpp
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/contract.hpp>
#include <tenon/policy/reference/gather.hpp>
#include <tenon/policy/reference/map.hpp>
#include <tenon/policy/reference/move.hpp>
#include <tenon/policy/reference/reduce.hpp>
#include <tenon/policy/reference/window.hpp>

namespace tenon::reference_kernels {

/// Computes one node into dense memory.
constexpr void run_node(const table_view& t, const node& n, const operand* in, target out) {
  switch (n.kind) {
    case family::map: return map(t.program_of(n), n.out.shape, in, n.operands, out);
    case family::reduce: return reduce(t.reduction_of(n), in[0], out, 0, n.out.shape.count());
    case family::window:
      return window(t.windowing_of(n), in[0], n.out.shape, out, 0, n.out.shape.count());
    case family::contract: return contract(t.contraction_of(n), in[0], in[1], out.real);
    case family::move:
      if (is_four_bit(n.out.type) && t.movement_of(n).reshapes())  // in constant expressions alone
        return copy(in->data, {{1}}, out, {{1}}, extents(n.out.bytes()));
      return move(t.movement_of(n), in, n.operands, n.out.shape, out);
    case family::gather:
      if (t.gathering_of(n).writes)
        return scatter(t.gathering_of(n), in[0], in[1], in[2], n.out.shape, out);
      return gather(t.gathering_of(n), in[0], in[1], n.out.shape, out);
    default: return;
  }
}

}  // namespace tenon::reference_kernels

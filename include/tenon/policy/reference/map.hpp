// The definition of maps: a program for each element, over operands that broadcast.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/memory.hpp>

namespace tenon::reference_kernels {

/// The number of operands is a template argument: the odometer then has no more offsets than
/// needed, and a constant expression no more steps.
template <int Operands>
constexpr void map_of(program_view p, const shape& space, const operand* in, target out) {
  odometer<Operands> o{space};
  for (int k = 0; k < Operands; ++k) o.step[k] = broadcast(in[k].where, in[k].extent, space);
  const i64 n = space.count();
  scalar_register arguments[Operands > 0 ? Operands : 1]{};
  for (i64 i = 0; i < n; ++i, o.next()) {
    for (int k = 0; k < Operands; ++k) arguments[k] = read(in[k].data, o.offset[k]);
    write(out, i, evaluate(p, arguments));
  }
}
constexpr void map(program_view p, const shape& space, const operand* in, int operands,
                   target out) {
  if (operands == 1) return map_of<1>(p, space, in, out);
  if (operands == 2) return map_of<2>(p, space, in, out);
  operand all[max_operands];  // what is not there is read as a number that no instruction reads
  for (int k = 0; k < max_operands; ++k)
    all[k] = k < operands ? in[k] : operand{in[0].data, {}, {}};
  map_of<max_operands>(p, space, all, out);
}

}  // namespace tenon::reference_kernels

// The kernels of a plan's groups for Vulkan: which a device runs, and their SPIR-V.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>
#include <tenon/policy/vulkan/spirv/contract.hpp>
#include <tenon/policy/vulkan/spirv/gather.hpp>
#include <tenon/policy/vulkan/spirv/move.hpp>
#include <tenon/policy/vulkan/spirv/reduce.hpp>
#include <tenon/policy/vulkan/spirv/rows.hpp>
#include <tenon/policy/vulkan/spirv/window.hpp>

namespace tenon::spirv {

/// True if a device can hold elements of a type in buffers, and compute with them.
constexpr bool has_type(const target& t, type element) {
  switch (size_bytes(element)) {
    case 1: return t.storage8;
    case 2: return t.storage16;
    case 8: return t.int64;
    default: return true;
  }
}
/// True if a program has 64-bit integers.
constexpr bool has_wide(program_view p) {
  for (int i = 0; i < p.size; ++i)
    if (slot_kind_of(p.code[i]) == slot_kind::wide) return true;
  return false;
}
/// True if positions of a sampling need more than 32 bits.
constexpr bool samples_wide(const table_view& t, const node& n) {
  const movement& m = t.movement_of(n);
  const shape& in = t.nodes[n.in[0]].out.shape;
  bool wide = false;
  for (int k = 0; m.is == movement::form::sample && k < n.out.shape.rank; ++k)
    wide = wide || !fits_sampling(in[m.how == sampling::fraction ? m.axis : k], n.out.shape[k]);
  return wide;
}
/// True if a node computes with integers of 64 bits, whatever its operands are.
constexpr bool computes_wide(const table_view& t, const node& n) {
  return n.kind == family::map    ? has_wide(t.program_of(n))
         : n.kind == family::move ? samples_wide(t, n)
                                  : false;
}
/// True if kernels for a node can be written for a device. Offsets fit into 31 bits.
constexpr bool supports(const table_view& t, const node& n, const target& device) {
  constexpr i64 limit = (i64{1} << 31) - 1;
  bool supported = has_type(device, n.out.type) && n.out.shape.count() <= limit;
  for (int k = 0; k < n.operands; ++k) {
    const tensor& in = t.nodes[n.in[k]].out;
    supported = supported && has_type(device, in.type) && in.shape.count() <= limit;
  }
  if (!device.int64 && computes_wide(t, n)) return false;
  if (n.kind == family::contract) return supported && n.out.type == type::float32;
  if (n.kind == family::reduce || n.kind == family::window)
    return supported && t.nodes[n.in[0]].out.type != type::float16;
  return supported;
}

namespace writing {
/// The kernel that a writer writes; none if it does not fit.
template <class Writer>
constexpr sequence<kernel> one(const plan_view& p, const plans::group& g, const target& t) {
  Writer w(p, g, t);
  sequence<kernel> all(1);
  all[0] = w.write();
  if (!w.fits()) all.clear();
  return all;
}
constexpr sequence<kernel> emit(const plan_view& p, const plans::group& g, const target& t) {
  switch (g.kind) {
    case family::map: return writing::one<row_writer>(p, g, t);
    case family::move: return emit_move(p, g.anchor, t);
    case family::gather: return emit_gather(p, g.anchor, t);
    case family::reduce: return writing::one<reduce_writer>(p, g, t);
    case family::contract: return writing::one<contract_writer>(p, g, t);
    case family::window: return writing::one<window_writer>(p, g, t);
    default: return {};
  }
}

}  // namespace writing

/// The dispatches of one group: in order, with a memory barrier between them. The words do not
/// depend on node numbers or addresses, so groups of equal structure have equal words. Empty if the
/// group needs more than `max_ports` buffers, or more iterations of loops than the driver runs.
constexpr sequence<kernel> emit(const plan_view& p, int group, const target& t) {
  sequence<kernel> all = writing::emit(p, p.groups[group], t);
  if (!all.empty() || !t.cpu_driver) return all;
  target wide = t;  // the forms in which many invocations share a long row
  wide.cpu_driver = false;
  return writing::emit(p, p.groups[group], wide);
}
/// `emit` at run time. Not inline: see tenon/compiled_vulkan.hpp.
template <class = void>
sequence<kernel> kernels_of(const plan_view& p, int group, const target& t) {
  return emit(p, group, t);
}

}  // namespace tenon::spirv

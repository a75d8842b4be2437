// The buffers of a kernel: each holder that it reads or writes is a port, found by its address or
// as a descriptor.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/plan/plan.hpp>
#include <tenon/plan/plan_view.hpp>
#include <tenon/policy/vulkan/spirv/half.hpp>
#include <tenon/policy/vulkan/spirv/space.hpp>

namespace tenon::spirv {

/// A kernel of a plan with the buffers that it binds.
class port_writer : public half_assembler {
 public:
  constexpr port_writer(const plan_view& p, const target& t) : plan(&p), device(t) {
    if (t.by == addressing::address) require(capability::PhysicalStorageBufferAddresses);
    if (t.keeps_nan) {
      require(capability::SignedZeroInfNanPreserve);
      mode(execution_mode::SignedZeroInfNanPreserve, 32);
    }
    if (t.keeps_denormals) {
      require(capability::DenormPreserve);
      mode(execution_mode::DenormPreserve, 32);
    }
    push_ = fresh();
  }
  const plan_view* plan;
  target device;

  constexpr const table_view& table() const { return plan->table; }
  constexpr const node& at(int id) const { return plan->table.nodes.data[id]; }
  constexpr const plans::location& value_of(int id) const { return plan->locations.data[id]; }

  // ---- accesses
  /// How node `id` is found with these strides.
  constexpr access access_of(int id, const strides& s, bool writes = false) {
    const plans::location& v = value_of(id);
    access r{bind(v.holder, writes), in_memory(plan->stored_type(id)), v.offset, {}};
    for (int i = 0; i < max_rank; ++i) r.step[i] = s[i];
    return r;
  }
  /// As an operand that is broadcast to `to`.
  constexpr access broadcast_to(int id, const shape& to) {
    return access_of(id, broadcast(value_of(id), at(id).out.shape, to));
  }
  /// As a result, element by element.
  constexpr access result_access(int id) { return access_of(id, value_of(id).step, true); }

 protected:
  sequence<port> ports_;
  id base_[max_ports]{};  ///< of descriptors: where the holder begins
  bool overflows_ = false;

  /// The buffer of an access.
  constexpr word base(const access& v) const { return buffer_[v.port]; }
  /// Declares all ports, when they are known.
  constexpr void declare_buffers() {
    if (ports_.empty()) return;
    const bool physical = device.by == addressing::address;
    sequence<word> members;
    for (int k = 0; k < ports_.size(); ++k) {
      const kind of = kind_of(ports_[k].element, device.float16);
      members.push(physical ? address_type(of) : type_id(kind::int32));
      if (!physical) declare_descriptor(k, of);
    }
    const word block = struct_of(members);
    decorate(block, decoration::Block);
    for (int k = 0; k < ports_.size(); ++k)
      decorate_member(block, static_cast<word>(k), decoration::Offset,
                      static_cast<word>(k * (physical ? 8 : 4)));
    declare_variable(pointer_type(storage::PushConstant, block), push_, storage::PushConstant);
  }

 private:
  word push_ = 0;
  word buffer_[max_ports]{};  ///< the variable, or the pointer that was loaded

  /// The port of a holder.
  constexpr int bind(int holder, bool writes) {
    int k = 0;
    while (k < ports_.size() && ports_[k].holder != holder) ++k;
    if (k == max_ports) {
      overflows_ = true;
      return 0;
    }
    if (k == ports_.size()) open(holder);
    (writes ? ports_[k].writes : ports_[k].reads) = true;
    return k;
  }
  constexpr void open(int holder) {
    const int k = ports_.push({holder, in_memory(at(holder).out.type), false, false});
    const kind of = kind_of(ports_[k].element, device.float16);
    require_storage(of);
    if (device.by == addressing::address) {
      buffer_[k] = at_entry([&] { return load_address(k, of); });
    } else {
      buffer_[k] = fresh();
      base_[k] = at_entry(
          [&] { return emit(op::Load, kind::int32, 1, {push_constant(k, type_id(kind::int32))}); });
    }
  }
  constexpr void require_storage(kind of) {
    const bool physical = device.by == addressing::address;
    if (bytes_of(of) == 1) require(capability::StorageBuffer8BitAccess);
    if (bytes_of(of) == 2) require(capability::StorageBuffer16BitAccess);
    if (of == kind::int8 && physical && device.int8) require(capability::Int8);
    if (of == kind::int16 && physical && device.int16) require(capability::Int16);
  }
  /// Push constants may not even point to elements below 32 bits.
  constexpr word address_type(kind of) {
    return pointer_type(storage::PhysicalStorageBuffer,
                        block_of(bytes_of(of) < 4 ? kind::int32 : of));
  }
  constexpr word load_address(int k, kind of) {
    const word p = address_type(of),
               element_pointer = pointer_type(storage::PhysicalStorageBuffer, block_of(of));
    const word address = emit_typed(op::Load, p, {push_constant(k, p)});
    return p == element_pointer ? address : emit_typed(op::Bitcast, element_pointer, {address});
  }
  constexpr word push_constant(int k, word t) {
    return emit_typed(op::AccessChain, pointer_type(storage::PushConstant, t),
                      {push_, integer(k).number});
  }
  constexpr void declare_descriptor(int k, kind of) {
    const word v = buffer_[k];
    declare_variable(pointer_type(storage::StorageBuffer, block_of(of)), v, storage::StorageBuffer);
    decorate(v, decoration::DescriptorSet, 0);
    decorate(v, decoration::Binding, static_cast<word>(k));
    decorate(v, decoration::Aliased);
  }
};

}  // namespace tenon::spirv

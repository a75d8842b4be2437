// Instructions of a kernel that load and store: variables, arrays of the workgroup, inputs, memory,
// and what the invocations of a subgroup hand to each other.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/arithmetic.hpp>

namespace tenon::spirv {

/// A module with variables and memory.
class memory_assembler : public arithmetic_assembler {
 public:
  /// Memory operands: an alignment follows; other invocations may access this, too.
  static constexpr word aligned = 2, non_private = 0x20;

  // ---- variables
  /// A variable of a type that is none of `kind`'s.
  constexpr word local_of(word type) {
    const word number = fresh(), p = pointer_type(storage::Function, type);
    put(locals_, op::Variable, {p, number, static_cast<word>(storage::Function)});
    return number;
  }
  constexpr variable local(kind k, int width = 1) {
    const word number = fresh(), p = pointer_type(storage::Function, k, width);
    put(locals_, op::Variable, {p, number, static_cast<word>(storage::Function)});
    return {number, k, width, storage::Function, 0};
  }
  constexpr variable local(id first) {
    const variable v = local(first.is, first.width);
    set(v, first);
    return v;
  }
  /// An array of the workgroup.
  constexpr variable shared(kind k, int elements, int width = 1) {
    const word p = pointer_type(storage::Workgroup,
                                array_type(type_id(k, width), static_cast<word>(elements))),
               number = fresh();
    put(globals_, op::Variable, {p, number, static_cast<word>(storage::Workgroup)});
    interface_.push(number);
    return {number, k, width, storage::Workgroup, elements};
  }
  constexpr variable local_array(kind k, int elements, int width = 1) {
    const word number = fresh(),
               p = pointer_type(storage::Function,
                                array_type(type_id(k, width), static_cast<word>(elements)));
    put(locals_, op::Variable, {p, number, static_cast<word>(storage::Function)});
    return {number, k, width, storage::Function, elements};
  }
  constexpr id get(const variable& v) { return emit(op::Load, v.is, v.width, {v.number}); }
  constexpr void set(const variable& v, id x) { emit(op::Store, {v.number, x.number}); }
  constexpr id get(const variable& v, id at) { return load_from(v, element_of(v, at), v.width); }
  constexpr void set(const variable& v, id at, id x) { store_to(v, element_of(v, at), x); }
  /// Components of an array of vectors, counted through all of it.
  constexpr id get_component(const variable& v, id at) {
    return load_from(v, component_of(v, at), 1);
  }
  constexpr void set_component(const variable& v, id at, id x) {
    store_to(v, component_of(v, at), x);
  }
  /// A pointer to an element of an array.
  constexpr word element_of(const variable& v, id at) {
    return emit_typed(op::AccessChain, pointer_type(v.in, v.is, v.width), {v.number, at.number});
  }
  /// A component of a built-in variable; of those that are scalars the only one.
  constexpr id input(builtin b, int component = 0) {
    const bool vector = b <= builtin::GlobalInvocationId;
    word& v = inputs_[static_cast<int>(b)];
    if (v == 0) v = declare_input(b, vector ? 3 : 1);
    if (!vector) return emit(op::Load, kind::int32, 1, {v});
    const word p = emit_typed(op::AccessChain, pointer_type(storage::Input, kind::int32),
                              {v, integer(component).number});
    return emit(op::Load, kind::int32, 1, {p});
  }

  // ---- memory
  constexpr id load(const pointer& p) {
    if (p.align == 0) return emit(op::Load, p.is, p.width, {p.number});
    return emit(op::Load, p.is, p.width, {p.number, aligned, static_cast<word>(p.align)});
  }
  constexpr void store(const pointer& p, id x) {
    if (p.align == 0) return emit(op::Store, {p.number, x.number});
    emit(op::Store, {p.number, x.number, aligned, static_cast<word>(p.align)});
  }
  /// What invocation `lane` of the subgroup has.
  constexpr id of_lane(id x, id lane) {
    require(capability::GroupNonUniform);
    require(capability::GroupNonUniformShuffle);
    return emit(op::GroupNonUniformShuffle, x.is, x.width,
                {integer(subgroup_).number, x.number, lane.number});
  }
  constexpr id of_lane(id x, std::int64_t lane) { return of_lane(x, integer(lane)); }
  /// All invocations of the workgroup see what all of them wrote into its arrays.
  constexpr void barrier() {
    constexpr word workgroup = 2, acquire_release_of_workgroup_memory = 0x108,
                   make_available_and_visible = 0x6000;
    const word semantics =
        acquire_release_of_workgroup_memory |
        (has(capability::VulkanMemoryModel) ? make_available_and_visible : word{0});
    emit(op::ControlBarrier,
         {integer(workgroup).number, integer(workgroup).number, integer(semantics).number});
  }

 private:
  word inputs_[64]{};  ///< by built-in: the variable; 0: not asked for yet

  constexpr word declare_input(builtin b, int width) {
    const word p = pointer_type(storage::Input, kind::int32, width), number = fresh();
    put(globals_, op::Variable, {p, number, static_cast<word>(storage::Input)});
    decorate(number, decoration::BuiltIn, static_cast<word>(b));
    interface_.push(number);
    return number;
  }
  constexpr word component_of(const variable& v, id at) {
    const id element = over(at, v.width), in_element = modulo(at, v.width);
    return emit_typed(op::AccessChain, pointer_type(v.in, v.is),
                      {v.number, element.number, in_element.number});
  }
  /// In Vulkan's memory model accesses are private unless they are marked: others need not see
  /// them.
  constexpr bool is_marked(const variable& v) const {
    return v.in == storage::Workgroup && has(capability::VulkanMemoryModel);
  }
  constexpr id load_from(const variable& v, word p, int width) {
    if (is_marked(v)) return emit(op::Load, v.is, width, {p, non_private});
    return emit(op::Load, v.is, width, {p});
  }
  constexpr void store_to(const variable& v, word p, id x) {
    if (is_marked(v)) return emit(op::Store, {p, x.number, non_private});
    emit(op::Store, {p, x.number});
  }
};

}  // namespace tenon::spirv

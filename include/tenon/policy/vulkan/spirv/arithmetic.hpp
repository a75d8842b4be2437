// Instructions of a kernel that compute: arithmetic, comparisons, conversions and vectors.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/types.hpp>

namespace tenon::spirv {

/// A module with the instructions that make values from values. Operands of one instruction have
/// the same type; the same call serves scalars and vectors.
class arithmetic_assembler : public typed_module {
 public:
  using module_sections::emit;
  /// An instruction with a result.
  constexpr id emit(op o, kind k, int width, std::initializer_list<word> operands) {
    const word t = type_id(k, width);
    return {emit_typed(o, t, operands), k, width};
  }
  constexpr id unary(op o, id a) { return emit(o, a.is, a.width, {a.number}); }
  constexpr id binary(op o, id a, id b) { return emit(o, a.is, a.width, {a.number, b.number}); }
  constexpr id compare(op o, id a, id b) {
    return emit(o, kind::boolean, a.width, {a.number, b.number});
  }
  constexpr id convert(op o, id a, kind to) { return emit(o, to, a.width, {a.number}); }
  constexpr id select(id condition, id a, id b) {
    return emit(op::Select, a.is, a.width, {condition.number, a.number, b.number});
  }
  constexpr id call(glsl f, id a) {
    return emit(op::ExtInst, a.is, a.width, {glsl_, static_cast<word>(f), a.number});
  }
  constexpr id fma(id a, id b, id c) {
    return emit(op::ExtInst, a.is, a.width,
                {glsl_, static_cast<word>(glsl::Fma), a.number, b.number, c.number});
  }
  /// Sums and products that drivers must round one by one.
  constexpr id exact(id r) {
    decorate(r.number, decoration::NoContraction);
    return r;
  }
  constexpr id add(id a, id b) {
    return is_float(a.is) ? exact(binary(op::FAdd, a, b)) : binary(op::IAdd, a, b);
  }
  constexpr id sub(id a, id b) {
    return is_float(a.is) ? exact(binary(op::FSub, a, b)) : binary(op::ISub, a, b);
  }
  constexpr id mul(id a, id b) {
    return is_float(a.is) ? exact(binary(op::FMul, a, b)) : binary(op::IMul, a, b);
  }
  /// Of integers: without a sign.
  constexpr id div(id a, id b) { return binary(is_float(a.is) ? op::FDiv : op::UDiv, a, b); }
  constexpr id mod(id a, id b) { return binary(op::UMod, a, b); }
  /// Of integers: with a sign.
  constexpr id less(id a, id b) {
    return compare(is_float(a.is) ? op::FOrdLessThan : op::SLessThan, a, b);
  }
  constexpr id below(id a, id b) { return compare(op::ULessThan, a, b); }
  constexpr id equal(id a, id b) {
    return compare(is_float(a.is) ? op::FOrdEqual : op::IEqual, a, b);
  }
  constexpr id both(id a, id b) { return binary(op::LogicalAnd, a, b); }
  constexpr id either(id a, id b) { return binary(op::LogicalOr, a, b); }
  constexpr id negated(id a) { return unary(op::LogicalNot, a); }
  constexpr id bits_as(id a, kind k) { return a.is == k ? a : convert(op::Bitcast, a, k); }

  /// Arithmetic with numbers that the emitter knows: what changes nothing is not written.
  constexpr id plus(id a, std::int64_t n) { return n == 0 ? a : add(a, integer(n)); }
  constexpr id times(id a, std::int64_t n) { return n == 1 ? a : mul(a, integer(n)); }
  constexpr id over(id a, std::int64_t n) { return n == 1 ? a : div(a, integer(n)); }
  constexpr id modulo(id a, std::int64_t n) { return n == 1 ? integer(0) : mod(a, integer(n)); }

  // ---- vectors
  constexpr id splat(id a, int width) {
    if (width == 1) return a;
    if (width == 2) return emit(op::CompositeConstruct, a.is, 2, {a.number, a.number});
    return emit(op::CompositeConstruct, a.is, 4, {a.number, a.number, a.number, a.number});
  }
  constexpr id vector(id a, id b) {
    return emit(op::CompositeConstruct, a.is, 2, {a.number, b.number});
  }
  constexpr id vector(id a, id b, id c, id d) {
    return emit(op::CompositeConstruct, a.is, 4, {a.number, b.number, c.number, d.number});
  }
  constexpr id component(id a, int at) {
    if (a.width == 1) return a;
    return emit(op::CompositeExtract, a.is, 1, {a.number, static_cast<word>(at)});
  }
};

}  // namespace tenon::spirv

// Writes SPIR-V modules: the same code in constant expressions and at run time, no Vulkan header
// and no shader compiler. A module is one compute kernel with the entry point "main".
// The layers of an assembler: module.hpp (sections), types.hpp, arithmetic.hpp, variables.hpp, and
// here control flow and functions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/variables.hpp>

namespace tenon::spirv {

/// A module while it is written. Types and constants are declared when they are first asked for,
/// once.
/// ```cpp
/// assembler m;
/// id total = m.add(a, b);
/// m.loop(10, [&](id i) {
///   m.when(m.less(i, n), [&] { m.add(total, i); });
/// });
/// sequence<word> words = m.finish(64, 1, 1);
/// ```
/// Of a call's arguments just one may write instructions: compilers differ in which one goes first.
class assembler : public memory_assembler {
 public:
  constexpr assembler() : block_(fresh()) {}
  using memory_assembler::call;

  // ---- loops and conditions
  /// Runs `body(i)` for i = begin, begin + step, ... below `end` (integers with a sign).
  /// `iterations` of a loop are the most there may be.
  template <class F>
  constexpr void loop(id begin, id end, id step, std::int64_t iterations, F&& body) {
    iterations_ += nest_ * iterations;
    nest_ *= iterations;
    const word head = fresh(), test = fresh(), inside = fresh(), again = fresh(), behind = fresh();
    const id next{fresh(), begin.is, 1};
    const word before = block_;
    branch(head);
    open(head);
    const id i = emit(op::Phi, begin.is, 1, {begin.number, before, next.number, again});
    emit(op::LoopMerge, {behind, again, 0});
    branch(test);
    open(test);
    emit(op::BranchConditional, {less(i, end).number, inside, behind});
    open(inside);
    body(i);
    nest_ /= iterations;
    branch(again);
    open(again);
    start(code_, op::IAdd, 4);
    for (const word w : {type_id(begin.is), next.number, i.number, step.number}) code_.push(w);
    branch(head);
    open(behind);
  }
  template <class F> constexpr void loop(std::int64_t n, F&& body) {
    if (n == 1) return body(integer(0));
    if (n > 1) loop(integer(0), integer(n), integer(1), n, body);
  }
  /// Most iterations of all loops together that an invocation makes.
  constexpr std::int64_t iterations() const { return iterations_; }
  template <class F> constexpr void when(id condition, F&& body) {
    const word inside = fresh(), behind = fresh();
    emit(op::SelectionMerge, {behind, 0});
    emit(op::BranchConditional, {condition.number, inside, behind});
    open(inside);
    body();
    branch(behind);
    open(behind);
  }
  template <class F, class G> constexpr void when(id condition, F&& body, G&& otherwise) {
    const word inside = fresh(), other = fresh(), behind = fresh();
    emit(op::SelectionMerge, {behind, 0});
    emit(op::BranchConditional, {condition.number, inside, other});
    open(inside);
    body();
    branch(behind);
    open(other);
    otherwise();
    branch(behind);
    open(behind);
  }
  // ---- functions
  /// A function of one or two values of one type: `body(operands)` gives the result. It has no
  /// variables and no control flow.
  template <class F> constexpr function define(kind k, int width, int operands, F&& body) {
    const word t = type_id(k, width);
    const word signature =
        operands == 1 ? once(op::TypeFunction, {t, t}) : once(op::TypeFunction, {t, t, t});
    sequence<word> outer_code;
    code_.swap(outer_code);
    const function f{fresh()};
    emit(op::Function, {t, f.number, 0, signature});
    id arguments[2]{emit(op::FunctionParameter, k, width, {})};
    if (operands == 2) arguments[1] = emit(op::FunctionParameter, k, width, {});
    emit(op::Label, {fresh()});
    const id r = body(arguments);
    emit(op::ReturnValue, {r.number});
    emit(op::FunctionEnd, {});
    append(functions_, code_);
    code_.swap(outer_code);
    return f;
  }
  constexpr id call(function f, id a) {
    return emit(op::FunctionCall, a.is, a.width, {f.number, a.number});
  }
  constexpr id call(function f, id a, id b) {
    return emit(op::FunctionCall, a.is, a.width, {f.number, a.number, b.number});
  }

 private:
  std::int64_t iterations_ = 0, nest_ = 1;  ///< of all loops so far; of those that are open
  word block_ = 0;                          ///< the label of the block that is being written

  constexpr void branch(word to) { emit(op::Branch, {to}); }
  constexpr void open(word label) {
    emit(op::Label, {label});
    block_ = label;
  }
};

}  // namespace tenon::spirv

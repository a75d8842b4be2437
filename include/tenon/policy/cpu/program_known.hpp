// Programs that every build carries as constants, so that graphs built at run time need not
// interpret the common ones.
//
// Each is written as the user would write it, goes through `prepare` once, at compile time, and is
// compared with a program instruction by instruction: whatever `prepare` makes of the operators,
// the same source gives the same program. Both ways give the same bits; inlined ones are faster.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/binary.hpp>
#include <tenon/language/trace.hpp>
#include <tenon/language/unary.hpp>
#include <tenon/plan/prepare.hpp>
#include <tenon/policy/cpu/program_inlined.hpp>

namespace tenon::simd {

/// What `prepare` makes of an element-wise model: the program to recognise.
template <class Model, int Arity> constexpr table known_table() {
  recorder r;
  const auto model = [&]<int... I>(std::integer_sequence<int, I...>) {
    return Model{}(handle<tensor{type::float32, extents(1)}>{
        &r, r.input(name("x") + I, {type::float32, extents(1)})}...);
  };
  r.out.outputs.push(model(std::make_integer_sequence<int, Arity>{}).id);
  return plans::prepare(r.out.view());
}
/// The one program of that table, with its size as a constant.
template <class Model, int Arity> constexpr auto known_program() {
  constexpr int size = known_table<Model, Arity>().programs[0].size;
  program<size> p;
  const table t = known_table<Model, Arity>();
  for (int i = 0; i < size; ++i) p.code[i] = t.code[i];
  return p;
}

/// True if both have the same instructions with the same registers.
template <int N> constexpr bool equal(const program<N>& a, program_view b) noexcept {
  if (b.size != N) return false;
  for (int i = 0; i < N; ++i)
    if (!(a.code[i] == b.code[i])) return false;
  return true;
}

/// The loop with `p` as a constant if `p` is one of the known programs, else null.
template <auto... Known> function::run_type find_known(program_view p) noexcept {
  function::run_type found = nullptr;
  ((found = equal(Known, p) ? &run_inlined<Known> : found), ...);
  return found;
}
namespace known {
// Bias and residual sums, with the activations that follow them in most networks; the two steps of
// a softmax; activations alone.
inline constexpr auto sum = [](auto a, auto b) { return a + b; };
inline constexpr auto sum_relu = [](auto a, auto b) { return relu(a + b); };
inline constexpr auto sum_relu6 = [](auto a, auto b) {
  return clamp<clamp_options{0.0f, 6.0f}>(a + b);
};
inline constexpr auto residual = [](auto a, auto b, auto c) { return a + b + c; };
inline constexpr auto residual_relu = [](auto a, auto b, auto c) { return relu(a + b + c); };
inline constexpr auto positive = [](auto a) { return relu(a); };
inline constexpr auto squash = [](auto a) { return sigmoid(a); };
inline constexpr auto squash_both = [](auto a) { return tanh(a); };
inline constexpr auto exp_minus = [](auto a, auto b) { return exp(a - b); };
inline constexpr auto quotient = [](auto a, auto b) { return a / b; };
}  // namespace known

/// `find_known` among the programs above. (`One` makes it depend on a parameter: they are prepared
/// only where somebody calls this.)
template <int One = 1> function::run_type find_known_program(program_view p) noexcept {
  using namespace known;
  return find_known<
      known_program<decltype(sum), 2 * One>(), known_program<decltype(sum_relu), 2 * One>(),
      known_program<decltype(sum_relu6), 2 * One>(), known_program<decltype(residual), 3 * One>(),
      known_program<decltype(residual_relu), 3 * One>(), known_program<decltype(positive), One>(),
      known_program<decltype(squash), One>(), known_program<decltype(squash_both), One>(),
      known_program<decltype(exp_minus), 2 * One>(), known_program<decltype(quotient), 2 * One>()>(
      p);
}

}  // namespace tenon::simd

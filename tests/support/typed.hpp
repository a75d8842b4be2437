// Runs of elements in their own C++ type, and operators that compute with them on both policies.
// SPDX-License-Identifier: MIT
#pragma once
#include "arrays.hpp"
#include <concepts>
#include <limits>
#include <tuple>

namespace tenon_test {

template <class T> struct typed {
  tn::shape shape{};
  std::vector<T> at{};
  tn::tensor is() const { return {tn::type_of<T>, shape}; }
  T operator[](tn::i64 i) const { return at[static_cast<std::size_t>(i)]; }
};

template <class T> inline constexpr bool is_real_element =
    std::same_as<T, float> || std::same_as<T, tn::float16>;
/// An element as a number that holds it; a float is itself.
template <class T> auto number_of_element(T x) {
  if constexpr (is_real_element<T>)
    return static_cast<float>(x);
  else
    return x;
}
/// Edges of the type, small numbers and any bits.
template <class T> T any_element(dice& d) {
  if constexpr (std::same_as<T, float>) {
    constexpr float edges[] = {0.0f,
                               -0.0f,
                               1.0f,
                               -1.0f,
                               0.5f,
                               65504.0f,
                               65520.0f,
                               1e-7f,
                               -3e9f,
                               9.3e18f,
                               1.9e19f,
                               1e30f,
                               std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(),
                               static_cast<float>(not_a_number)};
    return d.one_in(3) ? d.pick(edges) : d.one_in(2) ? 300 * d.real() : 3 * d.real();
  } else if constexpr (std::same_as<T, tn::float16>) {
    return d.one_in(4) ? tn::float16::of_bits(static_cast<std::uint16_t>(d.next()))
                       : tn::float16(4 * d.real());
  } else {
    using limits = std::numeric_limits<T>;
    constexpr T edges[] = {limits::min(),
                           limits::max(),
                           static_cast<T>(limits::min() + 1),
                           static_cast<T>(limits::max() - 1),
                           0,
                           1,
                           static_cast<T>(-1),
                           static_cast<T>(limits::max() / 2 + 1)};
    if (d.one_in(4)) return d.pick(edges);
    return d.one_in(2) ? static_cast<T>(d.in(std::is_signed_v<T> ? -9 : 0, 9))
                       : static_cast<T>(d.next());
  }
}
template <class T> typed<T> any_run(const tn::shape& s, dice& d) {
  typed<T> r{s, {}};
  for (tn::i64 i = 0; i < s.count(); ++i) r.at.push_back(any_element<T>(d));
  return r;
}

/// The same number, two NaN included.
template <class T> bool same_element(T a, T b) {
  if constexpr (is_real_element<T>) {
    const auto x = static_cast<float>(a), y = static_cast<float>(b);
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y) || (x != x && y != y);
  } else {
    return a == b;
  }
}
template <class T> void check_same(const typed<T>& wanted, const typed<T>& found, const char* how) {
  REQUIRE(wanted.shape == found.shape);
  for (tn::i64 i = 0; i < wanted.shape.count(); ++i)
    if (!same_element(wanted[i], found[i])) {
      FAIL_CHECK(how << ", " << tn::name_of(tn::type_of<T>) << ", element " << i << ": wanted "
                     << +number_of_element(wanted[i]) << ", found " << +number_of_element(found[i])
                     << ", seed " << seed());
      return;
    }
}

/// Weights by name, as bytes.
struct byte_weights {
  std::vector<std::tuple<tn::name, tn::tensor, std::vector<std::byte>>> all{};
  tn::const_view find(const tn::name& wanted) const noexcept {
    for (const auto& [label, t, memory] : all)
      if (label == wanted) return {memory.data(), t.type, t.shape, tn::dense(t.shape), true};
    return {};
  }
};
template <class T> std::vector<std::byte> bytes_of(const typed<T>& x) {
  std::vector<std::byte> r(x.at.size() * sizeof(T));
  std::memcpy(r.data(), x.at.data(), r.size());
  return r;
}

/// What a model with one output computes.
template <class Out, class Model>
typed<Out> call_typed(const Model& m, const std::vector<std::vector<std::byte>>& inputs) {
  INFO(tn::text_of(m.fault().what));
  REQUIRE(m.fault().ok());
  const tn::table_view t = m.plan_of().table;
  std::vector<tn::const_view> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const tn::tensor& x = t.nodes[t.inputs[static_cast<int>(i)]].out;
    in.push_back({inputs[i].data(), x.type, x.shape, tn::dense(x.shape), true});
  }
  const tn::tensor y = t.nodes[t.outputs[0]].out;
  REQUIRE(y.type == tn::type_of<Out>);
  typed<Out> r{y.shape, std::vector<Out>(static_cast<std::size_t>(y.shape.count()))};
  const tn::mutable_view out[] = {
      {reinterpret_cast<std::byte*>(r.at.data()), y.type, y.shape, tn::dense(y.shape), true}};
  tn::instance caller(m);
  REQUIRE(caller.run(in, out).what == tn::code::ok);
  return r;
}
/// Runs a table on reference and on cpu, which must agree.
template <class Out> typed<Out> run_typed(const tn::table_view& t,
                                          const std::vector<std::vector<std::byte>>& inputs,
                                          const byte_weights& weights = {}) {
  const tn::model<tn::dynamic, tn::reference> defining(t, weights);
  const tn::model<tn::dynamic, tn::cpu> fast(t, weights);
  const typed<Out> wanted = call_typed<Out>(defining, inputs);
  check_same(wanted, call_typed<Out>(fast, inputs), "cpu");
  return wanted;
}
/// One operator on these operands; those after the first are weights where `as_weights` says so.
template <class Op, class Out, class... In>
typed<Out> operate_typed(const typename Op::options& o, bool as_weights, const typed<In>&... in) {
  tn::builder b;
  byte_weights weights;
  std::vector<std::vector<std::byte>> inputs;
  const auto operand = [&](const auto& x) {
    const auto n = static_cast<int>(weights.all.size() + inputs.size());
    const tn::name label = tn::name("x") + n;
    if (!as_weights || n == 0) {
      inputs.push_back(bytes_of(x));
      return b.input(label, x.is());
    }
    weights.all.emplace_back(label, x.is(), bytes_of(x));
    return b.weight(label, x.is());
  };
  const auto y = b.add<Op>(o, {operand(in)...});
  const tn::result<tn::table> built = b.finish({y});
  INFO(Op::name << ": " << tn::text_of(built.error().what));
  REQUIRE(built.ok());
  return run_typed<Out>(built->view(), inputs, weights);
}
/// Calls `f.operator()<T>()` for the types of a list.
template <class... T, class F> void for_types(F&& f) { (f.template operator()<T>(), ...); }
template <class F> void for_integers(F&& f) {
  for_types<std::int8_t, std::uint8_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(f);
}
template <class F> void for_all_types(F&& f) {
  for_types<float, tn::float16, std::int8_t, std::uint8_t, std::int32_t, std::uint32_t,
            std::int64_t, std::uint64_t>(f);
}

}  // namespace tenon_test

// Graphs that the WebNN specification rejects: one line is one operator on inputs of given types,
// and the error that both front ends give. See explained.py for what TENON_STOP is for.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include <tenon/tenon.hpp>
#include "../catch.hpp"
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace invalid {

namespace tn = tenon;
using namespace tenon;

template <int I, tensor T> struct fed {
  static constexpr tensor type = T;
  static constexpr tn::name name = tn::name("x") + I;
  static constexpr int record(recorder& r) { return r.input(name, type); }
};
template <class Op, auto Options>
inline constexpr auto alone = [](auto... x) { return apply<Op, Options>(x...); };

/// One operator on inputs of these types, by both front ends.
template <class Op, auto Options, tensor... T> struct single {
  template <int... I> using net = graph<alone<Op, Options>, fed<I, T>...>;
  template <int... I> static consteval const error* trace(std::integer_sequence<int, I...>) {
#ifdef TENON_STOP
    return nullptr;
#else
    return &check<net<I...>>;
#endif
  }
  template <int... I> static error build(std::integer_sequence<int, I...>) {
#ifdef TENON_STOP  // not where a constant is made: for clang that would be another error
    static_cast<void>(sizeof(net<I...>));
#endif
    builder b;
    const std::vector<builder::value> x = {b.input(fed<I, T>::name, T)...};
    (void)b.add<Op>(Options, list<builder::value>{x.data(), static_cast<int>(x.size())});
    return b.fault();
  }
  static constexpr auto all = std::make_integer_sequence<int, sizeof...(T)>{};
  static constexpr const error* traced = trace(all);
  static error built() { return build(all); }
};

/// A line of the tables.
struct line {
  const error* traced;
  error (*built)();
  error wanted;
};
template <class Op, auto Options, tensor... T>
consteval line refused(code what, const char* operand, fact expected = {}, fact found = {}) {
  using one = single<Op, Options, T...>;
  return {one::traced, &one::built, {what, Op::name, operand, expected, found}};
}
/// An operator that has its default options, or none.
template <class Op, tensor... T>
consteval line refused_plain(code what, const char* operand, fact expected = {}, fact found = {}) {
  return refused<Op, typename Op::options{}, T...>(what, operand, expected, found);
}
/// An input that is no tensor; no operator sees it.
template <tensor T> consteval line refused_input(code what, fact expected, fact found) {
  using one = single<identity_t, no_options{}, T>;
  return {one::traced, &one::built, {what, "input", "x0", expected, found}};
}
/// What looks wrong and is not.
template <class Op, auto Options, tensor... T> consteval line accepted() {
  using one = single<Op, Options, T...>;
  return {one::traced, &one::built, {}};
}

/// Lines for each of several operators, one behind the other.
template <class First, class... Op, class F> consteval auto each(F lines) {
  constexpr std::size_t count = decltype(lines.template operator()<First>()){}.size();
  std::array<line, count*(1 + sizeof...(Op))> all{};
  std::size_t at = 0;
  const auto take = [&](const auto& some) {
    for (const line& l : some) all[at++] = l;
  };
  take(lines.template operator()<First>());
  (take(lines.template operator()<Op>()), ...);
  return all;
}

template <class Lines> constexpr bool as_wanted(const Lines& all) {
  for (const line& l : all)
    if (l.traced != nullptr && !(*l.traced == l.wanted)) return false;
  return true;
}
template <class Lines> void check_lines(const Lines& all) {
  for (const line& l : all) {
    INFO(describe(l.wanted));
    CHECK(describe(*l.traced) == describe(l.wanted));
    CHECK(*l.traced == l.wanted);
    CHECK(l.built() == l.wanted);
  }
}
/// How many messages a compiler prints for the lines: one for each operator and error.
template <class... Lines> int distinct(const Lines&... all) {
  std::vector<error> seen;
  const auto look = [&](const auto& some) {
    for (const line& l : some)
      if (!l.wanted.ok() && std::find(seen.begin(), seen.end(), l.wanted) == seen.end())
        seen.push_back(l.wanted);
  };
  (look(all), ...);
  return static_cast<int>(seen.size());
}
/// Only the builder can be asked for an operator without operands: a static one stops the compiler.
template <class... Op> void check_without_operands() {
  const auto one = [](const error& e, const char* name) {
    CHECK(e == error{code::operand_count, name, "", 1, 0});
  };
  const auto built = [](auto add) {
    builder b;
    add(b);
    return b.fault();
  };
  (one(built([](builder& b) { (void)b.add<Op>({}, {}); }), Op::name), ...);
}

template <class... I> constexpr tensor of(type t, I... extent) { return {t, extents(extent...)}; }
template <class... I> constexpr tensor f32(I... extent) { return of(type::float32, extent...); }
template <class... I> constexpr tensor f16(I... extent) { return of(type::float16, extent...); }
template <class... I> constexpr tensor i32(I... extent) { return of(type::int32, extent...); }
template <class... I> constexpr tensor i64s(I... extent) { return of(type::int64, extent...); }
template <class... I> constexpr tensor u8(I... extent) { return of(type::uint8, extent...); }
template <class... I> constexpr shape sh(I... extent) { return extents(extent...); }

inline constexpr i64 least = std::numeric_limits<i64>::min(),
                     most = std::numeric_limits<i64>::max();
inline constexpr i64 one = 1;  ///< for shifts

}  // namespace invalid

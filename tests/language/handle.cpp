// Handles: weights whose names are values, loops, operators on weights alone, and what errors
// become.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::code;

namespace {

using x4 = tn::input<"x", float, 4, 4>;

// Names are put together from texts, numbers, characters and names.
static_assert(tn::name("block") + 3 + ".conv" == "block3.conv");
static_assert(tn::name("l") + 0 + "." + 'q' + tn::name(".weight") == "l0.q.weight");
static_assert(tn::name("a") + std::int64_t{-7} + 18446744073709551615u ==
              "a-718446744073709551615");
static_assert(tn::name("") + std::numeric_limits<std::int64_t>::min() == "-9223372036854775808");
constexpr tn::name long_name = "a name of forty characters, counted: 040";
static_assert(long_name.size() == 40 && !(long_name + long_name).cut &&
              (long_name + long_name + long_name).cut);
static_assert((tn::name("x") + (long_name + long_name + long_name)).cut,
              "what was cut before stays cut");

// A loop names its weights by value, and is the graph that somebody writes out.
constexpr auto looped = [](auto x) {
  for (int i = 0; i < 3; ++i)
    x = tn::relu(tn::matmul(x, tn::weight_of<float, 4, 4>(tn::name("l") + i + ".w")) +
                 tn::weight_of<float, 4>(tn::name("l") + i + ".b"));
  return x;
};
constexpr auto written_out = [](auto x) {
  auto a = tn::relu(tn::matmul(x, tn::weight<"l0.w", float, 4, 4>) + tn::weight<"l0.b", float, 4>);
  auto b = tn::relu(tn::matmul(a, tn::weight<"l1.w", float, 4, 4>) + tn::weight<"l1.b", float, 4>);
  return tn::relu(tn::matmul(b, tn::weight<"l2.w", float, 4, 4>) + tn::weight<"l2.b", float, 4>);
};
static_assert(same(tn::graph<looped, x4>::view(), tn::graph<written_out, x4>::view()));

// Operators on weights alone keep the names of their weights.
constexpr auto waiting = [](auto x) {
  for (int i = 0; i < 2; ++i) {
    const auto w = tn::weight_of<float, 4, 4>(tn::name("w") + i);
    x = tn::matmul(x, tn::transpose<>(tn::exp(w)) + tn::weight<"all", float, 4>);
  }
  return x;
};
constexpr tn::table_view waited = tn::graph<waiting, x4>::view();
static_assert(waited.weights.size == 3);
static_assert(waited.name_of(waited.nodes[waited.weights[0]]) == "w0" &&
              waited.name_of(waited.nodes[waited.weights[2]]) == "w1");

// They are values: copied, assigned, returned from a model.
constexpr auto chosen = [](auto x) {
  auto w = tn::transpose<>(tn::weight_of<float, 4, 4>("first"));
  w = tn::transpose<>(tn::weight_of<float, 4, 4>("second"));
  const auto copy = w;
  return tn::outputs(x, copy);
};
constexpr tn::table_view chose = tn::graph<chosen, x4>::view();
static_assert(chose.weights.size == 1 && chose.name_of(chose.nodes[chose.weights[0]]) == "second");

// One name is one weight, however it was written.
constexpr auto shared = [](auto x) {
  return x * tn::weight<"w0", float, 4> + tn::weight_of<float, 4>(tn::name("w") + 0);
};
static_assert(tn::graph<shared, x4>::view().weights.size == 1);

// A mistake in a loop is the loop's error.
constexpr auto mistaken = [](auto x) {
  for (int i = 0; i < 3; ++i) x = tn::matmul(x, tn::weight_of<float, 5, 4>(tn::name("l") + i));
  return tn::relu(x);
};
static_assert(tn::check<tn::graph<mistaken, x4>>.is(code::inner_extent, "matmul"));
constexpr auto growing = [](auto x) {
  x = tn::matmul(x, tn::weight<"w", float, 4, 5>);
  return x;
};
static_assert(tn::check<tn::graph<growing, x4>>.is(code::extent, "assign"));
static_assert(tn::check<tn::graph<growing, x4>>.expected == tn::extents(4, 4));
static_assert(tn::check<tn::graph<growing, x4>>.found == tn::extents(4, 5));

template <auto Model> tn::error fault_of() {
  tn::recorder r;
  return tn::front::run<std::remove_const_t<decltype(Model)>, tn::mode::build, x4>(r);
}

}  // namespace

TEST_CASE("a name that was put together is refused like a literal one") {
  constexpr auto nameless = [](auto x) { return x * tn::weight_of<float, 4>(""); };
  CHECK(fault_of<nameless>().is(code::name_length, "weight"));
  constexpr auto endless = [](auto x) {
    return x * tn::weight_of<float, 4>(long_name + long_name + long_name);
  };
  CHECK(fault_of<endless>().is(code::name_length, "weight"));
  constexpr auto conflict = [](auto x) {
    for (int i = 0; i < 2; ++i)
      x = x * tn::weight_of<float, 4>("w") +
          tn::weight_of<float, 4, 4>(tn::name("w") + (i == 1 ? "" : "x"));
    return x;
  };
  CHECK(fault_of<conflict>().is(code::name_conflict, "weight"));
  CHECK(fault_of<conflict>().operand == tn::name("w"));
}

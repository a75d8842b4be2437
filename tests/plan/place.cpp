// Placement: tags, fallback, and what crosses between policies.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"
#include "toy.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::code, tn::error, tn::family, tn::sharing;

namespace {

constexpr bool contractions(const tn::table_view&, const tn::node& n) {
  return n.kind == family::contract;
}
constexpr bool none_at_all(const tn::table_view&, const tn::node&) { return false; }
constexpr tn::policy_facts host = fusing;
constexpr tn::policy_facts gpu{"gpu", sharing::importable, true, &anything, &tenon_test::nothing};
constexpr tn::policy_facts remote{"remote", sharing::separate, true, &anything,
                                  &tenon_test::nothing};
constexpr tn::policy_facts matrix_unit{"matrix unit", sharing::same, true, &contractions,
                                       &tenon_test::nothing};
constexpr tn::policy_facts useless{"useless", sharing::same, true, &none_at_all,
                                   &tenon_test::nothing};

using x44 = tn::input<"x", float, 4, 4>;
template <auto Model, class... Facts> constexpr tn::plans::traffic traffic(const Facts&... f) {
  return planned<tn::graph<Model, x44>>(f...)->moved;
}
template <auto Model, class... Facts> constexpr error fault(const Facts&... f) {
  return planned<tn::graph<Model, x44>>(f...).error();
}
template <auto Model, class... Facts> constexpr int place_of(int node, const Facts&... f) {
  return planned<tn::graph<Model, x44>>(f...)->table.nodes[node].policy;
}
constexpr bool moved(const tn::plans::traffic& t, int crossings, int copies, tn::i64 bytes) {
  return t.crossings == crossings && t.copies == copies && t.bytes_moved == bytes;
}

// Tags, and the default.
constexpr auto middle = [](auto x) {
  return tn::exp(tn::on<1>(tn::matmul(tn::tanh(x), x)));
};  // x, tanh, matmul, exp
static_assert(place_of<middle>(1, host, gpu) == 0 && place_of<middle>(2, host, gpu) == 1 &&
              place_of<middle>(3, host, gpu) == 0);
static_assert(fault<middle>(host) == error{code::policy, "matmul", "on", 1, 1});

// Fallback goes forward in the list, never back.
constexpr auto layer = [](auto x) { return tn::relu(tn::matmul(x, x)); };  // x, matmul, relu
static_assert(place_of<layer>(1, matrix_unit, host) == 0 &&
              place_of<layer>(2, matrix_unit, host) == 1);
static_assert(fault<layer>(matrix_unit) ==
              error{code::unsupported, "relu", "policy", "map", "matrix unit"});
static_assert(fault<layer>(useless, useless) ==
              error{code::unsupported, "matmul", "policy", "contract", "useless"});
static_assert(place_of<layer>(1, useless, useless, host) == 2);
constexpr auto tagged = [](auto x) { return tn::on<1>(tn::relu(x)); };
static_assert(fault<tagged>(host, useless).what == code::unsupported);
static_assert(place_of<tagged>(1, useless, matrix_unit, host) == 2);

// Crossings are distinct (tensor, policy) pairs; the caller's memory is policy 0's where that works
// in it.
static_assert(moved(traffic<layer>(host), 0, 0, 0));
static_assert(moved(traffic<middle>(host, host), 3, 0, 0),
              "tanh and x go over, the product comes back");
static_assert(moved(traffic<middle>(host, gpu), 3, 0, 0), "an import is no copy");
static_assert(moved(traffic<middle>(host, remote), 3, 3, 3 * 64));
static_assert(moved(traffic<layer>(remote), 2, 2, 2 * 64), "input and output");
static_assert(moved(traffic<layer>(gpu), 2, 0, 0));
constexpr auto shared = [](auto x) {
  auto y = tn::tanh(x);
  auto a = tn::on<1>(tn::matmul(y, y)), b = tn::on<1>(tn::exp(y));
  return tn::outputs(a + b, y);
};
static_assert(moved(traffic<shared>(host, remote), 3, 3, 3 * 64),
              "y crosses once for all its users");
constexpr auto with_weight = [](auto x) { return tn::on<1>(x + tn::weight<"w", float, 4, 4>); };
static_assert(moved(traffic<with_weight>(host, remote), 2, 2, 2 * 64),
              "weights move once, at binding");
constexpr auto ping_pong = [](auto x) {
  return tn::exp(tn::on<1>(tn::exp(tn::on<2>(tn::exp(tn::on<1>(tn::exp(x)))))));
};
static_assert(moved(traffic<ping_pong>(host, gpu, remote), 4, 2, 2 * 64));
constexpr auto untouched = [](auto x) { return tn::outputs(x, tn::exp(x)); };
static_assert(moved(traffic<untouched>(host), 0, 0, 0));

// The static plan publishes the same numbers.
using mixed = tn::graph<middle, x44>;
static_assert(tn::plan<mixed, toy<host>, toy<remote>>::crossings == 3);
static_assert(tn::plan<mixed, toy<host>, toy<remote>>::copies == 3);
static_assert(tn::plan<mixed, toy<host>, toy<remote>>::bytes_moved == 192);

// What a callable records is tagged, but for what is tagged inside; it may return several results,
// and use weights, composites, states and other callables.
constexpr auto body = [](auto x) {
  auto a = tn::tanh(x);
  auto b = tn::on<1>([&] {
    auto c = tn::matmul(a, tn::weight<"w", float, 4, 4>);
    return tn::on<2>(tn::exp(c)) + tn::softmax<1>(c);
  });
  return tn::exp(b);
};
constexpr auto tagged_one_by_one = [](auto x) {
  auto a = tn::tanh(x);
  auto c = tn::on<1>(tn::matmul(a, tn::weight<"w", float, 4, 4>));
  auto e = tn::on<2>(tn::exp(c));
  return tn::exp(tn::on<1>(e + tn::on<1>(tn::softmax<1>(c))));
};
static_assert(same(tn::graph<body, x44>::view(), tn::graph<tagged_one_by_one, x44>::view()));
constexpr auto pair = [](auto x) {
  auto [a, b] = tn::on<1>([&] {
    return std::tuple{tn::exp(x), tn::on<2>([&] { return tn::on<0>(tn::tanh(tn::sin(x))); })};
  });
  return tn::outputs(a, b);
};
static_assert(tn::graph<pair, x44>::view().nodes[1].policy == 1);
static_assert(tn::graph<pair, x44>::view().nodes[2].policy == 2 &&
              tn::graph<pair, x44>::view().nodes[3].policy == 0);
static_assert(tn::graph<pair, x44>::view().nodes.size == 4, "the second run is taken back");
constexpr auto carried = [](auto x, auto h) {
  return tn::on<1>([&] {
    auto y = tn::tanh(x + h);
    tn::next(h, y);
    return y * y;
  });
};
using with_state = tn::graph<carried, x44, tn::state<"h", float, 4, 4>>;
static_assert(with_state::view().states == 1 && with_state::view().nodes.size == 5 &&
              with_state::view().nodes[2].policy == 1 && with_state::view().nodes[4].policy == 1);
constexpr auto wrong = [](auto x) {
  return tn::on<1>([&] { return tn::matmul(x, tn::reshape<2, 8>(x)); });
};
static_assert(tn::check<tn::graph<wrong, x44>>.is(code::inner_extent, "matmul"));

}  // namespace

TEST_CASE("a builder tags what a callable adds") {
  tn::builder b;
  const auto x = b.input("x", floats(4, 4));
  const auto y =
      b.on(1, [&] { return b.add<tn::tanh_t>({}, {b.on(2, b.add<tn::exp_t>({}, {x}))}); });
  const auto net = b.finish({b.add<tn::relu_t>({}, {y})});
  REQUIRE(net.ok());
  const tn::table_view t = net->view();
  CHECK((t.nodes[1].policy == 2 && t.nodes[2].policy == 1 && t.nodes[3].policy == -1));
  tn::builder other;
  const auto z = other.input("x", floats(4, 4));
  CHECK(other.finish({other.on(8, [&] { return other.add<tn::exp_t>({}, {z}); })}).error() ==
        error{code::policy, "on", "policy", 7, 8});
}

TEST_CASE("a placed composite moves as a whole") {
  tn::builder b;
  const auto x = b.input("x", floats(4, 4));
  const auto y = b.on(1, b.add<tn::softmax_t>({1}, {x}));
  const auto net = b.finish({b.add<tn::relu_t>({}, {y})});
  REQUIRE(net.ok());
  const tn::policy_facts two[] = {host, remote};
  const auto made = tn::make_plan(net->view(), {two, 2});
  REQUIRE(made.ok());
  for (const tn::node& n : made->table.nodes)
    if (!tn::is_leaf(n.kind)) CHECK(static_cast<int>(n.policy) == (n.region >= 0 ? 1 : 0));
  CHECK(made->moved.crossings == 2);
}

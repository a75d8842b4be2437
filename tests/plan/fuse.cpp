// Fusion: which nodes run as one step.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "toy.hpp"
#include <random>
#include <set>
#include <vector>

namespace tn = tenon;
using namespace tenon_test;
using tn::builder, tn::family;

namespace {

template <auto Model, class... In> constexpr tn::owned_plan fused() {
  return planned<tn::graph<Model, In...>>(fusing).value();
}
/// The kind, anchor's operator and size of group `g`, if the plan has `groups` of them.
template <auto Model, class... In>
constexpr bool is_group(int g, int groups, family kind, const char* anchor, int size) {
  const tn::owned_plan p = fused<Model, In...>();
  const tn::plans::group& own = p.grouped.groups[g];
  return p.grouped.groups.size() == groups && own.kind == kind && own.size == size &&
         same_text(p.table.nodes[own.anchor].op, anchor);
}
template <auto Model, class... In> constexpr int groups() {
  return fused<Model, In...>().grouped.groups.size();
}
using image = tn::input<"x", float, 1, 4, 8, 8>;
using rows = tn::input<"x", float, 6, 16>;

// Epilogues join the contraction that they follow.
constexpr auto conv_relu = [](auto x) {
  return tn::relu(tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      x, tn::weight<"f", float, 4, 4, 3, 3>, tn::weight<"b", float, 4>));
};
static_assert(groups<conv_relu, image>() == 1, "the bias' reshape is a view, not a step");
static_assert(is_group<conv_relu, image>(0, 1, family::contract, "conv2d", 2));
constexpr auto residual = [](auto x) {
  return tn::relu(tn::matmul(x, tn::weight<"w", float, 16, 16>) + x);
};
static_assert(is_group<residual, rows>(0, 1, family::contract, "matmul", 2));
constexpr auto kept = [](auto x) {
  auto y = tn::matmul(x, tn::weight<"w", float, 16, 16>);
  return tn::outputs(y, tn::relu(y));
};
static_assert(groups<kept, rows>() == 2, "a product that somebody else reads has no epilogue");
constexpr auto widened = [](auto x) { return tn::matmul(x, tn::weight<"w", float, 16, 1>) + x; };
static_assert(groups<widened, rows>() == 2, "an epilogue has the shape of the product");
constexpr auto two_products = [](auto x) {
  auto y = tn::matmul(x, tn::weight<"v", float, 16, 16>);
  return y + tn::matmul(x, tn::weight<"w", float, 16, 16>);
};
static_assert(groups<two_products, rows>() == 2, "the sum joins one of two products");

// Row groups.
constexpr auto softmax = [](auto x) { return tn::softmax<1>(x); };
static_assert(is_group<softmax, rows>(0, 1, family::map, "softmax", 4));
static_assert(fused<softmax, rows>().grouped.groups[0].columns == 1);
constexpr auto over_columns = [](auto x) { return tn::softmax<0>(x); };
static_assert(groups<over_columns, rows>() == 4, "rows lie along the trailing axes");
constexpr auto gated = [](auto x) { return tn::softmax<1>(tn::tanh(x) * 2.0f) * x; };
static_assert(is_group<gated, rows>(0, 1, family::map, "mul", 5),
              "maps join the rows in front and behind");
constexpr auto layer_norm = [](auto x) {
  constexpr tn::reduce_options row{.axes = {1}, .keepDimensions = true};
  auto centred = x - tn::reduceSum<row>(x) / 16.0f;
  auto variance = tn::reduceSum<row>(centred * centred) / 16.0f;
  auto scale = tn::map([](auto v) { return 1.0f / sqrt(v + 1e-5f); })(variance);
  return centred * scale * tn::weight<"gain", float, 16> + tn::weight<"offset", float, 16>;
};
static_assert(groups<layer_norm, rows>() == 1);
constexpr auto image_norm = [](auto x) {
  return x /
         tn::reduceSum<tn::reduce_options{.axes = {1, 2, 3}, .keepDimensions = true}>(tn::exp(x));
};
static_assert(groups<image_norm, image>() == 1 &&
              fused<image_norm, image>().grouped.groups[0].columns == 3);
constexpr auto other_axes = [](auto x) {
  constexpr tn::reduce_options last{.axes = {3}, .keepDimensions = true},
      two{.axes = {2, 3}, .keepDimensions = true};
  return x - tn::reduceMax<last>(x) + tn::reduceSum<two>(x);
};
static_assert(groups<other_axes, image>() == 2, "reductions over other axes have other rows");
constexpr auto middle = [](auto x) {
  return tn::exp(tn::reduceSum<tn::reduce_options{.axes = {1}}>(x));
};
static_assert(is_group<middle, image>(0, 2, family::reduce, "reduceSum", 1));
constexpr auto by_channel = [](auto x) {
  return tn::softmax<3>(x * tn::reshape<4, 1, 1>(tn::weight<"gain", float, 4>));
};
static_assert(groups<by_channel, image>() == 1, "one operand value per row is fine");
constexpr auto by_height = [](auto x) {
  auto y = x * tn::weight<"gain", float, 8, 1>;
  return y / tn::reduceSum<tn::reduce_options{.axes = {2, 3}, .keepDimensions = true}>(y);
};
static_assert(groups<by_height, image>() > 1,
              "an operand that is uneven along the row stays outside");

// Two users of one map are one group of maps.
constexpr auto siblings = [](auto x) {
  auto y = tn::exp(x);
  return tn::outputs(tn::relu(y), tn::tanh(y));
};
static_assert(groups<siblings, rows>() == 1);

// Convexity: what would close a cycle stays apart.
constexpr auto diamond = [](auto x) {
  auto y = tn::exp(x);
  auto z = tn::matmul(y, tn::weight<"w", float, 16, 16>);
  return tn::outputs(y * z, tn::softmax<1>(y));
};
static_assert([] {
  const tn::owned_plan p = fused<diamond, rows>();
  return p.grouped.of[1] != p.grouped.of[4] && p.grouped.groups.size() >= 2;
}());
constexpr auto long_way_round = [](auto x) {
  auto e = tn::exp(x);
  auto through =
      tn::matmul(tn::matmul(e, tn::weight<"v", float, 16, 16>), tn::weight<"w", float, 16, 16>);
  auto narrow = tn::reduceMax<tn::reduce_options{.axes = {1}, .keepDimensions = true}>(through);
  return tn::outputs(e - narrow, e);
};
static_assert(groups<long_way_round, rows>() >= 4);

// A group that grows behind a group it feeds still runs first.
constexpr auto grows_later = [](auto x) {
  auto top = tn::reduceMax<tn::reduce_options{.axes = {1}, .keepDimensions = true}>(x);
  auto a = tn::matmul(top, tn::weight<"w", float, 1, 16>);
  return tn::outputs(a, tn::exp(x - top));
};
static_assert(is_group<grows_later, rows>(0, 2, family::map, "reduceMax", 2));
static_assert(is_group<grows_later, rows>(1, 2, family::contract, "matmul", 1));

// A path that leads through the early member of a group that grew: e + c must not join c, for c
// feeds the group of b and ratio (through top), which feeds e (through b).
constexpr auto through_early_member = [](auto x) {
  constexpr tn::reduce_options row{.axes = {1}, .keepDimensions = true};
  auto b = tn::reduceSum<row>(x);
  auto e = tn::matmul(b, tn::weight<"w", float, 1, 16>);
  auto c = tn::exp(x);
  auto top = tn::reduceMax<row>(c);
  auto ratio = (x - b) / top;
  auto sum = e + c;
  return tn::outputs(ratio, sum, e);
};
static_assert(planned<tn::graph<through_early_member, rows>>(fusing).ok());

// A policy that does not fuse has one group per node, in the table's order.
constexpr bool one_each = [] {
  const tn::owned_plan p = planned<lenet_graph>(plain).value();
  int g = 0;
  for (int i = 0; i < p.table.nodes.size(); ++i) {
    if (tn::is_leaf(p.table.nodes[i].kind) || p.locations[i].holder != i) continue;
    const tn::plans::group& own = p.grouped.groups[g++];
    if (own.size != 1 || own.anchor != i || own.kind != p.table.nodes[i].kind) return false;
  }
  return g == p.grouped.groups.size();
}();
static_assert(one_each);
static_assert(planned<lenet_graph>(fusing)->grouped.groups.size() == 6);

// Policies do not share groups.
constexpr auto two_policies = [](auto x) { return tn::softmax<1>(tn::on<1>(tn::exp(x))); };
static_assert(planned<tn::graph<two_policies, rows>>(fusing, fusing)->grouped.groups.size() == 2);

/// A random graph over 8 x 8 matrices.
tn::result<tn::table> random_graph(std::mt19937& random, int nodes) {
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  builder b;
  std::vector<builder::value> full{b.input("x", floats(8, 8)), b.weight("w", floats(8, 8))}, narrow;
  const auto any = [&] {
    return full[static_cast<std::size_t>(below(static_cast<int>(full.size())))];
  };
  while (static_cast<int>(full.size() + narrow.size()) < nodes) {
    switch (below(7)) {
      case 0: full.push_back(b.add<tn::matmul_t>({}, {any(), any()})); break;
      case 1:
        narrow.push_back(b.add<tn::reduceSum_t>({.axes = {1}, .keepDimensions = true}, {any()}));
        break;
      case 2:
        narrow.push_back(b.add<tn::reduceMax_t>({.axes = {1}, .keepDimensions = true}, {any()}));
        break;
      case 3: full.push_back(b.add<tn::transpose_t>({}, {any()})); break;
      case 4: full.push_back(b.add<tn::tanh_t>({}, {any()})); break;
      case 5:
        if (!narrow.empty())
          full.push_back(b.add<tn::sub_t>(
              {},
              {any(), narrow[static_cast<std::size_t>(below(static_cast<int>(narrow.size())))]}));
        break;
      default: full.push_back(b.add<tn::add_t>({}, {any(), any()})); break;
    }
  }
  return b.finish({full.back(), any()});
}

}  // namespace

TEST_CASE("a random graph that once gave two groups which needed each other is planned") {
  std::mt19937 random(978481454);
  for (int round = 0; round < 300; ++round) {
    const auto net = random_graph(random, 4 + round % 40);
    REQUIRE(net.ok());
    CHECK(planned(net, fusing).ok());
  }
}

TEST_CASE("groups of random graphs run in order and are planned without a defect") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int members = 0, steps = 0;
  for (int round = 0; round < 300; ++round) {
    const auto net = random_graph(random, 4 + round % 40);
    REQUIRE(net.ok());
    for (const tn::policy_facts& facts : {fusing, plain}) {
      const auto made = planned(net, facts);
      REQUIRE(made.error().what == tn::code::ok);
      const tn::plans::grouping& g = made->grouped;
      for (int i = 0; i < g.groups.size(); ++i)
        for (int k = 0; k < g.groups[i].size; ++k) {
          const tn::node& n = made->table.nodes[g.members[g.groups[i].begin + k]];
          for (int j = 0; j < n.operands; ++j) CHECK(g.of[n.in[j]] <= i);
        }
      members += g.members.size();
      steps += g.groups.size();
    }
  }
  CHECK(steps < members);  // something was fused
}

TEST_CASE("a policy's groups have no more buffers than it declares, and are fewer than its nodes") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  tn::policy_facts few = fusing;
  few.most_buffers = 4;
  int smaller = 0, members = 0, steps = 0;
  for (int round = 0; round < 300; ++round) {
    const auto net = random_graph(random, 4 + round % 40);
    REQUIRE(net.ok());
    const auto free = planned(net, fusing), made = planned(net, few);
    REQUIRE(free.ok());
    REQUIRE(made.ok());
    const tn::plan_view p = made->view();
    for (const tn::plans::group& g : p.groups) {
      std::set<int> holders;
      for (int k = 0; k < g.size; ++k) {
        const int own = p.members[g.begin + k];
        if (p.locations[own].materialised) holders.insert(p.locations[own].holder);
        const tn::node& n = p.table.nodes[own];
        for (int j = 0; j < n.operands; ++j)
          if (p.group_of[n.in[j]] != p.group_of[own]) holders.insert(p.locations[n.in[j]].holder);
      }
      if (g.size > 1) CHECK(holders.size() <= 4);
    }
    smaller += made->grouped.groups.size() > free->grouped.groups.size();
    members += p.members.size;
    steps += p.groups.size;
  }
  CHECK(smaller > 0);
  CHECK(steps < members);
}

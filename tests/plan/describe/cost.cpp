// Cost: operations and bytes of groups.
// SPDX-License-Identifier: MIT
#include <tenon/language/elementary.hpp>
#include <tenon/plan/describe/cost.hpp>
#include "../../catch.hpp"
#include "../random_graph.hpp"
#include <set>

namespace tn = tenon;
using namespace tenon_test;

namespace {

template <auto Model, class... In> constexpr tn::cost cost_of_group(int g) {
  return tn::cost_of(planned<tn::graph<Model, In...>>(fusing).value().view(), g);
}
template <auto Model, class... In> constexpr tn::cost cost_of_all() {
  return tn::cost_of(planned<tn::graph<Model, In...>>(fusing).value().view());
}

// Contractions: two operations for each term; the bias in the epilogue adds one for each element.
constexpr auto dense = [](auto x) {
  return tn::gemm(x, tn::weight<"w", float, 16, 10>, tn::weight<"b", float, 10>);
};
using rows = tn::input<"x", float, 6, 16>;
static_assert(cost_of_group<dense, rows>(0) == tn::cost{.flops = 6 * 10 * (2 * 16 + 1),
                                                        .read = 6 * 16 * 4,
                                                        .weights = (16 * 10 + 10) * 4,
                                                        .written = 6 * 10 * 4});
static_assert(cost_of_all<dense, rows>() == cost_of_group<dense, rows>(0));
static_assert(cost_of_all<dense, rows>().bytes() == 384 + 680 + 240);
constexpr auto grouped = [](auto x) {
  return tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}, .groups = 2}>(
      x, tn::weight<"f", float, 6, 2, 3, 3>);
};
static_assert(cost_of_all<grouped, tn::input<"x", float, 1, 4, 5, 5>>().flops == 2 * 6 * 25 * 2 * 9,
              "padding is multiplied too");

// Maps: what prepare merged counts once for each element, an fma two.
constexpr auto gate = [](auto x, auto y) { return tn::relu(x * 2.0f + y); };
static_assert(cost_of_all<gate, rows, tn::input<"y", float, 16>>().flops == 6 * 16 * 3);
static_assert(cost_of_all<gate, rows, tn::input<"y", float, 16>>().read == (6 * 16 + 16) * 4,
              "what is broadcast is read once");

// Row groups: what lives inside of the group is neither read nor written.
constexpr auto soft = [](auto x) { return tn::softmax<1>(x); };
static_assert(cost_of_all<soft, rows>() ==
              tn::cost{.flops = 6 * 16 * (1 + 1 + tn::flops_of(tn::sop::exp) + 1 + 1),
                       .read = 384,
                       .written = 384});

// A mean divides once for each result; a position costs one comparison for each element.
constexpr auto mean_of_rows = [](auto x) {
  return tn::reduceMean<tn::reduce_options{.axes = {1}}>(x);
};
static_assert(cost_of_all<mean_of_rows, rows>() ==
              tn::cost{.flops = 6 * 16 + 6, .read = 384, .written = 24});
constexpr auto first_of_rows = [](auto x) { return tn::argMax<1>(x); };
static_assert(cost_of_all<first_of_rows, rows>() ==
              tn::cost{.flops = 6 * 16, .read = 384, .written = 24});
constexpr auto larger = [](auto x, auto y) { return tn::greater(x, y); };
static_assert(cost_of_all<larger, rows, tn::input<"y", float, 6, 16>>() ==
                  tn::cost{.flops = 96, .read = 768, .written = 96},
              "a byte each");

// Windows: taps in padding count nothing; an average divides.
constexpr tn::pool2d_options around{.windowDimensions = {3, 3}, .padding = {1, 1, 1, 1}};
constexpr auto highest = [](auto x) { return tn::maxPool2d<around>(x); };
constexpr auto mean = [](auto x) { return tn::averagePool2d<around>(x); };
using image = tn::input<"x", float, 2, 3, 4, 4>;
static_assert(cost_of_all<highest, image>().flops == 2 * 3 * 10 * 10);
static_assert(cost_of_all<mean, image>().flops == 2 * 3 * 10 * 10 + 2 * 3 * 16);

// Views: the two of one buffer are read once; they and moves compute nothing.
constexpr auto square = [](auto x) { return tn::matmul(x, tn::transpose<1, 0>(x)); };
static_assert(cost_of_all<square, rows>().read == 6 * 16 * 4);
constexpr auto turned = [](auto x) { return tn::transpose<1, 0>(x); };
static_assert(cost_of_all<turned, rows>() == tn::cost{.flops = 0, .read = 384, .written = 384});
static_assert(cost_of_all<turned, rows>().intensity() == 0);
constexpr auto repeated = [](auto x) {
  return tn::relu(
      tn::expand<6, 16>(tn::slice<tn::slice_options{.starts = {0, 0}, .sizes = {1, 16}}>(x)));
};
static_assert(cost_of_all<repeated, rows>().read == 64,
              "what repeats is read once, the other rows never");

// Joins: what is computed in place costs nothing more; the rest is copied. A view of a join reads
// the join.
constexpr auto joined = [](auto x) { return tn::concat<0>(tn::relu(x), tn::tanh(x)); };
static_assert(cost_of_all<joined, rows>().read == 2 * 384 &&
              cost_of_all<joined, rows>().written == 2 * 384);
constexpr auto half_joined = [](auto x) { return tn::concat<0>(tn::relu(x), x); };
static_assert(cost_of_group<half_joined, rows>(1) ==
              tn::cost{.flops = 0, .read = 384, .written = 384});
static_assert(cost_of_all<half_joined, rows>() ==
              tn::cost{.flops = 96, .read = 768, .written = 768});
constexpr auto twice = [](auto x) {
  auto y = tn::relu(x);
  return tn::concat<0>(y, y);
};
static_assert(cost_of_all<twice, rows>() == tn::cost{.flops = 96, .read = 768, .written = 768});
constexpr auto padded = [](auto x) {
  return tn::pad<tn::pad_options{.beginningPadding = {0, 1}, .endingPadding = {1, 0}}>(x);
};
static_assert(cost_of_all<padded, rows>() ==
              tn::cost{.flops = 0, .read = 384, .written = 7 * 17 * 4});

// A gather reads no more than it takes; all of the indices.
constexpr auto looked_up = [](auto i) {
  return tn::gather<0>(tn::weight<"table", float, 1000, 16>, i);
};
static_assert(cost_of_all<looked_up, tn::input<"i", std::int32_t, 5>>() ==
              tn::cost{.flops = 0, .read = 20, .weights = 5 * 16 * 4, .written = 5 * 16 * 4});
constexpr auto itself = [](auto x) { return tn::outputs(x, tn::relu(x)); };
static_assert(cost_of_all<itself, rows>() == tn::cost{.flops = 96, .read = 768, .written = 768},
              "output copies are traffic");

}  // namespace

TEST_CASE("an elementary function costs what its program costs") {
  for (const auto& f : tn::instructions::table)
    if (tn::is_elementary(f.op)) CHECK(f.flops == tn::flops_of(tn::elementary_view(f.op)));
}

TEST_CASE("taps inside of the input are counted as a loop would") {
  std::mt19937 random(7);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    tn::sweep s;
    s.taps = between(1, 7);
    s.stride = between(1, 4);
    s.dilation = between(1, 3);
    s.begin = between(0, 9);
    s.extent = between(1, 12);
    const int positions = between(1, 12);
    tn::i64 pairs = 0;
    for (tn::i64 o = 0; o < positions; ++o)
      for (tn::i64 t = 0; t < s.taps; ++t) {
        const tn::i64 at = o * s.stride + t * s.dilation - s.begin;
        pairs += at >= 0 && at < s.extent;
      }
    CHECK(tn::costs::inside(s, positions) == pairs);
  }
}

TEST_CASE("fusing changes the traffic of a plan and not its work") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int saved = 0, joins = 0;
  for (int round = 0; round < 100; ++round) {
    const auto net = any_graph(random, 4 + round % 30);
    REQUIRE(net.ok());
    const auto together = planned(net, fusing), apart = planned(net, plain);
    REQUIRE((together.ok() && apart.ok()));
    const tn::cost a = tn::cost_of(together->view()), b = tn::cost_of(apart->view());
    CHECK(a.flops == b.flops);
    CHECK(a.written <= b.written);
    saved += a.written < b.written;
    for (const tn::plans::location& v : together->locations) joins += v.inside >= 0;
    tn::i64 distinct =
        0;  // a group reads no more than its operands have, and writes what is stored
    for (int g = 0; g < apart->grouped.groups.size(); ++g) {
      const tn::node& n = apart->table.nodes[apart->grouped.groups[g].anchor];
      distinct = 0;
      std::set<int> seen;
      for (int k = 0; k < n.operands; ++k)
        if (seen.insert(n.in[k]).second) distinct += apart->table.nodes[n.in[k]].out.bytes();
      const tn::cost c = tn::cost_of(apart->view(), g);
      CHECK(c.read + c.weights <= distinct);
      CHECK(c.read + c.weights > 0);
      tn::i64 in_place = 0;  // of a join
      for (int k = 0; k < apart->table.nodes.size(); ++k)
        if (apart->locations[k].inside == apart->grouped.groups[g].anchor)
          in_place += apart->table.nodes[k].out.bytes();
      CHECK(c.written == n.out.bytes() - in_place);
    }
  }
  CHECK(saved > 10);
  CHECK(joins > 10);
}

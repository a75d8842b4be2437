// Reasons: why values leave their groups, why moves copy.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/reason.hpp>
#include "../../catch.hpp"
#include "../random_graph.hpp"
#include <array>
#include <map>
#include <set>

namespace tn = tenon;
using namespace tenon_test;
using tn::apart, tn::copied, tn::family;

namespace {

constexpr tn::policy_facts few_buffers = [] {
  tn::policy_facts f = fusing;
  f.most_buffers = 4;
  return f;
}();
constexpr tn::policy_facts second{"second", tn::sharing::same, true, &anything, &nothing};
constexpr tn::policy_facts far{"far", tn::sharing::separate, true, &anything, &nothing};

/// The only reason for which operator `value`'s result is stored for operator `reader`; `none` if
/// there are several different ones or none.
constexpr apart reason(const tn::plan_view& p, const char* value, const char* reader) {
  apart found = apart::none;
  for (const tn::boundary& b : tn::boundaries(p)) {
    if (!same_text(p.table.nodes[b.value].op, value)) continue;
    if (b.reader < 0 || !same_text(p.table.nodes[b.reader].op, reader)) continue;
    if (found != apart::none && found != b.why) return apart::none;
    found = b.why;
  }
  return found;
}
template <auto Model, class... In> constexpr apart why(const char* value, const char* reader) {
  return reason(planned<tn::graph<Model, In...>>(fusing).value().view(), value, reader);
}
template <auto Model, class... In> constexpr copied why_copied() {
  const tn::owned_plan p = planned<tn::graph<Model, In...>>(fusing).value();
  for (int i = 0; i < p.table.nodes.size(); ++i)
    if (p.table.nodes[i].kind == family::move)
      if (const tn::refusal r = tn::why_copied(p.view(), i); r.why != copied::none) return r.why;
  return copied::none;
}

using rows = tn::input<"x", float, 6, 16>;
using square = tn::input<"x", float, 16, 16>;
using image = tn::input<"x", float, 1, 4, 8, 8>;
template <int I> constexpr auto w = tn::weight<"w", float, 16, 16>;

constexpr auto chain = [](auto x) { return tn::matmul(tn::matmul(x, w<0>), w<0>); };
static_assert(why<chain, rows>("matmul", "matmul") == apart::anchor);
constexpr auto kept = [](auto x) {
  auto y = tn::matmul(x, w<0>);
  return tn::outputs(y, tn::relu(y));
};
static_assert(why<kept, rows>("matmul", "relu") == apart::several_uses);
constexpr auto widened = [](auto x) { return tn::matmul(x, tn::weight<"v", float, 16, 1>) + x; };
static_assert(why<widened, rows>("matmul", "add") == apart::space);
constexpr auto two_products = [](auto x) {
  return tn::matmul(x, tn::weight<"v", float, 16, 16>) - tn::matmul(x, w<0>);
};
static_assert(why<two_products, rows>("matmul", "sub") == apart::other_group);
constexpr auto reduced = [](auto x) { return tn::reduceSum(tn::matmul(x, w<0>)); };
static_assert(why<reduced, rows>("matmul", "reduceSum") == apart::reduced);
constexpr auto behind_epilogue = [](auto x) {
  return tn::softmax<1>(tn::relu(tn::matmul(x, w<0>)));
};
static_assert(why<behind_epilogue, rows>("relu", "softmax") == apart::none,
              "two readers, two reasons");
constexpr auto kept_epilogue = [](auto x) {
  auto y = tn::relu(tn::matmul(x, w<0>));
  return tn::outputs(y, tn::tanh(y));
};
static_assert(why<kept_epilogue, rows>("relu", "tanh") == apart::epilogue);
constexpr auto pooled = [](auto x) {
  return tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}}>(tn::relu(x));
};
static_assert(why<pooled, image>("relu", "maxPool2d") == apart::reader_alone);
constexpr auto after_pool = [](auto x) {
  return tn::relu(tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}}>(x));
};
static_assert(why<after_pool, image>("maxPool2d", "relu") == apart::maker_alone);
constexpr auto by_columns = [](auto x) {
  return tn::reduceSum<tn::reduce_options{.axes = {0}}>(tn::tanh(x));
};
static_assert(why<by_columns, rows>("tanh", "reduceSum") == apart::axes);
constexpr auto two_rows = [](auto x) {
  auto y = tn::tanh(x);
  return tn::outputs(tn::reduceMax<tn::reduce_options{.axes = {3}}>(y),
                     tn::reduceSum<tn::reduce_options{.axes = {2, 3}}>(y));
};
static_assert(why<two_rows, image>("tanh", "reduceSum") == apart::rows);
constexpr auto through = [](auto x) {
  return tn::relu(tn::reshape<16, 6>(
      tn::maxPool2d<tn::pool2d_options{}>(tn::reshape<96, 1, 1, 1>(tn::tanh(x)))));
};
static_assert(why<through, rows>("maxPool2d", "relu") == apart::moved);
constexpr auto residual = [](auto x) {
  auto y = tn::tanh(x);
  return y + tn::matmul(y, w<0>);
};
static_assert(why<residual, rows>("tanh", "add") == apart::cycle);

constexpr auto long_rows = [](auto x) {
  return tn::softmax<1>(tn::softmax<1>(tn::softmax<1>(tn::softmax<1>(x))));
};
static_assert(why<long_rows, rows>("softmax", "softmax") == apart::full, "12 of 16 stages");

// Joins are seen through; what they hold keeps its own reasons.
constexpr auto through_join = [](auto x) {
  return tn::relu(tn::concat<0>(tn::matmul(x, w<0>), tn::tanh(x)));
};
static_assert(why<through_join, rows>("matmul", "relu") == apart::moved &&
              why<through_join, rows>("tanh", "relu") == apart::moved);
constexpr auto half_join = [](auto x) { return tn::concat<0>(tn::tanh(x), x); };
static_assert(why<half_join, rows>("tanh", "concat") == apart::reader_alone);
constexpr auto compared = [](auto x) { return tn::greater(tn::matmul(x, w<0>), x); };
static_assert(why<compared, rows>("matmul", "greater") == apart::types);
constexpr auto chosen = [](auto x, auto mask) { return tn::where(mask, tn::matmul(x, w<0>), x); };
static_assert(why<chosen, rows, tn::input<"mask", std::uint8_t, 6, 16>>("matmul", "where") ==
              apart::types);
constexpr auto first = [](auto x) { return tn::argMax<1>(tn::tanh(x)); };
static_assert(why<first, rows>("tanh", "argMax") == apart::positions);
constexpr auto looked_up = [](auto x) { return tn::gather<0>(tn::tanh(x), tn::argMax<1>(x)); };
static_assert(why<looked_up, rows>("tanh", "gather") == apart::reader_alone &&
              why<looked_up, rows>("argMax", "gather") == apart::reader_alone);

// The caller reads outputs; nobody reads what stays inside.
constexpr bool outputs_have_a_reason() {
  const tn::owned_plan p = planned<tn::graph<kept, rows>>(fusing).value();
  int found = 0;
  for (const tn::boundary& b : tn::boundaries(p.view()))
    found += b.reader < 0 && b.why == apart::output && b.output == found;
  return found == 2;
}
static_assert(outputs_have_a_reason());

// Moves.
constexpr auto as_output = [](auto x) { return tn::transpose<1, 0>(x); };
static_assert(why_copied<as_output, rows>() == copied::output);
constexpr auto strided = [](auto x) {
  return tn::matmul(tn::reshape<6, 16>(tn::transpose<1, 0>(x)), w<0>);
};
static_assert(why_copied<strided, rows>() == copied::reader,
              "the reshape wants the transpose dense");
constexpr auto summed = [](auto x) { return tn::softmax<1>(tn::transpose<1, 0>(x)); };
static_assert(why_copied<summed, rows>() == copied::row_group);
constexpr auto mapped = [](auto x) { return tn::relu(tn::transpose<1, 0>(x)); };
static_assert(why_copied<mapped, rows>() == copied::last_axis);
constexpr auto convolved = [](auto x) {
  return tn::conv2d(tn::transpose<0, 1, 3, 2>(x), tn::weight<"f", float, 2, 4, 3, 3>);
};
static_assert(why_copied<convolved, image>() == copied::sweep);
constexpr auto product = [](auto x) {
  return tn::matmul(tn::transpose<1, 0>(x), tn::weight<"v", float, 6, 3>);
};
static_assert(why_copied<product, rows>() == copied::none, "products take any strides");

constexpr auto part = [](auto x) {
  return tn::relu(tn::slice<tn::slice_options{.starts = {2, 0}, .sizes = {3, 16}}>(x));
};
static_assert(why_copied<part, rows>() == copied::none);
constexpr auto padded = [](auto x) {
  return tn::pad<tn::pad_options{.beginningPadding = {1, 0}, .endingPadding = {0, 0}}>(x);
};
static_assert(why_copied<padded, rows>() == copied::padding);
constexpr auto triangle = [](auto x) { return tn::triangular(x); };
static_assert(why_copied<triangle, rows>() == copied::masked);
constexpr auto sampled = [](auto x) { return tn::resample2d(x); };
static_assert(why_copied<sampled, image>() == copied::samples);
constexpr auto both = [](auto x) { return tn::relu(tn::concat<0>(tn::tanh(x), tn::exp(x))); };
static_assert(why_copied<both, rows>() == copied::none);
static_assert(why_copied<half_join, rows>() == copied::join_leaf);
constexpr auto join_of_view = [](auto x) {
  return tn::concat<0>(tn::tanh(x),
                       tn::reshape<2, 16>(tn::exp(tn::reshape<32>(
                           tn::slice<tn::slice_options{.starts = {0, 0}, .sizes = {2, 16}}>(x)))));
};
static_assert(why_copied<join_of_view, rows>() == copied::join_view);
constexpr auto joined_output = [](auto x) {
  auto y = tn::tanh(x);
  return tn::outputs(y, tn::concat<0>(y, tn::exp(x)));
};
static_assert(why_copied<joined_output, rows>() == copied::join_output);
constexpr auto across = [](auto x) { return tn::concat<1>(tn::tanh(x), tn::exp(x)); };
static_assert(why_copied<across, rows>() == copied::join_across);
constexpr auto again = [](auto x) {
  auto y = tn::tanh(x);
  return tn::concat<0>(y, y);
};
static_assert(why_copied<again, rows>() == copied::join_another);

// What a group is.
constexpr tn::form form_of_first(const tn::owned_plan& p) {
  return tn::form_of(p.grouped.groups[0]);
}
constexpr auto soft = [](auto x) { return tn::softmax<1>(x); };
constexpr auto epilogue = [](auto x) { return tn::relu(tn::matmul(x, w<0>)); };
constexpr auto two_maps = [](auto x) {
  auto y = tn::tanh(x);
  return tn::outputs(y, tn::exp(y));
};
static_assert(form_of_first(planned<tn::graph<soft, rows>>(fusing).value()) == tn::form::rows);
static_assert(form_of_first(planned<tn::graph<epilogue, rows>>(fusing).value()) ==
              tn::form::epilogue);
static_assert(form_of_first(planned<tn::graph<two_maps, rows>>(fusing).value()) == tn::form::maps);
static_assert(form_of_first(planned<tn::graph<chain, rows>>(fusing).value()) == tn::form::alone);

/// The groups that depend on group `g`, itself left out.
std::set<int> dependents(const tn::plan_view& p, int g) {
  std::set<int> all;
  const auto reached = [&](int h) { return h == g || all.count(h) != 0; };
  for (std::size_t before = 1, now = 0; before != now; now = all.size()) {
    before = all.size();
    for (int i = 0; i < p.table.nodes.size; ++i)
      for (int k = 0; k < p.table.nodes[i].operands; ++k) {
        const int own = p.group_of[i];
        tn::each_maker(p, p.table.nodes[i].in[k], [&](int maker) {
          if (own >= 0 && own != g && p.group_of[maker] >= 0 && reached(p.group_of[maker]))
            all.insert(own);
        });
      }
  }
  return all;
}
/// Whether what a reason claims is so, in the finished plan.
bool holds(const tn::plan_view& p, const tn::boundary& b) {
  const tn::table_view t = p.table;
  const tn::node &value = t.nodes[b.value], &reader = t.nodes[b.reader];
  const tn::plans::group& own = p.groups[p.group_of[b.value]];
  const int seen = b.through < 0 ? b.value : b.through;
  const bool joins = reader.kind == family::map || reader.kind == family::reduce;
  switch (b.why) {
    case apart::policies: return t.nodes[seen].policy != reader.policy;
    case apart::whole: return value.whole >= 0 || reader.whole >= 0;
    case apart::no_fusion: return !p.policies[reader.policy].fuses;
    case apart::anchor:
      return t.nodes[seen].kind == family::contract && reader.kind == family::contract;
    case apart::reader_alone: return !joins;
    case apart::moved: return joins && t.nodes[seen].kind == family::move;
    case apart::maker_alone:
      return joins && own.kind != family::map && own.kind != family::contract;
    case apart::reduced: return reader.kind == family::reduce && own.kind == family::contract;
    case apart::epilogue:
      return own.kind == family::contract && own.size == 2 && value.kind == family::map;
    case apart::several_uses:
      return value.kind == family::contract && tn::plans::count_uses(t)[b.value] > 1;
    case apart::types: {
      bool real = reader.out.type == tn::type::float32;
      for (int k = 0; k < reader.operands; ++k)
        real = real && t.nodes[reader.in[k]].out.type == tn::type::float32;
      return own.kind == family::contract && reader.kind == family::map && !real;
    }
    case apart::integers: return reader.kind == family::map && own.size > 0;
    case apart::positions:
      return reader.kind == family::reduce && tn::gives_position(t.reduction_of(reader).how);
    case apart::scan: return value.loop != reader.loop;
    case apart::buffers: return p.policies[reader.policy].most_buffers > 0;
    case apart::full: return own.size == tn::plans::max_stages;
    case apart::space: return !(reader.out.shape == own.space) || reader.kind == family::reduce;
    case apart::axes: return tn::plans::trailing_axes(t.reduction_of(reader), own.space.rank) == 0;
    case apart::rows:
      return tn::plans::trailing_axes(t.reduction_of(reader), own.space.rank) != own.columns;
    case apart::uneven: return own.kind == family::map;
    case apart::cycle: {
      const std::set<int> behind = dependents(p, p.group_of[b.value]);
      bool found = false;
      for (int k = 0; k < reader.operands; ++k) {
        tn::each_maker(p, reader.in[k], [&](int maker) {
          const bool seen_as_view =
              maker != reader.in[k] && p.group_of[maker] == p.group_of[b.value];
          found = found || seen_as_view || behind.count(p.group_of[maker]) != 0;
        });
      }
      return found;
    }
    case apart::other_group: {
      bool found = false;
      for (int k = 0; k < reader.operands; ++k)
        found = found || p.group_of[reader.in[k]] == p.group_of[b.reader];
      return found;
    }
    case apart::none:
    case apart::output: return false;
  }
  return false;
}

}  // namespace

TEST_CASE("every edge between groups has one reason, and it is true") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::map<apart, int> seen;
  for (int round = 0; round < 1600; ++round) {
    const auto net = any_graph(random, 4 + round % 40, round % 2 + 1);
    REQUIRE(net.ok());
    const auto made = planned(net, round % 5 == 4 ? std::vector{plain, plain}
                                                  : std::vector{round % 5 == 3   ? composing
                                                                : round % 5 == 2 ? few_buffers
                                                                                 : fusing,
                                                                second});
    REQUIRE(made.ok());
    const tn::plan_view p = made->view();
    std::map<std::array<int, 3>, int> edges;  // what is read, as what, by whom
    for (int i = 0; i < p.table.nodes.size; ++i)
      for (int k = 0; k < p.table.nodes[i].operands && !tn::is_view(p, i); ++k) {
        const int from = p.table.nodes[i].in[k];
        tn::each_maker(p, from, [&](int maker) {
          if (p.group_of[maker] >= 0 && p.group_of[maker] != p.group_of[i])
            edges[{maker, from, i}] = 1;
        });
      }
    for (const tn::boundary& b : tn::boundaries(p)) {
      if (b.reader < 0) continue;
      INFO("node " << b.value << " for " << b.reader << ": " << text_of(b.why));
      CHECK(edges[{b.value, b.through < 0 ? b.value : b.through, b.reader}]-- == 1);
      CHECK(p.locations[b.value].materialised);
      CHECK(holds(p, b));
      CHECK(tn::why_apart(p, b.value, b.reader) != apart::none);
      ++seen[b.why];
    }
    for (const auto& [edge, left] : edges) CHECK(left == 0);
  }
  for (const apart why :
       {apart::policies, apart::whole, apart::no_fusion, apart::anchor, apart::reader_alone,
        apart::moved, apart::maker_alone, apart::reduced, apart::several_uses, apart::types,
        apart::positions, apart::axes, apart::buffers, apart::cycle, apart::other_group}) {
    INFO(text_of(why));
    CHECK(seen[why] > 0);
  }
}

TEST_CASE("a move has a reason to copy exactly when it copies") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int views = 0, copies = 0;
  std::map<copied, int> seen;
  for (int round = 0; round < 2000; ++round) {
    const auto net = any_graph(random, 4 + round % 40);
    REQUIRE(net.ok());
    const auto made = planned(net, round % 5 == 4 ? plain : round % 5 == 3 ? composing : fusing);
    REQUIRE(made.ok());
    const tn::plan_view p = made->view();
    for (int i = 0; i < p.table.nodes.size; ++i) {
      if (p.table.nodes[i].kind != family::move) continue;
      const tn::refusal r = tn::why_copied(p, i);
      CHECK((r.why == copied::none) == (p.group_of[i] < 0 || p.table.nodes[i].whole >= 0));
      if (r.reader >= 0) CHECK(p.table.nodes[r.reader].kind != family::input);
      if (r.why >= copied::join_leaf && r.why != copied::join_another)
        CHECK(p.locations[r.operand].inside != i);
      (p.group_of[i] < 0 ? views : copies) += 1;
      ++seen[r.why];
    }
  }
  for (const copied why : {copied::padding, copied::output, copied::no_strides, copied::row_group,
                           copied::reader, copied::last_axis, copied::join_leaf, copied::join_view,
                           copied::join_across, copied::join_another}) {
    INFO(text_of(why));
    CHECK(seen[why] > 0);
  }
  CHECK(views > 100);
  CHECK(copies > 100);
}

TEST_CASE("passages between policies are the crossings that the plan counts") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int copies = 0;
  for (int round = 0; round < 200; ++round) {
    const auto net = any_graph(random, 4 + round % 40, 3);
    REQUIRE(net.ok());
    const auto made = planned(
        net, round % 2 == 0 ? std::vector{fusing, far, second} : std::vector{far, second, fusing});
    REQUIRE(made.ok());
    const tn::plan_view p = made->view();
    std::set<std::pair<int, int>> all,
        copied;  // buffer and target; buffer and the policy with its copy
    const int caller = p.policies[0].memory == tn::sharing::same ? 0 : -1;
    const auto add = [&](int id, int to) {
      const tn::passage how = tn::passage_of(p, id, to);
      if (how == tn::passage::none) return;
      const int holder = p.locations[id].holder;
      all.insert({holder, to < 0 ? caller : to});
      if (how != tn::passage::copied) return;
      const bool there = to >= 0 && p.policies[to].memory == tn::sharing::separate;
      copied.insert({holder, there ? to : p.table.nodes[holder].policy});
    };
    for (int i = 0; i < p.table.nodes.size; ++i)
      for (int k = 0; p.group_of[i] >= 0 && k < p.table.nodes[i].operands; ++k)
        add(p.table.nodes[i].in[k], p.table.nodes[i].policy);
    for (const int o : p.table.outputs) add(o, -1);
    CHECK(static_cast<int>(all.size()) == p.moved.crossings);
    CHECK(static_cast<int>(copied.size()) == p.moved.copies);
    CHECK(p.mirrors.size == p.moved.copies);
    copies += p.moved.copies;
  }
  CHECK(copies > 100);
}

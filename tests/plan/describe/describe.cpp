// Plans as text.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/describe.hpp>
#include "../../catch.hpp"
#include "../random_graph.hpp"
#include <sstream>

namespace tn = tenon;
using namespace tenon_test;

namespace {

constexpr tn::policy_facts far{"far", tn::sharing::separate, true, &anything, &nothing};

constexpr auto classifier = [](auto x) {
  auto a = tn::relu(
      tn::gemm(x, tn::weight<"fc.weight", float, 16, 10>, tn::weight<"fc.bias", float, 10>));
  return tn::softmax<1>(a);
};
using net = tn::graph<classifier, tn::input<"rows", float, 4, 16>>;

constexpr const char* expected =
    R"(plan       7 operators, merged to 6, in 2 groups
policies   0  toy                   works in the caller's memory, fuses
inputs     0  rows                  float32 [4, 16]                       256 B
outputs    0  %8 softmax            float32 [4, 10]                       160 B   written in place by group 1
weights    2 tensors, 680 B; 0 B packed, 0 B of bound forms
arena      192 B, lower bound 192 B (the most that is live at one time); 0 B more for each thread
work       2.80 kFLOP; reads 416 B and 680 B of weights, writes 320 B: 1.98 FLOP/B
traffic    0 crossings between policies, 0 copies, 0 B in every call

group  policy      form      operators                     result                         FLOP     bytes   FLOP/B
    0  toy         contract  gemm + relu                   [4, 10]                     1.36 k   1,096 B     1.24
    1  toy         rows      softmax                       [4, 10]                     1.44 k     320 B     4.50

group 0    gemm + relu: contract on toy, 1.36 kFLOP, 1,096 B, 1.24 FLOP/B
           %3   = gemm(rows, fc.weight)                     [4, 10]                   inside the group
                    [4 x 10 x 16] rows x columns x terms
           %4   = max(%3 + fc.bias, 0)                      [4, 10]                   arena 0 .. 160
  reads    rows                                             [4, 16]                   input 0
           fc.weight                                        [16, 10]                  weight
           fc.bias                                          [10]                      weight
  fused    %4 is the epilogue: it is computed on the sums of %3 before they are stored
  stored   %4 for %5 softmax in group 1: a contraction takes element-wise epilogues, no reductions
           %4 for %6 softmax in group 1: the contraction has its epilogue already

group 1    softmax: rows on toy, 1.44 kFLOP, 320 B, 4.50 FLOP/B
           %5   = max(%4, axis 1)                           [4, 1]                    inside the group
           %6   = exp(%4 - %5)                              [4, 10]                   inside the group
           %7   = sum(%6, axis 1)                           [4, 1]                    inside the group
           %8   = %6 / %7                                   [4, 10]                   output 0
  reads    %4                                               [4, 10]                   arena 0 .. 160
  fused    4 stages run row by row: 4 rows of 10 elements
  stored   %8: it is an output

arena      buffer                        bytes              at               groups    live
           %4 relu                         160             0 .. 160            0 .. 1   ##
)";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a plan reads like this") { CHECK(tn::describe<net, toy<fusing>>() == expected); }

TEST_CASE("crossings, copies and their reasons are told") {
  constexpr auto split = [](auto x) {
    return tn::outputs(x, tn::transpose<1, 0>(tn::on<1>(tn::tanh(x))));
  };
  const auto made = planned<tn::graph<split, tn::input<"x", float, 4, 16>>>(fusing, far);
  REQUIRE(made.ok());
  const std::string text = tn::describe(made->view());
  CHECK(contains(text, "traffic    2 crossings between policies, 2 copies, 512 B in every call\n"));
  CHECK(
      contains(text, "policies   0  fusing                works in the caller's memory, fuses\n"));
  CHECK(contains(text, "           1  far                   has a memory of its own, fuses\n"));
  CHECK(contains(text,
                 "  crosses  x from the caller: copied, because a policy cannot share the host's "
                 "memory, 256 B\n"));
  CHECK(contains(
      text,
      "  crosses  %1 from far: copied, because a policy cannot share the host's memory, 256 B\n"));
  CHECK(contains(text, "copied at the end from input 0\n"));
  CHECK(contains(text, "  copied   not a view, because it is an output, and outputs are dense\n"));
  CHECK(contains(text, "  stored   %1 for %2 transpose in group 1: that runs on fusing\n"));
}

TEST_CASE("joins in place, views of parts, types and positions are told") {
  constexpr auto both = [](auto x) {
    auto y = tn::concat<0>(tn::tanh(x), tn::exp(x));
    auto z = tn::concat<0>(tn::relu(x), tn::weight<"w", float, 2, 16>);
    auto part = tn::slice<tn::slice_options{.starts = {1, 0}, .sizes = {2, 16}}>(y);
    return tn::outputs(tn::argMax<1>(tn::relu(part)), tn::greater(y, tn::weight<"least", float, 1>),
                       z);
  };
  const auto made = planned<tn::graph<both, tn::input<"x", float, 4, 16>>>(fusing);
  REQUIRE(made.ok());
  const std::string text = tn::describe(made->view());
  CHECK(contains(text, "in 7 groups and 2 views that need no kernel\n"));
  CHECK(contains(text, "arena 0 .. 256\n"));
  CHECK(contains(text, "arena 256 .. 512\n"));                           // the join's second half
  CHECK(contains(text, "[2, 16]                   arena 64 .. 192\n"));  // two rows of it
  CHECK(contains(text, "written in place by groups 2, 3\n"));
  CHECK(contains(text, "slice of concat of %1 and %2 "));
  CHECK(contains(text, "read through a concat, and moves join no group"));
  CHECK(contains(text, " not: it is computed in its place\n"));
  CHECK(contains(text, "           w, because it lies in the caller's memory\n"));
  CHECK(contains(text, "it is computed in its place in the result\n"));
  CHECK(contains(text, "uint8 [8, 16]             output 1\n"));
  CHECK(contains(text, "int32 [2]                 output 0\n"));
  CHECK(contains(text, "the reader finds positions"));
}

TEST_CASE("states are no inputs, and limits are no extents") {
  constexpr auto step = [](auto x, auto kept) {
    auto now = tn::tanh(x + kept);
    tn::next(kept, now);
    return tn::matmul(now, tn::weight<"w", float, 16, 4>);
  };
  const auto made =
      planned<tn::graph<step, tn::input<"x", float, 2, 16>, tn::state<"memory", float, 2, 16>>>(
          fusing);
  REQUIRE(made.ok());
  const std::string text = tn::describe(made->view());
  CHECK(contains(text, "\ninputs     0  x    "));
  CHECK(contains(text, "\nstates     0  memory    "));
  CHECK(!contains(text, "           1  memory"));
  CHECK(contains(text, "128 B   next: %2, in place\n"));
  CHECK(made->view().state_bytes() == 256);
  CHECK(contains(text, "; 256 B of states\n"));
  CHECK(contains(text, "state 0\n"));
  CHECK(contains(text, "next state 0\n"));
  CHECK(contains(text, "it is the next value of memory\n"));

  constexpr auto scores = [](auto x) {
    return tn::softmax<2>(tn::matmul(x, tn::transpose<0, 2, 1>(x)));
  };
  using open = tn::graph<scores, tn::input<"tokens", float, 1, tn::upto<128>, 32>>;
  const std::string most = tn::describe<open, toy<fusing>>();
  CHECK(contains(most, "float32 [1, <= 128, 32]"));
  CHECK(contains(most, "float32 [1, <= 128, <= 128]"));
  CHECK(contains(
      most, "\nlimits     extents, bytes and operations below are those of the largest call\n"));
}

TEST_CASE("no name spoils the text") {
  tn::builder b;
  const auto x = b.input("two\nlines \x1b[31m \"quoted\"", {tn::type::float32, tn::extents(2, 2)});
  const auto made = planned(b.finish({b.add<tn::relu_t>({}, {x})}), fusing);
  REQUIRE(made.ok());
  const std::string text = tn::describe(made->view());
  CHECK(contains(text, "%0 two\\x0alines \\x1b[31m \"quoted\""));
  CHECK(contains(text, "= max(%0, 0)"));
}

TEST_CASE("the longest name gets a line of its own") {
  tn::builder b;
  const std::string label(95, 'n');
  const auto x = b.input(label.c_str(), {tn::type::float32, tn::extents(2, 2)});
  const auto made = planned(b.finish({b.add<tn::relu_t>({}, {x})}), fusing);
  REQUIRE(made.ok());
  const std::string text = tn::describe(made->view());
  CHECK(
      contains(text, "inputs     0  %0 " + label + "\n" + std::string(36, ' ') + "float32 [2, 2]"));
  CHECK(contains(text, "  reads    %0 " + label + "\n" + std::string(60, ' ') + "[2, 2]"));
}

TEST_CASE("texts of random plans fit 120 columns and name every group, stored value and reason") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const auto graph = any_graph(random, 4 + round % 40, 2);
    REQUIRE(graph.ok());
    const auto made = planned(graph, round % 3 == 0   ? std::vector{fusing, far}
                                     : round % 3 == 1 ? std::vector{plain, fusing}
                                                      : std::vector{composing, far});
    REQUIRE(made.ok());
    const tn::plan_view p = made->view();
    const std::string text = tn::describe(p);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(line.size() <= 120);
      CHECK((line.empty() || line.back() != ' '));
    }
    CHECK(!contains(text, "nowhere"));
    for (int g = 0; g < p.groups.size; ++g) {
      if (p.groups[g].kind == tn::family::compose)
        CHECK(contains(text, "of a composite operator, one step of the policy\n"));
      CHECK(contains(text, tenon::notation::joined("\ngroup ", g) + " "));
      for (const int i : p.members_of(p.groups[g]))
        CHECK(contains(text, tenon::notation::joined("\n           %", i) + " "));
    }
    for (int i = 0; i < p.buffers.size; ++i)
      if (p.buffers[i].in == tn::plans::buffer::storage::arena)
        CHECK(contains(text, tenon::notation::joined("\n           %", i) + " "));
    for (const tn::boundary& at : tn::boundaries(p))
      if (at.reader >= 0)
        CHECK(contains(text, tenon::notation::joined("%", at.value) +
                                 tenon::notation::joined(" for %", at.reader) + " "));
  }
}

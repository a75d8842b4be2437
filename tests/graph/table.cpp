// The node table: what known models leave in it, node by node, and how pools are shared.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::family, tn::extents;

namespace {

constexpr bool is(const tn::node& n, family kind, const char* op, const tn::shape& s,
                  std::initializer_list<int> in) {
  bool r = n.kind == kind && same_text(n.op, op) && n.out == tn::tensor{tn::type::float32, s} &&
           n.operands == static_cast<int>(in.size()) && n.policy == -1;
  int k = 0;
  for (const int i : in) r = r && k < n.operands && n.in[k++] == i;
  return r;
}

// One layer: every row.
constexpr auto layer = [](auto x) {
  return tn::relu(tn::matmul(x, tn::weight<"w", float, 3, 4>) + tn::weight<"b", float, 4>);
};
using one = tn::graph<layer, tn::input<"x", float, 2, 3>>;
constexpr tn::table_view t = one::view();
static_assert(t.nodes.size == 6);
static_assert(is(t.nodes[0], family::input, "input", extents(2, 3), {}));
static_assert(is(t.nodes[1], family::weight, "weight", extents(3, 4), {}));
static_assert(is(t.nodes[2], family::contract, "matmul", extents(2, 4), {0, 1}));
static_assert(is(t.nodes[3], family::weight, "weight", extents(4), {}));
static_assert(is(t.nodes[4], family::map, "add", extents(2, 4), {2, 3}));
static_assert(is(t.nodes[5], family::map, "relu", extents(2, 4), {4}));
static_assert(t.inputs.size == 1 && t.inputs[0] == 0 && t.weights.size == 2 && t.weights[0] == 1 &&
              t.weights[1] == 3);
static_assert(t.outputs.size == 1 && t.outputs[0] == 5);
static_assert(t.name_of(t.nodes[0]) == tn::name("x") && t.name_of(t.nodes[3]) == tn::name("b"));
static_assert(t.regions.size == 0 && t.nodes[4].region == -1);
static_assert(t.program_of(t.nodes[4]).size == 3 &&
              t.program_of(t.nodes[4]).code[2].op() == tn::sop::add);
static_assert(t.program_of(t.nodes[5]).code[2].op() == tn::sop::max);

// The contraction of a matmul is its loop nest.
constexpr tn::contraction product = t.contraction_of(t.nodes[2]);
static_assert(product.axes == 3 && product.sweeps == 0);
static_assert(product.axis[0] == tn::contraction::loop{2, 3, 0, 4, false});
static_assert(product.axis[1] == tn::contraction::loop{4, 0, 1, 1, false});
static_assert(product.axis[2] == tn::contraction::loop{3, 1, 4, 0, true});

// LeNet.
constexpr tn::table_view net = lenet_graph::view();
static_assert(net.nodes.size == 24);
static_assert(is(net.nodes[3], family::contract, "conv2d", extents(1, 8, 28, 28), {0, 1}));
static_assert(is(net.nodes[4], family::move, "conv2d", extents(8, 1, 1), {2}),
              "the bias of an nchw image");
static_assert(is(net.nodes[5], family::map, "conv2d", extents(1, 8, 28, 28), {3, 4}));
static_assert(is(net.nodes[6], family::map, "relu", extents(1, 8, 28, 28), {5}));
static_assert(is(net.nodes[7], family::window, "maxPool2d", extents(1, 8, 14, 14), {6}));
static_assert(is(net.nodes[14], family::window, "maxPool2d", extents(1, 16, 4, 4), {13}));
static_assert(is(net.nodes[15], family::move, "reshape", extents(1, 256), {14}));
static_assert(is(net.nodes[18], family::contract, "gemm", extents(1, 10), {15, 16}));
static_assert(is(net.nodes[19], family::map, "gemm", extents(1, 10), {18, 17}));
static_assert(is(net.nodes[20], family::reduce, "softmax", extents(1, 1), {19}));
static_assert(is(net.nodes[21], family::map, "softmax", extents(1, 10), {19, 20}));
static_assert(is(net.nodes[22], family::reduce, "softmax", extents(1, 1), {21}));
static_assert(is(net.nodes[23], family::map, "softmax", extents(1, 10), {21, 22}));
static_assert(net.regions.size == 4 && same_text(net.regions[0].op, "conv2d") &&
              same_text(net.regions[3].op, "softmax"));
static_assert(net.nodes[3].region == 0 && net.nodes[5].region == 0 && net.nodes[6].region == -1 &&
              net.nodes[23].region == 3);
static_assert(net.programs.size == 4, "add, relu, exp(x - m) and x / s; equal programs share one");
static_assert(net.nodes[5].detail == net.nodes[12].detail &&
              net.nodes[5].detail == net.nodes[19].detail);

// The convolution's sweeps.
constexpr tn::contraction conv = net.contraction_of(net.nodes[10]);
static_assert(conv.axes == 8 && conv.sweeps == 2);
static_assert(conv.swept[0] == tn::sweep{3, 6, 5, 1, 1, 2, 14, 14});
static_assert(conv.swept[1] == tn::sweep{4, 7, 5, 1, 1, 2, 14, 1});
static_assert(conv.axis[5] == tn::contraction::loop{8, 196, 25, 0, true},
              "input channels are summed first, then rows, then columns");
constexpr tn::windowing pool = net.windowing_of(net.nodes[14]);
static_assert(pool.how == tn::combine::max && !pool.average &&
              pool.swept[0] == tn::sweep{2, -1, 3, 3, 1, 0, 14, 14});

// Nodes stand behind their operands, in every table above.
constexpr bool ordered(const tn::table_view& v) {
  for (int i = 0; i < v.nodes.size; ++i)
    for (int k = 0; k < v.nodes[i].operands; ++k)
      if (v.nodes[i].in[k] < 0 || v.nodes[i].in[k] >= i) return false;
  return true;
}
static_assert(ordered(t) && ordered(net));

}  // namespace

TEST_CASE("a table interns equal programs and keeps different ones apart") {
  tn::table pool_of;
  const tn::recorded sum = tn::record_program<2>([](auto x, auto y) { return x + y; });
  const tn::recorded flipped = tn::record_program<2>([](auto x, auto y) { return y + x; });
  const tn::recorded zero = tn::record_program<1>([](auto x) { return x + 0.0f; });
  const tn::recorded minus_zero = tn::record_program<1>([](auto x) { return x + -0.0f; });
  CHECK(pool_of.intern(sum.view()) == 0);
  CHECK(pool_of.intern(flipped.view()) == 1);
  CHECK(pool_of.intern(zero.view()) == 2);
  CHECK(pool_of.intern(minus_zero.view()) == 3);
  CHECK(pool_of.intern(sum.view()) == 0);
  CHECK(pool_of.programs.size() == 4);
  CHECK(pool_of.code.size() == 3 * 4);
}

TEST_CASE("a frozen table equals the table that it was made of, and its copy") {
  const tn::table fresh =
      tn::front::record_table<decltype(lenet), tn::input<"image", float, 1, 1, 28, 28>>();
  CHECK(std::string(difference(fresh.view(), lenet_graph::view())) == "");
  const tn::table copy = fresh;
  CHECK(std::string(difference(fresh.view(), copy.view())) == "");
  CHECK(copy.nodes.data() != fresh.nodes.data());
  CHECK(std::string(difference(fresh.view(), one::view())) == "nodes");
}

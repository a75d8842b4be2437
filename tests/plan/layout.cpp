// Layout: reshapes and transposes that cost nothing, and those that do.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "toy.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::extents, tn::strides, tn::plans::location;

namespace {

template <auto Model, class... In>
constexpr tn::owned_plan laid(const tn::policy_facts& f = fusing) {
  return planned<tn::graph<Model, In...>>(f).value();
}
constexpr strides steps(std::initializer_list<tn::i64> all) {
  strides r{};
  int i = 0;
  for (const tn::i64 s : all) r.step[i++] = s;
  return r;
}
using rows = tn::input<"x", float, 6, 16>;

// Rewriting strides.
constexpr location turned{0, 5, steps({1, 6, 96})};  // of a (4, 3, 2) tensor
static_assert(tn::plans::restride(6, extents(4, 3, 2), turned) == 1);
static_assert(tn::plans::restride(2, extents(4, 3, 2), turned) == 6);
static_assert(tn::plans::restride(1, extents(4, 3, 2), turned) == 96);
static_assert(tn::plans::restride(4, extents(4, 3, 2), turned) == 12);
static_assert(tn::plans::restride(7, extents(4, 3, 2), turned) == 97);
static_assert(tn::plans::restride(2, extents(4, 1, 2), location{0, 0, steps({10, 77, 1})}) == 10,
              "axes of extent 1 take no part");
static_assert(tn::plans::broadcast(turned, extents(4, 1, 2), extents(9, 4, 3, 2)) ==
              steps({0, 1, 0, 96}));

// A reshape is an alias: same holder, no group, dense strides of its own shape.
constexpr auto flat = [](auto x) {
  return tn::exp(tn::reshape<96>(tn::matmul(x, tn::weight<"w", float, 16, 16>)));
};
static_assert([] {
  const tn::owned_plan p = laid<flat, rows>();
  const location& v = p.locations[3];
  return v.holder == 2 && v.offset == 0 && v.step == steps({1}) && v.materialised &&
         p.grouped.of[3] == -1 && p.locations[2].materialised &&
         p.buffers[2].in == tn::plans::buffer::storage::arena &&
         p.buffers[3].in == tn::plans::buffer::storage::none;
}());
static_assert(laid<flat, rows>(plain).locations[3].holder == 2, "for every policy");

// A transposed weight is absorbed by the contraction.
constexpr auto linear = [](auto x) {
  return tn::matmul(x, tn::transpose<1, 0>(tn::weight<"w", float, 8, 16>));
};
static_assert([] {
  const tn::owned_plan p = laid<linear, rows>();
  return p.locations[2].holder == 1 && p.locations[2].step == steps({1, 16}) &&
         p.grouped.of[2] == -1 && p.shared_bytes == 0;
}());
static_assert(laid<linear, rows>(plain).grouped.of[2] == 1 - 1, "without fusion it is a step");
static_assert(laid<linear, rows>(plain).locations[2].holder == 2);

// Where contractions take float16, the casts around them are views, of views too, and part of the
// epilogue.
constexpr tn::policy_facts halves = [] {
  tn::policy_facts f = fusing;
  f.takes_halves = true;
  return f;
}();
constexpr auto half_layer = [](auto x) {
  return tn::relu(tn::matmul(x, tn::transpose<1, 0>(tn::weight<"w", tn::float16, 8, 16>)) +
                  tn::weight<"c", tn::float16, 8>);
};
using half_rows = tn::input<"x", tn::float16, 6, 16>;
constexpr int casts_in_place(const tn::owned_plan& p) {
  int casts = 0;
  for (int i = 0; i < p.table.nodes.size(); ++i)
    casts += p.table.nodes[i].kind == tn::family::map && p.grouped.of[i] < 0 &&
             p.table.nodes[p.locations[i].holder].out.type == tn::type::float16;
  return casts;
}
static_assert([] {
  const tn::owned_plan p = laid<half_layer, half_rows>(halves);
  return p.grouped.groups.size() == 1 && casts_in_place(p) == 2 && p.shared_bytes == 0;
}());
static_assert(laid<half_layer, half_rows>().grouped.groups.size() > 3 &&
                  casts_in_place(laid<half_layer, half_rows>()) == 0,
              "others widen");
// ... but not where anybody else reads the wide numbers, or the caller does.
constexpr auto two_readers = [](auto x) {
  auto y = tn::cast<float>(x);
  return tn::matmul(y, tn::weight<"w", float, 16, 16>) + tn::softmax<1>(y);
};
static_assert(casts_in_place(laid<two_readers, half_rows>(halves)) == 0);
constexpr auto read_outside = [](auto x) {
  auto y = tn::cast<float>(x);
  return tn::outputs(tn::matmul(y, tn::weight<"w", float, 16, 16>), y);
};
static_assert(casts_in_place(laid<read_outside, half_rows>(halves)) == 0);

// ... a view of a view too.
constexpr auto twice = [](auto x) {
  return tn::matmul(tn::reshape<3, 2, 16>(x),
                    tn::transpose<0, 2, 1>(tn::reshape<3, 2, 16>(tn::weight<"w", float, 6, 16>)));
};
static_assert([] {
  const tn::owned_plan p = laid<twice, rows>();
  int views = 0;
  for (int i = 0; i < p.table.nodes.size(); ++i)
    if (p.table.nodes[i].kind == tn::family::move) views += p.grouped.of[i] == -1;
  return views == 3;
}());

// A transposed output is written out: the border is dense.
constexpr auto output = [](auto x) { return tn::transpose<>(x); };
static_assert([] {
  const tn::owned_plan p = laid<output, rows>();
  return p.locations[1].holder == 1 && p.locations[1].materialised && p.grouped.of[1] == 0 &&
         p.buffers[1].in == tn::plans::buffer::storage::output && p.copies_out.size() == 0;
}());

// A transposed operand of a row group or of a reduction is written out.
constexpr auto softmaxed = [](auto x) { return tn::softmax<1>(tn::transpose<>(x)); };
static_assert(laid<softmaxed, rows>().locations[1].holder == 1);

// A map alone reads a view whose last axis is contiguous, and no other.
constexpr auto heads = [](auto x) {
  return tn::exp(tn::transpose<1, 0, 2>(tn::reshape<6, 2, 8>(x)));
};
static_assert(laid<heads, rows>().locations[2].holder == 0 &&
              laid<heads, rows>().locations[2].step == steps({8, 16, 1}));
constexpr auto columns = [](auto x) { return tn::exp(tn::transpose<1, 0>(x)); };
static_assert(laid<columns, rows>().locations[1].holder == 1);

// A reshape of a strided view needs a copy.
constexpr auto mixed = [](auto x) { return tn::exp(tn::reshape<96>(tn::transpose<1, 0>(x))); };
static_assert([] {
  const tn::owned_plan p = laid<mixed, rows>();
  return p.locations[1].holder == 1 && p.grouped.of[1] >= 0 && p.locations[2].holder == 1 &&
         p.grouped.of[2] == -1;
}());

// What only its own group reads is not materialised.
static_assert([] {
  constexpr auto softmax = [](auto x) { return tn::softmax<1>(x); };
  const tn::owned_plan p = laid<softmax, rows>();
  return !p.locations[1].materialised && !p.locations[2].materialised &&
         !p.locations[3].materialised && p.locations[4].materialised && p.shared_bytes == 0;
}());

}  // namespace

TEST_CASE("an odd transpose of a rank-5 tensor is followed through a contraction") {
  tn::builder b;
  const auto x = b.input("x", floats(2, 3, 4, 5, 6));
  const auto t = b.add<tn::transpose_t>({.permutation = {3, 0, 4, 2, 1}}, {x});
  const auto w = b.weight("w", floats(3, 7));
  const auto made = planned(b.finish({b.add<tn::matmul_t>({}, {t, w})}), fusing);
  REQUIRE(made.ok());
  CHECK(made->locations[1].holder == 0);
  CHECK(made->locations[1].step == steps({6, 360, 1, 30, 120}));
}

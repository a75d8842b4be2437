// Calls: what is refused, by which status, and that nothing is written then; where arenas lie;
// unusual outputs; two policies in one model.
// SPDX-License-Identifier: MIT
#include <tenon/reference.hpp>
#include <tenon/run/instance.hpp>
#include "../catch.hpp"
#include "../support/same.hpp"
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace tn = tenon;
using namespace tenon_test;
using tn::code, tn::const_view, tn::extents, tn::mutable_view, tn::status, tn::view_of;

namespace {

/// Two inputs, two outputs, a weight, and memory in between.
constexpr auto two = [](auto x, auto y) {
  auto z = tn::matmul(x, tn::weight<"w", float, 3, 3>);
  return tn::outputs(tn::relu(z + y), tn::reduceSum<tn::reduce_options{.axes = {1}}>(z));
};
using net = tn::graph<two, tn::input<"x", float, 2, 3>, tn::input<"y", float, 2, 3>>;
using static_model = tn::model<net, tn::reference>;
static_assert(tn::plan<net, tn::reference>::arena_bytes > 0);

constexpr float pattern = -77.0f;
/// Everything that a call needs, filled with a pattern where results go.
struct fixture {
  std::array<float, 9> w{1, 0, 0, 0, 2, 0, 0, 0, -1};
  std::array<float, 6> x{1, 2, 3, 4, 5, 6}, y{1, 1, 1, 1, 1, 1}, a;
  std::array<float, 2> b;
  tn::weights<1> source{tn::named("w", w, extents(3, 3))};
  fixture() {
    a.fill(pattern);
    b.fill(pattern);
  }
  /// With runs of elements: std::array would be a view of rank 1.
  template <class Instance> status call(Instance& instance) {
    return instance(std::span(x), std::span(y), std::span(a), std::span(b));
  }
  bool untouched() const {
    const auto kept = [](float v) { return v == pattern; };
    return std::all_of(a.begin(), a.end(), kept) && std::all_of(b.begin(), b.end(), kept);
  }
  bool done() const {
    return a == std::array<float, 6>{2, 5, 0, 5, 11, 0} && b == std::array<float, 2>{2, 8};
  }
  const_view in(int i) { return view_of(std::span<const float>(i == 0 ? x : y)); }
  mutable_view out(int o) {
    return o == 0 ? view_of(std::span<float>(a)) : view_of(std::span<float>(b));
  }
};

/// Runs nothing.
struct picky : tn::reference {
  static constexpr const char* name = "picky";
  static constexpr bool supports(const tn::table_view&, const tn::node&) { return false; }
};

/// The status of a call with one of its four views replaced.
template <class Change> status call_with(fixture& f, Change change) {
  const static_model model{f.source};
  tn::instance instance{model};
  const_view in[] = {f.in(0), f.in(1)};
  mutable_view out[] = {f.out(0), f.out(1)};
  change(in, out);
  return instance.run(in, out);
}

// The types that a call deals with are what they claim to be.
static_assert(std::is_trivially_copyable_v<status>);
static_assert(noexcept(std::declval<tn::instance<static_model>&>()(
    std::declval<std::array<float, 6>&>(), std::declval<std::array<float, 6>&>(),
    std::declval<std::array<float, 6>&>(), std::declval<std::array<float, 2>&>())));
static_assert(!std::is_copy_constructible_v<static_model> &&
              !std::is_move_constructible_v<static_model>);
static_assert(!std::is_copy_constructible_v<tn::instance<static_model>>);

}  // namespace

TEST_CASE("a call with fitting views computes, again and again") {
  fixture f;
  const static_model model{f.source};
  tn::instance instance{model};
  for (int i = 0; i < 3; ++i) {
    f.a.fill(pattern);
    CHECK(f.call(instance) == status{});
    CHECK(f.done());
  }
  CHECK(call_with(f, [](const_view*, mutable_view*) {}).ok());
}

TEST_CASE(
    "a view of another size, type, rank, extent or stride is refused and nothing is written") {
  fixture f;
  const auto refused = [&](auto change, const status& wanted) {
    const status got = call_with(f, change);
    CHECK(got.what == wanted.what);
    CHECK(got.operand == wanted.operand);
    CHECK(got.expected == wanted.expected);
    CHECK(got.found == wanted.found);
    CHECK(f.untouched());
  };
  static std::int32_t integers[6]{};
  refused([&](const_view* in, mutable_view*) { in[1] = tn::flat_view_of(f.y.data(), 5); },
          {code::size, 1, 6, 5});
  refused([&](const_view*, mutable_view* out) { out[1] = tn::flat_view_of(f.b.data(), 1); },
          {code::size, 3, 2, 1});
  refused([&](const_view* in, mutable_view*) { in[0] = tn::flat_view_of(integers, 6); },
          {code::element_type, 0, 0, 2});
  refused([&](const_view*, mutable_view* out) { out[0] = tn::flat_view_of(integers, 6); },
          {code::element_type, 2, 0, 2});
  refused(
      [&](const_view* in, mutable_view*) {
        in[0] = {f.x.data(), tn::type::float32, extents(6), tn::dense(extents(6)), true};
      },
      {code::rank, 0, 2, 1});
  refused(
      [&](const_view* in, mutable_view*) {
        in[0] = {f.x.data(), tn::type::float32, extents(3, 2), tn::dense(extents(3, 2)), true};
      },
      {code::extent, 0, 2, 3});
  refused(
      [&](const_view* in, mutable_view*) {
        in[0] = {f.x.data(), tn::type::float32, extents(2, 3), tn::strides{{1, 2}}, true};
      },
      {code::stride, 0, 3, 1});
  refused(
      [&](const_view*, mutable_view* out) {
        out[0] = {f.a.data(), tn::type::float32, extents(2, 3), tn::strides{{4, 1}}, true};
      },
      {code::stride, 2, 3, 4});
  refused([&](const_view* in, mutable_view*) { in[0].data = nullptr; }, {code::null, 0, 0, 0});
  refused([&](const_view*, mutable_view* out) { out[1].data = nullptr; }, {code::null, 3, 0, 0});
}

TEST_CASE("a misaligned view is refused and nothing is written") {
  fixture f;
  alignas(8) std::byte raw[40]{};
  CHECK(call_with(f, [&](const_view* in, mutable_view*) { in[0].data = raw + 2; }) ==
        status{code::alignment, 0, 4, 2});
  CHECK(call_with(f, [&](const_view*, mutable_view* out) { out[1].data = raw + 1; }) ==
        status{code::alignment, 3, 4, 1});
  CHECK(f.untouched());
}

TEST_CASE("an output that overlaps an input, a weight or another output is refused") {
  fixture f;
  CHECK(call_with(f, [&](const_view*, mutable_view* out) { out[0].data = f.x.data(); }) ==
        status{code::aliasing, 2, 0, 0});
  CHECK(call_with(f, [&](const_view*, mutable_view* out) { out[1].data = f.y.data() + 5; }) ==
        status{code::aliasing, 3, 0, 1});
  CHECK(call_with(f, [&](const_view*, mutable_view* out) { out[1].data = f.a.data() + 1; }) ==
        status{code::aliasing, 3, 0, 2});
  CHECK(call_with(f, [&](const_view*, mutable_view* out) { out[1].data = f.w.data(); }) ==
        status{code::aliasing, 3, 0, -1});
  CHECK(f.untouched());
  CHECK(f.x == fixture().x);
  CHECK(f.w == fixture().w);
  CHECK(call_with(f, [&](const_view* in, mutable_view*) {
          in[1].data = f.x.data();
        }).ok());                 // inputs may overlap
  alignas(64) float close[10]{};  // outputs next to each other and to an input do not overlap
  std::copy_n(f.x.data(), 2, close);
  CHECK(call_with(f, [&](const_view*, mutable_view* out) {
          out[0].data = close;
          out[1].data = close + 6;
        }).ok());
}

TEST_CASE("a call with another number of views is refused") {
  fixture f;
  const static_model model{f.source};
  tn::instance instance{model};
  const const_view in[] = {f.in(0), f.in(1), f.in(1)};
  const mutable_view out[] = {f.out(0), f.out(1)};
  CHECK(instance.run(std::span(in, 1), out) == status{code::view_count, -1, 4, 3});
  CHECK(instance.run(std::span(in, 3), out) == status{code::view_count, -1, 4, 5});
  CHECK(instance.run(std::span(in, 3), std::span(out, 1)) == status{code::view_count, -1, 4, 4});
  CHECK(f.untouched());
}

TEST_CASE("views of a run-time model are counted and must be writable where they are outputs") {
  fixture f;
  tn::builder b;
  const auto x = b.input("x", floats(6));
  const auto built = b.finish({b.add<tn::relu_t>({}, {x})});
  const tn::model<tn::dynamic, tn::reference> model{*built, tn::weights<0>{}};
  REQUIRE(model.fault().ok());
  tn::instance instance{model};
  CHECK(instance(f.x) == status{code::view_count, -1, 2, 1});
  CHECK(instance(f.x, f.y, f.a) == status{code::view_count, -1, 2, 3});
  CHECK(instance(f.x, std::span<const float>(f.a)).what == code::null);
  CHECK(f.untouched());
  CHECK(instance(f.x, f.a).ok());
  CHECK(f.a == f.x);
}

TEST_CASE("an unbound model runs nothing") {
  fixture f;
  const static_model missing{tn::weights<0>{}};
  CHECK(missing.fault().is(code::missing, "weights"));
  tn::instance instance{missing};
  CHECK(f.call(instance) == status{code::unbound, -1, 0, static_cast<tn::i64>(code::missing)});

  const static_model wrong{tn::weights{tn::named("w", f.x)}};
  CHECK(wrong.fault() == tn::error{code::size, "weight", "w", extents(3, 3), extents(6)});
  const static_model turned{tn::weights{tn::named("w", f.w, extents(9))}};
  CHECK(turned.fault() == tn::error{code::rank, "weight", "w", extents(3, 3), extents(9)});
  const std::array<std::int32_t, 9> integers{};
  const static_model typed{tn::weights{tn::named("w", integers, extents(3, 3))}};
  CHECK(typed.fault() ==
        tn::error{code::element_type, "weight", "w", tn::type::float32, tn::type::int32});

  const tn::model<tn::dynamic, picky> unplanned{net::view(), f.source};
  CHECK(unplanned.fault().is(code::unsupported, "matmul"));
  tn::instance dynamic{unplanned};
  CHECK(f.call(dynamic).what == code::unbound);
  CHECK(dynamic(f.x, f.a).what == code::unbound);  // whatever the number of views
  CHECK(f.untouched());
}

TEST_CASE("an arena may be the caller's or lie in the instance") {
  fixture f;
  const static_model model{f.source};
  alignas(64) static std::byte memory[4096];
  const auto need =
      static_cast<std::size_t>(tn::instance<static_model, tn::borrowed>::bytes_needed(model));
  CHECK(need == static_cast<std::size_t>(static_model::plan_type::arena_bytes));
  std::memset(memory, 0x5a, sizeof memory);
  tn::instance borrowed{model, std::span(memory, need)};
  static_assert(std::is_same_v<decltype(borrowed), tn::instance<static_model, tn::borrowed>>);
  CHECK(f.call(borrowed).ok());
  CHECK(f.done());
  CHECK(std::all_of(memory + need, memory + sizeof memory,
                    [](std::byte b) { return b == std::byte{0x5a}; }));

  fixture g;
  tn::instance<static_model, tn::embedded> embedded{model};
  CHECK(g.call(embedded).ok());
  CHECK(g.done());
  static_assert(sizeof embedded >= static_cast<std::size_t>(static_model::plan_type::arena_bytes));
}

TEST_CASE("memory that is too small or misaligned is refused at every call") {
  fixture f;
  const static_model model{f.source};
  alignas(64) static std::byte memory[4096];
  const auto need = static_cast<std::size_t>(static_model::plan_type::arena_bytes);
  tn::instance small{model, std::span(memory, need - 1)};
  tn::instance none{model, std::span<std::byte>{}};
  tn::instance shifted{model, std::span(memory + 4, need)};
  for (int i = 0; i < 2; ++i) {
    CHECK(f.call(small) ==
          status{code::memory, -1, static_cast<tn::i64>(need), static_cast<tn::i64>(need) - 1});
    CHECK(f.call(none) == status{code::memory, -1, static_cast<tn::i64>(need), 0});
    CHECK(f.call(shifted).what == code::alignment);
  }
  CHECK(f.untouched());
}

TEST_CASE("instances of one model do not disturb each other") {
  fixture f, g;
  const static_model model{f.source};
  tn::instance first{model}, second{model};
  std::transform(g.x.begin(), g.x.end(), g.x.begin(), [](float v) { return 2 * v; });
  CHECK(f.call(first).ok());
  CHECK(g.call(second).ok());
  CHECK(f.done());
  CHECK(g.b == std::array<float, 2>{4, 16});
}

TEST_CASE("an output may be an input, a weight, a reshape of another, or another output again") {
  constexpr auto claims = [](auto x) {
    auto y = tn::exp(x);
    return tn::outputs(y, tn::reshape<3, 2>(y), x, tn::weight<"w", float, 6>, y, tn::transpose<>(x),
                       tn::reshape<6>(x));
  };
  using claiming = tn::graph<claims, tn::input<"x", float, 2, 3>>;
  const std::array<float, 6> w{9, 8, 7, 6, 5, 4}, x{0, 1, 2, 3, 4, 5};
  const tn::model<claiming, tn::reference> model{tn::weights{tn::named("w", w)}};
  REQUIRE(model.fault().ok());
  tn::instance instance{model};
  std::array<float, 6> out[7]{};
  const auto run = [](auto& a) { return std::span(a); };
  REQUIRE(instance(run(x), run(out[0]), run(out[1]), run(out[2]), run(out[3]), run(out[4]),
                   run(out[5]), run(out[6]))
              .ok());
  CHECK(out[0][0] == 1);
  CHECK(out[0][5] > 148);
  CHECK(out[1] == out[0]);
  CHECK(out[2] == x);
  CHECK(out[3] == w);
  CHECK(out[4] == out[0]);
  CHECK(out[5] == std::array<float, 6>{0, 3, 1, 4, 2, 5});
  CHECK(out[6] == x);
}

TEST_CASE(
    "an input of another element type may be passed through, and no byte beyond it is written") {
  constexpr auto pass = [](auto x) { return tn::outputs(x, x); };
  using bytes = tn::graph<pass, tn::input<"x", std::int8_t, 3>>;
  using words = tn::graph<pass, tn::input<"x", std::int64_t, 3>>;
  const tn::model<bytes, tn::reference> small;
  const tn::model<words, tn::reference> large;
  tn::instance a{small};
  tn::instance b{large};
  const std::array<std::int8_t, 3> x{1, -2, 3};
  std::array<std::int8_t, 16> y{}, z{};
  CHECK(a(x, std::span(y.data(), 3), std::span(z.data(), 3)).ok());
  CHECK(y == std::array<std::int8_t, 16>{1, -2, 3});
  CHECK(z == y);
  const std::array<std::int64_t, 3> p{std::int64_t{1} << 60, -2, 3};
  std::array<std::int64_t, 3> q{}, r{};
  CHECK(b(p, q, r).ok());
  CHECK(q == p);
  CHECK(r == p);
}

namespace {

/// A second policy like the first that counts what it runs.
struct counting : tn::reference {
  static constexpr const char* name = "counting";
  static inline int runs = 0;
  static void run(const work& w, const tn::frame& f) noexcept {
    ++runs;
    tn::reference::run(w, f);
  }
};
/// Runs contractions only.
struct products : counting {
  static constexpr const char* name = "products";
  static constexpr bool supports(const tn::table_view&, const tn::node& n) {
    return n.kind == tn::family::contract;
  }
};

}  // namespace

TEST_CASE("two policies share one model, and give what one gives") {
  constexpr auto placed = [](auto x, auto y) {
    auto z = tn::on<1>(tn::softmax<1>(tn::matmul(x, tn::weight<"w", float, 3, 3>)));
    return tn::outputs(z + y, tn::on<1>(tn::relu(y)));
  };
  using mixed = tn::graph<placed, tn::input<"x", float, 2, 3>, tn::input<"y", float, 2, 3>>;
  static_assert(tn::plan<mixed, tn::reference, counting>::crossings == 4);
  static_assert(tn::plan<mixed, tn::reference, counting>::copies == 0);
  fixture f, g;
  const tn::model<mixed, tn::reference, counting> both{f.source};
  const tn::model<mixed, counting, tn::reference> swapped{f.source};
  tn::instance one{both};
  tn::instance other{swapped};
  std::array<float, 6> relu{}, relu_swapped{};
  counting::runs = 0;
  REQUIRE(one(std::span(f.x), std::span(f.y), std::span(f.a), std::span(relu)).ok());
  CHECK(counting::runs == 5);  // four of the softmax, and relu
  counting::runs = 0;
  REQUIRE(other(std::span(g.x), std::span(g.y), std::span(g.a), std::span(relu_swapped)).ok());
  CHECK(counting::runs == 2);  // the product and the sum
  CHECK(f.a == g.a);
  CHECK(relu == relu_swapped);
  CHECK(relu == f.y);
}

TEST_CASE("what the first policy cannot run falls to the next, at run time too") {
  fixture f, g;
  const tn::model<net, products, tn::reference> model{f.source};
  REQUIRE(model.fault().ok());
  const tn::model<tn::dynamic, products, tn::reference> built{net::view(), f.source};
  REQUIRE(built.fault().ok());
  counting::runs = 0;
  tn::instance fixed{model};
  tn::instance dynamic{built};
  CHECK(f.call(fixed).ok());
  CHECK(g.call(dynamic).ok());
  CHECK(counting::runs == 2);
  CHECK(f.done());
  CHECK(g.done());
}

TEST_CASE("a model whose every policy refuses says which operator") {
  fixture f;
  const tn::model<tn::dynamic, products> model{net::view(), f.source};
  CHECK(model.fault().what == code::unsupported);
  const tn::model<tn::dynamic, tn::reference> place{
      tn::graph<two, tn::input<"x", float, 2, 3>, tn::input<"y", float, 2, 3>>::view(), f.source};
  CHECK(place.fault().ok());
}

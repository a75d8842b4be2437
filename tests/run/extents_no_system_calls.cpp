// Calls with other extents than the last one allocate, lock and call nothing; neither do states.
// SPDX-License-Identifier: MIT
#include "../support/strict_child.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::code;

namespace {

constexpr auto block = [](auto x, auto at, auto h) {
  auto a = tn::relu(tn::gemm(x, tn::weight<"w", float, 16, 24>, tn::weight<"b", float, 24>));
  auto n = tn::layerNormalization<tn::layerNormalization_options{.axes = {1}}>(a);
  auto three = tn::reshape<1, 24, 4, 6>(
      tn::concat<0>(tn::weight<"frame", float, 23, 24>,
                    tn::reduceMean<tn::reduce_options{.axes = {0}, .keepDimensions = true}>(n)));
  auto image = tn::conv2d(three, tn::weight<"c", float, 2, 24, 3, 3>);
  auto picked = tn::gather<0>(n, at);
  auto cut = tn::concat<0>(
      tn::exp(n),
      tn::pad<tn::pad_options{.beginningPadding = {1, 0}, .endingPadding = {0, 0}}>(picked));
  tn::next(h, h * 0.5f + tn::reduceMean<tn::reduce_options{.axes = {0}}>(a));
  return tn::outputs(tn::softmax<1>(cut), tn::argMax<0>(picked), image,
                     tn::matmul(tn::transpose<1, 0>(n), a) + h);
};
using net = tn::graph<block, tn::input<"x", float, tn::upto<19>, 16>,
                      tn::input<"at", std::int32_t, tn::upto<7>>, tn::state<"h", float, 24>>;

/// All memory and the views of calls with n rows and k indices.
struct calls {
  std::vector<float> x, memory, weights;
  std::vector<std::int32_t> at, most;
  calls() : x(19 * 16), memory(40 * 24 + 2 * 8 + 24 * 24), weights(24 * 1024), at(7), most(24) {
    dice d = dice_of(821, 0);
    for (float& v : x) v = d.real();
    for (float& v : weights) v = d.real();
    for (auto& i : at) i = d.in(-9, 9);
  }
  tn::const_view find(const tn::name& wanted) const noexcept {
    const auto of = [&](auto... e) {
      return tn::const_view{weights.data(), tn::type::float32, tn::extents(e...),
                            tn::dense(tn::extents(e...)), true};
    };
    return wanted == "w"       ? of(16, 24)
           : wanted == "b"     ? of(24)
           : wanted == "frame" ? of(23, 24)
                               : of(2, 24, 3, 3);
  }
  template <class Instance> tn::status operator()(Instance& own, tn::i64 n, tn::i64 k) {
    float* to = memory.data();
    const auto out = [&]<class T>(T* p, auto... e) {
      return tn::mutable_view{p, tn::type_of<T>, tn::extents(e...), tn::dense(tn::extents(e...)),
                              true};
    };
    const tn::const_view in[] = {
        {x.data(), tn::type::float32, tn::extents(n, 16), tn::dense(tn::extents(n, 16)), true},
        {at.data(), tn::type::int32, tn::extents(k), tn::dense(tn::extents(k)), true}};
    const tn::mutable_view all[] = {out(to, n + k + 1, 24), out(most.data(), 24),
                                    out(to + 32 * 24, 1, 2, 2, 4), out(to + 33 * 24, 24, 24)};
    return own.run(in, all);
  }
  std::uint64_t bits() const {
    std::uint64_t h = 0xcbf29ce484222325ull;
    for (const float f : memory) h = (h ^ std::bit_cast<std::uint32_t>(f)) * 0x100000001b3ull;
    for (const auto i : most) h = (h ^ static_cast<std::uint32_t>(i)) * 0x100000001b3ull;
    return h;
  }
};

template <class Instance> void check_changing_extents(Instance& own, calls& all) {
  const auto rounds = [&](long& done, std::uint64_t& bits) {
    own.reset();
    std::fill(all.memory.begin(), all.memory.end(), 0.0f);  // what a smaller call leaves alone
    for (tn::i64 i = 0; i < 60; ++i) {
      done += all(own, 1 + i * 7 % 19, 1 + i * 3 % 7).ok();
      bits = bits * 31 + all.bits();
      done += all(own, 20, 1).what == code::extent;
    }
  };
  long done = 0;
  std::uint64_t bits = 0;
  rounds(done, bits);
  REQUIRE(done == 120);
  const ending e = in_strict_child([&](ledger& left) { rounds(left.calls, left.bits); });
  INFO("signal " << e.signal << ", status " << e.status << ", " << e.left.forbidden
                 << " forbidden calls, the first of " << e.left.which);
  CHECK(e.clean());
  CHECK(e.left.calls == 120);
  CHECK(e.left.bits == bits);
}

}  // namespace

TEST_CASE("instances of limited graphs in memory of their own or the caller's ask for no heap") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  calls all;
  const tn::model<net, tn::cpu> fast(all);
  using inside = tn::instance<tn::model<net, tn::cpu>, tn::embedded>;
  using lent = tn::instance<tn::model<net, tn::cpu>, tn::borrowed>;
  alignas(64) static std::byte place[sizeof(inside)], other[sizeof(lent)];
  alignas(64) static std::byte arena[1 << 20];
  const std::span<std::byte> all_of{arena, static_cast<std::size_t>(lent::bytes_needed(fast))};
  REQUIRE(all_of.size() <= sizeof arena);
  const ending e = in_strict_child([&](ledger& left) {
    inside& own = *new (place) inside(fast);
    left.calls += all(own, 3, 2).ok() && all(own, 19, 7).ok();
    lent& second = *new (other) lent(fast, all_of);
    left.calls += all(second, 3, 2).ok() && all(second, 19, 7).ok();
  });
  INFO("signal " << e.signal << ", status " << e.status << ", " << e.left.forbidden
                 << " forbidden calls, the first of " << e.left.which);
  CHECK(e.clean());
  CHECK(e.left.calls == 2);
}
TEST_CASE("calls with changing extents allocate, lock and call nothing") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  calls all;
  const tn::model<net, tn::cpu> fast(all);
  REQUIRE(fast.fault().ok());
  tn::instance own{fast};
  check_changing_extents(own, all);
  guarded_bytes arena(
      tn::aligned(tn::instance<tn::model<net, tn::cpu>, tn::borrowed>::bytes_needed(fast)),
      wall::behind);
  tn::instance borrowed{fast, arena.span()};
  check_changing_extents(borrowed, all);
  const tn::model<net, tn::reference> defining(all);
  tn::instance slow{defining};
  check_changing_extents(slow, all);
  static tn::instance<tn::model<net, tn::cpu>, tn::embedded> inside{fast};
  check_changing_extents(inside, all);
  static tn::instance<tn::model<net, tn::reference>, tn::embedded> slow_inside{defining};
  check_changing_extents(slow_inside, all);
  const tn::model<tn::dynamic, tn::cpu> built(net::view(), all);
  REQUIRE(built.fault().ok());
  tn::instance dynamic{built};
  check_changing_extents(dynamic, all);
}

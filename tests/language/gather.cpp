// Gathers and scatters: reads and writes at indices, of every element type, with indices of both
// types, in and out of range.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

constexpr tn::type stored[] = {tn::type::float32, tn::type::int32, tn::type::uint8,
                               tn::type::int64};
constexpr tn::type indexing[] = {tn::type::int32, tn::type::int64};

template <class Op>
constexpr tn::error fault(const typename Op::options& o, tn::tensor x, tn::tensor indices) {
  const tn::tensor in[] = {x, indices};
  return Op::infer(o, {in, 2}).error();
}
static_assert(fault<tn::gather_t>({}, floats(4, 5), floats(3)).is(code::element_type, "gather"));
static_assert(
    fault<tn::gather_t>({}, floats(4, 5), bytes(tn::extents(3))).is(code::element_type, "gather"));
static_assert(
    fault<tn::gather_t>({2}, floats(4, 5), ints(tn::extents(3))).is(code::axis, "gather"));
static_assert(
    fault<tn::gather_t>({-1}, floats(4, 5), ints(tn::extents(3))).is(code::axis, "gather"));
static_assert(fault<tn::gather_t>({}, floats(1, 1, 1, 1, 1), ints(tn::extents(1, 1, 1, 1, 1)))
                  .is(code::rank, "gather"));
static_assert(fault<tn::gatherElements_t>({}, floats(4, 5), ints(tn::extents(3)))
                  .is(code::rank, "gatherElements"));
static_assert(fault<tn::gatherElements_t>({}, floats(4, 5), ints(tn::extents(3, 4)))
                  .is(code::extent, "gatherElements"));
static_assert(fault<tn::gatherElements_t>({0}, floats(4, 5), ints(tn::extents(9, 5))).ok());
static_assert(
    fault<tn::gatherND_t>({}, floats(4, 5), ints(tn::extents(2, 3))).is(code::extent, "gatherND"));
static_assert(
    fault<tn::gatherND_t>({}, floats(4, 5), ints(tn::shape{})).is(code::rank, "gatherND"));
static_assert(fault<tn::gatherND_t>({}, floats(4, 5), longs(tn::extents(2))).ok());

template <class Op> constexpr tn::error fault(const typename Op::options& o, tn::tensor x,
                                              tn::tensor indices, tn::tensor updates) {
  const tn::tensor in[] = {x, indices, updates};
  return Op::infer(o, {in, 3}).error();
}
using tn::scatterElements_t, tn::scatterND_t;
constexpr tn::tensor i35 = ints(tn::extents(3, 5));
static_assert(fault<scatterElements_t>({}, floats(4, 5), i35, floats(3, 5)).ok());
static_assert(
    fault<scatterElements_t>({}, floats(4, 5), i35).is(code::operand_count, "scatterElements"));
static_assert(fault<scatterElements_t>({}, floats(4, 5), floats(3, 5), floats(3, 5))
                  .is(code::element_type, "scatterElements"));
static_assert(fault<scatterElements_t>({}, floats(4, 5), i35, ints(tn::extents(3, 5))) ==
              tn::error{code::element_type, "scatterElements", "updates", tn::type::float32,
                        tn::type::int32});
static_assert(fault<scatterElements_t>({2}, floats(4, 5), i35, floats(3, 5))
                  .is(code::axis, "scatterElements"));
static_assert(fault<scatterElements_t>({1}, floats(4, 5), i35, floats(3, 5))
                  .is(code::extent, "scatterElements"));
static_assert(fault<scatterElements_t>({}, floats(4, 5), i35, floats(3, 4)) ==
              tn::error{code::extent, "scatterElements", "updates", tn::extents(3, 5),
                        tn::extents(3, 4)});
static_assert(fault<scatterElements_t>({}, floats(4, 5), ints(tn::extents(5)), floats(5))
                  .is(code::rank, "scatterElements"));
static_assert(fault<scatterND_t>({}, floats(4, 5), ints(tn::extents(3, 1)), floats(3, 5)).ok());
static_assert(fault<scatterND_t>({}, floats(4, 5), ints(tn::extents(3, 2)), floats(3, 5)) ==
              tn::error{code::extent, "scatterND", "updates", tn::extents(3), tn::extents(3, 5)});
static_assert(fault<scatterND_t>({}, floats(4, 5), ints(tn::extents(3, 3)), floats(3))
                  .is(code::extent, "scatterND"));
static_assert(fault<scatterND_t>({}, floats(4, 5), ints(tn::shape{}), floats(4, 5))
                  .is(code::rank, "scatterND"));
static_assert(fault<scatterND_t>({}, floats(), ints(tn::extents(3, 1)), floats(3))
                  .is(code::rank, "scatterND"));
static_assert(fault<scatterND_t>({}, floats(4, 5), ints(tn::extents(3, 1)),
                                 bytes(tn::extents(3, 5)))
                  .is(code::element_type, "scatterND"));

/// Counted from the end if negative, then brought into the axis.
tn::i64 place(double index, tn::i64 extent) {
  const auto i = static_cast<tn::i64>(index);
  return std::clamp<tn::i64>(i < 0 ? i + extent : i, 0, extent - 1);
}
/// Indices of which one in four is out of range, some far.
array random_indices(const tn::tensor& t, tn::i64 extent, dice& d) {
  return made(t, [&](tn::i64) -> double {
    if (d.one_in(16))
      return d.one_in(2) ? std::numeric_limits<std::int32_t>::min()
                         : std::numeric_limits<std::int32_t>::max();
    if (d.one_in(16) && t.type == tn::type::int64) return d.one_in(2) ? -0x1p52 : 0x1p52;
    return static_cast<double>(
        d.in(static_cast<int>(-extent - extent / 4 - 1), static_cast<int>(extent + extent / 4)));
  });
}

}  // namespace

TEST_CASE("gather reads slices at negative and out of range indices") {
  for (int round = 0; round < times(48); ++round) {
    dice d = dice_of(741, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 6), n = random_shape(d, d.in(0, 3), 4);
    const int axis = d.in(0, s.rank - 1);
    const array x = random_array({stored[round % 4], s}, d),
                at = random_indices({indexing[d.in(0, 1)], n}, s[axis], d);
    tn::shape out{};
    for (int i = 0; i < axis; ++i) out.extent[out.rank++] = s[i];
    for (int i = 0; i < n.rank; ++i) out.extent[out.rank++] = n[i];
    for (int i = axis + 1; i < s.rank; ++i) out.extent[out.rank++] = s[i];
    array wanted = zeros({x.is.type, out});
    each_position(out, [&](const tn::i64* p, tn::i64 k) {
      tn::i64 from[tn::max_rank]{};
      for (int i = 0; i < s.rank; ++i)
        from[i] = i < axis    ? p[i]
                  : i == axis ? place(at[number_of(n, p + axis)], s[axis])
                              : p[i - 1 + n.rank];
      wanted[k] = x[number_of(s, from)];
    });
    INFO(text_of(s) << " axis " << axis << " at " << text_of(n));
    CHECK(difference(wanted, operate<tn::gather_t>({axis}, {x, at})) == "");
  }
}

TEST_CASE("gatherElements reads one element for each index") {
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(742, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 6);
    const int axis = d.in(0, s.rank - 1);
    tn::shape n = s;
    n.extent[axis] = d.in(1, 9);
    const array x = random_array({stored[round % 4], s}, d),
                at = random_indices({indexing[d.in(0, 1)], n}, s[axis], d);
    array wanted = zeros({x.is.type, n});
    each_position(n, [&](const tn::i64* p, tn::i64 k) {
      tn::i64 from[tn::max_rank]{};
      for (int i = 0; i < s.rank; ++i) from[i] = i == axis ? place(at[k], s[axis]) : p[i];
      wanted[k] = x[number_of(s, from)];
    });
    INFO(text_of(s) << " axis " << axis << " at " << text_of(n));
    CHECK(difference(wanted, operate<tn::gatherElements_t>({axis}, {x, at})) == "");
  }
}

TEST_CASE("gatherND reads slices at coordinates") {
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(743, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 5);
    tn::shape n = random_shape(d, d.in(1, 3), 4);
    const int depth = d.in(1, s.rank);
    n.extent[n.rank - 1] = depth;
    const array x = random_array({stored[round % 4], s}, d),
                at = random_indices({indexing[d.in(0, 1)], n}, 5, d);
    tn::shape out{};
    for (int i = 0; i < n.rank - 1; ++i) out.extent[out.rank++] = n[i];
    for (int i = depth; i < s.rank; ++i) out.extent[out.rank++] = s[i];
    array wanted = zeros({x.is.type, out});
    each_position(out, [&](const tn::i64* p, tn::i64 k) {
      tn::shape head = n;
      --head.rank;
      const tn::i64 first = number_of(head, p) * depth;
      tn::i64 from[tn::max_rank]{};
      for (int i = 0; i < s.rank; ++i)
        from[i] = i < depth ? place(at[first + i], s[i]) : p[n.rank - 1 + i - depth];
      wanted[k] = x[number_of(s, from)];
    });
    INFO(text_of(s) << " at " << text_of(n));
    CHECK(difference(wanted, operate<tn::gatherND_t>({}, {x, at})) == "");
  }
}

TEST_CASE("gathers read views, computed indices and what was computed, in a static graph") {
  constexpr auto model = [](auto x, auto scores) {
    const auto best = tn::argMax<1>(scores);  // [5], int32
    const auto late = tn::argMin<1, tn::arg_options{.outputDataType = tn::type::int64}>(scores);
    const auto turned = tn::transpose<1, 0>(x);  // [6, 4]
    const auto coordinates = tn::concat<1>(tn::reshape<5, 1>(best), tn::reshape<5, 1>(best - 1));
    return tn::outputs(tn::gather<0>(tn::exp(turned), best), tn::gather<1>(x, late),
                       tn::gatherND(turned, coordinates),
                       tn::gatherElements<0>(
                           turned, tn::slice<tn::slice_options{.starts = {0, 1}, .sizes = {2, 4}}>(
                                       tn::cast<std::int32_t>(scores * 9.0f))));
  };
  using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"scores", float, 5, 7>>;
  dice d = dice_of(744, 0);
  const array x = random_array(floats(4, 6), d), scores = random_array(floats(5, 7), d);
  const std::vector<array> y = run_static_both<net>({x, scores});
  for (tn::i64 r = 0; r < 5; ++r) {
    tn::i64 most = 0, least = 0;
    for (tn::i64 c = 1; c < 7; ++c) {
      if (scores[r * 7 + c] > scores[r * 7 + most]) most = c;
      if (scores[r * 7 + c] < scores[r * 7 + least]) least = c;
    }
    const tn::i64 column = place(static_cast<double>(most), 6),
                  late = place(static_cast<double>(least), 6);
    for (tn::i64 k = 0; k < 4; ++k) {
      CHECK(std::abs(y[0][r * 4 + k] - std::exp(x[k * 6 + column])) <= 2e-7 * y[0][r * 4 + k]);
      CHECK(y[1][k * 5 + r] == x[k * 6 + late]);
    }
    CHECK(y[2][r] == x[place(static_cast<double>(most) - 1, 4) * 6 + column]);
  }
  for (tn::i64 r = 0; r < 2; ++r)
    for (tn::i64 k = 0; k < 4; ++k)
      CHECK(y[3][r * 4 + k] ==
            x[k * 6 +
              place(std::trunc(static_cast<double>(static_cast<float>(scores[r * 7 + k + 1] * 9))),
                    6)]);
}

namespace {

array scattered_elements(array x, const array& at, const array& updates, int axis) {
  each_position(at.is.shape, [&](const tn::i64* p, tn::i64 k) {  // in order: the last one stays
    tn::i64 to[tn::max_rank]{};
    for (int i = 0; i < x.is.shape.rank; ++i)
      to[i] = i == axis ? place(at[k], x.is.shape[axis]) : p[i];
    x[number_of(x.is.shape, to)] = updates[k];
  });
  return x;
}
array scattered_slices(array x, const array& at, const array& updates) {
  const tn::shape &s = x.is.shape, &n = at.is.shape;
  const auto depth = static_cast<int>(n[n.rank - 1]);
  each_position(updates.is.shape, [&](const tn::i64* p, tn::i64 k) {
    tn::shape head = n;
    --head.rank;
    const tn::i64 first = number_of(head, p) * depth;
    tn::i64 to[tn::max_rank]{};
    for (int i = 0; i < s.rank; ++i)
      to[i] = i < depth ? place(at[first + i], s[i]) : p[n.rank - 1 + i - depth];
    x[number_of(s, to)] = updates[k];
  });
  return x;
}

}  // namespace

TEST_CASE("scatterElements writes one element for each index, in order") {
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(745, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 6);
    const int axis = d.in(0, s.rank - 1);
    tn::shape n = s;
    n.extent[axis] = d.in(1, 9);  // often more than the axis has places
    const array x = random_array({stored[round % 4], s}, d),
                at = random_indices({indexing[d.in(0, 1)], n}, s[axis], d),
                updates = random_array({x.is.type, n}, d);
    INFO(text_of(s) << " axis " << axis << " at " << text_of(n));
    CHECK(difference(scattered_elements(x, at, updates, axis),
                     operate<scatterElements_t>({axis}, {x, at, updates})) == "");
  }
}

TEST_CASE("scatterND writes slices at coordinates, in order") {
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(746, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 5);
    tn::shape n = random_shape(d, d.in(1, 3), 4);
    const int depth = d.in(1, s.rank);
    n.extent[n.rank - 1] = depth;
    const array x = random_array({stored[round % 4], s}, d),
                at = random_indices({indexing[d.in(0, 1)], n}, 5, d);
    const array updates = random_array({x.is.type, *tn::gathers::slices("", s, n)}, d);
    INFO(text_of(s) << " at " << text_of(n));
    CHECK(difference(scattered_slices(x, at, updates),
                     operate<scatterND_t>({}, {x, at, updates})) == "");
  }
}

TEST_CASE("scatters of views in a static graph are what plain loops compute") {
  constexpr auto model = [](auto x, auto u, auto at) {
    const auto turned = tn::transpose<1, 0>(x);  // [6, 4]
    return tn::outputs(
        tn::scatterElements<0>(turned, tn::transpose<1, 0>(at), tn::transpose<1, 0>(u)),
        tn::scatterND(tn::exp(turned),
                      tn::reshape<4, 2, 1>(
                          tn::slice<tn::slice_options{.starts = {0, 1}, .sizes = {4, 2}}>(at)),
                      tn::reshape<4, 2, 4>(tn::concat<1>(
                          u, tn::reverse<1>(u),
                          tn::slice<tn::slice_options{.starts = {0, 0}, .sizes = {4, 2}}>(u)))));
  };
  using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"u", float, 4, 3>,
                        tn::input<"at", std::int32_t, 4, 3>>;
  dice d = dice_of(747, 0);
  const array x = random_array(floats(4, 6), d), u = random_array(floats(4, 3), d),
              at = random_indices(ints(tn::extents(4, 3)), 6, d);
  const std::vector<array> y = run_static_both<net>({x, u, at});
  const auto turned = [](const array& a) { return operate<tn::transpose_t>({}, {a}); };
  CHECK(difference(scattered_elements(turned(x), turned(at), turned(u), 0), y[0]) == "");
  array picked = zeros(ints(tn::extents(4, 2, 1))), slices = zeros(floats(4, 2, 4));
  for (tn::i64 r = 0; r < 4; ++r) {
    for (tn::i64 k = 0; k < 2; ++k) picked[r * 2 + k] = at[r * 3 + k + 1];
    const tn::i64 columns[] = {0, 1, 2, 2, 1, 0, 0, 1};
    for (tn::i64 k = 0; k < 8; ++k) slices[r * 8 + k] = u[r * 3 + columns[k]];
  }
  CHECK(difference(scattered_slices(turned(operate<tn::exp_t>({}, {x})), picked, slices), y[1]) ==
        "");
}

TEST_CASE("the last update stays, however the work is split") {
  dice d = dice_of(748, 0);
  const array x = random_array(floats(7, 6000), d),
              at = random_indices(ints(tn::extents(9, 6000)), 7, d),
              u = random_array(floats(9, 6000), d);
  const array rows = random_indices(longs(tn::extents(40, 1)), 7, d),
              slices = random_array(floats(40, 6000), d);
  tn::builder b;
  const auto in = b.input("x", x.is), i = b.input("at", at.is), v = b.input("u", u.is),
             r = b.input("rows", rows.is), s = b.input("slices", slices.is);
  const auto elements = b.add<scatterElements_t>({0}, {in, i, v}),
             whole = b.add<scatterND_t>({}, {in, r, s});
  const auto net = b.finish({elements, whole});
  REQUIRE(net.ok());
  const tn::model<tn::dynamic, tn::cpu> model(*net, array_source(net->view(), {}));
  REQUIRE(model.fault().ok());
  const std::vector<array> wanted = {scattered_elements(x, at, u, 0),
                                     scattered_slices(x, rows, slices)};
  for (const auto how : {splitting_executor::order::singles_backwards,
                         splitting_executor::order::uneven, splitting_executor::order::shuffled}) {
    splitting_executor threads(3, how, d.next());
    tn::instance caller(model, threads);
    arrays_call c({x, at, u, rows, slices}, outputs_of(model.plan_of().table));
    REQUIRE(caller.run(c.in, c.out).ok());
    if (how == splitting_executor::order::singles_backwards) CHECK(threads.pieces() > 8);
    check_same(wanted, c.take(), "split", 0);
  }
}

// Reductions, positions and pools of integers on `cpu`: the integers of `reference`, however the
// work is split.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "testing.hpp"

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::shape, tenon::type;

namespace {

/// Compares what `make` computes of integers of any type, as floats. Sums have no form for bytes.
template <class Make> void compare(int test, const shape& s, const Make& make, bool bytes = true) {
  constexpr type types[] = {type::int8,   type::uint8, type::int32,
                            type::uint32, type::int64, type::uint64};
  int number = 0;
  for (const type t : types) {
    dice d = dice_of(test, number++);
    if (!bytes && tenon::size_bytes(t) == 1) continue;
    builder b;
    const builder::value x = b.input("x", {type::float32, s});
    const builder::value y =
        b.add<tenon::cast_t>({t}, {b.add<tenon::linear_t>({.alpha = 300.0f}, {x})});
    const tenon::result<tenon::table> table =
        b.finish({b.add<tenon::cast_t>({type::float32}, {make(b, y)})});
    INFO("TENON_SEED=" << seed() << " type " << static_cast<int>(t));
    REQUIRE(table.ok());
    const tenon::table_view v = table->view();
    REQUIRE(compare_policies(v, random_contents(v, d), d) == "");
  }
}
// Rows of several blocks of the kernel, and a rest.
const shape matrix = extents(5, 70, 150);

}  // namespace

TEST_CASE("sums and extremes of integers over any axes are those of reference") {
  const auto sum = [](tenon::axis_list axes) {
    return [axes](builder& b, builder::value x) { return b.add<tenon::reduceSum_t>({axes}, {x}); };
  };
  const auto largest = [](tenon::axis_list axes) {
    return [axes](builder& b, builder::value x) { return b.add<tenon::reduceMax_t>({axes}, {x}); };
  };
  compare(50, matrix, sum({2}), false);
  compare(51, matrix, sum({0, 1}), false);
  compare(52, matrix, largest({1}));
  compare(53, matrix, largest({0, 2}));
}

TEST_CASE("the first of equal integers is the position of an extreme") {
  compare(54, matrix,
          [](builder& b, builder::value x) { return b.add<tenon::argMax_t>({1}, {x}); });
  compare(55, matrix,
          [](builder& b, builder::value x) { return b.add<tenon::argMin_t>({2}, {x}); });
}

// Computed moves, gathers and scatters on `cpu`: the bits of `reference` however the work is split,
// and no access outside.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "testing.hpp"

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::i64, tenon::shape;

namespace {

struct mover {
  dice& d;
  builder b{};

  builder::value floats(const char* name, const shape& s) {
    return b.input(name, {tenon::type::float32, s});
  }
  /// Indices from below the first place to behind the last one of `places`.
  builder::value indices(const shape& s, i64 places) {
    const float reach = static_cast<float>(places) * 1.5f;
    const tenon::type t = d.one_in(3) ? tenon::type::int64 : tenon::type::int32;
    const builder::value x = b.add<tenon::linear_t>({.alpha = reach}, {floats("indices", s)});
    return b.add<tenon::cast_t>({t}, {x});
  }
  /// Few rows and long ones, many and short ones.
  shape any_matrix() {
    constexpr i64 sizes[] = {1, 2, 3, 7, 15, 16, 17, 33, 70, 300};
    return extents(d.pick(sizes), d.pick(sizes));
  }
};
/// Compares the graphs that `make` adds to a builder.
template <class Make> void compare(int test, int count, const Make& make) {
  for (int i = 0; i < times(count); ++i) {
    dice d = dice_of(test, i);
    mover m{d};
    const builder::value y = make(m);
    const tenon::result<tenon::table> table = m.b.finish({y});
    INFO("TENON_SEED=" << seed() << " case " << i);
    REQUIRE(table.ok());
    const tenon::table_view t = table->view();
    REQUIRE(compare_policies(t, random_contents(t, d), d) == "");
  }
}

}  // namespace

TEST_CASE("padding of every mode on cpu has the bits of reference") {
  compare(40, 60, [](mover& m) {
    const shape s = m.any_matrix();
    const auto before = [&](int axis) { return m.d.in(0, static_cast<int>(s[axis]) - 1); };
    tenon::pad_options o;
    o.beginningPadding = {before(0), before(1)};
    o.endingPadding = {before(0), before(1)};
    o.mode = static_cast<tenon::padding_mode>(m.d.in(0, 2));
    o.value = 2.5f;
    return m.b.add<tenon::pad_t>(o, {m.floats("x", s)});
  });
}

TEST_CASE("triangles on cpu have the bits of reference") {
  compare(41, 40, [](mover& m) {
    return m.b.add<tenon::triangular_t>({m.d.one_in(2), m.d.in(-40, 40)},
                                        {m.floats("x", m.any_matrix())});
  });
}

TEST_CASE("images that change their size on cpu have the bits of reference") {
  compare(42, 40, [](mover& m) {
    tenon::resample2d_options o;
    o.mode = m.d.one_in(2) ? tenon::interpolation::nearest_neighbor : tenon::interpolation::linear;
    o.sizes = {m.d.in(1, 40), m.d.in(1, 40)};
    return m.b.add<tenon::resample2d_t>(
        o, {m.floats("x", extents(1, m.d.in(1, 3), m.d.in(1, 20), m.d.in(1, 20)))});
  });
}

TEST_CASE("gathers of rows and of elements on cpu have the bits of reference") {
  compare(43, 60, [](mover& m) {
    const shape s = m.any_matrix();
    const int axis = m.d.in(0, 1);
    if (m.d.one_in(2))
      return m.b.add<tenon::gather_t>(
          {axis}, {m.floats("x", s), m.indices(extents(m.d.in(1, 50)), s[axis])});
    shape of_indices = s;
    of_indices.extent[axis] = m.d.in(1, 50);
    return m.b.add<tenon::gatherElements_t>({axis},
                                            {m.floats("x", s), m.indices(of_indices, s[axis])});
  });
}

TEST_CASE("of updates that meet in one element the last one stays, however work is split") {
  compare(44, 60, [](mover& m) {
    const shape s = m.any_matrix();
    if (m.d.one_in(2)) {  // rows
      const i64 updates = m.d.in(1, 50);
      return m.b.add<tenon::scatterND_t>({},
                                         {m.floats("x", s), m.indices(extents(updates, 1), s[0]),
                                          m.floats("updates", extents(updates, s[1]))});
    }
    const int axis = m.d.in(0, 1);
    shape of_updates = s;
    of_updates.extent[axis] = m.d.in(1, 50);
    return m.b.add<tenon::scatterElements_t>(
        {axis},
        {m.floats("x", s), m.indices(of_updates, s[axis]), m.floats("updates", of_updates)});
  });
}

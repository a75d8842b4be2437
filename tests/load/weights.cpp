// A fixed set of named views, also in constant expressions, and looking up in any source.
// SPDX-License-Identifier: MIT
#include <tenon/load/weights.hpp>
#include "../catch.hpp"
#include <vector>

namespace tn = tenon;

namespace {

constexpr float filter[2][1][3][3] = {{{{1, 2, 3}}}};
constexpr float bias[2] = {5, 7};
constexpr tn::weights constants{tn::named("conv.weight", filter), tn::named("conv.bias", bias)};

static_assert(tn::weight_source<tn::weights<2>>);
static_assert(constants.size() == 2 && constants.check().ok());
static_assert(constants.find("conv.weight").data == static_cast<const void*>(filter));
static_assert(constants.find("conv.weight").shape == tn::extents(2, 1, 3, 3));
static_assert(constants.find("conv.bias").shaped);
static_assert(constants.find("conv").data == nullptr);
static_assert(constants.name_at(1) == tn::name("conv.bias"));
static_assert(!constants.get("other").ok());

constexpr tn::weights twice{tn::named("w", filter), tn::named("b", bias), tn::named("w", bias)};
static_assert(twice.check() == tn::status{tn::code::duplicate, 2, 0, 2});
constexpr tn::weights nameless{tn::named("", filter)};
static_assert(nameless.check().what == tn::code::name_length);
constexpr tn::weights<0> none{};
static_assert(none.find("w").data == nullptr && none.size() == 0);

struct silent_source {
  tn::const_view find(const tn::name& wanted) const noexcept {
    return wanted == tn::name("here") ? tn::view_of(bias) : tn::const_view{};
  }
};
static_assert(tn::weight_source<silent_source> && !tn::explaining_source<silent_source>);
struct throwing_source {
  tn::const_view find(const tn::name&) const { return {}; }
};
static_assert(!tn::weight_source<throwing_source>, "find has to be noexcept");

}  // namespace

TEST_CASE("a set finds what was named") {
  std::vector<float> flat(18);
  const tn::weights set{tn::named("flat", flat), tn::named("bias", std::span<const float>(bias))};
  CHECK(set.find("flat").data == flat.data());
  CHECK_FALSE(set.find("flat").shaped);
  CHECK(set.find("bias").data == &bias[0]);
  CHECK(set.find("nothing").data == nullptr);
}

TEST_CASE("a missing, repeated or cut name is an error that says which") {
  CHECK(constants.get("other").error().is(tn::code::missing, "weights"));
  CHECK(constants.get("other").error().operand == tn::name("other"));
  CHECK(twice.get("w").error().is(tn::code::duplicate, "weights"));
  CHECK(twice.find("w").data == nullptr);
  CHECK(twice.get("b").ok());
  const std::string long_name(tn::name::capacity + 1, 'n');
  const tn::weights cut{tn::named(long_name.c_str(), bias)};
  CHECK(cut.get(long_name.c_str()).error().what == tn::code::name_length);
  CHECK(cut.get(long_name.substr(1).c_str()).error().what == tn::code::name_length);
  CHECK(cut.check().what == tn::code::name_length);
}

TEST_CASE("a flat view can be given a shape") {
  std::vector<float> flat(18);
  const auto v = tn::named("w", flat, tn::extents(2, 1, 3, 3)).view;
  CHECK(v.shaped);
  CHECK(v.data == flat.data());
  CHECK(v.shape == tn::extents(2, 1, 3, 3));
  CHECK(v.strides == tn::dense(v.shape));
}

TEST_CASE("a shape that does not fit its object is left to be refused") {
  std::vector<float> flat(18);
  const tn::tensor wanted{tn::type::float32, tn::extents(2, 10)};
  const auto v = tn::named("w", flat, wanted.shape).view;
  CHECK(tn::fits(v, wanted, 0) == tn::status{tn::code::size, 0, 20, 18});
  const tn::const_view columns{flat.data(), tn::type::float32, tn::extents(3, 6), {{1, 3}}, true};
  const auto kept = tn::named("w", columns, tn::extents(6, 3)).view;
  CHECK(kept.shape == columns.shape);
  CHECK(kept.strides == columns.strides);
}

TEST_CASE("look_up asks any source and explains what it can") {
  CHECK(tn::look_up(silent_source{}, "here").value().data == &bias[0]);
  CHECK(tn::look_up(silent_source{}, "there").error().is(tn::code::missing, "weights"));
  CHECK(tn::look_up(twice, "w").error().what == tn::code::duplicate);
}

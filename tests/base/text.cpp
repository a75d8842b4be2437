// Names as values: what is added to them, where they are cut, when they are equal.
// SPDX-License-Identifier: MIT
#include <tenon/base/text.hpp>
#include "../catch.hpp"
#include <limits>
#include <string>

namespace {

using tenon::fixed_string, tenon::name;

static_assert(name().empty() && name().size() == 0 && !name().cut);
static_assert(name("conv").size() == 4 && !name("conv").empty());
static_assert(name(fixed_string("conv")) == name("conv"), "a template argument gives the same");
static_assert(name("block") + 12 + ".conv" + '_' + name("w") == name("block12.conv_w"));
static_assert(name("a") + 0 == name("a0") && name("a") + -7 == name("a-7"));
static_assert(name() + std::numeric_limits<std::int64_t>::min() == name("-9223372036854775808"),
              "its negation is no int64");
static_assert(name() + std::numeric_limits<std::uint64_t>::max() == name("18446744073709551615"),
              "20 digits");

static_assert(name("a") != name("b") && name("a") != name("ab") && name("ab") != name("a"));
// The published values of 32-bit FNV-1a.
static_assert(name("").hash() == 0x811c9dc5 && name("a").hash() == 0xe40c292c);
static_assert(name("foobar").hash() == 0xbf9cf968);

}  // namespace

TEST_CASE("a name of up to 95 characters is whole, a longer one is cut and says so") {
  const std::string most(name::capacity, 'x');
  const name full(most.c_str());
  CHECK(full.size() == 95);
  CHECK_FALSE(full.cut);
  const name longer((most + "y").c_str());
  CHECK(longer.cut);
  CHECK(longer == full);  // by their characters; the front ends refuse what is cut
  CHECK((full + 1).cut);
  CHECK((full + 'y').cut);
  CHECK_FALSE((full + "").cut);
  CHECK((name("") + longer).cut);  // a name says that a part of it was cut
}

// The tape and finished programs: what is shared, simplified, sorted and refused.
// SPDX-License-Identifier: MIT
#include <tenon/graph/program.hpp>
#include "../catch.hpp"

namespace {

using namespace tenon;

constexpr bool is(const instruction& x, sop o, int a, int b = 0, int c = 0) {
  return x.op() == o && x.a() == a && x.b() == b && x.c() == c;
}

// ---- equal instructions share a slot
static_assert([] {
  tape t;
  const int x = t.argument(0, type::float32), y = t.argument(1, type::float32);
  const int s = t.emit(sop::add, x, y);
  return t.emit(sop::add, x, y) == s && t.emit(sop::add, y, x) != s &&
         t.argument(0, type::float32) == x && t.argument(0, type::float16) != x;
}());
static_assert(
    [] {
      tape t;
      return t.literal(0.0f) != t.literal(-0.0f) && t.literal(1.0f) == t.literal(1.0f) &&
             t.literal_int(0x3f800000) != t.literal(1.0f) && t.size == 4;
    }(),
    "literals are equal by their bits and their slot");

// ---- what is simplified
static_assert(
    [] {
      tape t;
      const int x = t.argument(0, type::float32), zero = t.literal(0.0f);
      const int less = t.emit(sop::less, x, zero), not_less = t.emit(sop::mask_not, less);
      const int stored = t.emit(sop::mask_to_int, less);
      return t.emit(sop::mask_not, not_less) == less &&
             t.emit(sop::int_equal, stored, t.literal_int(0)) == not_less;
    }(),
    "a negation twice; and whether a stored mask is zero");
static_assert(
    [] {
      tape t;
      const int h = t.argument(0, type::float16), x = t.argument(1, type::float32);
      const int rounded = t.emit(sop::to_half, x);
      return t.emit(sop::to_half, h) == h && rounded != x &&
             t.emit(sop::to_half, rounded) == rounded;
    }(),
    "what is a float16 already is not rounded again");
static_assert(
    [] {
      tape t;
      const int x = t.argument(0, type::int32), u = t.emit(sop::typed_uint32, x);
      return u != x && is(t.code[t.emit(sop::int_add, u, u)], sop::int_add, x, x);
    }(),
    "computations read past an instruction that only names a type");

// ---- 64-bit literals: one word where the other one repeats its sign
static_assert([] {
  tape t;
  const int small = t.literal_wide(5), minus = t.literal_wide(~std::uint64_t{0}),
            large = t.literal_wide(0x80000000u), high = t.literal_wide(std::uint64_t{1} << 32);
  return t.code[small].op() == sop::to_wide && t.code[minus].op() == sop::to_wide &&
         t.code[large].op() == sop::wide_join && t.code[high].op() == sop::wide_join;
}());

// ---- a finished program has no dead code, and does not depend on the order of recording
constexpr recorded difference(bool swapped) {
  tape t;
  const int x = t.argument(0, type::float32);
  t.emit(sop::exp, x);  // nobody reads it
  const int first = t.emit(swapped ? sop::cos : sop::sin, x),
            second = t.emit(swapped ? sop::sin : sop::cos, x);
  return finish(t, swapped ? t.emit(sop::sub, second, first) : t.emit(sop::sub, first, second));
}
constexpr recorded d = difference(false);
static_assert(d.size == 4 && d.fault == code::ok && is(d.code[0], sop::arg, 0));
static_assert(is(d.code[1], sop::sin, 0) && is(d.code[2], sop::cos, 0));
static_assert(is(d.code[3], sop::sub, 1, 2), "the result is the last instruction");
static_assert([] {
  const recorded other = difference(true);
  for (int i = 0; i < d.size; ++i)
    if (d.code[i] != other.code[i] || d.code[i].dst() != i) return false;
  return other.size == d.size;
}());
static_assert(d.view().size == 4 && result_type(d.view()) == type::float32);

constexpr recorded constant = [] {
  tape t;
  t.argument(0, type::float32);
  return finish(t, t.literal(2.5f));
}();
static_assert(constant.size == 1 && constant.code[0].real() == 2.5f && constant.code[0].dst() == 0);

constexpr recorded copied = copy_program(type::uint8);
static_assert(copied.size == 1 && is(copied.code[0], sop::arg, 0, static_cast<int>(type::uint8)));
static_assert(result_type(copied.view()) == type::uint8);

static_assert(program<1>{{instruction::make(sop::exp, 0)}} ==
              program<1>{{instruction::make(sop::exp, 0)}});
static_assert(program<1>{{instruction::make(sop::exp, 0)}} !=
              program<1>{{instruction::make(sop::log, 0)}});

}  // namespace

TEST_CASE("a program of 240 instructions is recorded, a longer one is refused") {
  tape t;
  int x = t.argument(0, type::float32);
  while (t.size < max_program) x = t.emit(sop::exp, x);
  CHECK(t.fault == code::ok);
  const recorded whole = finish(t, x);
  CHECK(whole.size == max_program);
  CHECK(whole.code[max_program - 1].dst() == max_program - 1);
  CHECK(t.argument(0, type::float32) == 0);  // it is there already
  CHECK(t.fault == code::ok);
  t.emit(sop::log, x);
  CHECK(t.fault == code::program);
  CHECK(finish(t, x).size == 0);
}
TEST_CASE("the first fault of a tape stays") {
  tape t;
  const int x = t.argument(0, type::float32);
  t.fault = code::capacity;
  t.refuse();
  CHECK(t.fault == code::capacity);
  CHECK(finish(t, x).fault == code::capacity);
}

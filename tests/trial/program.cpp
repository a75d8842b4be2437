// Random scalar programs: valid, the same from the same decisions, and of all instructions.
// SPDX-License-Identifier: MIT
#include <tenon/trial/program.hpp>
#include "../catch.hpp"
#include <set>

namespace tn = tenon;

namespace {

using namespace tenon::trial;
using tn::recorded, tn::slot_kind, tn::type;

/// A program over one to eight operands of any types.
recorded drawn(choices& d) {
  constexpr type all[] = {type::float32, type::int32, type::uint32, type::int64,
                          type::uint64,  type::uint8, type::float16};
  std::vector<type> types;
  for (int k = d.in(1, 8); k > 0; --k) types.push_back(d.one_in(2) ? type::float32 : d.pick(all));
  return draw::programmer(d, types).write();
}
/// Each source is written before, and has the kind that the instruction reads.
bool is_valid(const recorded& p) {
  for (int i = 0; i < p.size; ++i) {
    const tn::instruction x = p.code[i];
    const tn::instruction_facts& f = tn::facts_of(x.op());
    const bool selects = f.sources == 3 && f.in == slot_kind::mask;
    const int source[] = {x.a(), x.b(), x.c()};
    for (int k = 0; k < f.sources; ++k) {
      const slot_kind wanted = k > 0 && selects ? f.out : f.in;
      if (source[k] >= i || tn::slot_kind_of(p.code[source[k]]) != wanted) return false;
    }
  }
  return p.fault == tn::code::ok && p.size > 0;
}

}  // namespace

TEST_CASE("programs are valid, and every instruction that computes something occurs") {
  std::set<tn::sop> found;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    CAPTURE(i);
    choices d = choices::from_seed(seed_of(11, i));
    const recorded p = drawn(d);
    REQUIRE(is_valid(p));
    for (int k = 0; k < p.size; ++k) found.insert(p.code[k].op());
  }
  for (const tn::instruction_facts& f : tn::instructions::table) {
    CAPTURE(f.text, static_cast<int>(f.op));
    CHECK((found.count(f.op) == 1 || tn::is_typed(f.op)));
  }
}

TEST_CASE("the same decisions make the same program, and none the simplest one") {
  for (std::uint64_t i = 0; i < 50; ++i) {
    choices d = choices::from_seed(i);
    const recorded p = drawn(d);
    choices again = choices::from_list(d.taken());
    const recorded q = drawn(again);
    REQUIRE(p.size == q.size);
    for (int k = 0; k < p.size; ++k) CHECK(p.code[k] == q.code[k]);
  }
  choices none;
  const recorded simplest = drawn(none);
  for (int k = 0; k < simplest.size; ++k)
    CHECK(tn::slot_kind_of(simplest.code[k]) == slot_kind::real);
}

// The table of instructions: its facts against each other, and how an instruction is stored.
// SPDX-License-Identifier: MIT
#include <tenon/graph/instruction.hpp>
#include "../catch.hpp"
#include <string>

namespace {

using namespace tenon;
using std::string_view;

// ---- facts that follow from others
consteval bool consistent(const instruction_facts& f) {
  const string_view text = f.text;
  const bool wide = f.in == slot_kind::wide || f.out == slot_kind::wide;
  switch (f.written) {
    case syntax::atom: return f.sources == 0 && text.empty() && f.flops == 0;
    case syntax::silent:  // it only names a type: same slot, no work
      return f.sources == 1 && f.in == f.out && f.flops == 0 && text.empty();
    case syntax::prefix: return f.sources == 1 && text.size() == 1;
    case syntax::call: break;
    case syntax::shift: return f.sources == 1 && f.in == f.out && text.front() == ' ';
    case syntax::equality:
    case syntax::comparison:
      if (f.out != slot_kind::mask) return false;
      [[fallthrough]];
    default:  // infix: two sources, an operator between blanks
      if (f.sources != 2 || text.front() != ' ' || text.back() != ' ') return false;
  }
  if (wide && f.kind != instruction_kind::rare) return false;
  if (f.kind == instruction_kind::elementary)
    return f.in == slot_kind::real && f.out == slot_kind::real && f.written == syntax::call &&
           f.flops > 1;
  return f.sources >= 1 && f.sources <= 3 && f.flops >= 1;
}
consteval int inconsistent() {
  for (const instruction_facts& f : instructions::table)
    if (!consistent(f)) return static_cast<int>(f.op);
  return -1;
}
static_assert(inconsistent() == -1, "this row contradicts itself");

// An instruction on unsigned numbers has one on signed ones that is written alike or, if it makes
// a number of another kind, says its type.
consteval bool has_signed_form(const instruction_facts& u) {
  for (const instruction_facts& f : instructions::table) {
    const bool same =
        f.in == u.in && f.out == u.out && f.sources == u.sources && f.written == u.written;
    if (!f.is_unsigned && same && static_cast<int>(f.op) < static_cast<int>(u.op)) return true;
  }
  return false;
}
consteval int without_signed_form() {
  for (const instruction_facts& f : instructions::table)
    if (f.is_unsigned && !has_signed_form(f)) return static_cast<int>(f.op);
  return -1;
}
static_assert(without_signed_form() == -1);

// ---- three kinds, one after the other
static_assert(!is_elementary(sop::typed_uint32) && is_elementary(sop::exp));
static_assert(is_elementary(sop::pow) && !is_elementary(sop::int_div) && is_rare(sop::int_div));
static_assert(instructions::first_elementary == static_cast<int>(sop::exp));
static_assert(instructions::first_rare == static_cast<int>(sop::int_div));
static_assert(instructions::elementary_count == 12);
static_assert(instructions::count <= 256, "an operation is a byte");

// ---- single facts that others rely on
static_assert(sources_of(sop::arg) == 0 && sources_of(sop::literal) == 0);
static_assert(sources_of(sop::shift_left) == 1, "its count is no register");
static_assert(sources_of(sop::fma) == 3 && facts_of(sop::fma).flops == 2);
static_assert(facts_of(sop::select).in == slot_kind::mask && sources_of(sop::select) == 3);
static_assert(slot_kind_of(sop::less) == slot_kind::mask);
static_assert(slot_kind_of(sop::mask_to_int) == slot_kind::integer);
static_assert(is_typed(sop::typed_int64) && !is_typed(sop::to_int));

// ---- slots of element types
static_assert(slot_kind_of(type::float16) == slot_kind::real);
static_assert(slot_kind_of(type::uint8) == slot_kind::integer);
static_assert(slot_kind_of(type::uint32) == slot_kind::integer);
static_assert(slot_kind_of(type::int64) == slot_kind::wide);

// ---- an instruction is a word
constexpr instruction sum = instruction::make(sop::fma, 239, 1, 255, 128);
static_assert(sum.op() == sop::fma && sum.dst() == 239);
static_assert(sum.a() == 1 && sum.b() == 255 && sum.c() == 128 && !sum.is_literal());
constexpr instruction half = instruction::make_literal(sop::literal, 7, 0x3f000000);
static_assert(half.op() == sop::literal && half.dst() == 7 && half.is_literal());
static_assert(half.real() == 0.5f && half.bits() == 0x3f000000);
static_assert(instruction::make_literal(sop::literal_int, 0, 0xffffffff).bits() == 0xffffffff);
constexpr instruction argument(type t) {
  return instruction::make(sop::arg, 0, 2, static_cast<int>(t));
}
static_assert(argument(type::uint64).type() == type::uint64 && argument(type::uint64).a() == 2);
static_assert(slot_kind_of(argument(type::uint64)) == slot_kind::wide);
static_assert(slot_kind_of(argument(type::float16)) == slot_kind::real);

// ---- types of results
constexpr type type_of_result(sop o) { return type_at(instruction::make(o, 0)); }
static_assert(type_at(argument(type::int8)) == type::int8);
static_assert(type_of_result(sop::add) == type::float32);
static_assert(type_of_result(sop::to_half) == type::float16);
static_assert(type_of_result(sop::to_int8) == type::int8);
static_assert(type_of_result(sop::to_byte) == type::uint8);
static_assert(type_of_result(sop::int_add) == type::int32);
static_assert(type_of_result(sop::typed_uint32) == type::uint32);
static_assert(type_of_result(sop::wide_add) == type::int64);
static_assert(type_of_result(sop::typed_uint64) == type::uint64);
static_assert(type_of_result(sop::less) == type::uint8, "a mask");

}  // namespace

TEST_CASE("every element type is one of an argument, whose slot has room for it") {
  for (const type_facts& f : types::table) {
    CAPTURE(f.name);
    const instruction x = argument(f.is);
    CHECK(type_at(x) == f.is);
    const slot_kind k = slot_kind_of(x);
    CHECK((k == slot_kind::real) == f.is_real);
    CHECK((k == slot_kind::wide) == (f.bits == 64));
  }
}

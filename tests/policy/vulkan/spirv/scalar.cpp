// Every instruction of scalar programs as SPIR-V has the results of `evaluate`, for one element and
// for four, on edges of all lanes.
// SPDX-License-Identifier: MIT
#include <tenon/language/builder.hpp>
#include <tenon/policy/reference/scalar.hpp>
#include "../../../catch.hpp"
#include "emitted.hpp"
#include <bit>
#include <cmath>
#include <limits>

using namespace tenon_test;
namespace tn = tenon;
using tn::slot_kind, tn::sop, tn::type, tn::i64;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float reals[] = {0.0f,           -0.0f,
                           1.0f,           -1.0f,
                           0.5f,           -0.5f,
                           1.5f,           2.5f,
                           -2.5f,          3.0f,
                           0.49999997f,    8388607.5f,
                           8388609.0f,     16777216.0f,
                           2147483520.0f,  2147483648.0f,
                           -2147483648.0f, -2147483904.0f,
                           4294967296.0f,  9.2e18f,
                           -9.3e18f,       1.8e19f,
                           1.9e19f,        1e-30f,
                           -1e-38f,        1e-45f,
                           3.4e38f,        -3.4e38f,
                           88.7f,          -87.3f,
                           -104.0f,        3.1415927f,
                           1.5707964f,     100.0f,
                           1e5f,           65519.0f,
                           65520.0f,       65504.0f,
                           6e-8f,          5.9e-5f,
                           0.33325195f,    inf,
                           -inf,           std::numeric_limits<float>::quiet_NaN()};
constexpr std::int32_t integers[] = {0,
                                     1,
                                     -1,
                                     2,
                                     -2,
                                     3,
                                     7,
                                     -7,
                                     31,
                                     32,
                                     127,
                                     128,
                                     -128,
                                     -129,
                                     255,
                                     256,
                                     65535,
                                     46341,
                                     1 << 20,
                                     123456789,
                                     -123456789,
                                     std::numeric_limits<std::int32_t>::max(),
                                     std::numeric_limits<std::int32_t>::min()};
constexpr std::int64_t wides[] = {0,
                                  1,
                                  -1,
                                  2,
                                  -2,
                                  3,
                                  7,
                                  63,
                                  64,
                                  1ll << 31,
                                  -(1ll << 31),
                                  (1ll << 32) + 5,
                                  3037000500,
                                  123456789012345,
                                  -123456789012345,
                                  1ll << 53,
                                  (1ll << 53) + 1,
                                  std::numeric_limits<std::int64_t>::max(),
                                  std::numeric_limits<std::int64_t>::min()};

/// What the sources of an instruction are.
slot_kind source_kind(sop o, int k) {
  switch (o) {
    case sop::mask_and:
    case sop::mask_or:
    case sop::mask_not:
    case sop::mask_to_int: return slot_kind::mask;
    case sop::select: return k == 0 ? slot_kind::mask : slot_kind::real;
    case sop::wide_select: return k == 0 ? slot_kind::mask : slot_kind::wide;
    case sop::to_float:
    case sop::as_float:
    case sop::int_less:
    case sop::int_less_equal:
    case sop::int_equal:
    case sop::int_less_unsigned:
    case sop::to_wide:
    case sop::to_wide_unsigned:
    case sop::wide_join: return slot_kind::integer;
    case sop::less:
    case sop::less_equal:
    case sop::equal:
    case sop::to_int:
    case sop::as_int:
    case sop::real_to_wide:
    case sop::real_to_wide_unsigned: return slot_kind::real;
    case sop::narrow:
    case sop::wide_to_real:
    case sop::wide_to_real_unsigned:
    case sop::wide_less:
    case sop::wide_less_unsigned:
    case sop::wide_equal: return slot_kind::wide;
    default: return tn::slot_kind_of(o);
  }
}

/// One instruction on operands of its lanes; a mask is x < y, or x < z.
tn::tape program_of(sop o) {
  tn::tape t;
  int source[3]{};
  for (int k = 0; k < tn::sources_of(o); ++k) {
    const slot_kind l = source_kind(o, k);
    if (l == slot_kind::real) source[k] = t.argument(k, type::float32);
    if (l == slot_kind::integer) source[k] = t.argument(3 + k, type::int32);
    if (l == slot_kind::wide) source[k] = t.argument(6 + (k > 0), type::int64);
    if (l == slot_kind::mask)
      source[k] = t.emit(sop::less, t.argument(0, type::float32), t.argument(1 + k, type::float32));
  }
  if (o == sop::literal) {
    t.literal(2.5f);
  } else if (o == sop::literal_int) {
    t.literal_int(-77);
  } else if (o == sop::arg) {
    t.argument(0, type::float32);
  } else {
    const bool shifts = o == sop::shift_left || o == sop::shift_right,
               wide = o == sop::wide_shift_left || o == sop::wide_shift_right;
    t.emit(o, source[0], shifts ? 7 : wide ? 37 : source[1], source[2]);
  }
  return t;
}

constexpr int operands = 8;
constexpr type operand_types[] = {type::float32, type::float32, type::float32, type::int32,
                                  type::int32,   type::int32,   type::int64,   type::int64};

struct values {
  std::vector<std::vector<std::uint64_t>> room;  // aligned for all types
  i64 n = static_cast<i64>(std::size(reals) * std::size(reals));
  values() {
    for (int k = 0; k < operands; ++k) {
      room.emplace_back(static_cast<std::size_t>(n));
      for (i64 i = 0; i < n; ++i)
        put(k, i,
            k % 3 == 0   ? i / static_cast<i64>(std::size(reals))
            : k % 3 == 1 ? i
                         : i * 7 + i / 5);
    }
  }
  void put(int k, i64 at, i64 number) {
    std::byte* to = bytes(k) + at * tn::size_bytes(operand_types[k]);
    const auto pick = [&](const auto& from) {
      std::memcpy(to, &from[static_cast<std::size_t>(number) % std::size(from)], sizeof(from[0]));
    };
    if (operand_types[k] == type::float32) pick(reals);
    if (operand_types[k] == type::int32) pick(integers);
    if (operand_types[k] == type::int64) pick(wides);
  }
  std::byte* bytes(int k) {
    return reinterpret_cast<std::byte*>(room[static_cast<std::size_t>(k)].data());
  }
  tn::scalar_register at(int k, i64 i) {
    tn::scalar_register r{};
    std::memcpy(&r, bytes(k) + i * tn::size_bytes(operand_types[k]),
                static_cast<std::size_t>(tn::size_bytes(operand_types[k])));
    return r;
  }
};

/// A graph of one map.
tn::table graph_of(const tn::tape& t, i64 n) {
  tn::table g;
  const tn::shape s = tn::extents(n);
  tn::node map;
  for (int k = 0; k < operands; ++k) {
    tn::node in;
    in.detail = g.names.push(tn::name("operand ") + k);
    in.out = {operand_types[k], s};
    map.in[k] = g.nodes.push(in);
    g.inputs.push(map.in[k]);
  }
  map.kind = tn::family::map;
  map.operands = operands;
  map.detail = g.intern({t.code, t.size});
  map.out = {tn::type_at(t.code[t.size - 1]), s};
  g.outputs.push(g.nodes.push(map));
  return g;
}

bool is_tiny(float x) { return std::fabs(x) < std::numeric_limits<float>::min(); }
/// True if a driver that flushes subnormal numbers may give `found`. Divisions may be 2.5 units
/// off, and elementary functions with them.
bool same(sop o, float wanted, float found) {
  if (std::isnan(wanted)) return std::isnan(found);
  if (is_tiny(wanted)) return is_tiny(found);
  const bool inexact = o == sop::div || tn::is_elementary(o);
  if (!inexact) return std::bit_cast<std::uint32_t>(wanted) == std::bit_cast<std::uint32_t>(found);
  if (std::isinf(wanted)) return wanted == found;
  return std::fabs(wanted - found) <= 4e-7f * std::fabs(wanted);
}
/// Operands of which a driver may make zeros.
bool may_flush(const tn::tape& t, const tn::scalar_register* arguments) {
  for (int i = 0; i < t.size; ++i) {
    const tn::instruction x = t.code[i];
    if (x.op() == sop::arg && x.type() == type::float32 && arguments[x.a()].real != 0 &&
        is_tiny(arguments[x.a()].real))
      return true;
  }
  return false;
}

void check(sop o, bool in_fours) {
  static values v;
  const tn::tape t = program_of(o);
  REQUIRE(t.fault == tn::code::ok);
  const tn::table g = graph_of(t, v.n);
  const tn::policy_facts facts[] = {tn::facts_of<emitted>()};
  const auto p = tn::make_plan(g.view(), {facts, 1});
  REQUIRE(p.ok());
  emission_target().cpu_driver = in_fours;
  const tn::plan_view plan = p.value().view();
  std::vector<std::uint64_t> out(static_cast<std::size_t>(v.n));
  std::vector<const std::byte*> base;
  int input = 0;
  for (int i = 0; i < plan.table.nodes.size; ++i)
    base.push_back(plan.table.nodes[i].kind == tn::family::input
                       ? v.bytes(input++)
                       : reinterpret_cast<std::byte*>(out.data()));
  for (int k = 0; k < plan.groups.size; ++k) emitted::run({&plan, k}, {{base.data()}});
  const type result = plan.table.nodes[plan.table.outputs[0]].out.type;
  int wrong = 0;
  for (i64 i = 0; i < v.n; ++i) {
    tn::scalar_register arguments[operands], found{};
    for (int k = 0; k < operands; ++k) arguments[k] = v.at(k, i);
    const auto wanted = tn::evaluate(tn::program_view{t.code, t.size}, arguments);
    const i64 bytes = tn::size_bytes(result);
    std::memcpy(&found, reinterpret_cast<std::byte*>(out.data()) + i * bytes,
                static_cast<std::size_t>(bytes));
    bool good = may_flush(t, arguments);
    if (o == sop::fma)  // or a product and a sum
      good = good ||
             same(o,
                  tn::arithmetic::add(tn::arithmetic::mul(arguments[0].real, arguments[1].real),
                                      arguments[2].real),
                  found.real);
    if (result == type::float32)
      good = good || same(o, wanted.real, found.real);
    else if (result == type::float16)
      good = good || tn::halves::from_float(wanted.real) == static_cast<std::uint16_t>(found.word);
    else if (bytes == 8)
      good = good || wanted.wide == found.wide;
    else
      good = good ||
             (bytes == 1 ? (wanted.word & 255) == (found.word & 255) : wanted.word == found.word);
    if (good || ++wrong > 3) continue;
    UNSCOPED_INFO("element " << i << ": " << arguments[0].real << ", " << arguments[1].real << ", "
                             << arguments[2].real << "; " << arguments[3].word << ", "
                             << arguments[4].word << "; " << arguments[6].wide << ", "
                             << arguments[7].wide << ": wanted " << wanted.real << " ("
                             << wanted.word << "), found " << found.real << " (" << found.word
                             << ")");
  }
  INFO("instruction " << static_cast<int>(o)
                      << (in_fours ? " on four elements" : " on one element"));
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("every instruction has the results of evaluate") {
  if (!bare_device::instance().works()) skip("there is no Vulkan driver for the CPU");
  for (const auto by : {spirv::addressing::address, spirv::addressing::descriptor})
    for (const bool in_fours : {false, true})
      for (int o = 0; o <= static_cast<int>(sop::typed_uint64); ++o) {
        emission_target().by = by;
        check(static_cast<sop>(o), in_fours);
      }
  CHECK(bare_device::instance().fault == "");
}

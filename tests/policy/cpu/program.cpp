// Scalar programs on `cpu`: constant and interpreted ones have the bits of `evaluate` for every
// operation, length and stream, and touch nothing outside of their runs.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "testing.hpp"
#include <array>
#include <set>

using namespace tenon_test;
using tenon::program, tenon::program_view, tenon::sop, tenon::simd::stream;

namespace {

/// A lambda's program with shared registers, as a finished table has it.
template <auto F, int Arity> consteval auto compiled() {
  constexpr int size = tenon::record_program<Arity>(F).size;
  const tenon::allocated a = tenon::allocate(tenon::record_program<Arity>(F).view());
  program<size> p;
  for (int i = 0; i < size; ++i) p.code[i] = a.program.code[i];
  return p;
}

/// What a test does with every program of a list: both kinds of functions, the number of operands.
struct subject {
  const char* name;
  int arity;
  program_view code;
  tenon::simd::function inlined, interpreted;
};
template <auto P> inline constexpr auto kept = P;
template <auto F, int Arity> subject subject_of(const char* name) {
  constexpr auto& p = kept<compiled<F, Arity>()>;
  const program_view v{p.code, p.size};
  if constexpr (tenon::simd::is_rare(program_view{p.code, p.size}))
    return {name, Arity, v, {&tenon::simd::run_rare<>, v}, {&tenon::simd::run_rare<>, v}};
  else
    return {name,
            Arity,
            v,
            {&tenon::simd::run_inlined<compiled<F, Arity>()>, {}},
            {&tenon::simd::run_interpreted, v}};
}

using i32 = std::int32_t;
using u32 = std::uint32_t;
using s64 = std::int64_t;
using u64 = std::uint64_t;
constexpr auto bits = [](auto x) { return tenon::bitcast<i32>(x); };
constexpr auto real = [](auto i) { return tenon::bitcast<float>(i); };

const std::vector<subject>& primitives() {
  static const std::vector<subject> all = {
      subject_of<[](auto x) { return x; }, 1>("arg"),
      subject_of<[](auto) { return 2.5f; }, 1>("literal"),
      subject_of<[](auto x, auto y) { return x + y; }, 2>("add"),
      subject_of<[](auto x, auto y) { return x - y; }, 2>("sub"),
      subject_of<[](auto x, auto y) { return x * y; }, 2>("mul"),
      subject_of<[](auto x, auto y) { return x / y; }, 2>("div"),
      subject_of<[](auto x, auto y, auto z) { return fma(x, y, z); }, 3>("fma"),
      subject_of<[](auto x) { return -x; }, 1>("neg"),
      subject_of<[](auto x) { return abs(x); }, 1>("abs"),
      subject_of<[](auto x, auto y) { return min(x, y); }, 2>("min"),
      subject_of<[](auto x, auto y) { return max(x, y); }, 2>("max"),
      subject_of<[](auto x) { return max(x, 0.0f); }, 1>("max with a literal"),
      subject_of<[](auto x) { return min(x, 0.0f); }, 1>("min with a literal"),
      subject_of<[](auto x) { return max(0.0f, x); }, 1>("max of a literal"),
      subject_of<[](auto x) { return min(0.0f, x); }, 1>("min of a literal"),
      subject_of<[](auto x) { return max(x, std::numeric_limits<float>::quiet_NaN()); }, 1>(
          "max with NaN"),
      subject_of<[](auto x) { return min(max(x, -1.0f), 1.0f); }, 1>("clamp"),
      subject_of<[](auto x, auto y) { return real(bits(x) * bits(y)); }, 2>("int_mul"),
      subject_of<[](auto x, auto y) { return select(bits(x) < bits(y), x, y); }, 2>("int_less"),
      subject_of<[](auto x, auto y) { return select(bits(x) <= bits(y), x, y); }, 2>(
          "int_less_equal"),
      subject_of<[](auto x, auto y) { return select((bits(x) & 3) == (bits(y) & 3), x, y); }, 2>(
          "int_equal"),
      subject_of<[](auto x, auto y) { return real(tenon::cast<i32>(x < y) + bits(x)); }, 2>(
          "mask_to_int"),
      subject_of<[](auto x) { return real(tenon::cast<std::uint8_t>(bits(x))); }, 1>("to_byte"),
      subject_of<[](auto x) { return real(tenon::cast<std::int8_t>(bits(x))); }, 1>("to_int8"),
      subject_of<[](auto x, auto y) {
        return select(tenon::cast<std::uint32_t>(bits(x)) < tenon::cast<std::uint32_t>(bits(y)), x,
                      y);
      },
                 2>("int_less_unsigned"),
      subject_of<[](auto x) { return tenon::cast<tenon::float16>(x) * 1.0f; }, 1>("to_half"),
      subject_of<[](auto x, auto y) { return real(min(bits(x), max(bits(y), -7)) - abs(bits(x))); },
                 2>("int min, max, abs"),
      subject_of<[](auto x) { return sqrt(x); }, 1>("sqrt"),
      subject_of<[](auto x) { return floor(x); }, 1>("floor"),
      subject_of<[](auto x) { return round_even(x); }, 1>("round_even"),
      subject_of<[](auto x, auto y) { return x < y; }, 2>("less"),
      subject_of<[](auto x, auto y) { return x <= y; }, 2>("less_equal"),
      subject_of<[](auto x, auto y) { return x == y; }, 2>("equal"),
      subject_of<[](auto x, auto y) { return x != y; }, 2>("not equal"),
      subject_of<[](auto x, auto y) { return (x < y) & (x < 0.5f); }, 2>("mask_and"),
      subject_of<[](auto x, auto y) { return (x < y) | (y <= 0.5f); }, 2>("mask_or"),
      subject_of<[](auto x, auto y) { return !(x < y); }, 2>("mask_not"),
      subject_of<[](auto x, auto y, auto z) { return select(x <= y, y, z); }, 3>("select"),
      subject_of<[](auto x) { return tenon::cast<float>(tenon::cast<i32>(x)); }, 1>(
          "to_int, to_float"),
      subject_of<[](auto x) { return tenon::cast<float>(bits(x)); }, 1>("to_float of any int"),
      subject_of<[](auto x) { return real(tenon::cast<i32>(x)); }, 1>("to_int of any float"),
      subject_of<[](auto x, auto y) { return real(bits(x) + bits(y)); }, 2>("int_add"),
      subject_of<[](auto x, auto y) { return real(bits(x) - bits(y)); }, 2>("int_sub"),
      subject_of<[](auto x, auto y) { return real(bits(x) & bits(y)); }, 2>("int_and"),
      subject_of<[](auto x, auto y) { return real(bits(x) | bits(y)); }, 2>("int_or"),
      subject_of<[](auto x, auto y) { return real(bits(x) ^ bits(y)); }, 2>("int_xor"),
      subject_of<[](auto x) { return real(bits(x) | 0x00400000); }, 1>("literal_int"),
      subject_of<[](auto x) { return real(bits(x) << 0); }, 1>("shift_left by 0"),
      subject_of<[](auto x) { return real(bits(x) << 7); }, 1>("shift_left by 7"),
      subject_of<[](auto x) { return real(bits(x) << 31); }, 1>("shift_left by 31"),
      subject_of<[](auto x) { return real(bits(x) >> 0); }, 1>("shift_right by 0"),
      subject_of<[](auto x) { return real(bits(x) >> 9); }, 1>("shift_right by 9"),
      subject_of<[](auto x) { return real(bits(x) >> 31); }, 1>("shift_right by 31"),
  };
  return all;
}

// 64 bits that depend on all bits of an operand, and 32 that depend on all of those.
constexpr auto wide = [](auto x) {
  return (tenon::cast<s64>(bits(x)) << 31) ^ tenon::cast<s64>(bits(x));
};
constexpr auto wide_word = [](auto x) { return tenon::cast<u64>(wide(x)); };
constexpr auto word = [](auto x) { return tenon::cast<u32>(bits(x)); };
constexpr auto folded = [](auto v) { return real(tenon::cast<i32>(v ^ (v >> 32))); };
/// A divisor or an exponent that is often small.
constexpr auto few = [](auto v) { return select((v & 1) == 0, v, v & 7); };

const std::vector<subject>& rare() {
  static const std::vector<subject> all = {
      subject_of<[](auto x, auto y) { return real(bits(x) / few(bits(y))); }, 2>("int_div"),
      subject_of<[](auto x, auto y) { return real(tenon::cast<i32>(word(x) / few(word(y)))); }, 2>(
          "int_div_unsigned"),
      subject_of<[](auto x, auto y) { return real(pow(bits(x), few(bits(y)))); }, 2>("int_pow"),
      subject_of<[](auto x, auto y) { return real(tenon::cast<i32>(pow(word(x), few(word(y))))); },
                 2>("int_pow_unsigned"),
      subject_of<[](auto x) { return folded(tenon::cast<s64>(bits(x)) * 3); }, 1>("to_wide"),
      subject_of<[](auto x) { return folded(tenon::cast<s64>(word(x)) * 3); }, 1>(
          "to_wide_unsigned"),
      subject_of<[](auto x) { return folded(wide(x) + 0x123456789abcdef); }, 1>("wide_join"),
      subject_of<[](auto x) { return real(tenon::cast<i32>(wide(x))); }, 1>("narrow"),
      subject_of<[](auto x) { return folded(tenon::cast<s64>(x * 1e9f)); }, 1>("real_to_wide"),
      subject_of<[](auto x) { return folded(tenon::cast<u64>(x * 1e9f)); }, 1>(
          "real_to_wide_unsigned"),
      subject_of<[](auto x) { return tenon::cast<float>(wide(x)); }, 1>("wide_to_real"),
      subject_of<[](auto x) { return tenon::cast<float>(wide_word(x)); }, 1>(
          "wide_to_real_unsigned"),
      subject_of<[](auto x) { return tenon::cast<float>(word(x)); }, 1>("a uint32 as a float"),
      subject_of<[](auto x) { return real(tenon::cast<i32>(tenon::cast<u32>(x))); }, 1>(
          "a float as a uint32"),
      subject_of<[](auto x, auto y) { return folded(wide(x) + wide(y)); }, 2>("wide_add"),
      subject_of<[](auto x, auto y) { return folded(wide(x) - wide(y)); }, 2>("wide_sub"),
      subject_of<[](auto x, auto y) { return folded(wide(x) * wide(y)); }, 2>("wide_mul"),
      subject_of<[](auto x, auto y) { return folded(wide(x) / few(wide(y))); }, 2>("wide_div"),
      subject_of<[](auto x, auto y) { return folded(wide_word(x) / few(wide_word(y))); }, 2>(
          "wide_div_unsigned"),
      subject_of<[](auto x, auto y) { return folded(pow(wide(x), few(wide(y)))); }, 2>("wide_pow"),
      subject_of<[](auto x, auto y) { return folded(pow(wide_word(x), few(wide_word(y)))); }, 2>(
          "wide_pow_unsigned"),
      subject_of<[](auto x, auto y) { return folded((wide(x) & wide(y)) + (wide(x) | wide(y))); },
                 2>("wide_and, wide_or"),
      subject_of<[](auto x) { return folded((wide(x) << 63) ^ (wide(x) >> 1)); }, 1>("wide shifts"),
      subject_of<[](auto x, auto y) { return select(wide(x) < wide(y), x, y); }, 2>("wide_less"),
      subject_of<[](auto x, auto y) { return select(wide_word(x) <= wide_word(y), x, y); }, 2>(
          "wide_less_unsigned"),
      subject_of<[](auto x, auto y) { return select((wide(x) & 3) == (wide(y) & 3), x, y); }, 2>(
          "wide_equal"),
      subject_of<[](auto x, auto y) { return folded(max(wide(x), wide(y)) - abs(wide(y))); }, 2>(
          "wide_select"),
      subject_of<[](auto x, auto y) { return folded(wide(x)) + exp(y); }, 2>("both lanes"),
  };
  return all;
}
const std::vector<subject>& functions() {
  static const std::vector<subject> all = {
      subject_of<[](auto x) { return exp(x); }, 1>("exp"),
      subject_of<[](auto x) { return log(x); }, 1>("log"),
      subject_of<[](auto x) { return tanh(x); }, 1>("tanh"),
      subject_of<[](auto x) { return erf(x); }, 1>("erf"),
      subject_of<[](auto x) { return sigmoid(x); }, 1>("sigmoid"),
      subject_of<[](auto x) { return sin(x); }, 1>("sin"),
      subject_of<[](auto x) { return cos(x); }, 1>("cos"),
      subject_of<[](auto x) { return tan(x); }, 1>("tan"),
      subject_of<[](auto x) { return log1p(x); }, 1>("log1p"),
      subject_of<[](auto x) { return expm1(x); }, 1>("expm1"),
      subject_of<[](auto x) { return erfc(x); }, 1>("erfc"),
      subject_of<[](auto x, auto y) { return pow(x, y); }, 2>("pow"),
      subject_of<[](auto x) { return x * sigmoid(x); }, 1>("swish"),
      subject_of<[](auto x, auto y, auto z) { return select(x < y, exp(z), x * y + z) - tanh(z); },
                 3>("a mixture"),
      subject_of<[](auto a, auto b, auto c, auto d, auto e, auto f, auto g, auto h) {
        return a * b + c * d - e * f + g / (abs(h) + 1.0f);
      },
                 8>("eight operands"),
  };
  return all;
}

constexpr float edges[] = {0.0f,
                           -0.0f,
                           1.0f,
                           -1.0f,
                           0.5f,
                           -0.5f,
                           1.5f,
                           2.5f,
                           -2.5f,
                           0.49999997f,
                           8388607.5f,
                           8388608.0f,
                           -8388609.0f,
                           16777216.0f,
                           2147483520.0f,
                           2147483648.0f,
                           -2147483648.0f,
                           -2147483904.0f,
                           4294967296.0f,
                           1e-45f,
                           -1e-45f,
                           1.17549421e-38f,
                           1.17549435e-38f,
                           -1e-40f,
                           3.40282347e38f,
                           -3.40282347e38f,
                           88.7228394f,
                           88.73f,
                           -87.336544f,
                           -103.97208f,
                           -104.0f,
                           127.0f,
                           128.0f,
                           -126.5f,
                           -149.5f,
                           3.14159274f,
                           1.57079637f,
                           1e5f,
                           -1e10f,
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN()};

/// Any value there is: an edge, a moderate number, or any bits.
float any(dice& d) {
  switch (d.in(0, 3)) {
    case 0: return d.pick(edges);
    case 1: return std::bit_cast<float>(static_cast<std::uint32_t>(d.next()));
    case 2: return 100.0f * d.real();
    default: return 3.0f * d.real();
  }
}

/// True for programs whose bits depend on an fma.
bool uses_fma(const subject& s) {
  for (int i = 0; i < s.code.size; ++i)
    if (s.code.code[i].op() == sop::fma || tenon::is_elementary(s.code.code[i].op())) return true;
  return false;
}
/// Without fma: true if two results are near, or their arguments or value too large to say.
bool near_without_fma(const float* arguments, int arity, float wanted, float found) {
  for (int k = 0; k < arity; ++k)
    if (!(arguments[k] <= 10 && arguments[k] >= -10)) return true;
  if (!(wanted <= 10 && wanted >= -10)) return true;  // tan near its poles
  const float off = wanted - found;
  return off <= 1e-4f && off >= -1e-4f;
}

/// Runs both kinds of `s` once; `step` of each stream. Fails with a message.
void check(const subject& s, const std::vector<i64>& step, i64 n, wall at, bool in_place, dice& d) {
  std::vector<std::vector<float>> values;
  std::vector<guarded_bytes> memory;
  std::vector<stream> in;
  for (int k = 0; k < s.arity; ++k) {
    const i64 stride = step[static_cast<std::size_t>(k)];
    std::vector<float> v(static_cast<std::size_t>(n == 0 ? 0 : (n - 1) * stride + 1));
    for (float& x : v) x = any(d);
    memory.push_back(guarded(v, at));
    in.push_back(
        {memory.back().floats(), stride, 4, d.one_in(3)});  // fetched ahead, behind the wall too
    values.push_back(std::move(v));
  }
  std::vector<float> wanted(static_cast<std::size_t>(n));
  for (i64 i = 0; i < n; ++i) {
    float arguments[tenon::max_operands]{};
    for (std::size_t k = 0; k < values.size(); ++k)
      arguments[k] = values[k][static_cast<std::size_t>(i * step[k])];
    wanted[static_cast<std::size_t>(i)] = tenon::evaluate(s.code, arguments);
  }
  results found;
  for (const tenon::simd::function& f : {s.inlined, s.interpreted}) {
    guarded_bytes out(n * 4, at);
    std::vector<stream> own = in;
    if (in_place && step[0] == 1 && n > 0) {
      std::memcpy(out.data(), values[0].data(), out.size());
      own[0].data = out.floats();
    }
    tenon::simd::run_streams(f, own.data(), s.arity, out.floats(), n);
    if (!out.untouched()) FAIL_CHECK(s.name << ": wrote around its output, n = " << n);
    found.emplace_back(out.floats(), out.floats() + n);
  }
  const std::string apart = difference(found[0], found[1]);
  if (!apart.empty())
    FAIL_CHECK(s.name << ", n = " << n << ", seed " << seed()
                      << ": constant and interpreted program: " << apart);
  // What integers made has no arithmetic NaN in it: every bit counts.
  if (s.code.code[s.code.size - 1].op() == sop::as_float && s.name != std::string("random") &&
      s.name != std::string("random constant"))
    for (const auto& f : found)
      if (n > 0 && std::memcmp(f.data(), wanted.data(), f.size() * sizeof(float)) != 0)
        FAIL_CHECK(s.name << ", n = " << n << ", seed " << seed() << ": integer bits differ");
  if (!has_fma && uses_fma(s)) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      float arguments[tenon::max_operands]{};
      for (std::size_t k = 0; k < values.size(); ++k)
        arguments[k] = values[k][i * static_cast<std::size_t>(step[k])];
      if (!near_without_fma(arguments, s.arity, wanted[i], found[0][i]))
        FAIL_CHECK(s.name << ": wanted " << wanted[i] << ", found " << found[0][i] << " of "
                          << arguments[0] << ", " << arguments[1]);
    }
    return;
  }
  const std::string off = difference(wanted, found[0]);
  if (off.empty()) return;
  const auto first = static_cast<i64>(std::stoul(off.substr(off.find("element ") + 8)));
  std::string arguments;
  for (std::size_t k = 0; k < values.size(); ++k) {
    char text[40];
    std::snprintf(text, sizeof text, " %a",
                  static_cast<double>(values[k][static_cast<std::size_t>(first * step[k])]));
    arguments += text;
  }
  FAIL_CHECK(s.name << ", n = " << n << ", seed " << seed() << ": " << off << " of" << arguments);
}

void check_lengths(const std::vector<subject>& all, int test) {
  for (const subject& s : all) {
    dice d = dice_of(test, static_cast<int>(&s - all.data()));
    const auto steps = [&] {
      std::vector<i64> r;
      constexpr i64 kinds[] = {1, 1, 1, 1, 0, 0, 2, 3, 7};
      for (int k = 0; k < s.arity; ++k) r.push_back(d.pick(kinds));
      return r;
    };
    for (i64 n = 0; n <= 70; ++n) {
      check(s, std::vector<i64>(static_cast<std::size_t>(s.arity), 1), n, wall::behind, false, d);
      if (n > 0) check(s, steps(), n, n % 2 ? wall::behind : wall::before, d.one_in(2), d);
    }
    for (int k = 0; k < times(3); ++k)
      check(s, steps(), d.in(71, 3000), d.one_in(2) ? wall::behind : wall::before, d.one_in(3), d);
  }
}

}  // namespace

TEST_CASE("the programs of this test use every instruction") {
  std::set<sop> seen;
  for (const auto* list : {&primitives(), &functions(), &rare()})
    for (const subject& s : *list)
      for (int i = 0; i < s.code.size; ++i) seen.insert(s.code.code[i].op());
  for (int o = 0; o <= static_cast<int>(sop::typed_uint64); ++o) {
    INFO("sop " << o);
    CHECK(seen.count(static_cast<sop>(o)) == (tenon::is_typed(static_cast<sop>(o)) ? 0 : 1));
  }
}

TEST_CASE("every primitive has the bits of evaluate, for all lengths and streams") {
  check_lengths(primitives(), 11);
}

TEST_CASE(
    "64-bit integers, division and powers have the bits of evaluate, for all lengths and streams") {
  check_lengths(rare(), 14);
}

TEST_CASE("every elementary function has the bits of evaluate, for all lengths and streams") {
  check_lengths(functions(), 12);
}

TEST_CASE("primitives have the bits of evaluate for all pairs of edge values") {
  constexpr int n = static_cast<int>(std::size(edges));
  std::vector<float> x, y, z;
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k) {
      x.push_back(edges[i]);
      y.push_back(edges[k]);
      z.push_back(edges[(i * 7 + k) % n]);
    }
  for (const auto* list : {&primitives(), &functions(), &rare()})
    for (const subject& s : *list) {
      if (s.arity > 3 || (!has_fma && uses_fma(s))) continue;
      const stream in[] = {{x.data(), 1}, {y.data(), 1}, {z.data(), 1}};
      std::vector<float> wanted(x.size()), found(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        const float arguments[] = {x[i], y[i], z[i]};
        wanted[i] = tenon::evaluate(s.code, arguments);
      }
      for (const tenon::simd::function& f : {s.inlined, s.interpreted}) {
        tenon::simd::run_streams(f, in, s.arity, found.data(), static_cast<i64>(x.size()));
        const std::string off = difference(wanted, found);
        if (!off.empty()) {
          const std::size_t at = std::stoul(off.substr(off.find("element ") + 8));
          FAIL_CHECK(s.name << ": " << off << " of " << x[at] << ", " << y[at] << ", " << z[at]);
        }
      }
    }
}

namespace {

/// A random program with all lanes. NaN that were computed never show as integers: nothing defines
/// their bits.
constexpr tenon::recorded random_program(std::uint64_t number, int length) {
  dice d{number};
  tenon::tape t;
  int reals[tenon::max_program]{}, integers[tenon::max_program]{}, masks[tenon::max_program]{};
  int r = 0, i = 0, m = 0;
  for (int k = 0; k < 3; ++k) reals[r++] = t.emit(sop::arg, k);
  integers[i++] = t.literal_int(0x12345);
  masks[m++] = t.emit(sop::less, reals[0], reals[1]);
  constexpr sop unary[] = {sop::neg,        sop::abs,   sop::sqrt,  sop::floor,
                           sop::round_even, sop::exp,   sop::tanh,  sop::sigmoid,
                           sop::log,        sop::log1p, sop::expm1, sop::erfc};
  constexpr sop binary[] = {sop::add, sop::sub, sop::mul, sop::div, sop::min, sop::max};
  constexpr sop words[] = {sop::int_add, sop::int_sub, sop::int_and, sop::int_or, sop::int_xor};
  constexpr sop compares[] = {sop::less, sop::less_equal, sop::equal};
  const auto of = [&](const int* list, int n) { return list[d.in(n > 6 ? n - 6 : 0, n - 1)]; };
  for (int k = 0; k < length; ++k) {
    const int x = of(reals, r), y = of(reals, r), z = of(reals, r), u = of(integers, i),
              v = of(integers, i), p = of(masks, m), q = of(masks, m);
    switch (d.in(0, 10)) {
      case 0: reals[r++] = t.emit(d.pick(unary), x); break;
      case 1:
      case 2: reals[r++] = t.emit(d.pick(binary), x, y); break;
      case 3: reals[r++] = t.emit(sop::fma, x, y, z); break;
      case 4: reals[r++] = t.literal(3.0f * d.real()); break;
      case 5: masks[m++] = t.emit(d.pick(compares), x, y); break;
      case 6:
        masks[m++] = d.one_in(3) ? t.emit(sop::mask_not, p)
                                 : t.emit(d.one_in(2) ? sop::mask_and : sop::mask_or, p, q);
        break;
      case 7: reals[r++] = t.emit(sop::select, p, x, y); break;
      case 8: {
        const int number_or_zero =
            t.emit(sop::select, t.emit(sop::equal, x, x), x, t.literal(0.0f));
        integers[i++] = d.one_in(2) ? t.emit(sop::as_int, number_or_zero) : t.emit(sop::to_int, x);
        break;
      }
      case 9:
        integers[i++] =
            d.one_in(3) ? t.emit(d.one_in(2) ? sop::shift_left : sop::shift_right, u, d.in(0, 31))
                        : t.emit(d.pick(words), u, v);
        break;
      default: reals[r++] = t.emit(d.one_in(2) ? sop::to_float : sop::as_float, u); break;
    }
  }
  return tenon::finish(t, reals[r - 1]);
}
template <int N> consteval auto constant_random_program() {
  constexpr tenon::allocated a =
      tenon::allocate(random_program(static_cast<std::uint64_t>(N), 30).view());
  program<a.program.size> p;
  for (int i = 0; i < a.program.size; ++i) p.code[i] = a.program.code[i];
  return p;
}
template <int N> subject constant_subject() {
  constexpr auto& p = kept<constant_random_program<N>()>;
  const program_view v{p.code, p.size};
  return {"random constant",
          3,
          v,
          {&tenon::simd::run_inlined<constant_random_program<N>()>, {}},
          {&tenon::simd::run_interpreted, v}};
}

}  // namespace

TEST_CASE("random programs, interpreted, have the bits of evaluate") {
  if (!has_fma)
    tenon_test::skip(
        "without fma products are rounded twice, which a random program can enlarge at will");
  int ran = 0;
  for (int i = 0; i < times(400); ++i) {
    dice d = dice_of(13, i);
    const tenon::recorded r = random_program(d.next(), d.in(1, 70));
    REQUIRE(r.fault == tenon::code::ok);
    const tenon::allocated a = tenon::allocate(r.view());
    if (a.registers > tenon::max_registers) continue;
    ++ran;
    const tenon::simd::function f{&tenon::simd::run_interpreted, a.program.view()};
    check({"random", 3, a.program.view(), f, f}, {1, d.in(0, 2), d.in(0, 1)}, d.in(1, 200),
          wall::behind, d.one_in(3), d);
  }
  CHECK(ran > times(300));
}

TEST_CASE(
    "elementary functions of each other, whose values are needed again, have the bits of "
    "evaluate") {
  if (!has_fma) tenon_test::skip("without fma products are rounded twice");
  std::vector<sop> unary;
  for (const auto& known : tenon::instructions::table)
    if (tenon::is_elementary(known.op) && known.sources == 1) unary.push_back(known.op);
  for (const sop f : unary)
    for (const sop g : unary) {
      dice d = dice_of(15, static_cast<int>(f) * 100 + static_cast<int>(g));
      tenon::tape t;
      const int x = t.emit(sop::arg, 0), y = t.emit(sop::arg, 1), inner = t.emit(g, x),
                outer = t.emit(f, inner);
      const int square = t.emit(sop::mul, outer, outer), far = t.emit(sop::fma, y, inner, square);
      const int result =
          t.emit(sop::sub, t.emit(sop::max, far, outer), t.emit(sop::pow, far, square));
      for (const int out : {outer, far, result}) {
        const tenon::recorded r = tenon::finish(t, out);
        const tenon::allocated a = tenon::allocate(r.view());
        const tenon::simd::function run{&tenon::simd::run_interpreted, a.program.view()};
        check({"composed", 2, a.program.view(), run, run}, {1, d.in(0, 1)}, d.in(1, 300),
              wall::behind, d.one_in(3), d);
      }
    }
}

TEST_CASE("a program with more literals than the interpreter keeps has the bits of evaluate") {
  if (!has_fma) tenon_test::skip("without fma products are rounded twice");
  for (const int literals : {1, tenon::simd::max_literals - 1, tenon::simd::max_literals,
                             tenon::simd::max_literals + 1, 100}) {
    dice d = dice_of(16, literals);
    tenon::tape t;
    const int x = t.emit(sop::arg, 0);
    int y = x;
    for (int k = 0; k < literals; ++k)
      y = t.emit(sop::fma, y, x, t.literal(static_cast<float>(k) + 0.25f));
    const tenon::recorded r = tenon::finish(t, y);
    REQUIRE(r.fault == tenon::code::ok);
    const tenon::allocated a = tenon::allocate(r.view());
    const tenon::simd::function run{&tenon::simd::run_interpreted, a.program.view()};
    for (const i64 n : {1, 15, 63, 64, 65, 200})
      check({"literals", 1, a.program.view(), run, run}, {1}, n, wall::behind, n == 65, d);
  }
}

namespace {

using tenon::type;
/// What one program makes of two operands of one or two bytes: a number, a comparison, an integer.
template <type A, type B, int What> consteval auto narrow_program() {
  tenon::tape t;
  const auto number = [&](int k, type e) {
    const int x = t.argument(k, e);
    return tenon::is_real(e) ? x : t.emit(sop::to_float, x);
  };
  const int a = number(0, A), b = number(1, B);
  const int sum = t.emit(sop::add, t.emit(sop::tanh, a), b);
  const int result = What == 0   ? t.emit(sop::to_half, sum)
                     : What == 1 ? t.emit(sop::less, a, sum)
                     : What == 2 ? t.emit(sop::to_int8, t.emit(sop::to_int, sum))
                                 : sum;
  constexpr int room = 16;
  const tenon::allocated r = tenon::allocate(tenon::finish(t, result).view());
  program<room> p;
  for (int i = 0; i < r.program.size; ++i) p.code[i] = r.program.code[i];
  return std::pair{p, r.program.size};
}
template <type A, type B, int What> void check_narrow() {
  constexpr auto made = narrow_program<A, B, What>();
  constexpr auto p = [&] {
    program<made.second> q;
    for (int i = 0; i < made.second; ++i) q.code[i] = made.first.code[i];
    return q;
  }();
  const program_view v{p.code, p.size};
  const i64 bytes = tenon::size_bytes(tenon::result_type(v));
  dice d = dice_of(17, static_cast<int>(A) * 100 + static_cast<int>(B) * 10 + What);
  for (const i64 n : {0, 1, 7, 16, 33, 63, 64, 65, 128, 150, 300}) {
    std::vector<std::byte> a(static_cast<std::size_t>(n * 4 + 4)), b = a;
    for (std::byte& x : a) x = static_cast<std::byte>(d.in(0, 90));  // halves: small and no NaN
    for (std::byte& x : b) x = static_cast<std::byte>(d.in(0, 90));
    const stream in[] = {{a.data(), 1, static_cast<int>(tenon::size_bytes(A))},
                         {b.data(), d.in(0, 1), static_cast<int>(tenon::size_bytes(B))}};
    guarded_bytes wanted(n * bytes, wall::behind), found(n * bytes, wall::behind);
    tenon::simd::run_inlined<p>(v, in, wanted.data(), n);
    tenon::simd::run_interpreted(v, in, found.data(), n);
    INFO("operands of types " << static_cast<int>(A) << " and " << static_cast<int>(B)
                              << ", program " << What << ", n = " << n);
    CHECK(found.untouched());
    CHECK((n == 0 || std::memcmp(wanted.data(), found.data(), wanted.size()) == 0));
  }
}
template <int What> void check_narrow_types() {
  check_narrow<type::float16, type::uint8, What>();
  check_narrow<type::int8, type::float32, What>();
  check_narrow<type::float32, type::float16, What>();
}

}  // namespace

TEST_CASE("operands and results of one and two bytes are the same constant and interpreted") {
  check_narrow_types<0>();
  check_narrow_types<1>();
  check_narrow_types<2>();
  check_narrow_types<3>();
}

TEST_CASE("random programs as constants have the bits of evaluate") {
  if (!has_fma)
    tenon_test::skip(
        "without fma products are rounded twice, which a random program can enlarge at will");
  const subject all[] = {constant_subject<1>(),  constant_subject<2>(),  constant_subject<3>(),
                         constant_subject<4>(),  constant_subject<5>(),  constant_subject<6>(),
                         constant_subject<7>(),  constant_subject<8>(),  constant_subject<9>(),
                         constant_subject<10>(), constant_subject<11>(), constant_subject<12>()};
  for (const subject& s : all)
    for (int i = 0; i < times(10); ++i) {
      dice d = dice_of(14, static_cast<int>(&s - all) * 1000 + i);
      check(s, {1, d.in(0, 2), d.in(0, 1)}, d.in(1, 200), wall::behind, d.one_in(3), d);
    }
}

// The elementary functions, each written down once as a scalar program over the primitives: their
// result is the same on every policy and every compiler, also in a constant expression.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/record.hpp>
#include <cstdint>
#include <limits>
#include <utility>

// Coefficients: our own weighted minimax fits (Lawson's iteration on 400 Chebyshev nodes in 113-bit
// arithmetic), rounded to float one after the other with the rest fitted again. "fit" below is what
// the rounded polynomial itself leaves, relative to the function. Errors are against the exact
// value, in units of the result's last place (ulp), measured on every 31st float; "instructions"
// leaves out literals. tests/language/elementary.cpp asserts the errors and the special values.

namespace tenon::elementary {

inline constexpr float inf = std::numeric_limits<float>::infinity();
inline constexpr float nan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float least_normal = std::numeric_limits<float>::min();
inline constexpr std::int32_t sign_bit = std::numeric_limits<std::int32_t>::min();
/// Added to |v| < 2^22 it rounds v to an integer, which then stands in the low bits of the sum.
inline constexpr float rounder = 12582912.0f;  // 1.5 * 2^23
inline constexpr float log2_e = 0x1.715476p+0f;
inline constexpr float ln_2 = 0x1.62e43p-1f;  // to 2^-28.4 of itself
inline constexpr float ln_2_rest = -0x1.05c61p-29f;

/// Horner's rule; the coefficient of the highest power comes first.
template <int N> constexpr scalar polynomial(scalar x, const float (&c)[N]) {
  scalar p = fma(x, c[0], c[1]);
  for (int i = 2; i < N; ++i) p = fma(p, x, c[i]);
  return p;
}

/// 2^k for the integer k in the low bits of `sum` = k + 127 + rounder; -126 <= k <= 127.
constexpr scalar power_of_two(scalar sum) {
  return bitcast<float>(bitcast<std::int32_t>(sum) << 23);
}

/// p * 2^k for -250 <= k <= 250 in two steps, rounded once; `sum` is k + 254 + rounder.
constexpr scalar scale(scalar p, scalar k, scalar sum) {
  const scalar half = fma(k, 0.5f, rounder + 127.0f);
  const scalar rest = (bitcast<std::int32_t>(sum) - bitcast<std::int32_t>(half)) << 23;
  return p * power_of_two(half) * bitcast<float>(rest);
}

/// exp(r) for |r| <= ln(2)/2; fit 2^-28.2.
constexpr scalar exp_near_zero(scalar r) {
  constexpr float c[] = {
      0x1.6a4f5ap-10f, 0x1.123986p-7f, 0x1.5558aep-5f, 0x1.555492p-3f, 0x1.fffffcp-2f, 1, 1};
  return polynomial(r, c);
}

/// e^r - 1 for |r| <= ln(2)/2; fit 2^-31.1, relative to itself.
constexpr scalar expm1_near_zero(scalar r) {
  constexpr float c[] = {0x1.9e7d6p-13f, 0x1.6d3aap-10f, 0x1.1112d4p-7f,
                         0x1.5554f8p-5f, 0x1.555554p-3f, 0.5f};
  return fma(polynomial(r, c), r * r, r);
}

/// e^x = 2^k e^r with k = round(x / ln 2).
/// Error: 0.87 ulp, subnormal results included. Cost: 22 instructions.
constexpr scalar exp_of(scalar x) {
  x = min(max(x, -104.0f), 89.0f);  // beyond, the result is 0 or infinity
  const scalar sum = fma(x, log2_e, rounder + 254.0f), k = sum - (rounder + 254.0f);
  const scalar r = fma(k, -ln_2_rest, fma(k, -ln_2, x));
  return scale(exp_near_zero(r), k, sum);
}

/// 2^k (e^r - 1) + (2^k - 1), of which half is computed: 2^128 is no float.
/// Error: 1.43 ulp, subnormal arguments included. Cost: 22 instructions.
constexpr scalar expm1_of(scalar x) {
  const scalar y = min(max(x, -20.0f), 89.0f);  // beyond, the result is -1 or infinity
  const scalar sum = fma(y, log2_e, rounder + 126.0f), k = sum - (rounder + 126.0f);
  const scalar r = fma(k, -ln_2_rest, fma(k, -ln_2, y)), power = power_of_two(sum);
  const scalar half = fma(power, expm1_near_zero(r), power - 0.5f);
  return select(abs(x) < 0x1p-25f, x, half + half);  // half of a subnormal number may be none
}

/// 1 / (1 + e^-x), from e^-|x| so that nothing overflows.
/// Error: 2.41 ulp (below 0, where one unit of e^x may be two of the result), subnormal results
/// included. Cost: 22 instructions.
constexpr scalar sigmoid_of(scalar x) {
  const scalar y = max(-abs(x), -104.0f);
  constexpr float up = 127.0f + 64.0f;  // the scale is 2^(k + 64), then 2^-64: k reaches -150
  const scalar sum = fma(y, log2_e, rounder + up), k = sum - (rounder + up);
  const scalar r = fma(k, -ln_2_rest, fma(k, -ln_2, y));
  const scalar z = exp_near_zero(r) * power_of_two(sum) * 0x1p-64f;
  return select(x < 0.0f, z, 1.0f) / (1.0f + z);
}

/// x (1 + x^2 P(x^2)) below 0.62 (fit 2^-27.6); above, 1 - 2 / (e^2|x| + 1), |x| = h + k ln(2)/2.
/// Error: 1.36 ulp. Cost: 29 instructions.
constexpr scalar tanh_of(scalar x) {
  const scalar z = x * x;
  constexpr float p[] = {-0x1.734388p-8f, 0x1.519498p-6f, -0x1.b826a4p-5f,
                         0x1.110686p-3f,  -0x1.55553p-2f, 1};
  const scalar small = x * polynomial(z, p);  // a product, so that -0 stays -0
  const scalar a = min(abs(x), 9.02f);        // from here the result is 1
  const scalar sum = fma(a, 2 * log2_e, rounder + 127.0f), k = sum - (rounder + 127.0f);
  // those of exp, for 2h
  constexpr float e[] = {64 * 0x1.6a4f5ap-10f,
                         32 * 0x1.123986p-7f,
                         16 * 0x1.5558aep-5f,
                         8 * 0x1.555492p-3f,
                         4 * 0x1.fffffcp-2f,
                         2.0f,
                         1.0f};
  const scalar power = polynomial(fma(k, -0.5f * ln_2, a), e);
  const scalar large = 1.0f - 2.0f / fma(power, power_of_two(sum), 1.0f);
  return select(abs(x) < 0.62f, small, select(x < 0.0f, -large, large));
}

/// x + x P(x^2) below 0.92 (fit 2^-25.8); above, 1 - e^Q(|x|), Q a fit of ln erfc (2^-29.3).
/// Error: 1.39 ulp. Cost: 32 instructions.
constexpr scalar erf_of(scalar x) {
  const scalar z = x * x;
  constexpr float p[] = {-0x1.38742ep-11f, 0x1.46d9e4p-8f,  -0x1.b67c04p-6f,
                         0x1.ce1986p-4f,   -0x1.8126e2p-2f, 0x1.06eba6p-3f};
  const scalar small = fma(polynomial(z, p), x, x);
  const scalar a = min(abs(x), 3.95f);  // from here the result is 1
  constexpr float q[] = {0x1.9aec08p-13f, -0x1.8ee29cp-9f, 0x1.6c2ad2p-6f,  -0x1.a9b44ap-4f,
                         -0x1.463cbep-1f, -0x1.20af5ap+0f, -0x1.9a5a1ap-13f};
  const scalar y = polynomial(a, q);
  constexpr float up = 127.0f + 256.0f;  // 256 sets the sign: the scale is -2^k
  const scalar sum = fma(y, log2_e, rounder + up), k = sum - (rounder + up);
  constexpr float e[] = {
      0x1.1061e8p-7f, 0x1.572a3p-5f, 0x1.5557bp-3f, 0x1.fffdfcp-2f, 1, 1};  // fit 2^-23.2
  const scalar large = fma(polynomial(fma(k, -ln_2, y), e), power_of_two(sum), 1.0f);
  return select(abs(x) < 0.92f, small, select(x < 0.0f, -large, large));
}

/// e^-a^2 (1 + G) / (1 + 2a) for a = |x|, 2 minus that below 0; G = u P(u - 0.375), u = a / (a + 3)
/// (fit 2^-27.8, absolute; G <= 0.16). What the square, the numerator and the denominator lose by
/// rounding is added again.
/// Error: 1.76 ulp, subnormal results included. Cost: 58 instructions.
constexpr scalar erfc_of(scalar x) {
  const scalar a = min(abs(x), 10.2f);  // from here the result is 0 or 2
  const scalar square = a * a, square_low = fma(a, a, -square);
  const scalar sum = fma(square, -log2_e, rounder + 254.0f), k = sum - (rounder + 254.0f);
  const scalar r = fma(k, -ln_2_rest, fma(k, -ln_2, -square)) - square_low;
  const scalar e = expm1_near_zero(r), u = a / (a + 3.0f);
  constexpr float c[] = {-0x1.226444p-2f, 0x1.9cfecp-5f,  0x1.813ae6p-1f,  -0x1.401ddap-1f,
                         -0x1.4d23aap+0f, 0x1.edbd84p+1f, -0x1.45c3b8p+2f, 0x1.1362e2p+2f,
                         -0x1.35c5d6p+1f, 0x1.802c32p-1f};
  const scalar g = u * polynomial(u - 0.375f, c), rest = fma(e, g, e + g);
  const scalar top = rest + 1.0f, top_low = rest - (top - 1.0f);
  const scalar bottom = fma(a, 2.0f, 1.0f), bottom_low = fma(a, 2.0f, 1.0f - bottom);
  const scalar inverse = 1.0f / bottom, q = top * inverse;
  const scalar left = fma(-q, bottom, top) + fma(-q, bottom_low, top_low);
  const scalar y = scale(fma(left, inverse, q), k, sum);
  return select(x < 0.0f, 2.0f - y, y);
}

/// A positive float as m * 2^k with m in [2/3, 4/3).
struct mantissa {
  scalar m, k;
};
/// The exponent k of a normal float in its place among the bits: 2^23 k.
constexpr scalar exponent_bits(scalar bits) {
  constexpr std::int32_t two_thirds = 0x3f2aaaab;
  return (bits - two_thirds) & static_cast<std::int32_t>(0xff800000u);
}
constexpr mantissa split(scalar x) {
  const scalar tiny = x < least_normal;
  const scalar bits = bitcast<std::int32_t>(select(tiny, x * 0x1p24f, x));
  const scalar e = exponent_bits(bits);
  return {bitcast<float>(bits - e), fma(cast<float>(e), 0x1p-23f, select(tiny, -24.0f, 0.0f))};
}

/// log(2^k (1 + f)) = k ln(2) + f - f^2/2 + f^3 P(f), -1/3 <= f <= 1/3. Fit 2^-27.7.
constexpr scalar log_near_one(scalar f, scalar k) {
  constexpr float c[] = {-0x1.07c198p-3f, 0x1.1e6df4p-3f, -0x1.f333cap-4f,
                         0x1.1ed53p-3f,   -0x1.559c6p-3f, 0x1.99d052p-3f,
                         -0x1.fffefap-3f, 0x1.555506p-2f, -0.5f};
  return fma(k, ln_2, fma(polynomial(f, c), f * f, f));
}

/// Error: 0.91 ulp, subnormal arguments included. log(+-0) is -inf, that of negative arguments NaN.
/// Cost: 29 instructions.
constexpr scalar log_of(scalar x) {
  const auto [m, k] = split(x);
  const scalar positive = select(x < inf, log_near_one(m - 1.0f, k), x);
  return select(0.0f < x, positive, select(x == 0.0f, -inf, nan));
}

/// The logarithm of u = 1 + x; what u lost of x by rounding goes into its f.
/// Error: 1.50 ulp, subnormal arguments included. log1p(-1) is -inf, below NaN.
/// Cost: 38 instructions.
constexpr scalar log1p_of(scalar x) {
  const scalar u = x + 1.0f, bits = bitcast<std::int32_t>(u), e = exponent_bits(bits);
  const scalar lost = select(x < 1.0f, x - (u - 1.0f), 1.0f - (u - x));
  const scalar power =
      max(bitcast<float>(0x3f800000 - e), 0.0f);  // 2^-k; beyond 2^127 none is lost
  const scalar f = fma(lost, power, bitcast<float>(bits - e) - 1.0f);
  const scalar finite = log_near_one(f, cast<float>(e) * 0x1p-23f);
  const scalar positive = select(x < inf, finite, x);
  const scalar result = select(0.0f < u, positive, select(u == 0.0f, -inf, nan));
  return select(x == 0.0f, x, result);  // -0 stays -0
}

/// x = r + k pi/2 with |r| <= 0.8 for |x| < 2^20; the low two bits of `quadrant` are k's.
/// pi/2 comes in three parts of at most 24 bits (Cody and Waite 1980); the first product cancels
/// exactly. All parts have one sign, so that -0 stays -0.
struct angle {
  scalar r, quadrant;
};
constexpr angle reduce(scalar x) {
  const scalar sum = fma(x, 0x1.45f306p-1f, rounder), k = sum - rounder;
  scalar r = fma(k, -0x1.921fb4p+0f, x);
  r = fma(k, -0x1.4442dp-24f, r);
  r = fma(k, -0x1.846988p-48f, r);
  return {r, bitcast<std::int32_t>(sum)};
}

/// The sine for quadrant 0, cosine for 1, and their negatives for 2 and 3. Fits 2^-27.7, 2^-32.6.
constexpr scalar sine_of(scalar r, scalar quadrant) {
  r = min(max(r, -1.0f), 1.0f);  // holds |result| <= 1 where the reduction fails
  const scalar z = r * r;
  constexpr float s[] = {-0x1.990f92p-13f, 0x1.1106aep-7f, -0x1.555544p-3f};
  constexpr float c[] = {0x1.99911cp-16f, -0x1.6c0af4p-10f, 0x1.555548p-5f, -0.5f, 1.0f};
  const scalar sine = fma(polynomial(z, s), z * r, r), cosine = polynomial(z, c);
  const scalar odd = cast<float>(quadrant & 1) == 1.0f;
  const scalar bits = bitcast<std::int32_t>(select(odd, cosine, sine));
  return bitcast<float>(bits ^ ((quadrant & 2) << 30));
}

/// Error: 1.53 ulp for |x| < 10^5, 1.84 below 2^20, 4.5 below 2^22; beyond, the reduction fails and
/// the result is some number in [-1, 1]. NaN for infinities. Cost: 28 instructions.
constexpr scalar sin_of(scalar x) {
  const auto [r, quadrant] = reduce(x);
  return select(x == 0.0f, x, sine_of(r, quadrant));
}
/// As `sin_of`, with the quadrant one further.
/// Error: 1.52 ulp for |x| < 10^5, 2.08 below 2^20, 4.6 below 2^22. Cost: 27 instructions.
constexpr scalar cos_of(scalar x) {
  const auto [r, quadrant] = reduce(x);
  return sine_of(r, quadrant + 1);
}
/// tan r = r + r^3 P(r^2), in odd quadrants -1 / tan r. Fit 2^-29.1.
/// Error: 2.39 ulp for |x| < 10^4, 2.74 below 10^5, 3.12 below 2^20; beyond, any value but NaN,
/// which infinities give. Cost: 20 instructions.
constexpr scalar tan_of(scalar x) {
  const auto [r, quadrant] = reduce(x);
  const scalar z = r * r;
  constexpr float c[] = {0x1.2c2814p-8f, -0x1.4e0b04p-12f, 0x1.6d76b4p-7f, 0x1.5ab7bcp-6f,
                         0x1.bb0b9ap-5f, 0x1.110c88p-3f,   0x1.555564p-2f};
  const scalar t = fma(polynomial(z, c), z * r, r);
  return select(cast<float>(quadrant & 1) == 1.0f, -1.0f / t, t);
}

/// An unevaluated sum of two floats.
struct pair {
  scalar high, low;
};

/// log2(x) of a positive float to about 2^-33 of itself: k + (2/ln 2) atanh((m - 1) / (m + 1)).
constexpr pair log2_pair(scalar x) {
  const auto [m, k] = split(x);
  const scalar f = m - 1.0f, a = m + 1.0f, a_low = m - (a - 1.0f), inverse = 1.0f / a;
  const scalar s = f * inverse;  // s + s_low = f / (a + a_low)
  const scalar s_low = fma(-s, a_low, fma(-s, a, f)) * inverse;
  const scalar z = s * s, z_low = fma(s + s, s_low, fma(s, s, -z));
  // w + w_low = atanh(s)/s - 1 = z/3 + z^2 R(z); fit of R: 2^-26
  constexpr float third = 0x1.555556p-2f, third_rest = -0x1.555556p-27f;
  constexpr float c[] = {0x1.8aad9p-4f, 0x1.c6b756p-4f, 0x1.249256p-3f, 0x1.99999ap-3f, third_rest};
  const scalar w = z * third;
  const scalar w_low = fma(z_low, third, fma(z, polynomial(z, c), fma(z, third, -w)));
  const scalar p = s * w, p_low = fma(s, w_low, fma(s, w, -p));
  const scalar t = s + p, t_low = ((s - t) + p) + (p_low + fma(s_low, w, s_low));
  constexpr float factor = 0x1.715476p+1f, factor_rest = 0x1.4ae0cp-25f;
  const scalar l = t * factor, l_low = fma(t_low, factor, fma(t, factor_rest, fma(t, factor, -l)));
  const scalar sum = k + l;
  return {sum, ((k - sum) + l) + l_low};
}

/// |x|^y = 2^(y log2 |x|), the exponent as a sum of two floats; then sign and special values.
/// Error: 1.30 ulp on more than 100 million pairs, subnormal results included. Special values as in
/// C (ISO/IEC 9899:2011, F.10.4.4). Cost: 117 instructions.
constexpr scalar pow_of(scalar x, scalar y) {
  const scalar a = abs(x);
  const auto [high, low] = log2_pair(a);
  const scalar n = min(max(y, -0x1p40f), 0x1p40f);  // beyond, the result is 0, 1 or infinity
  const scalar e = n * high, e_low = fma(n, low, fma(n, high, -e));
  const scalar near = min(max(e, -160.0f), 160.0f);
  const scalar sum = near + (rounder + 254.0f), k = sum - (rounder + 254.0f);
  const scalar g = min(max((near - k) + e_low, -1.0f), 1.0f);
  // 2^g, fit 2^-28.3
  constexpr float c[] = {0x1.4178bp-13f,
                         0x1.5f095ap-10f,
                         0x1.3b2dd4p-7f,
                         0x1.c6af7ap-5f,
                         0x1.ebfbdcp-3f,
                         0x1.62e43p-1f,
                         1.0f};
  scalar result = scale(polynomial(g, c), k, sum);
  result = select(a + a == a, select(y < 0.0f, 1.0f / a, a), result);  // |x| is 0 or infinite
  const scalar half = y * 0.5f, whole = floor(y) == y, odd = whole & (floor(half) != half);
  const scalar sign = bitcast<std::int32_t>(select(odd, x, 0.0f)) & sign_bit;
  result = bitcast<float>(bitcast<std::int32_t>(result) ^ sign);
  const scalar defined = (x == x) & (y == y) & ((0.0f <= x) | whole | (a == inf));
  return select((x == 1.0f) | (y == 0.0f), 1.0f, select(defined, result, nan));
}

/// The function that writes an elementary function down.
template <sop O> inline constexpr auto definition = nullptr;
template <> inline constexpr auto definition<sop::exp> = &exp_of;
template <> inline constexpr auto definition<sop::log> = &log_of;
template <> inline constexpr auto definition<sop::tanh> = &tanh_of;
template <> inline constexpr auto definition<sop::erf> = &erf_of;
template <> inline constexpr auto definition<sop::sigmoid> = &sigmoid_of;
template <> inline constexpr auto definition<sop::sin> = &sin_of;
template <> inline constexpr auto definition<sop::cos> = &cos_of;
template <> inline constexpr auto definition<sop::tan> = &tan_of;
template <> inline constexpr auto definition<sop::log1p> = &log1p_of;
template <> inline constexpr auto definition<sop::expm1> = &expm1_of;
template <> inline constexpr auto definition<sop::erfc> = &erfc_of;
template <> inline constexpr auto definition<sop::pow> = &pow_of;

}  // namespace tenon::elementary

namespace tenon {

/// The program of an elementary function: primitives only, one operand (`pow`: two).
template <sop O>
requires(is_elementary(O)) inline constexpr auto elementary_program =
    trace_program<elementary::definition<O>, sources_of(O)>();

namespace elementary {
struct view_list {
  program_view of[instructions::elementary_count];
};
template <int... I> constexpr view_list all_views(std::integer_sequence<int, I...>) {
  const auto view = [](const auto& p) { return program_view{p.code, p.size}; };
  return {{view(elementary_program<static_cast<sop>(instructions::first_elementary + I)>)...}};
}
inline constexpr view_list views =
    all_views(std::make_integer_sequence<int, instructions::elementary_count>{});
}  // namespace elementary

/// The program of an elementary function as data; empty for an instruction that is none.
constexpr program_view elementary_view(sop o) {
  if (!is_elementary(o)) return {};
  return elementary::views.of[static_cast<int>(o) - instructions::first_elementary];
}

}  // namespace tenon

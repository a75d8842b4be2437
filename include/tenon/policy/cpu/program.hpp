// Scalar programs on runs of elements: one loop, two kinds of programs. `inlined` has its program
// as a constant and keeps everything in registers; `interpreted` is a chain of links, one for each
// instruction, that hand a block of registers on.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/rewrite.hpp>
#include <tenon/language/elementary.hpp>
#include <tenon/policy/cpu/simd.hpp>

namespace tenon::simd {

/// An operand of a run: address of its first element; step 1 (contiguous) or 0 (one value); bytes
/// of an element. The program knows the type. `far`: too long for a cache.
struct stream {
  const void* data = nullptr;
  i64 step = 1;
  int bytes = 4;
  bool far = false;
  const std::byte* at(i64 i) const noexcept {
    return static_cast<const std::byte*>(data) + i * step * bytes;
  }
};

/// Computes `n` elements. A null `run` copies operand 0.
struct function {
  using run_type = void (*)(program_view, const stream* in, void* out, i64 n) noexcept;
  run_type run = nullptr;
  program_view program{};
  i64 bytes = 4;                             ///< of an element of the result
  const struct dot_kernels* dots = nullptr;  ///< of what dequantizes bytes: how to multiply them
};

/// Registers of the three lanes; only those that a program uses come to life.
template <int N> struct registers {
  real f[N];
  integer i[N];
  mask m[N];
};

template <int N> constexpr int register_count(const program<N>& p) {
  int most = 0;
  for (const instruction& x : p.code)
    if (x.dst() >= most) most = x.dst() + 1;
  return most;
}
/// True if instruction `at` of a program compares with a literal that is a number.
constexpr bool second_is_number(const instruction* code, int at) {
  for (int i = at - 1; i >= 0; --i)
    if (code[i].dst() == code[at].b())
      return code[i].op() == sop::literal && code[i].real() == code[i].real();
  return false;
}

template <auto P> [[gnu::always_inline]] inline real run_program(const real* arguments) noexcept;

template <auto P, int At, class R>
[[gnu::always_inline]] inline void step(R& r, const real* arguments) noexcept {
  constexpr instruction x = P.code[At];
  constexpr sop o = x.op();
  constexpr int d = x.dst(), a = x.a(), b = x.b(), c = x.c();
  if constexpr (o == sop::arg && is_real(x.type()))
    r.f[d] = arguments[a];
  else if constexpr (o == sop::arg)
    r.i[d] = as_integer(arguments[a]);
  else if constexpr (o == sop::literal)
    r.f[d] = real(x.real());
  else if constexpr (o == sop::literal_int)
    r.i[d] = integer(static_cast<std::int32_t>(x.bits()));
  else if constexpr (o == sop::max && second_is_number(P.code, At))
    r.f[d] = max_with_number(r.f[a], r.f[b]);
  else if constexpr (o == sop::min && second_is_number(P.code, At))
    r.f[d] = min_with_number(r.f[a], r.f[b]);
  else if constexpr (o == sop::select)
    r.f[d] = xsimd::select(r.m[a], r.f[b], r.f[c]);
  else if constexpr (o == sop::less || o == sop::less_equal || o == sop::equal)
    r.m[d] = compare<o>(r.f[a], r.f[b]);
  else if constexpr (o == sop::int_less || o == sop::int_less_equal || o == sop::int_equal)
    r.m[d] = compare<o>(r.i[a], r.i[b]);
  else if constexpr (o == sop::int_less_unsigned)
    r.m[d] = less_unsigned(r.i[a], r.i[b]);
  else if constexpr (o == sop::mask_to_int)
    r.i[d] = as_integer(from_mask(r.m[a])) & integer(1);
  else if constexpr (o == sop::to_byte)
    r.i[d] = r.i[a] & integer(255);
  else if constexpr (o == sop::to_int8)
    r.i[d] = low_int8(r.i[a]);
  else if constexpr (o == sop::to_half)
    r.f[d] = rounded_to_half(r.f[a]);
  else if constexpr (o == sop::typed_float32)
    r.f[d] = r.f[a];
  else if constexpr (o == sop::typed_int32 || o == sop::typed_uint32)
    r.i[d] = r.i[a];
  else if constexpr (o == sop::mask_and)
    r.m[d] = r.m[a] & r.m[b];
  else if constexpr (o == sop::mask_or)
    r.m[d] = r.m[a] | r.m[b];
  else if constexpr (o == sop::mask_not)
    r.m[d] = !r.m[a];
  else if constexpr (o == sop::to_int)
    r.i[d] = truncated(r.f[a]);
  else if constexpr (o == sop::to_float)
    r.f[d] = converted(r.i[a]);
  else if constexpr (o == sop::as_int)
    r.i[d] = as_integer(r.f[a]);
  else if constexpr (o == sop::as_float)
    r.f[d] = as_real(r.i[a]);
  else if constexpr (o == sop::shift_left)
    r.i[d] = shift_left(r.i[a], b);
  else if constexpr (o == sop::shift_right)
    r.i[d] = shift_right(r.i[a], b);
  else if constexpr (lane_of(o) == lane::integer)
    r.i[d] = apply_integer<o>(r.i[a], r.i[b]);
  else if constexpr (is_elementary(o)) {
    const real own[2] = {r.f[a], r.f[sources_of(o) > 1 ? b : a]};
    r.f[d] = run_program<elementary_program<o>>(own);
  } else {
    constexpr int n = sources_of(o);
    r.f[d] = apply_real<o>(r.f[a], r.f[n > 1 ? b : a], r.f[n > 2 ? c : a]);
  }
}
template <auto P, int N>
[[gnu::always_inline]] inline real result_of(const registers<N>& r) noexcept {
  constexpr instruction last = P.code[P.size - 1];
  if constexpr (lane_of(last) == lane::real)
    return r.f[last.dst()];
  else if constexpr (lane_of(last) == lane::integer)
    return as_real(r.i[last.dst()]);
  else
    return as_real(as_integer(from_mask(r.m[last.dst()])) & integer(1));
}
template <auto P> [[gnu::always_inline]] inline real run_program(const real* arguments) noexcept {
  registers<register_count(P)> r;
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (step<P, I>(r, arguments), ...);
  }
  (std::make_integer_sequence<int, P.size>{});
  return result_of<P>(r);
}
/// An instruction on several registers of elements.
template <auto P, int At, class R, int Arity, int... J>
[[gnu::always_inline]] inline void step_each(R* r, const real (*arguments)[Arity],
                                             std::integer_sequence<int, J...>) noexcept {
  (step<P, At>(r[J], arguments[J]), ...);
}
/// A program on `N` registers of elements, instruction by instruction: a long chain leaves no room
/// to start the next one early.
template <auto P, int N, int Arity>
[[gnu::always_inline]] inline void run_together(const real (&arguments)[N][Arity],
                                                real (&results)[N]) noexcept {
  registers<register_count(P)> r[N];
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (step_each<P, I>(r, arguments, std::make_integer_sequence<int, N>{}), ...);
  }
  (std::make_integer_sequence<int, P.size>{});
  for (int j = 0; j < N; ++j) results[j] = result_of<P>(r[j]);
}
template <int N> constexpr int arity_of(const program<N>& p) {
  int most = 0;
  for (const instruction& x : p.code)
    if (x.op() == sop::arg && x.a() >= most) most = x.a() + 1;
  return most;
}

/// The element type of operand `k`.
template <int N> constexpr type operand_type(const program<N>& p, int k) {
  for (const instruction& x : p.code)
    if (x.op() == sop::arg && x.a() == k) return x.type();
  return type::float32;
}
/// Constants by their form: clang calls a constexpr function at run time, in every round of a loop.
template <auto P, int K> inline constexpr type operand_of = operand_type(P, K);
template <type T> inline constexpr i64 bytes_each = size_bytes(T);

/// A register of elements as the lanes of a program: bytes and halves are widened.
template <type T> [[gnu::always_inline]] inline real load_as(const std::byte* p) noexcept {
  if constexpr (T == type::float16) return load_halves(p);
  if constexpr (size_bytes(T) == 4) return load(reinterpret_cast<const float*>(p));
  alignas(64) std::int32_t wide[width];
  for (int i = 0; i < width; ++i)
    wide[i] = T == type::int8 ? static_cast<std::int8_t>(p[i]) : static_cast<std::int32_t>(p[i]);
  return as_real(integer::load_aligned(wide));
}
/// The first n < width elements; the others are 0.
template <type T> inline real load_part_as(const std::byte* p, i64 n) noexcept {
  if constexpr (size_bytes(T) == 4) return load_part(reinterpret_cast<const float*>(p), n);
  std::byte padded[2 * width] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(n * size_bytes(T)));
  return load_as<T>(padded);
}
template <type T> [[gnu::always_inline]] inline real repeat_as(const std::byte* p) noexcept {
  if constexpr (T == type::uint8) return as_real(integer(static_cast<std::int32_t>(*p)));
  if constexpr (T == type::int8) return as_real(integer(static_cast<std::int8_t>(*p)));
  if constexpr (T == type::float16) {
    std::uint16_t half;
    std::memcpy(&half, p, sizeof(half));
    return real(halves::to_float(half));
  }
  float x;  // the bits of an integer just as well
  std::memcpy(&x, p, sizeof(x));
  return real(x);
}
template <type T> [[gnu::always_inline]] inline void store_as(real x, std::byte* p) noexcept {
  if constexpr (T == type::float16) return store_halves(x, p);
  if constexpr (size_bytes(T) == 4) return store(x, reinterpret_cast<float*>(p));
  alignas(64) std::int32_t wide[width];
  as_integer(x).store_aligned(wide);
  for (int i = 0; i < width; ++i) p[i] = static_cast<std::byte>(wide[i]);
}
template <type T> inline void store_part_as(real x, std::byte* p, i64 n) noexcept {
  std::byte padded[4 * width];
  store_as<T>(x, padded);
  std::memcpy(p, padded, static_cast<std::size_t>(n * size_bytes(T)));
}

/// Whole registers of elements; returns how many elements that were.
template <auto P, bool Contiguous>
[[gnu::always_inline]] inline i64 run_whole(const stream* in, std::byte* out, i64 n) noexcept {
  constexpr int arity = arity_of(P), room = arity > 0 ? arity : 1;
  constexpr type result = result_type({P.code, P.size});
  stream s[room];
  for (int k = 0; k < arity; ++k) s[k] = in[k];
  real x[room];
  i64 i = 0;
  for (; i + width <= n; i += width) {
    [&]<int... K>(std::integer_sequence<int, K...>) __attribute__((always_inline)) {
      ((x[K] = Contiguous || s[K].step != 0
                   ? load_as<operand_of<P, K>>(static_cast<const std::byte*>(s[K].data) +
                                               i * bytes_each<operand_of<P, K>>)
                   : repeat_as<operand_of<P, K>>(static_cast<const std::byte*>(s[K].data))),
       ...);
    }
    (std::make_integer_sequence<int, arity>{});
    store_as<result>(run_program<P>(x), out + i * bytes_each<result>);
  }
  return i;
}
/// The loop with a constant program. The tail runs the same code over a padded copy.
template <auto P> void run_inlined(program_view, const stream* in, void* out, i64 n) noexcept {
  constexpr int arity = arity_of(P), room = arity > 0 ? arity : 1;
  constexpr type result = result_type({P.code, P.size});
  auto* to = static_cast<std::byte*>(out);
  bool contiguous = true;
  for (int k = 0; k < arity; ++k) contiguous = contiguous && in[k].step != 0;
  const i64 i = contiguous ? run_whole<P, true>(in, to, n) : run_whole<P, false>(in, to, n);
  if (i == n) return;
  real x[room];
  [&]<int... K>(std::integer_sequence<int, K...>) {
    ((x[K] = in[K].step != 0 ? load_part_as<operand_of<P, K>>(in[K].at(i), n - i)
                             : repeat_as<operand_of<P, K>>(in[K].at(0))),
     ...);
  }
  (std::make_integer_sequence<int, arity>{});
  store_part_as<result>(run_program<P>(x), to + i * size_bytes(result), n - i);
}

/// One instruction of the interpreter on one register.
template <sop O>
[[gnu::always_inline]] inline real interpret(instruction x, real a, real b, real c) noexcept {
  if constexpr (O == sop::literal || O == sop::literal_int)
    return as_real(integer(static_cast<std::int32_t>(x.bits())));
  else if constexpr (O == sop::select)
    return xsimd::select(to_mask(a), b, c);
  else if constexpr (O == sop::less || O == sop::less_equal || O == sop::equal)
    return from_mask(compare<O>(a, b));
  else if constexpr (O == sop::int_less || O == sop::int_less_equal || O == sop::int_equal)
    return from_mask(compare<O>(as_integer(a), as_integer(b)));
  else if constexpr (O == sop::int_less_unsigned)
    return from_mask(less_unsigned(as_integer(a), as_integer(b)));
  else if constexpr (O == sop::mask_to_int)
    return as_real(as_integer(a) & integer(1));
  else if constexpr (O == sop::to_byte)
    return as_real(as_integer(a) & integer(255));
  else if constexpr (O == sop::to_int8)
    return as_real(low_int8(as_integer(a)));
  else if constexpr (O == sop::to_half)
    return rounded_to_half(a);
  else if constexpr (is_typed(O))
    return a;
  else if constexpr (O == sop::mask_and)
    return as_real(as_integer(a) & as_integer(b));
  else if constexpr (O == sop::mask_or)
    return as_real(as_integer(a) | as_integer(b));
  else if constexpr (O == sop::mask_not)
    return as_real(as_integer(a) ^ integer(-1));
  else if constexpr (O == sop::to_int)
    return as_real(truncated(a));
  else if constexpr (O == sop::to_float)
    return converted(as_integer(a));
  else if constexpr (O == sop::as_int || O == sop::as_float)
    return a;
  else if constexpr (O == sop::shift_left)
    return as_real(shift_left(as_integer(a), x.b()));
  else if constexpr (O == sop::shift_right)
    return as_real(shift_right(as_integer(a), x.b()));
  else if constexpr (lane_of(O) == lane::integer)
    return as_real(apply_integer<O>(as_integer(a), as_integer(b)));
  else if constexpr (is_elementary(O)) {
    const real own[2] = {a, b};
    return run_program<elementary_program<O>>(own);
  } else
    return apply_real<O>(a, b, c);
}

/// Registers that the interpreter computes at once, and their elements.
inline constexpr int held = 4;
inline constexpr i64 block = i64{held} * width;

/// What comes from the caller's memory: no operand (but a room of the interpreter), operand 0, 1,
/// ..., or the result.
inline constexpr std::int8_t no_operand = -1, result_operand = max_operands;

/// A link of the interpreter's chain. It computes a block, hands it to the next link in registers,
/// and calls that last, which compilers turn into a jump: no link loops, and none but the last one
/// writes to memory, unless a value is needed again later.
struct link {
  using run_type = void (*)(const link*, i64 at, real, real, real, real) noexcept;
  run_type run;
  instruction x;
  const float* from[3];   ///< the sources in memory; of one that writes, the destination
  std::int32_t moves[3];  ///< -1 where the address moves with `at`, else 0
  std::int8_t operand[3];
  const float* source(int k, i64 at) const noexcept { return from[k] + (at & moves[k]); }
};

/// One instruction; its source number `Held` comes from the link before. `Number`: source 1 is one.
template <sop O, int Held, bool Number = false>
void run_link(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  constexpr int n = sources_of(O);
  const float *a = nullptr, *b = nullptr, *c = nullptr;
  if constexpr (n > 0 && Held != 0) a = s->source(0, at);
  if constexpr (n > 1 && Held != 1) b = s->source(1, at);
  if constexpr (n > 2 && Held != 2) c = s->source(2, at);
  const auto source = [&](int k, const float* p, real h, int i) __attribute__((always_inline)) {
    return k >= n ? real(0.0f) : k == Held ? h : load(p + i * width);
  };
  const auto result = [&](real h, int i) __attribute__((always_inline)) {
    if constexpr (Number && O == sop::max)
      return max_with_number(source(0, a, h, i), source(1, b, h, i));
    else if constexpr (Number)
      return min_with_number(source(0, a, h, i), source(1, b, h, i));
    else
      return interpret<O>(s->x, source(0, a, h, i), source(1, b, h, i), source(2, c, h, i));
  };
  if constexpr (is_elementary(O)) {
    real x[held][2], y[held];
    for (int i = 0; i < held; ++i) x[i][0] = source(0, a, h0, i), x[i][1] = source(1, b, h0, i);
    run_together<elementary_program<O>>(x, y);
    s[1].run(s + 1, at, y[0], y[1], y[2], y[3]);
  } else {
    s[1].run(s + 1, at, result(h0, 0), result(h1, 1), result(h2, 2), result(h3, 3));
  }
}
/// Fetches blocks of three operands before they are needed.
inline void fetch_ahead(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  constexpr i64 blocks = 8;
  for (int k = 0; k < 3; ++k) {
    const float* from = s->source(k, at) + blocks * block;
    for (int i = 0; i < held; ++i) __builtin_prefetch(from + i * width);
  }
  s[1].run(s + 1, at, h0, h1, h2, h3);
}
/// Takes a block out of memory, and writes one there.
inline void take_block(const link* s, i64 at, real, real, real, real) noexcept {
  const float* a = s->source(0, at);
  s[1].run(s + 1, at, load(a), load(a + width), load(a + 2 * width), load(a + 3 * width));
}
inline void write_block(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  auto* to = const_cast<float*>(s->source(0, at));
  store(h0, to);
  store(h1, to + width);
  store(h2, to + 2 * width);
  store(h3, to + 3 * width);
}
inline void keep_block(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  write_block(s, at, h0, h1, h2, h3);
  s[1].run(s + 1, at, h0, h1, h2, h3);
}

/// Real arithmetic comes in chains: the operations that can take a source from the link before.
inline constexpr bool takes_held(sop o) { return o >= sop::add && o <= sop::max; }
template <sop O, int Held> constexpr link::run_type link_of() {
  if constexpr (Held < 3 && (!takes_held(O) || Held >= sources_of(O)))
    return nullptr;
  else
    return &run_link<O, Held>;
}
/// For each operation behind `arg`, the links that have source 0, 1, 2 or none from the one before.
template <int... I> constexpr auto link_table(std::integer_sequence<int, I...>) {
  struct {
    link::run_type of[sizeof...(I)][4];
  } t{{{link_of<static_cast<sop>(I + 1), 0>(), link_of<static_cast<sop>(I + 1), 1>(),
        link_of<static_cast<sop>(I + 1), 2>(), link_of<static_cast<sop>(I + 1), 3>()}...}};
  return t;
}
/// One entry for each operation behind `arg`; the rare ones have loops of their own.
inline constexpr int operations = instructions::first_rare - 1;
/// Those of the two operations that are cheaper with a number.
inline constexpr link::run_type max_with[4] = {&run_link<sop::max, 0, true>, nullptr, nullptr,
                                               &run_link<sop::max, 3, true>};
inline constexpr link::run_type min_with[4] = {&run_link<sop::min, 0, true>, nullptr, nullptr,
                                               &run_link<sop::min, 3, true>};
template <int Operations>
inline constexpr auto links = link_table(std::make_integer_sequence<int, Operations>{});

/// `n` elements of one or two bytes, widened into words.
inline void widen(const stream& s, type t, i64 at, i64 n, float* to) noexcept {
  if (t == type::float16) {
    for (i64 k = 0; k + width <= n; k += width) store(load_halves(s.at(at + k)), to + k);
    if (const i64 done = n / width * width; done < n)
      store(load_part_as<type::float16>(s.at(at + done), n - done), to + done);
    return;
  }
  const std::byte* from = s.at(at);
  const std::int32_t sign = t == type::int8 ? 128 : 0;
  for (i64 k = 0; k < n; ++k) {
    const std::int32_t wide = (static_cast<std::int32_t>(from[k]) ^ sign) - sign;
    std::memcpy(to + k, &wide, sizeof(wide));
  }
}
inline real repeated(const stream& s, type t) noexcept {
  if (t == type::uint8) return repeat_as<type::uint8>(s.at(0));
  if (t == type::int8) return repeat_as<type::int8>(s.at(0));
  return t == type::float16 ? repeat_as<type::float16>(s.at(0)) : repeat_as<type::float32>(s.at(0));
}
inline void widen_block(const link* s, i64 at, real h0, real h1, real h2, real h3) noexcept {
  const type t = s->x.type();
  auto* to = const_cast<float*>(s->from[1]);
  widen({s->from[0], 1, static_cast<int>(size_bytes(t))}, t, at, block, to);
  s[1].run(s + 1, at, h0, h1, h2, h3);
}
/// The elements of a result in `n` words: those of a mask, which are -1 or 0, as 1 or 0.
inline void store_words(const float* words, type t, bool is_mask, std::byte* out, i64 n) noexcept {
  if (size_bytes(t) == 4) {
    std::memcpy(out, words, static_cast<std::size_t>(n) * sizeof(float));
  } else if (t == type::float16) {
    for (i64 k = 0; k + width <= n; k += width) store_halves(load(words + k), out + 2 * k);
    if (const i64 done = n / width * width; done < n)
      store_part_as<type::float16>(load(words + done), out + 2 * done, n - done);
  } else {
    for (i64 k = 0; k < n; ++k) {
      std::uint32_t word;
      std::memcpy(&word, words + k, sizeof(word));
      out[k] = static_cast<std::byte>(is_mask ? word & 1u : word);
    }
  }
}
/// Literals whose blocks are made once for a run; further ones are made for every block.
inline constexpr int max_literals = 32;

/// A program as a chain of links. About 50 kB, of which a program touches what it needs.
struct machine {
  struct place {
    const float* first;
    std::int8_t operand;
  };
  alignas(64) float room[max_registers + max_operands][block];
  alignas(64) float literal[max_literals][block];
  alignas(64) float padded[max_operands + 1][block];
  place where[max_registers];  ///< where a register's value is, unless only the last link holds it
  link code[2 * max_program];
  int size = 0, literals = 0;

  void write(program_view p, const stream* in, float* out,
             const link::run_type (*table)[4]) noexcept;
  void start(i64 at) const noexcept {
    const real none(0.0f);
    code[0].run(code, at, none, none, none, none);
  }
  /// From now on `start(0)` computes `n` elements at `at` of the operands, into `padded`.
  void pad(program_view p, const stream* in, i64 at, i64 n) noexcept;

 private:
  link& add(link::run_type how, instruction x) noexcept {
    link& l = code[size++];
    l.run = how;
    l.x = x;
    for (std::int8_t& k : l.operand) k = no_operand;
    return l;
  }
  static void set(link& l, int k, place a) noexcept {
    l.from[k] = a.first;
    l.moves[k] = a.operand == no_operand ? 0 : -1;
    l.operand[k] = a.operand;
  }
  place operand(instruction x, const stream& s) noexcept {
    float* own = room[max_registers + x.a()];
    if (s.step == 0) return filled(own, repeated(s, x.type()));
    const place given{static_cast<const float*>(s.data), static_cast<std::int8_t>(x.a())};
    if (size_bytes(x.type()) == 4) return given;
    link& widens = add(&widen_block, x);
    set(widens, 0, given);
    set(widens, 1, {own, no_operand});
    return {own, no_operand};
  }
  static place filled(float* own, real x) noexcept {
    for (int i = 0; i < held; ++i) store(x, own + i * width);
    return {own, no_operand};
  }
  void fetch(program_view p, const stream* in) noexcept;
  void compute(instruction x, int& before, std::uint32_t later,
               const link::run_type* forms) noexcept;
};
constexpr int source_of(instruction x, int k) { return k == 0 ? x.a() : k == 1 ? x.b() : x.c(); }
/// For each instruction the registers that are read behind it before they are written.
inline void find_later(program_view p, std::uint32_t* later) noexcept {
  std::uint32_t live = 0;
  for (int i = p.size - 1; i >= 0; --i) {
    const instruction x = p.code[i];
    later[i] = live;
    live &= ~(1u << x.dst());
    for (int k = 0; k < sources_of(x.op()); ++k) live |= 1u << source_of(x, k);
  }
}
/// Adds an instruction. The last link hands on the register `before`, which is written to memory if
/// it is read `later` or from where this instruction has no form that takes it.
inline void machine::compute(instruction x, int& before, std::uint32_t later,
                             const link::run_type* forms) noexcept {
  const int n = sources_of(x.op());
  int takes = 3;
  bool keeps = before >= 0 && before != x.dst() && (later >> before & 1) != 0;
  for (int k = 0; k < n; ++k) {
    if (source_of(x, k) != before) continue;
    if (takes == 3 && forms[k] != nullptr)
      takes = k;
    else
      keeps = true;
  }
  if (keeps) set(add(&keep_block, x), 0, where[before]);
  link& l = add(forms[takes], x);
  for (int k = 0; k < n; ++k)
    if (k != takes) set(l, k, where[source_of(x, k)]);
  before = x.dst();
  where[before] = {room[before], no_operand};
}
/// Adds links that fetch those operands ahead which are far.
inline void machine::fetch(program_view p, const stream* in) noexcept {
  place far[max_operands + 2];
  int count = 0;
  std::uint32_t seen = 0;  // a program may take an operand more than once
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    if (x.op() != sop::arg || (seen >> x.a() & 1) != 0) continue;
    seen |= 1u << x.a();
    const stream& s = in[x.a()];
    if (s.far && s.step != 0 && s.bytes == 4)
      far[count++] = {static_cast<const float*>(s.data), static_cast<std::int8_t>(x.a())};
  }
  if (count == 0) return;
  far[count] = far[count + 1] = far[count - 1];
  for (int i = 0; i < count; i += 3) {
    link& l = add(&fetch_ahead, p.code[0]);
    for (int k = 0; k < 3; ++k) set(l, k, far[i + k]);
  }
}
inline void machine::write(program_view p, const stream* in, float* out,
                           const link::run_type (*table)[4]) noexcept {
  std::uint32_t later[max_program];
  find_later(p, later);
  fetch(p, in);
  int before = -1;
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    const int d = x.dst();
    const bool once = x.is_literal() && literals < max_literals;
    if (x.op() != sop::arg && !once) {
      const bool number = second_is_number(p.code, i);
      compute(x, before, later[i],
              number && x.op() == sop::max   ? max_with
              : number && x.op() == sop::min ? min_with
                                             : table[static_cast<int>(x.op()) - 1]);
      continue;
    }
    where[d] =
        once ? filled(literal[literals++], as_real(integer(static_cast<std::int32_t>(x.bits()))))
             : operand(x, in[x.a()]);
    if (d == before) before = -1;
  }
  const instruction last = p.code[p.size - 1];
  if (before != last.dst()) set(add(&take_block, last), 0, where[last.dst()]);
  set(add(&write_block, last), 0, {out, out == padded[max_operands] ? no_operand : result_operand});
}
/// The first n of a block's elements; the others are 0.
inline void copy_padded(const stream& s, i64 at, i64 n, float* to) noexcept {
  if (s.bytes != 4) {
    std::memset(to, 0, block * sizeof(float));
    std::memcpy(to, s.at(at), static_cast<std::size_t>(n * s.bytes));
    return;
  }
  const auto* from = reinterpret_cast<const float*>(s.at(at));
  for (i64 k = 0; k < block; k += width)
    store(n - k >= width ? load(from + k)
          : n > k        ? load_part(from + k, n - k)
                         : real(0.0f),
          to + k);
}
inline void machine::pad(program_view p, const stream* in, i64 at, i64 n) noexcept {
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    if (x.op() != sop::arg || in[x.a()].step == 0) continue;
    copy_padded(in[x.a()], at, n, padded[x.a()]);
  }
  for (int i = 0; i < size; ++i)
    for (int k = 0; k < 3; ++k)
      if (code[i].operand[k] != no_operand) code[i].from[k] = padded[code[i].operand[k]];
}
/// The loop with a program as data. The tail runs the same chain over padded copies.
template <int Operations = operations>
void run_interpreted(program_view p, const stream* in, void* out, i64 n) noexcept {
  machine m;
  const type result = result_type(p);
  const bool words = size_bytes(result) == 4, is_mask = lane_of(p.code[p.size - 1]) == lane::mask;
  auto* to = static_cast<std::byte*>(out);
  const float* own = m.padded[max_operands];
  m.write(p, in, words ? static_cast<float*>(out) : m.padded[max_operands], links<Operations>.of);
  i64 at = 0;
  for (; at + block <= n; at += block) {
    m.start(at);
    if (!words) store_words(own, result, is_mask, to + at * size_bytes(result), block);
  }
  if (at == n) return;
  m.pad(p, in, at, n - at);
  m.start(0);
  store_words(own, result, is_mask, to + at * size_bytes(result), n - at);
}

}  // namespace tenon::simd

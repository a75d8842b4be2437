// Reductions and windows of integers.
//
// For reductions and pools whose operand is not float32 (`is_integer`). Pools of bytes in the
// layouts of images go on to byte_window.hpp, which is faster. Integers wrap around, so the order
// of combination does not matter to the result, and none is defined: `integer_sum` takes elements
// in blocks, whose loops compilers vectorize.
//
// A bound group is two nests of loops: `kept` over the results, and `terms` over the elements that
// each result combines. Threads share the results. argMax and argMin run here, too: of equal
// extremes the first one wins.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/policy/cpu/byte_window.hpp>
#include <tenon/policy/policy.hpp>
#include <cstring>
#include <new>

namespace tenon::simd {

/// Combines integers in 64 bits; the low bits are those that a narrower type would have after it
/// wraps around. Extremes compare unsigned words. For signed types `turn_` flips the highest bit,
/// which maps the signed order to the unsigned one.
class integer_sum {
 public:
  integer_sum(combine how, type t) noexcept
      : how_(how), type_(t), turn_(is_signed(t) && orders(how) ? std::uint64_t{1} << 63 : 0) {
    restart();
  }
  /// Back to the neutral value of the combination.
  void restart() noexcept {
    combined_ = how_ == combine::min ? ~std::uint64_t{0} : how_ == combine::product ? 1u : 0u;
  }
  std::uint64_t value() const noexcept { return combined_ ^ turn_; }
  /// `n` elements that lie `step` apart.
  void add(const std::byte* from, i64 step, i64 n) noexcept {
    for (i64 at = 0; at < n; at += block) {
      const i64 m = n - at < block ? n - at : block;
      load(from + at * step * size_bytes(type_), step, m);
      combine_block(m);
    }
  }
  /// The position of the first extreme of `n` elements.
  i64 first(const std::byte* from, i64 step, i64 n) noexcept {
    i64 best = 0;
    std::uint64_t extreme = 0;
    for (i64 k = 0; k < n; ++k) {
      if (k % block == 0)
        load(from + k * step * size_bytes(type_), step, n - k < block ? n - k : block);
      const std::uint64_t e = x_[k % block];
      if (k > 0 && !(how_ == combine::first_max ? e > extreme : e < extreme)) continue;
      extreme = e;
      best = k;
    }
    return best;
  }

 private:
  static constexpr i64 block = 64;  // elements: 512 bytes of words
  combine how_;
  type type_;
  std::uint64_t turn_, combined_ = 0;
  std::uint64_t x_[block];

  /// True for extremes and their positions.
  static bool orders(combine how) noexcept {
    return how != combine::sum && how != combine::product;
  }
  /// Widens a block of elements; signed ones keep their sign.
  template <class T> void load_as(const std::byte* from, i64 step, i64 n) noexcept {
    const auto* x = reinterpret_cast<const T*>(from);
    for (i64 i = 0; i < n; ++i)
      x_[i] = static_cast<std::uint64_t>(static_cast<std::int64_t>(x[i * step])) ^ turn_;
  }
  [[gnu::noinline]] void load(const std::byte* from, i64 step, i64 n) noexcept {
    switch (type_) {
      case type::int8: return load_as<std::int8_t>(from, step, n);
      case type::uint8: return load_as<std::uint8_t>(from, step, n);
      case type::int32: return load_as<std::int32_t>(from, step, n);
      case type::uint32: return load_as<std::uint32_t>(from, step, n);
      default: return load_as<std::uint64_t>(from, step, n);
    }
  }
  /// A loop for each kind of reduction, so that none has a branch inside.
  [[gnu::noinline]] void combine_block(i64 n) noexcept {
    std::uint64_t r = combined_;
    switch (how_) {
      case combine::sum:
        for (i64 i = 0; i < n; ++i) r += x_[i];
        break;
      case combine::max:
        for (i64 i = 0; i < n; ++i) r = x_[i] > r ? x_[i] : r;
        break;
      case combine::min:
        for (i64 i = 0; i < n; ++i) r = x_[i] < r ? x_[i] : r;
        break;
      default:
        for (i64 i = 0; i < n; ++i) r *= x_[i];
    }
    combined_ = r;
  }
};
/// Stores the low bytes of an integer as an element of the type.
inline void store_integer(std::uint64_t x, type t, std::byte* to) noexcept {
  const auto byte = static_cast<std::uint8_t>(x);
  const auto word = static_cast<std::uint32_t>(x);
  if (size_bytes(t) == 1)
    std::memcpy(to, &byte, sizeof(byte));
  else if (size_bytes(t) == 4)
    std::memcpy(to, &word, sizeof(word));
  else
    std::memcpy(to, &x, sizeof(x));
}

/// A nest of loops, its strides in elements.
struct integer_nest {
  int axes = 0;
  i64 extent[max_rank]{}, step[max_rank]{};
  void push(i64 n, i64 by) noexcept {
    extent[axes] = n;
    step[axes++] = by;
  }
};
/// A bound reduction or windowing: the nest over the results, and the nest over the terms of each.
/// The terms of a window are its taps; taps in the padding are left out.
struct integer_plan {
  combine how = combine::sum;
  type element = type::int32, result = type::int32;
  int holder = -1, out_holder = -1;
  i64 offset = 0, out_offset = 0, results = 1, result_terms = 1;
  integer_nest kept{}, terms{};
  bool slides = false;
  sweep swept[2]{};
  bool by_bytes = false;  ///< byte_window.hpp runs it: `bytes` is all that counts
  byte_window bytes{};
};

/// Computes one result. `from` is the address of its first term; for a window, that of position 0
/// along both sweeps. A window that lies wholly in the padding gives 0. The innermost loop of the
/// terms is one call of `add`.
inline void integer_result(const integer_plan& p, integer_sum& sum, const std::byte* from,
                           const i64* position, std::byte* to) noexcept {
  const i64 bytes = size_bytes(p.element);
  integer_nest t = p.terms;
  for (int s = 0; p.slides && s < 2; ++s) {
    const sweep& w = p.swept[s];
    const i64 at = position[w.out_axis] * w.stride - w.begin;
    const i64 first = at < 0 ? (w.dilation - 1 - at) / w.dilation : 0,
              inside = w.extent > at ? (w.extent - 1 - at) / w.dilation + 1 : 0,
              last = inside < w.taps ? inside : w.taps;
    if (first >= last) return store_integer(0, p.result, to);
    from += (at + first * w.dilation) * w.step * bytes;
    t.extent[s] = last - first;
  }
  const int inner = t.axes - 1;
  const i64 n = inner < 0 ? 1 : t.extent[inner], step = inner < 0 ? 1 : t.step[inner];
  if (gives_position(p.how))
    return store_integer(static_cast<std::uint64_t>(sum.first(from, step, n)), p.result, to);
  sum.restart();
  i64 at[max_rank]{};
  for (bool more = true; more;) {
    sum.add(from, step, n);
    more = false;
    for (int d = inner - 1; d >= 0 && !more; --d) {
      from += t.step[d] * bytes;
      more = ++at[d] < t.extent[d];
      if (more) continue;
      from -= t.step[d] * t.extent[d] * bytes;
      at[d] = 0;
    }
  }
  store_integer(sum.value(), p.result, to);
}
/// Results [begin, end).
inline void integer_results(const integer_plan& p, const frame& f, i64 begin, i64 end) noexcept {
  integer_sum sum(p.how, p.element);
  for (i64 u = begin; u < end; ++u) {
    i64 rest = u, offset = p.offset, position[max_rank]{};
    for (int d = p.kept.axes - 1; d >= 0; --d) {
      position[d] = rest % p.kept.extent[d];
      rest /= p.kept.extent[d];
      offset += position[d] * p.kept.step[d];
    }
    integer_result(p, sum, f.at<const std::byte>(p.holder, offset * size_bytes(p.element)),
                   position,
                   f.at<std::byte>(p.out_holder, (p.out_offset + u) * size_bytes(p.result)));
  }
}
inline void run_integers(const integer_plan& p, const frame& f) noexcept {
  if (p.by_bytes) return run_byte_window(p.bytes, f);
  f.threads(p.results, 1 + 4096 / p.result_terms,
            [&](i64 begin, i64 end, int) { integer_results(p, f, begin, end); });
}

constexpr footprint measure_integers() { return {0, 0, 0, static_cast<i64>(sizeof(integer_plan))}; }
/// True if a group is one reduction or windowing of integers.
constexpr bool is_integer(const plan_view& p, int g) {
  const plans::group& it = p.groups[g];
  return (it.kind == family::reduce || it.kind == family::window) &&
         p.table.nodes[p.table.nodes[it.anchor].in[0]].out.type != type::float32;
}
template <class Binding> const integer_plan* bind_integers(const Binding& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const plans::location &from = p.locations[n.in[0]], &result = p.locations[id];
  const tensor& x = p.table.nodes[n.in[0]].out;
  auto* w = new (b.bound) integer_plan{};
  w->element = x.type;
  w->result = n.out.type;
  w->holder = from.holder;
  w->offset = from.offset;
  w->out_holder = result.holder;
  w->out_offset = result.offset;
  w->results = n.out.shape.count();
  if (n.kind == family::reduce) {
    const reduction& r = p.table.reduction_of(n);
    w->how = r.how;
    for (int i = 0; i < x.shape.rank; ++i)
      (r.reduces(i) ? w->terms : w->kept).push(x.shape[i], from.step[i]);
    w->result_terms = x.shape.count() / w->results;
    return w;
  }
  const windowing& r = p.table.windowing_of(n);
  w->by_bytes = is_byte_window(r, x, from, n.out.shape);
  if (w->by_bytes) {
    w->bytes = bind_byte_window(r, x, from, result, n.out.shape);
    return w;
  }
  w->how = r.how;
  w->slides = true;
  for (int i = 0; i < n.out.shape.rank; ++i) {
    const bool spatial = i == r.swept[0].out_axis || i == r.swept[1].out_axis;
    w->kept.push(n.out.shape[i], spatial ? 0 : from.step[i]);
  }
  for (int s = 0; s < 2; ++s) {
    w->swept[s] = r.swept[s];
    w->swept[s].step = from.step[r.swept[s].out_axis];
    w->terms.push(r.swept[s].taps, w->swept[s].step * r.swept[s].dilation);
    w->result_terms *= r.swept[s].taps;
  }
  return w;
}

}  // namespace tenon::simd

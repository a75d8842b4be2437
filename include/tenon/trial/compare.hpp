// Runs a model in several ways and compares what it gives with what `reference` gives.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/policy.hpp>
#include <tenon/run/instance.hpp>
#include <tenon/trial/tolerance.hpp>
#include <bit>
#include <optional>
#include <string>

namespace tenon::trial {

/// Cuts work into pieces of random size and runs them one after the other, forwards or backwards,
/// each as a random thread. A kernel whose result depends on how work is split shows here reliably,
/// on real threads only by chance.
class splitting_executor {
 public:
  splitting_executor(int threads, std::uint64_t seed) : threads_(threads), random_{seed} {}
  int threads() const noexcept { return threads_; }
  /// Half of the pieces have at most 3 units: their edges lie everywhere. The others take up to all
  /// that is left.
  void run(i64 units, executor_ref::body_type body, void* self) noexcept {
    const bool backwards = random_.one_in(2);
    for (i64 done = 0; done < units;) {
      const auto left = static_cast<std::uint64_t>(units - done);
      const auto n = static_cast<i64>(1 + random_.below(random_.one_in(2) ? left
                                                        : left < 3        ? left
                                                                          : 3));
      const i64 begin = backwards ? units - done - n : done;
      body(self, begin, begin + n,
           static_cast<int>(random_.below(static_cast<std::uint64_t>(threads_))));
      done += n;
    }
  }

 private:
  int threads_;
  generator random_;
};
static_assert(executor<splitting_executor>);

/// What an output may be.
struct expectation {
  contents wanted;         ///< of the reference, by output
  node_intervals allowed;  ///< by output; empty: the same bits
};

/// The first thing that is wrong.
struct difference {
  std::string way{};      ///< of calling
  std::string problem{};  ///< empty: an element differs
  int output = -1;
  i64 element = -1;
  elements found{};  ///< that element
  elements wanted{};
  tensor of{};  ///< the output
  bool ranged = false;
  interval allowed{};
};

/// True if two elements are the same: in their bits, or both NaN. The bits of a NaN are not
/// defined; zeros of different sign are different.
template <class T> bool same(const std::byte* a, const std::byte* b) {
  T x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  return std::memcmp(a, b, sizeof x) == 0 || (x != x && y != y);
}
/// The first element of 4 bits that differs by more than is allowed; -1: none.
inline i64 first_half_byte(const tensor& t, const elements& wanted, const elements& found,
                           const std::vector<interval>* allowed) {
  for (i64 i = 0, n = t.shape.count(); i < n; ++i) {
    const int a = half_byte(t.type, wanted.data(), i), b = half_byte(t.type, found.data(), i);
    if (a == b) continue;
    if (allowed == nullptr || !(*allowed)[static_cast<std::size_t>(i)].holds(b)) return i;
  }
  return -1;
}
/// The first element of an output that is not as expected, or -1.
inline i64 first_difference(const tensor& t, const elements& wanted, const elements& found,
                            const std::vector<interval>* allowed) {
  if (wanted == found) return -1;
  if (is_four_bit(t.type)) return first_half_byte(t, wanted, found, allowed);
  return with_element(t.type, [&]<class T>() -> i64 {
    for (std::size_t i = 0; i * sizeof(T) < wanted.size(); ++i) {
      const std::byte *a = wanted.data() + i * sizeof(T), *b = found.data() + i * sizeof(T);
      if (same<T>(a, b)) continue;
      T y;
      std::memcpy(&y, b, sizeof y);
      if (allowed == nullptr || !(*allowed)[i].holds(static_cast<double>(y)))
        return static_cast<i64>(i);
    }
    return -1;
  });
}

/// Compares one call's outputs.
inline std::optional<difference> check(const table_view& t, const call_views& v,
                                       const expectation& e, const std::string& way) {
  if (!v.intact()) return difference{way, "wrote around an output or an input", -1, -1, {}};
  const contents results = v.results();
  for (int o = 0; o < t.call_outputs(); ++o) {
    const auto at = static_cast<std::size_t>(o);
    const i64 i = first_difference(t.nodes[t.outputs[o]].out, e.wanted[at], results[at],
                                   e.allowed.empty() ? nullptr : &e.allowed[at]);
    if (i < 0) continue;
    const type element = t.nodes[t.outputs[o]].out.type;
    const auto size = static_cast<std::ptrdiff_t>(size_bytes(element));
    const i64 position = is_four_bit(element) ? i / 2 : i * size;
    const auto first = results[at].begin() + position, best = e.wanted[at].begin() + position;
    difference d{
        way, "", o, i, {first, first + size}, {best, best + size}, t.nodes[t.outputs[o]].out};
    d.ranged = !e.allowed.empty();
    if (d.ranged) d.allowed = e.allowed[at][static_cast<std::size_t>(i)];
    return d;
  }
  return {};
}
template <class Instance> std::optional<difference> call(Instance& caller, const table_view& t,
                                                         call_views& v, const expectation& e,
                                                         const char* way) {
  if (const status s = caller.run(v.in, v.out); !s.ok())
    return difference{way, std::string("the call failed: ") + text_of(s.what), -1, -1, {}};
  return check(t, v, e, way);
}

/// An arena of bytes 0xff, with a wall of them behind it. They are NaN as float32 and float16, so
/// that reading an intermediate value before it is written shows in the result.
class poisoned {
 public:
  explicit poisoned(i64 bytes) : bytes_(bytes), memory_(bytes + wall) {
    std::memset(memory_.data(), 0xff, static_cast<std::size_t>(bytes + wall));
  }
  std::byte* data() const { return memory_.data(); }
  bool intact() const {
    for (i64 i = bytes_; i < bytes_ + wall; ++i)
      if (memory_.data()[i] != std::byte{0xff}) return false;
    return true;
  }

 private:
  static constexpr i64 wall = 4096;
  i64 bytes_;
  aligned_memory memory_;
};

/// Calls a bound model in several ways:
///   over poisoned memory                reads of what was never written
///   once more on the same instance      reads of what should have been written again
///   after a call whose inputs are NaN   values that the call before left behind
///   with two executors                  results that depend on how work is split
template <class Model, class Pool>
std::optional<difference> call_all_ways(const Model& m, const table_view& t, const contents& c,
                                        const expectation& e, std::uint64_t seed, Pool* pool) {
  call_views v(t, c, seed), other(t, any_contents(t, seed, mood::not_numbers), seed);
  using borrowing = instance<Model, borrowed>;
  const i64 bytes = borrowing::bytes_needed(m);
  poisoned arena(bytes);
  borrowing first(m, {arena.data(), static_cast<std::size_t>(bytes)});
  if (auto d = call(first, t, v, e, "the first call")) return d;
  if (auto d = call(first, t, v, e, "the second call of one instance")) return d;
  if (!arena.intact()) return difference{"the first calls", "wrote beyond the arena", -1, -1, {}};
  const auto threaded = [&](auto& threads, const char* way) -> std::optional<difference> {
    instance caller(m, threads);
    if (!caller.run(other.in, other.out).ok())
      return difference{way, "the call failed", -1, -1, {}};
    return call(caller, t, v, e, way);
  };
  splitting_executor split(static_cast<int>(2 + seed % 6), seed);
  if (auto d = threaded(split, "split between several threads")) return d;
  if (pool != nullptr) return threaded(*pool, "with a thread pool");
  return {};
}

/// Why a model was not bound.
inline std::string words_of(const error& e) {
  return std::string(e.op.c_str()) + " " + e.operand.c_str() + ": " + text_of(e.what);
}

/// A model with `reference` as each of its 32 policies. `on(policy, x)` also decides which maps
/// merge into one program, and with that the bits, so the reference has to keep these requests.
template <class Places> struct reference_everywhere;
template <std::size_t... I> struct reference_everywhere<std::index_sequence<I...>> {
  template <std::size_t> using at = reference;
  using model_type = model<dynamic, at<I>...>;
};
using reference_model = reference_everywhere<std::make_index_sequence<32>>::model_type;

/// What `reference` computes.
inline std::optional<contents> results_of_reference(const table_view& t, const contents& c,
                                                    std::string& problem) {
  const weight_set w(t, c, 0);
  const reference_model m(t, w);
  call_views v(t, c, 0);
  instance caller(m);
  if (const status s = caller.run(v.in, v.out); !s.ok()) {
    problem = "reference: " + (m.fault().ok() ? std::string(text_of(s.what)) : words_of(m.fault()));
    return {};
  }
  return v.results();
}

}  // namespace tenon::trial

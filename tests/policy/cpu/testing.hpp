// What the tests of execution share: seeds, memory with a forbidden page at its edge, executors
// that split work unkindly, and running one table on two policies.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>
#include "../../support/seed.hpp"
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <sys/mman.h>
#include <utility>
#include <vector>

namespace tenon_test {

using tenon::i64;

/// Targets without fma round products twice: there `cpu` differs from `reference` in the last
/// places.
#if defined(__FMA__) || defined(__aarch64__)
inline constexpr bool has_fma = true;
#else
inline constexpr bool has_fma = false;
#endif

/// Random numbers (splitmix64): the same on every machine for one seed.
struct dice {
  std::uint64_t state;
  explicit constexpr dice(std::uint64_t seed) : state(seed) {}
  constexpr std::uint64_t next() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  constexpr int in(int low, int high) {
    return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  constexpr bool one_in(int n) { return in(1, n) == 1; }
  constexpr float real() {
    return static_cast<float>(static_cast<std::int64_t>(next() >> 40) - (1 << 23)) / (1 << 23);
  }
  template <class T, std::size_t N> constexpr T pick(const T (&from)[N]) {
    return from[next() % N];
  }
};

/// The dice of case `number` of a test.
inline dice dice_of(int test, int number) {
  return dice{dice{seed() ^ static_cast<std::uint64_t>(test) << 32}.next() +
              static_cast<std::uint64_t>(number)};
}

/// Options of a pool over up to 5 x 5 elements, any of them.
inline tenon::pool2d_options any_pool(dice& d) {
  tenon::pool2d_options o;
  if (!d.one_in(8)) o.windowDimensions = {d.in(1, 5), d.in(1, 5)};
  if (d.one_in(2)) o.padding = {d.in(0, 4), d.in(0, 4), d.in(0, 4), d.in(0, 4)};
  if (d.one_in(2)) o.strides = {d.in(1, 3), d.in(1, 3)};
  if (d.one_in(3)) o.dilations = {d.in(1, 3), d.in(1, 3)};
  o.layout = d.one_in(2) ? tenon::image_layout::nchw : tenon::image_layout::nhwc;
  o.outputShapeRounding = d.one_in(2) ? tenon::rounding::floor : tenon::rounding::ceil;
  return o;
}
/// `usual` cases, or TENON_TIMES as many: 10, or 0.5.
inline int times(int usual) {
  const char* given = std::getenv("TENON_TIMES");
  return given ? std::max(1, static_cast<int>(usual * std::atof(given))) : usual;
}

/// Bytes with a forbidden page directly behind or directly before them; what is left of their own
/// pages holds a pattern.
class guarded_bytes {
 public:
  enum class wall { behind, before };
  guarded_bytes(i64 bytes, wall at)
      : bytes_(static_cast<std::size_t>(bytes)), room_((bytes_ + page - 1) / page * page) {
    if (room_ == 0) room_ = page;
    void* all = ::mmap(nullptr, room_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED ||
        ::mprotect(static_cast<std::byte*>(all) + page, room_, PROT_READ | PROT_WRITE) != 0)
      std::abort();
    start_ = static_cast<std::byte*>(all) + page;
    std::memset(start_, pattern, room_);
    data_ = at == wall::behind ? start_ + room_ - bytes_ : start_;
  }
  guarded_bytes(guarded_bytes&& other) noexcept
      : bytes_(other.bytes_),
        room_(other.room_),
        start_(std::exchange(other.start_, nullptr)),
        data_(other.data_) {}
  guarded_bytes& operator=(guarded_bytes&&) = delete;
  ~guarded_bytes() {
    if (start_) ::munmap(start_ - page, room_ + 2 * page);
  }

  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }
  std::span<std::byte> span() const { return {data_, bytes_}; }
  float* floats() const { return reinterpret_cast<float*>(data_); }
  /// From here on writing is forbidden.
  void seal() const { ::mprotect(start_, room_, PROT_READ); }
  /// True if nothing was written around the bytes.
  bool untouched() const {
    for (const std::byte* p = start_; p != start_ + room_; ++p)
      if ((p < data_ || p >= data_ + bytes_) && *p != std::byte{pattern}) return false;
    return true;
  }

 private:
  static constexpr std::size_t page = 4096;
  static constexpr unsigned char pattern = 0xa5;
  std::size_t bytes_, room_;
  std::byte *start_ = nullptr, *data_ = nullptr;
};
using wall = guarded_bytes::wall;

/// Memory with these floats, read-only.
inline guarded_bytes guarded(const std::vector<float>& values, wall at) {
  guarded_bytes g(static_cast<i64>(values.size() * sizeof(float)), at);
  if (!values.empty()) std::memcpy(g.data(), values.data(), values.size() * sizeof(float));
  g.seal();
  return g;
}

/// Cuts the work into pieces that run one after the other in an unkind order, each as another
/// thread.
class splitting_executor {
 public:
  enum class order { singles_backwards, uneven, shuffled };
  splitting_executor(int threads, order how, std::uint64_t seed)
      : threads_(threads), how_(how), d_(seed) {}
  int threads() const noexcept { return threads_; }
  void run(i64 units, tenon::executor_ref::body_type body, void* self) noexcept {
    std::vector<std::pair<i64, i64>> pieces;
    for (i64 at = 0; at < units;) {
      const i64 left = units - at, most = how_ == order::uneven     ? left
                                          : how_ == order::shuffled ? 3
                                                                    : 1;
      const i64 n =
          1 + static_cast<i64>(d_.next() % static_cast<std::uint64_t>(most < left ? most : left));
      pieces.push_back({at, at + n});
      at += n;
    }
    if (how_ == order::singles_backwards)
      for (std::size_t i = 0; i < pieces.size() / 2; ++i)
        std::swap(pieces[i], pieces[pieces.size() - 1 - i]);
    if (how_ == order::shuffled)
      for (std::size_t i = pieces.size(); i > 1; --i)
        std::swap(pieces[i - 1], pieces[d_.next() % i]);
    for (const auto& [begin, end] : pieces) body(self, begin, end, d_.in(0, threads_ - 1));
    pieces_ += static_cast<long>(pieces.size());
  }
  long pieces() const { return pieces_; }

 private:
  int threads_;
  order how_;
  dice d_;
  long pieces_ = 0;
};
static_assert(tenon::executor<splitting_executor>);

/// The same value: the same bits, or NaN and NaN (whose sign and payload no operation defines).
inline bool same_value(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (a != a && b != b);
}
/// Empty, or where two runs differ first and how often.
inline std::string difference(std::span<const float> wanted, std::span<const float> found) {
  if (wanted.size() != found.size()) return "sizes differ";
  std::size_t first = 0, count = 0;
  for (std::size_t i = wanted.size(); i-- > 0;)
    if (!same_value(wanted[i], found[i])) {
      first = i;
      ++count;
    }
  if (count == 0) return "";
  char text[200];
  std::snprintf(text, sizeof text,
                "%zu of %zu differ, first element %zu: wanted %a (%.9g), found %a (%.9g)", count,
                wanted.size(), first, static_cast<double>(wanted[first]),
                static_cast<double>(wanted[first]), static_cast<double>(found[first]),
                static_cast<double>(found[first]));
  return text;
}
/// The same, with room for products that are rounded twice.
inline std::string difference_without_fma(std::span<const float> wanted,
                                          std::span<const float> found) {
  float most = 1;
  for (const float x : wanted) most = x > most ? x : -x > most ? -x : most;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const float off = wanted[i] - found[i];
    if (!same_value(wanted[i], found[i]) && !(off <= 1e-4f * most && off >= -1e-4f * most))
      return "element " + std::to_string(i) + ": " + std::to_string(wanted[i]) + " and " +
             std::to_string(found[i]);
  }
  return "";
}
/// What `cpu` may differ from `reference` by on this target.
inline std::string difference_of_policies(std::span<const float> wanted,
                                          std::span<const float> found) {
  return has_fma ? difference(wanted, found) : difference_without_fma(wanted, found);
}

/// The values of a table's inputs and weights.
struct contents {
  std::vector<std::vector<float>> inputs, weights;
};
inline float special(dice& d) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  constexpr float values[] = {
      0.0f,   -0.0f,   inf,   -inf,   std::numeric_limits<float>::quiet_NaN(),
      1e-45f, -1e-40f, 3e38f, -3e38f, 1.0f};
  return d.pick(values);
}
/// `specials`: one value in that many is NaN, infinite, subnormal, ...; 0: none.
inline std::vector<float> random_floats(i64 count, dice& d, int specials = 0) {
  std::vector<float> r(static_cast<std::size_t>(count));
  for (float& x : r) x = specials > 0 && d.one_in(specials) ? special(d) : d.real();
  return r;
}
inline contents random_contents(const tenon::table_view& t, dice& d, int specials = 0) {
  contents c;
  for (const int i : t.inputs)
    c.inputs.push_back(random_floats(t.nodes[i].out.shape.count(), d, specials));
  for (const int i : t.weights)
    c.weights.push_back(random_floats(t.nodes[i].out.shape.count(), d, specials));
  return c;
}

/// The weights of a table by name.
struct table_weights {
  tenon::table_view t;
  std::vector<const float*> data;
  tenon::const_view find(const tenon::name& wanted) const noexcept {
    for (int i = 0; i < t.weights.size; ++i) {
      const tenon::node& n = t.nodes[t.weights[i]];
      if (t.name_of(n) == wanted)
        return {data[static_cast<std::size_t>(i)], n.out.type, n.out.shape,
                tenon::dense(n.out.shape), true};
    }
    return {};
  }
};

using results = std::vector<std::vector<float>>;

/// Everything that a call of a table touches, with walls.
struct scene {
  std::vector<guarded_bytes> inputs, weights, outputs;
  table_weights source;
  std::vector<tenon::const_view> in;
  std::vector<tenon::mutable_view> out;

  scene(const tenon::table_view& t, const contents& c, wall at) : source{t, {}} {
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      inputs.push_back(guarded(c.inputs[i], at));
      in.push_back(tenon::flat_view_of(static_cast<const float*>(inputs.back().floats()),
                                       static_cast<i64>(c.inputs[i].size())));
    }
    for (const auto& w : c.weights) {
      weights.push_back(guarded(w, at));
      source.data.push_back(weights.back().floats());
    }
    for (const int o : t.outputs) {
      const i64 n = t.nodes[o].out.shape.count();
      outputs.emplace_back(n * 4, at);
      out.push_back(tenon::flat_view_of(outputs.back().floats(), n));
    }
  }
  bool untouched() const {
    for (const guarded_bytes& g : outputs)
      if (!g.untouched()) return false;
    return true;
  }
  results take() const {
    results r;
    for (const guarded_bytes& g : outputs)
      r.emplace_back(g.floats(), g.floats() + g.size() / sizeof(float));
    return r;
  }
};

/// Runs a static graph; `executor`: nothing, or one.
template <class Policy, class Graph, class... E>
results run_static(const contents& c, E&... executor) {
  scene s(Graph::view(), c, wall::behind);
  const tenon::model<Graph, Policy> model(s.source);
  tenon::instance caller(model, executor...);
  if (!caller.run(s.in, s.out).ok() || !s.untouched()) return {};
  return s.take();
}
/// Runs the same table as one that was built at run time: its programs are interpreted.
template <class Policy, class... E>
results run_dynamic(const tenon::table_view& t, const contents& c, E&... executor) {
  scene s(t, c, wall::behind);
  const tenon::model<tenon::dynamic, Policy> model(t, s.source);
  tenon::instance caller(model, executor...);
  if (!caller.run(s.in, s.out).ok() || !s.untouched()) return {};
  return s.take();
}

/// Runs a table once; `problem` says what went wrong, empty if nothing did. The arena's last byte
/// stands before a forbidden page, and the arena starts full of NaN.
template <class... Policies>
results run_table(const tenon::table_view& t, const contents& c, wall at, std::string& problem) {
  scene s(t, c, at);
  const tenon::model<tenon::dynamic, Policies...> model(t, s.source);
  if (!model.fault().ok()) {
    problem = std::string("binding: ") + tenon::text_of(model.fault().what) + " " +
              model.fault().operand.c_str();
    return {};
  }
  guarded_bytes arena(
      tenon::aligned(
          tenon::instance<tenon::model<tenon::dynamic, Policies...>, tenon::borrowed>::bytes_needed(
              model)),
      at);
  std::memset(arena.data(), 0xff, arena.size());
  tenon::instance caller(model, arena.span());
  for (int k = 0; k < 2; ++k)  // the second time over what the first left behind
    if (const tenon::status done = caller.run(s.in, s.out); !done.ok())
      problem = std::string("call: ") + tenon::text_of(done.what);
  if (!s.untouched()) problem = "something was written around an output";
  if (!arena.untouched()) problem = "something was written around the arena";
  return s.take();
}
/// The same with an executor.
template <class Policy, class E> results run_table_with(const tenon::table_view& t,
                                                        const contents& c, E& executor,
                                                        std::string& problem) {
  scene s(t, c, wall::behind);
  const tenon::model<tenon::dynamic, Policy> model(t, s.source);
  tenon::instance caller(model, executor);
  if (const tenon::status done = caller.run(s.in, s.out); !done.ok())
    problem = std::string("call: ") + tenon::text_of(done.what);
  return s.take();
}

/// Calls of executors by `compare_policies`: what is too small runs without.
inline long& split_loops() {
  static long count = 0;
  return count;
}
/// Runs a table on `reference` and in several ways on `cpu`; empty, or what differs.
inline std::string compare_policies(const tenon::table_view& t, const contents& c, dice& d) {
  std::string problem;
  const results wanted = run_table<tenon::reference>(t, c, wall::behind, problem);
  if (!problem.empty()) return "reference: " + problem;
  const auto check = [&](const results& found, const char* how) {
    for (std::size_t o = 0; o < wanted.size() && problem.empty(); ++o) {
      const std::string off = difference_of_policies(wanted[o], found[o]);
      if (!off.empty()) problem = "output " + std::to_string(o) + ": " + off;
    }
    if (!problem.empty()) problem = std::string(how) + ": " + problem;
    return problem.empty();
  };
  if (!check(run_table<tenon::cpu>(t, c, wall::behind, problem), "wall behind")) return problem;
  if (!check(run_table<tenon::cpu>(t, c, wall::before, problem), "wall before")) return problem;
  using order = splitting_executor::order;
  constexpr order orders[] = {order::singles_backwards, order::uneven, order::shuffled};
  splitting_executor threads(d.in(2, 5), d.pick(orders), d.next());
  check(run_table_with<tenon::cpu>(t, c, threads, problem), "several threads");
  split_loops() += threads.pieces() > 0;
  return problem;
}

/// "[2, 3, 4]"
inline std::string text_of(const tenon::shape& s) {
  std::string r = "[";
  for (int i = 0; i < s.rank; ++i) r += (i ? ", " : "") + std::to_string(s[i]);
  return r + "]";
}
/// The nodes of a table, for a message.
inline std::string text_of(const tenon::table_view& t) {
  std::string r;
  for (int i = 0; i < t.nodes.size; ++i) {
    const tenon::node& n = t.nodes[i];
    r.append("\n  ").append(std::to_string(i)).append(": ").append(n.op).append(" ");
    r.append(tenon::name_of(n.kind)).append(" ").append(text_of(n.out.shape)).append(" <-");
    for (int k = 0; k < n.operands; ++k) r.append(" ").append(std::to_string(n.in[k]));
    if (n.kind == tenon::family::contract || n.kind == tenon::family::window) {
      const tenon::sweep* w =
          n.kind == tenon::family::contract ? t.contraction_of(n).swept : t.windowing_of(n).swept;
      for (int k = 0; k < 2; ++k)
        r += " {taps " + std::to_string(w[k].taps) + " stride " + std::to_string(w[k].stride) +
             " dilation " + std::to_string(w[k].dilation) + " begin " + std::to_string(w[k].begin) +
             "}";
    }
    if (n.kind == tenon::family::reduce)
      r += " axes " + std::to_string(t.reduction_of(n).axes) + " how " +
           std::to_string(static_cast<int>(t.reduction_of(n).how));
  }
  return r;
}

}  // namespace tenon_test

// Threads: instances of one model at the same time, and the ready pool under uneven and short
// loads. The thread sanitizer runs this test.
// SPDX-License-Identifier: MIT
#include <tenon/run/thread_pool.hpp>
#include "../catch.hpp"
#include "same_bits_models.hpp"
#include <atomic>
#include <memory>
#include <thread>

using namespace tenon_test;

namespace {

/// Calls `body(begin, end, thread)` on an executor, without the grain of a model.
template <class E, class Body> void loop(E& executor, i64 units, Body&& body) {
  executor.run(
      units,
      [](void* self, i64 begin, i64 end, int thread) {
        (*static_cast<std::remove_reference_t<Body>*>(self))(begin, end, thread);
      },
      &body);
}
/// Work that the compiler cannot remove.
void spin(int n) {
  static std::atomic<int> sink{0};
  for (int i = 0; i < n; ++i) sink.fetch_add(1, std::memory_order_relaxed);
}
/// True if the results of two runs are the same.
bool equal(const results& a, const results& b) {
  if (a.empty() || a.size() != b.size()) return false;
  for (std::size_t o = 0; o < a.size(); ++o)
    if (!difference(a[o], b[o]).empty()) return false;
  return true;
}
/// Fewer rounds under a sanitizer that slows everything down.
#if defined(__SANITIZE_THREAD__)
constexpr int slower = 4;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr int slower = 4;
#else
constexpr int slower = 1;
#endif
#else
constexpr int slower = 1;
#endif

template <class Graph> void check_side_by_side() {
  dice d = dice_of(61, Graph::sizes.nodes);
  constexpr int callers = 3, rounds = 12 / slower;
  std::vector<contents> given;
  const contents shared = random_contents(Graph::view(), d);
  for (int i = 0; i < callers; ++i) {  // one set of weights, inputs of their own
    given.push_back(random_contents(Graph::view(), d));
    given.back().weights = shared.weights;
  }
  scene weights(Graph::view(), shared, wall::behind);
  const tenon::model<Graph, tenon::cpu> model(weights.source);
  std::atomic<int> right{0};
  std::vector<results> wanted;
  for (const contents& c : given) wanted.push_back(run_static<tenon::cpu, Graph>(c));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < callers; ++i)
    threads.emplace_back([&, i] {
      scene s(Graph::view(), given[i], wall::behind);
      tenon::instance caller(model);
      for (int k = 0; k < rounds; ++k) {
        const bool done = caller.run(s.in, s.out).ok();
        right += done && equal(wanted[i], s.take());
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(right == callers * rounds);
}

}  // namespace

TEST_CASE("several instances of one model run at the same time, each with its own results") {
  check_side_by_side<lenet>();
  check_side_by_side<attention>();
  check_side_by_side<perceptron>();
}

TEST_CASE("several instances of one model, each with a pool, run at the same time") {
  dice d = dice_of(62, 0);
  const contents c = random_contents(attention::view(), d);
  scene weights(attention::view(), c, wall::behind);
  const tenon::model<attention, tenon::cpu> model(weights.source);
  const results wanted = run_static<tenon::cpu, attention>(c);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      tenon::thread_pool pool(2);
      scene s(attention::view(), c, wall::behind);
      tenon::instance caller(model, pool);
      for (int k = 0; k < 6; ++k) right += caller.run(s.in, s.out).ok() && equal(wanted, s.take());
    });
  for (std::thread& t : threads) t.join();
  CHECK(right == 12);
}

TEST_CASE("a pool runs every unit once, whatever their load") {
  for (const int threads : {1, 2, 3, 8}) {
    tenon::thread_pool pool(threads);
    REQUIRE(pool.threads() == threads);
    for (const i64 units : {0, 1, 2, 7, 64, 1000}) {
      std::vector<int> seen(static_cast<std::size_t>(units));  // not atomic: the pool must order it
      std::vector<int> by_thread(static_cast<std::size_t>(threads));
      loop(pool, units, [&](i64 begin, i64 end, int thread) {
        for (i64 u = begin; u < end; ++u) {
          ++seen[static_cast<std::size_t>(u)];
          spin(u % 64 == 0 ? 2000 : 3);
        }
        ++by_thread[static_cast<std::size_t>(thread)];
      });
      INFO(threads << " threads, " << units << " units");
      CHECK(std::count(seen.begin(), seen.end(), 1) == units);
      int pieces = 0;
      for (const int n : by_thread) pieces += n;
      CHECK(pieces <= units);
    }
  }
}

TEST_CASE("two pieces with the same thread number never run at the same time") {
  tenon::thread_pool pool(4);
  std::atomic<int> inside[4]{};
  std::atomic<int> clashes{0};
  for (int k = 0; k < 200 / slower; ++k)
    loop(pool, 50, [&](i64, i64, int thread) {
      clashes += inside[thread].fetch_add(1) != 0;
      spin(10);
      inside[thread].fetch_sub(1);
    });
  CHECK(clashes == 0);
}

TEST_CASE("what a loop wrote is seen by the next, in quick succession and after a rest") {
  tenon::thread_pool pool(3);
  constexpr std::size_t n = 97;
  std::vector<i64> a(n), b(n);
  for (int k = 0; k < 2000 / slower; ++k) {
    loop(pool, n, [&](i64 begin, i64 end, int) {
      for (i64 u = begin; u < end; ++u)
        a[static_cast<std::size_t>(u)] = b[(static_cast<std::size_t>(u) + 1) % n] + 1;
    });
    loop(pool, n, [&](i64 begin, i64 end, int) {
      for (i64 u = begin; u < end; ++u)
        b[static_cast<std::size_t>(u)] = a[(static_cast<std::size_t>(u) + 7) % n];
    });
    if (k % 500 == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the workers fall asleep
  }
  CHECK(std::count(b.begin(), b.end(), 2000 / slower) == n);
}

TEST_CASE("pools start and end, used and unused") {
  for (int k = 0; k < 100 / slower; ++k) {
    tenon::thread_pool pool(1 + k % 5);
    std::atomic<i64> sum{0};
    if (k % 3 != 0) {
      loop(pool, k, [&](i64 begin, i64 end, int) {
        for (i64 u = begin; u < end; ++u) sum += u;
      });
      CHECK(sum == i64{k} * (k - 1) / 2);
    }
    if (k % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST_CASE("a pool of no or negative size is the caller alone") {
  for (const int n : {1, 0, -3}) {
    tenon::thread_pool pool(n);
    CHECK(pool.threads() == 1);
    const auto own = std::this_thread::get_id();
    int units = 0;
    loop(pool, 9, [&](i64 begin, i64 end, int thread) {
      units += static_cast<int>(end - begin);
      CHECK(thread == 0);
      CHECK(std::this_thread::get_id() == own);
    });
    CHECK(units == 9);
  }
}

TEST_CASE("one pool serves many models") {
  tenon::thread_pool pool(3);
  for (int round = 0; round < 2; ++round) {
    int number = 0;
    each_model([&]<class Graph>(const char* name) {
      INFO(name);
      dice d = dice_of(63, number++);
      const contents c = random_contents(Graph::view(), d);
      CHECK(equal(run_static<tenon::cpu, Graph>(c), run_static<tenon::cpu, Graph>(c, pool)));
      CHECK(
          equal(run_static<tenon::cpu, Graph>(c), run_dynamic<tenon::cpu>(Graph::view(), c, pool)));
    });
  }
}

TEST_CASE("a loop runs here when it is not worth a piece") {
  tenon::thread_pool pool(3);
  const tenon::executor_ref threads = tenon::refer(pool);
  CHECK(threads.threads == 3);
  const auto own = std::this_thread::get_id();
  int pieces = 0;
  threads(100, 100, [&](i64 begin, i64 end, int thread) {
    ++pieces;
    CHECK((begin == 0 && end == 100 && thread == 0 && std::this_thread::get_id() == own));
  });
  CHECK(pieces == 1);
  std::vector<int> seen(1000);
  std::atomic<int> short_pieces{0};
  threads(1000, 64, [&](i64 begin, i64 end, int) {
    short_pieces += end - begin < 64 && end != 1000;
    for (i64 u = begin; u < end; ++u) ++seen[static_cast<std::size_t>(u)];
  });
  CHECK(short_pieces == 0);
  CHECK(std::count(seen.begin(), seen.end(), 1) == 1000);
}

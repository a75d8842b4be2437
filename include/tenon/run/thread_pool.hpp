// The ready executor: a pool of threads that wait by spinning, then sleeping.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/platform.hpp>
#include <tenon/policy/policy.hpp>
#include <atomic>
#include <memory>
#include <new>
#include <thread>

namespace tenon {

/// A fixed number of threads, the caller's included; pieces are handed out one by one, so that a
/// thread that the system takes away holds up one piece only.
/// ```cpp
/// tenon::thread_pool pool{4};
/// tenon::instance instance{model, pool};
/// ```
/// One caller at a time. A waiting worker spins for a few microseconds and then sleeps in the
/// kernel; waking it is a system call. If threads cannot be started the pool has fewer: see
/// `threads()`.
class thread_pool {
 public:
  explicit thread_pool(int threads) noexcept {
    const int others = threads > 1 ? threads - 1 : 0;
    if (others > 0)
      workers_.reset(new (std::nothrow) std::thread[static_cast<std::size_t>(others)]);
    while (workers_ && started_ < others && start(started_)) ++started_;
  }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  ~thread_pool() {
    stop_.store(true, std::memory_order_relaxed);
    announce();
    for (int i = 0; i < started_; ++i) workers_[static_cast<std::size_t>(i)].join();
  }

  int threads() const noexcept { return started_ + 1; }

  void run(i64 units, executor_ref::body_type body, void* self) noexcept {
    for (i64 first = 0; first < units; first += most_units)
      run_part(first, units - first < most_units ? units - first : most_units, body, self);
  }

 private:
  static constexpr int spins_before_sleep = 4000;
  static constexpr i64 most_units = i64{1} << 30;  // late workers count the ticket up further

  bool start(int i) noexcept {
    const auto launch = [this, i] {
      workers_[static_cast<std::size_t>(i)] = std::thread([this, i] { serve(i + 1); });
      return true;
    };
    return platform::guarded(launch, [] { return false; });
  }
  void announce() noexcept {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }
  /// A unit is taken by counting up the ticket, which holds the number of units in its upper half.
  /// `run_part` returns only when all units are done, so body_ and self_ stay valid. A late worker
  /// sees no units left and does nothing.
  void run_part(i64 first, i64 units, executor_ref::body_type body, void* self) noexcept {
    body_ = body;
    self_ = self;
    first_ = first;
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(static_cast<std::uint64_t>(units) << 32, std::memory_order_release);
    announce();
    work(0);
    for (int spins = 0; done_.load(std::memory_order_acquire) != units; ++spins) pause(spins);
  }
  static void pause(int spins) noexcept {
    platform::relax();
    if (spins % 1024 == 1023) std::this_thread::yield();
  }
  void work(int thread) noexcept {
    for (;;) {
      const std::uint64_t ticket = ticket_.fetch_add(1, std::memory_order_acq_rel);
      const i64 unit = static_cast<i64>(ticket & 0xffffffffu);
      if (unit >= static_cast<i64>(ticket >> 32)) return;
      body_(self_, first_ + unit, first_ + unit + 1, thread);
      done_.fetch_add(1, std::memory_order_release);
    }
  }
  void serve(int thread) noexcept {
    for (int round = 0;;) {
      int now = round_.load(std::memory_order_acquire);
      for (int spins = 0; now == round; ++spins, now = round_.load(std::memory_order_acquire)) {
        if (spins < spins_before_sleep)
          pause(spins);
        else
          round_.wait(round, std::memory_order_acquire);
      }
      round = now;
      if (stop_.load(std::memory_order_relaxed)) return;
      work(thread);
    }
  }

  executor_ref::body_type body_ = nullptr;
  void* self_ = nullptr;
  i64 first_ = 0;
  alignas(64) std::atomic<std::uint64_t> ticket_{0};
  alignas(64) std::atomic<i64> done_{0};
  alignas(64) std::atomic<int> round_{0};
  std::atomic<bool> stop_{false};
  std::unique_ptr<std::thread[]> workers_;
  int started_ = 0;
};
static_assert(executor<thread_pool>);

}  // namespace tenon

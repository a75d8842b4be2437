// Contenders that compute the same thing take turns in small slices, so that whatever else the
// machine does meets all of them alike.
// SPDX-License-Identifier: MIT
#pragma once
#include "data.hpp"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

/// Milliseconds of one call.
struct timing {
  double min = 0, median = 0;
};
inline double median(std::vector<double>& v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

/// Calls for about `seconds` after a warm-up. Calls of microseconds are timed in batches.
template <class Call> timing time_calls(double seconds, const Call& call) {
  using clock = std::chrono::steady_clock;
  const auto ms_since = [](clock::time_point start) {
    return std::chrono::duration<double, std::milli>(clock::now() - start).count();
  };
  const auto start = clock::now();
  int calls = 0;
  for (; calls == 0 || ms_since(start) < 200 * seconds; ++calls) call();
  constexpr double least_ms = 0.01;  // hundreds of times what reading the clock costs
  const int batch = std::max(1, static_cast<int>(least_ms * calls / ms_since(start)));
  std::vector<double> samples;
  for (const auto begin = clock::now(); samples.size() < 3 || ms_since(begin) < 1000 * seconds;) {
    const auto at = clock::now();
    for (int i = 0; i < batch; ++i) call();
    samples.push_back(ms_since(at) / batch);
  }
  return {*std::ranges::min_element(samples), median(samples)};
}

struct contender {
  std::string name;                           ///< a policy of ours, or a peer
  std::function<timing(double seconds)> run;  ///< calls it for that long
  std::function<numbers()> output;            ///< of the last call
};

/// Best and median of every contender over about `seconds` each, in three rounds at least.
inline std::vector<timing> race(const std::vector<contender>& all, double seconds) {
  using clock = std::chrono::steady_clock;
  constexpr double slice = 0.05;
  const auto end = clock::now() + std::chrono::duration<double>(seconds) * all.size();
  std::vector<timing> best(all.size());
  std::vector<std::vector<double>> medians(all.size());
  for (int round = 0; round < 3 || clock::now() < end; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      const timing t = all[i].run(slice);
      best[i].min = round == 0 ? t.min : std::min(best[i].min, t.min);
      medians[i].push_back(t.median);
    }
  for (std::size_t i = 0; i < all.size(); ++i) best[i].median = median(medians[i]);
  return best;
}

// Memory: offsets of all intermediate buffers in one arena, greedy by size over the interference
// graph. Knows nothing of tensors: it is tested with toy lifetimes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <tenon/base/type.hpp>

namespace tenon {

/// A buffer to place: live from step `first` to step `last`, both included.
struct lifetime {
  i64 bytes = 0;  ///< a multiple of the alignment
  int first = 0, last = 0;
  i64 offset = -1;
};

/// The most bytes live at any step: no plan can need less.
constexpr i64 live_bound(const sequence<lifetime>& all) {
  i64 most = 0;
  for (const lifetime& at : all) {
    i64 sum = 0;
    for (const lifetime& other : all)
      if (other.first <= at.first && at.first <= other.last) sum += other.bytes;
    if (sum > most) most = sum;
  }
  return most;
}

namespace passes {

/// Indices of `all`, largest first; of equal ones the earlier.
constexpr sequence<int> by_size(const sequence<lifetime>& all) {
  sequence<int> order;
  for (int i = 0; i < all.size(); ++i) order.push(i);
  const auto before = [&](int a, int b) {
    return all[a].bytes != all[b].bytes ? all[a].bytes > all[b].bytes : a < b;
  };
  for (int gap = order.size() / 2; gap > 0;
       gap /= 2)  // Shell sort: <algorithm> is an expensive header
    for (int i = gap; i < order.size(); ++i)
      for (int j = i; j >= gap && before(order[j], order[j - gap]); j -= gap) {
        const int x = order[j];
        order[j] = order[j - gap];
        order[j - gap] = x;
      }
  return order;
}

}  // namespace passes

/// Gives every lifetime an offset and returns the arena's bytes. Each buffer goes into the smallest
/// gap between those of its neighbours in time that are already placed, or behind them.
constexpr i64 reserve(sequence<lifetime>& all) {
  i64 bytes = 0;
  sequence<int> near;
  for (const int i : passes::by_size(all)) {
    near.clear();
    for (int j = 0; j < all.size(); ++j) {
      if (all[j].offset < 0 || all[j].last < all[i].first || all[i].last < all[j].first) continue;
      near.push(j);
      for (int at = near.size() - 1; at > 0 && all[near[at - 1]].offset > all[near[at]].offset;
           --at) {
        const int x = near[at];
        near[at] = near[at - 1];
        near[at - 1] = x;
      }
    }
    i64 end = 0, best = -1, slack = 0;
    for (const int j : near) {
      const i64 gap = all[j].offset - end;
      if (gap >= all[i].bytes && (best < 0 || gap < slack)) {
        best = end;
        slack = gap;
      }
      if (all[j].offset + all[j].bytes > end) end = all[j].offset + all[j].bytes;
    }
    all[i].offset = best >= 0 ? best : end;
    if (all[i].offset + all[i].bytes > bytes) bytes = all[i].offset + all[i].bytes;
  }
  return bytes;
}

}  // namespace tenon

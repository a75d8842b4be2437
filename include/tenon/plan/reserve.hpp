// Memory: offsets of all intermediate buffers in one arena, greedy by size over the interference
// graph. Knows nothing of tensors: it is tested with toy lifetimes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <tenon/base/type.hpp>

namespace tenon::plans {

/// A buffer to place: live from step `first` to step `last`, both included.
struct lifetime {
  i64 bytes = 0;  ///< a multiple of the alignment
  int first = 0, last = 0;
  i64 offset = -1;
};

/// The most bytes live at any step: no plan can need less.
constexpr i64 least_bytes(const sequence<lifetime>& lifetimes) {
  int steps = 0;
  for (const lifetime& life : lifetimes)
    if (life.last >= steps) steps = life.last + 1;
  sequence<i64> change(steps + 1);  // of the bytes that are live, at each step
  i64* at = change.data();
  for (const lifetime& life : lifetimes) {
    at[life.first] += life.bytes;
    at[life.last + 1] -= life.bytes;
  }
  i64 peak = 0, live = 0;
  for (const i64 bytes : change)
    if ((live += bytes) > peak) peak = live;
  return peak;
}

/// For each step the lifetimes that hold at it, and those that begin there, by position in
/// ascending order: what overlaps in time is found without looking at all pairs.
class timeline {
 public:
  constexpr explicit timeline(const sequence<lifetime>& lifetimes) {
    for (const lifetime& life : lifetimes)
      if (life.last >= steps_) steps_ = life.last + 1;
    enter(lifetimes, began_, false);
    enter(lifetimes, alive_, true);
  }
  constexpr list<int> beginning(int step) const { return began_.at(step); }
  constexpr list<int> alive(int step) const { return alive_.at(step); }

 private:
  struct lists {
    sequence<int> begin, item;
    constexpr list<int> at(int step) const {
      const int* from = begin.data() + step;
      return {item.data() + from[0], from[1] - from[0]};
    }
  };
  int steps_ = 0;
  lists began_, alive_;

  /// Enters each lifetime at its first step, or at all of them.
  constexpr void enter(const sequence<lifetime>& lifetimes, lists& to, bool whole) const {
    to.begin.resize(steps_ + 2);
    int* at =
        to.begin.data() + 2;  // counts first, then where each list begins, one place further on
    for (const lifetime& life : lifetimes)
      for (int s = life.first, last = whole ? life.last : s; s <= last; ++s) ++at[s];
    for (int s = 0; s + 1 < steps_; ++s) at[s + 1] += at[s];
    to.item.resize(steps_ > 0 ? at[steps_ - 1] : 0);
    int *item = to.item.data(), i = 0;
    for (const lifetime& life : lifetimes) {
      for (int s = life.first, last = whole ? life.last : s; s <= last; ++s) item[at[s - 1]++] = i;
      ++i;
    }
  }
};

/// Sorts numbers; a Shell sort, because <algorithm> is an expensive header.
template <class Before> constexpr void sort(sequence<int>& numbers, const Before& before) {
  int *order = numbers.data(), count = numbers.size();
  for (int gap = count > 16 ? count / 2 : 1; gap > 0; gap /= 2)
    for (int i = gap; i < count; ++i) {
      const int x = order[i];
      int j = i;
      for (; j >= gap && before(x, order[j - gap]); j -= gap) order[j] = order[j - gap];
      order[j] = x;
    }
}

/// Indices of `lifetimes`, largest first; of equal ones the earlier.
constexpr sequence<int> by_size(const sequence<lifetime>& lifetimes) {
  sequence<int> order(lifetimes.size());
  for (int i = 0; i < lifetimes.size(); ++i) order[i] = i;
  const lifetime* life = lifetimes.data();
  sort(order, [life](int a, int b) {
    return life[a].bytes != life[b].bytes ? life[a].bytes > life[b].bytes : a < b;
  });
  return order;
}

/// Gives every lifetime an offset, in this order, and returns the arena's bytes. Each goes into the
/// smallest gap that fits between those already placed that live at the same time, or behind them
/// all. Neighbours in time are those alive at its first step, and those that begin later while it
/// lives.
constexpr i64 place_in_order(const sequence<int>& order, const timeline& times,
                             sequence<lifetime>& lifetimes) {
  lifetime* life = lifetimes.data();
  i64 bytes = 0;
  for (lifetime& each : lifetimes) each.offset = -1;
  sequence<int> near;
  for (const int i : order) {
    near.clear();
    for (const int j : times.alive(life[i].first))
      if (life[j].offset >= 0) near.push(j);
    for (int step = life[i].first + 1; step <= life[i].last; ++step)
      for (const int j : times.beginning(step))
        if (life[j].offset >= 0) near.push(j);
    sort(near, [life](int a, int b) {
      return life[a].offset != life[b].offset ? life[a].offset < life[b].offset : a < b;
    });
    i64 end = 0, best = -1, slack = 0;
    for (const int j : near) {
      const i64 gap = life[j].offset - end;
      if (gap >= life[i].bytes && (best < 0 || gap < slack)) {
        best = end;
        slack = gap;
      }
      if (life[j].offset + life[j].bytes > end) end = life[j].offset + life[j].bytes;
    }
    life[i].offset = best >= 0 ? best : end;
    if (life[i].offset + life[i].bytes > bytes) bytes = life[i].offset + life[i].bytes;
  }
  return bytes;
}
/// Moves the lifetime that reaches highest to the front of the order.
constexpr void promote_highest(const sequence<lifetime>& lifetimes, sequence<int>& order) {
  int at = 0;
  const auto top = [&](int i) { return lifetimes[order[i]].offset + lifetimes[order[i]].bytes; };
  for (int i = 1; i < order.size(); ++i)
    if (top(i) > top(at)) at = i;
  const int highest = order[at];
  for (; at > 0; --at) order[at] = order[at - 1];
  order[0] = highest;
}

/// How often `reserve` tries again when its first plan needs more than what is live at once.
inline constexpr int reserve_tries = 16;

/// Gives every lifetime an offset and returns the arena's bytes. Greedy, largest first; while that
/// needs more than `least_bytes`, again with the lifetime on top placed first, and the best plan
/// counts.
constexpr i64 reserve(sequence<lifetime>& lifetimes) {
  const timeline times(lifetimes);
  const i64 least = least_bytes(lifetimes);
  sequence<int> order = by_size(lifetimes);
  i64 bytes = place_in_order(order, times, lifetimes);
  sequence<lifetime> best = lifetimes;
  for (int tries = 0; tries < reserve_tries && bytes > least; ++tries) {
    promote_highest(lifetimes, order);
    const i64 now = place_in_order(order, times, lifetimes);
    if (now >= bytes) continue;
    bytes = now;
    best = lifetimes;
  }
  lifetimes = static_cast<sequence<lifetime>&&>(best);
  return bytes;
}

}  // namespace tenon::plans

// What sessions of devices have in common: where a plan's buffers are on the device, and which of
// the host's buffers each run of groups uses where they lie.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/steps.hpp>

namespace tenon {

/// A buffer in the host's memory that a run reads or writes there.
struct shared_buffer {
  int root = -1;
  const std::byte* last = nullptr;  ///< its address in the call before
  const void* space = nullptr;      ///< in whose memory: null, the host's
};

/// A run of groups on a device.
struct device_run {
  group_run groups{};
  sequence<shared_buffer> shared;
  bool arena = false;  ///< a state inside lies in the host's arena
  std::byte* last_arena = nullptr;

  /// Notes the host's addresses; true if one is another than in the call before.
  bool follow(const frame& host) noexcept {
    bool moved = arena && last_arena != host.arena;
    last_arena = host.arena;
    for (shared_buffer& s : shared) {
      const void* const space = host.space != nullptr ? host.space[s.root] : nullptr;
      moved = moved || s.last != host.base[s.root] || s.space != space;
      s.last = host.base[s.root];
      s.space = space;
    }
    return moved;
  }
  /// The next call will find other addresses.
  void forget() noexcept {
    last_arena = nullptr;
    for (shared_buffer& s : shared) s.last = nullptr;
  }
};

/// Bytes of a root in this plan, which may be made for less than its bounds.
constexpr i64 bytes_of(const plan_view& p, int root) { return p.table.nodes[root].out.bytes(); }

/// The addresses of a plan on a device, and its runs there. Allocates in `start` only.
template <class Address = device_address> class device_plan {
 public:
  using frame_type = basic_frame<Address>;

  /// `arena` is the device's; `weight(node)` is where the device has a weight.
  template <class Weight> void start(const plan_view& p, int place,
                                     typename frame_type::arena_address arena,
                                     const Weight& weight) {
    place_ = place;
    base_.resize(p.buffers.size, Address{});
    device_.base = base_.data();
    device_.device_arena = arena;
    for (int i = 0; i < p.buffers.size; ++i) {
      const plans::buffer& b = p.buffers[i];
      if (b.in == plans::buffer::storage::weight) base_[i] = weight(i);
      if (b.in == plans::buffer::storage::arena && b.place == place) base_[i] = arena + b.offset;
    }
    for (const plans::mirror& m : p.mirrors)
      if (m.place == place) base_[m.root] = arena + m.offset;
    static_cast<void>(scans::each_run(p, [&](const group_run& r) {
      if (p.groups[r.begin].place == place) runs_.push(run_of(p, r));
      return status{};
    }));
  }
  /// What `start` found out about this run.
  device_run& run(const group_run& r) noexcept {
    int i = 0;
    while (runs_[i].groups.begin != r.begin) ++i;
    return runs_[i];
  }
  sequence<device_run>& runs() noexcept { return runs_; }
  /// The addresses that groups of this device work on.
  frame_type& on_device() noexcept { return device_; }
  /// Calls `copy(mirror)` for what is copied to the device before a group, or back behind it.
  template <class Copy> void before(const plan_view& p, int g, const Copy& copy) const {
    for (const plans::mirror& m : p.mirrors)
      if (m.place == place_ && m.in == g) copy(m);
  }
  template <class Copy> void behind(const plan_view& p, int g, const Copy& copy) const {
    for (const plans::mirror& m : p.mirrors)
      if (m.place == place_ && m.out == g) copy(m);
  }

 private:
  device_run run_of(const plan_view& p, const group_run& r) const {
    device_run result;
    result.groups = r;
    plans::each_use(p, [&](int root, int place, int first, int last, bool) {
      if (place != place_ || first < r.begin || last >= r.end || is_placed(p, root)) return;
      for (const shared_buffer& s : result.shared)
        if (s.root == root) return;
      result.shared.push({root});
    });
    for (const scanning& s : p.table.scans) {
      const int g = p.group_of[p.table.nodes[s.node].in[0]];
      const bool carries = s.is == scanning::part::last && p.table.nodes[s.node].operands == 2;
      if (r.inside || !carries || g < r.begin || g >= r.end) continue;
      const plans::buffer& state = p.buffers[p.table.nodes[s.node].in[1]];
      result.arena = result.arena || (state.in == plans::buffer::storage::arena && state.place < 0);
    }
    return result;
  }
  /// The device has it in memory of its own.
  bool is_placed(const plan_view& p, int root) const {
    const plans::buffer& b = p.buffers[root];
    bool placed = b.in == plans::buffer::storage::weight ||
                  (b.in == plans::buffer::storage::arena && b.place == place_);
    for (const plans::mirror& m : p.mirrors)
      placed = placed || (m.root == root && m.place == place_);
    return placed;
  }

  int place_ = -1;
  sequence<Address> base_;
  frame_type device_{};
  sequence<device_run> runs_;
};

}  // namespace tenon

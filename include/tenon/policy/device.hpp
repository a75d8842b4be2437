// What sessions of devices have in common: where a plan's buffers are on the device, and which
// buffers each range of groups uses in the host's memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/steps.hpp>

namespace tenon {

/// A buffer in the host's memory that a range of groups reads or writes there.
struct shared_buffer {
  int holder = -1;
  const std::byte* last = nullptr;  ///< its address in the call before
  const void* owner = nullptr;      ///< in whose memory: null, the host's
};

/// A range of groups on a device.
struct device_groups {
  group_range groups{};
  sequence<shared_buffer> shared;
  bool arena = false;  ///< a state inside lies in the host's arena
  std::byte* last_arena = nullptr;

  /// Notes the host's addresses; true if one is another than in the call before.
  bool follow(const frame& host) noexcept {
    bool moved = arena && last_arena != host.arena;
    last_arena = host.arena;
    for (shared_buffer& s : shared) {
      const void* const owner = host.owner != nullptr ? host.owner[s.holder] : nullptr;
      moved = moved || s.last != host.base[s.holder] || s.owner != owner;
      s.last = host.base[s.holder];
      s.owner = owner;
    }
    return moved;
  }
  /// The next call will find other addresses.
  void forget() noexcept {
    last_arena = nullptr;
    for (shared_buffer& s : shared) s.last = nullptr;
  }
};

/// Bytes of a holder at this plan's extents, which may be below the limits.
constexpr i64 bytes_of(const plan_view& p, int holder) { return p.table.nodes[holder].out.bytes(); }

/// The addresses of a plan on a device, and its ranges of groups there. Allocates in `start` only.
template <class Address = device_address> class device_plan {
 public:
  using frame_type = basic_frame<Address>;

  /// `arena` is the device's; `weight(node)` is where the device has a weight.
  template <class Weight> void start(const plan_view& p, int policy,
                                     typename frame_type::arena_address arena,
                                     const Weight& weight) {
    policy_ = policy;
    base_.resize(p.buffers.size, Address{});
    device_.base = base_.data();
    device_.device_arena = arena;
    for (int i = 0; i < p.buffers.size; ++i) {
      const plans::buffer& b = p.buffers[i];
      if (b.in == plans::buffer::storage::weight) base_[i] = weight(i);
      if (b.in == plans::buffer::storage::arena && b.home == policy) base_[i] = arena + b.offset;
    }
    for (const plans::mirror& m : p.mirrors)
      if (m.policy == policy) base_[m.holder] = arena + m.offset;
    static_cast<void>(scans::each_range(p, [&](const group_range& r) {
      if (p.groups[r.begin].policy == policy) groups_.push(groups_of(p, r));
      return status{};
    }));
  }
  /// What `start` found out about this range.
  device_groups& find(const group_range& r) noexcept {
    int i = 0;
    while (groups_[i].groups.begin != r.begin) ++i;
    return groups_[i];
  }
  sequence<device_groups>& groups() noexcept { return groups_; }
  /// The addresses that groups of this device work on.
  frame_type& on_device() noexcept { return device_; }
  /// Calls `copy(mirror)` for what is copied to the device before a group, or back behind it.
  template <class Copy> void before(const plan_view& p, int g, const Copy& copy) const {
    for (const plans::mirror& m : p.mirrors)
      if (m.policy == policy_ && m.copied_before == g) copy(m);
  }
  template <class Copy> void behind(const plan_view& p, int g, const Copy& copy) const {
    for (const plans::mirror& m : p.mirrors)
      if (m.policy == policy_ && m.copied_after == g) copy(m);
  }

 private:
  device_groups groups_of(const plan_view& p, const group_range& r) const {
    device_groups result;
    result.groups = r;
    plans::each_use(p, [&](int holder, int policy, int first, int last, bool) {
      if (policy != policy_ || first < r.begin || last >= r.end || is_on_device(p, holder)) return;
      for (const shared_buffer& s : result.shared)
        if (s.holder == holder) return;
      result.shared.push({holder});
    });
    for (const scanning& s : p.table.scans) {
      const int g = p.group_of[p.table.nodes[s.node].in[0]];
      const bool carries = s.is == scanning::part::last && p.table.nodes[s.node].operands == 2;
      if (r.inside || !carries || g < r.begin || g >= r.end) continue;
      const plans::buffer& state = p.buffers[p.table.nodes[s.node].in[1]];
      result.arena = result.arena || (state.in == plans::buffer::storage::arena && state.home < 0);
    }
    return result;
  }
  /// True if the device has it in memory of its own.
  bool is_on_device(const plan_view& p, int holder) const {
    const plans::buffer& b = p.buffers[holder];
    bool found = b.in == plans::buffer::storage::weight ||
                 (b.in == plans::buffer::storage::arena && b.home == policy_);
    for (const plans::mirror& m : p.mirrors)
      found = found || (m.holder == holder && m.policy == policy_);
    return found;
  }

  int policy_ = -1;
  sequence<Address> base_;
  frame_type device_{};
  sequence<device_groups> groups_;
};

}  // namespace tenon

// What an instance holds for a Vulkan device: its arena there, and a command buffer for each range
// of groups, which is recorded when addresses change and submitted again otherwise.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/bound.hpp>
#include <deque>

namespace tenon {

/// A way to call an instance: record the graph into a command buffer of the application, which has
/// begun it and will submit it. What is recorded holds until the instance records again or ends; an
/// instance per command buffer, where several are under way.
/// ```cpp
/// instance.call(vulkan_commands{buffer}, image.lease, result.lease);
/// ```
struct vulkan_commands {
  vk::CommandBuffer buffer{};
};
/// A way to call an instance: submit and return. The context's timeline reaches `value` at the end;
/// the device starts when all of `after` are reached.
struct vulkan_submission {
  std::uint64_t* value = nullptr;
  std::span<const vulkan_point> after{};
};

/// The executions of one caller on a Vulkan device.
class vulkan_session {
 public:
  /// Error: memory; what the driver refuses.
  template <class = void>
  status start(const vulkan_bound& bound, const plan_view& p, int policy, const frame&) noexcept;
  /// Error: import_failed, memory, device_lost, device.
  template <class = void>
  status run(const plan_view& p, const group_range& r, const frame& host, waiting) noexcept;
  /// Submits without waiting. Error: also policy, when results have to be copied by the host.
  template <class = void> status run(const plan_view& p, const group_range& r, const frame& host,
                                     const vulkan_submission& way) noexcept;
  /// Records into a command buffer of the application. Error: also policy, when the host has to
  /// copy; null, for no command buffer.
  template <class = void> status run(const plan_view& p, const group_range& r, const frame& host,
                                     const vulkan_commands& way) noexcept;
  /// Runs other kernels from now on.
  void renew(const vulkan_bound& bound) noexcept {
    bound_ = &bound;
    for (recorded& r : recorded_) r.complete = false;
  }
  /// The device whose views a call accepts besides those of the host's memory; null if this policy
  /// copies from the host.
  const void* owner() const noexcept { return copies_ ? nullptr : &bound_->context(); }

 private:
  /// A copy between the host and the staging memory.
  struct staged_copy {
    int holder = -1;
    i64 at = 0, bytes = 0;
  };
  struct recorded {
    explicit recorded(vulkan_context& c) noexcept : commands(c, true) {}
    vulkan_recording commands;
    bool complete = false;
    std::vector<vulkan_memory> imports;  ///< of the host's buffers, as `device_groups::shared`
    vulkan_memory arena;
    std::vector<staged_copy> in, out;
  };

  error prepare(const plan_view& p, int policy) {
    vulkan_context& c = bound_->context();
    i64 staged = 0;
    for (const plans::mirror& m : p.mirrors) {
      staging_at_.push(staged);
      if (m.policy == policy) staged += aligned(m.bytes);
    }
    if (staged > 0) {
      auto memory = vulkan_memory::host(c, staged);
      if (!memory) return memory.error();
      staging_ = std::move(*memory);
    }
    if (p.device_bytes[policy] > 0) {
      auto memory = vulkan_memory::device(c, p.device_bytes[policy]);
      if (!memory) return memory.error();
      arena_ = std::move(*memory);
    }
    const std::uint64_t arena = arena_ ? arena_.address() : 0;
    where_.start(p, policy, device_address{arena}, [&](int id) { return bound_->weight(id); });
    for (int i = 0; i < where_.groups().size(); ++i) {
      recorded_.emplace_back(c);
      theirs_.emplace_back(c);
    }
    return {};
  }

  recorded& of(const device_groups& groups, std::deque<recorded>& all) noexcept {
    return all[static_cast<std::size_t>(&groups - where_.groups().data())];
  }
  /// Finds a range's recording, waits until the device is done with it, and records it again if the
  /// addresses have changed.
  status ready(const plan_view& p, const group_range& r, const frame& host,
               recorded*& recording) noexcept {
    device_groups& groups = where_.find(r);
    recording = &of(groups, recorded_);
    if (const status s = recording->commands.wait(); !s.ok()) return s;
    if (!renewed(groups, *recording, host)) return {};
    const status s = record(p, groups, *recording, host, nullptr);
    recording->complete = s.ok();
    if (!s.ok()) groups.forget();
    return s;
  }
  void copy_in(const recorded& recording, const frame& host) noexcept {
    for (const staged_copy& c : recording.in)
      std::memcpy(staging_.data() + c.at, host.base[c.holder], static_cast<std::size_t>(c.bytes));
  }
  /// Whether a range must be recorded again. A GPU imports pages, not addresses: if the host frees
  /// memory and gets the same addresses again, they have other pages. So imports are made for each
  /// call, except on the CPU, where the driver uses the addresses.
  bool renewed(device_groups& groups, const recorded& recording, const frame& host) noexcept {
    const bool pinned = !bound_->context().facts().cpu && !recording.imports.empty();
    return groups.follow(host) || pinned || !recording.complete;
  }
  /// Records into the application's command buffer if one is given, else into ours.
  status record(const plan_view& p, const device_groups& groups, recorded& recording,
                const frame& host, vk::CommandBuffer theirs) noexcept {
    vulkan_recording& to = recording.commands;
    const error e = platform::guarded(
        [&] {
          recording.in.clear();
          recording.out.clear();
          if (const error bad = theirs ? to.begin(theirs) : to.begin(); !bad.ok()) return bad;
          if (const error bad = import(p, groups, recording, host); !bad.ok()) return bad;
          scans::run_groups(
              p, groups.groups, where_.on_device(), [&](int g, bool first, bool last) {
                if (first)
                  where_.before(p, g,
                                [&](const plans::mirror& m) { stage(p, m, true, recording, to); });
                dispatch(p, g, to);
                if (last)
                  where_.behind(p, g,
                                [&](const plans::mirror& m) { stage(p, m, false, recording, to); });
              });
          return to.end();
        },
        [] {
          return error{code::memory, "vulkan", "recording"};
        });
    return {e.what, -1, 0, 0};
  }
  error import(const plan_view& p, const device_groups& groups, recorded& recording,
               const frame& host) {
    vulkan_context& c = bound_->context();
    device_frame& f = where_.on_device();
    recording.imports.clear();
    for (const shared_buffer& s : groups.shared) {
      f.base[s.holder] = device_address_in(s.last);  // a view of the device's own memory
      if (s.owner != nullptr) continue;
      auto imported = vulkan_memory::import_host(c, host.base[s.holder], bytes_of(p, s.holder));
      if (!imported) return imported.error();
      f.base[s.holder] = device_address{imported->address()};
      recording.imports.push_back(std::move(*imported));
    }
    if (!groups.arena) return {};
    auto imported = vulkan_memory::import_host(c, host.arena, p.shared_bytes);
    if (!imported) return imported.error();
    f.arena = device_address{imported->address()};
    recording.arena = std::move(*imported);
    return {};
  }
  void dispatch(const plan_view& p, int g, vulkan_recording& to) {
    const device_frame& f = where_.on_device();
    for (const vulkan_step& s : bound_->steps_of(g)) {
      vulkan_port ports[spirv::max_ports];
      for (int k = 0; k < s.ports; ++k)
        ports[k] = {static_cast<std::uint64_t>(f.base[s.port_at[k].holder]),
                    bytes_of(p, s.port_at[k].holder), s.port_at[k].element_bytes,
                    s.port_at[k].writes};
      const std::span<const vulkan_port> all{ports, static_cast<std::size_t>(s.ports)};
      to.barrier_for(all);
      to.dispatch(*s.kernel, all, s.groups[0], s.groups[1], s.groups[2]);
    }
  }
  void stage(const plan_view& p, const plans::mirror& m, bool in, recorded& recording,
             vulkan_recording& to) {
    const i64 bytes = bytes_of(p, m.holder);
    const int which = static_cast<int>(&m - p.mirrors.data);
    const i64 at = staging_at_[which];
    const std::uint64_t there = arena_.address() + static_cast<std::uint64_t>(m.offset),
                        here = staging_.address() + static_cast<std::uint64_t>(at);
    const vulkan_port both[] = {{in ? here : there, bytes, 1, false},
                                {in ? there : here, bytes, 1, true}};
    to.barrier_for(both);
    to.copy(both[0].address, both[1].address, bytes);
    (in ? recording.in : recording.out).push_back({m.holder, at, bytes});
  }

  const vulkan_bound* bound_ = nullptr;
  bool copies_ = false;  ///< between the host's memory and the device's
  device_plan<> where_;
  vulkan_memory arena_, staging_;
  sequence<i64> staging_at_;                ///< by mirror of the plan
  std::deque<recorded> recorded_, theirs_;  ///< by range: in our buffers, in the application's;
                                            ///< a deque, because recordings do not move
};

// Not inline: see tenon/compiled_vulkan.hpp.
template <class> status vulkan_session::start(const vulkan_bound& bound, const plan_view& p,
                                              int policy, const frame&) noexcept {
  bound_ = &bound;
  copies_ = p.policies[policy].memory == sharing::separate;
  const error e = platform::guarded([&] { return prepare(p, policy); },
                                    [] {
                                      return error{code::memory, "vulkan", "instance"};
                                    });
  return {e.what, -1, 0, 0};
}
template <class> status vulkan_session::run(const plan_view& p, const group_range& r,
                                            const frame& host, waiting) noexcept {
  recorded* recording = nullptr;
  if (const status s = ready(p, r, host, recording); !s.ok()) return s;
  copy_in(*recording, host);
  if (const status s = recording->commands.submit_and_wait(); !s.ok()) return s;
  for (const staged_copy& c : recording->out)
    std::memcpy(host.at<std::byte>(c.holder), staging_.data() + c.at,
                static_cast<std::size_t>(c.bytes));
  return {};
}
template <class> status vulkan_session::run(const plan_view& p, const group_range& r,
                                            const frame& host,
                                            const vulkan_submission& way) noexcept {
  recorded* recording = nullptr;
  if (const status s = ready(p, r, host, recording); !s.ok()) return s;
  if (!recording->out.empty()) return {code::policy, -1, 0, 0};
  copy_in(*recording, host);
  return recording->commands.submit(*way.value, way.after);
}
template <class> status vulkan_session::run(const plan_view& p, const group_range& r,
                                            const frame& host,
                                            const vulkan_commands& way) noexcept {
  if (!way.buffer) return {code::null, -1, 0, 0};
  device_groups& groups = where_.find(r);
  recorded& recording = of(groups, theirs_);
  groups.follow(host);
  const status s = record(p, groups, recording, host, way.buffer);
  groups.forget();
  return s.ok() && !(recording.in.empty() && recording.out.empty()) ? status{code::policy, -1, 0, 0}
                                                                    : s;
}

}  // namespace tenon

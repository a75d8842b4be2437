// What an instance holds for a Vulkan device: its arena there, and its runs of groups as command
// buffers, which are recorded when addresses change and submitted again otherwise.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/vulkan/bound.hpp>
#include <deque>

namespace tenon {

class vulkan_session {
 public:
  /// Error: memory; what the driver refuses.
  status start(const vulkan_bound& bound, const plan_view& p, int place, const frame&) noexcept {
    bound_ = &bound;
    const error e = platform::guarded([&] { return prepare(p, place); },
                                      [] {
                                        return error{code::memory, "vulkan", "instance"};
                                      });
    return {e.what, -1, 0, 0};
  }
  /// Error: import_failed, memory, device_lost, device.
  status run(const plan_view& p, const group_run& r, const frame& host) noexcept {
    device_run& own = where_.run(r);
    recorded& made = recorded_[static_cast<std::size_t>(&own - where_.runs().data())];
    if (renewed(own, made, host)) {
      const error e = platform::guarded([&] { return record(p, own, made, host); },
                                        [] {
                                          return error{code::memory, "vulkan", "recording"};
                                        });
      if (!e.ok()) {
        own.forget();
        return {e.what, -1, 0, 0};
      }
    }
    for (const staged_copy& c : made.in)
      std::memcpy(staging_.data() + c.at, host.base[c.root], static_cast<std::size_t>(c.bytes));
    if (const status s = made.commands.submit_and_wait(); !s.ok()) return s;
    for (const staged_copy& c : made.out)
      std::memcpy(host.base[c.root], staging_.data() + c.at, static_cast<std::size_t>(c.bytes));
    return {};
  }

 private:
  /// A copy between the host and the staging memory.
  struct staged_copy {
    int root = -1;
    i64 at = 0, bytes = 0;
  };
  struct recorded {
    explicit recorded(vulkan_context& c) noexcept : commands(c, true) {}
    vulkan_recording commands;
    bool complete = false;
    std::vector<vulkan_memory> imports;  ///< of the host's buffers, as `device_run::shared`
    vulkan_memory arena;
    std::vector<staged_copy> in, out;
  };

  error prepare(const plan_view& p, int place) {
    vulkan_context& c = bound_->context();
    i64 staged = 0;
    for (const mirror& m : p.mirrors) {
      staging_at_.push(staged);
      if (m.place == place) staged += aligned(m.bytes);
    }
    if (staged > 0) {
      auto made = vulkan_memory::host(c, staged);
      if (!made) return made.error();
      staging_ = std::move(*made);
    }
    if (p.device_bytes[place] > 0) {
      auto made = vulkan_memory::device(c, p.device_bytes[place]);
      if (!made) return made.error();
      arena_ = std::move(*made);
    }
    const std::uint64_t arena = arena_ ? arena_.address() : 0;
    where_.start(p, place, reinterpret_cast<std::byte*>(arena),
                 [&](int id) { return bound_->weight(id); });
    for (int i = 0; i < where_.runs().size(); ++i) recorded_.emplace_back(c);
    return {};
  }

  /// Whether a run must be recorded again. An import stands for pages, not for addresses: except on
  /// the CPU, pages that the host has given back and got anew would not be the ones that we know.
  bool renewed(device_run& own, const recorded& made, const frame& host) noexcept {
    const bool pinned = !bound_->context().facts().cpu && own.shared.size() > 0;
    return own.follow(host) || pinned || !made.complete;
  }
  error record(const plan_view& p, const device_run& own, recorded& made, const frame& host) {
    made.complete = false;
    if (const error e = import(p, own, made, host); !e.ok()) return e;
    made.in.clear();
    made.out.clear();
    if (const error e = made.commands.begin(); !e.ok()) return e;
    scans::run_groups(p, own.groups, where_.on_device(), [&](int g, bool first, bool last) {
      if (first) where_.before(p, g, [&](const mirror& m) { stage(p, m, true, made); });
      dispatch(p, g, made.commands);
      if (last) where_.behind(p, g, [&](const mirror& m) { stage(p, m, false, made); });
    });
    const error e = made.commands.end();
    made.complete = e.ok();
    return e;
  }
  error import(const plan_view& p, const device_run& own, recorded& made, const frame& host) {
    vulkan_context& c = bound_->context();
    frame& f = where_.on_device();
    made.imports.clear();
    for (const shared_buffer& s : own.shared) {
      auto got = vulkan_memory::import_host(c, host.base[s.root], s.bytes);
      if (!got) return got.error();
      f.base[s.root] = reinterpret_cast<std::byte*>(got->address());
      made.imports.push_back(std::move(*got));
    }
    if (!own.arena) return {};
    auto got = vulkan_memory::import_host(c, host.arena, p.shared_bytes);
    if (!got) return got.error();
    f.arena = reinterpret_cast<std::byte*>(got->address());
    made.arena = std::move(*got);
    return {};
  }
  void dispatch(const plan_view& p, int g, vulkan_recording& to) const {
    const frame& f = const_cast<device_plan&>(where_).on_device();
    for (const vulkan_step& s : bound_->steps_of(g)) {
      vulkan_port ports[spirv::max_ports];
      for (int k = 0; k < s.ports; ++k)
        ports[k] = {reinterpret_cast<std::uint64_t>(f.base[s.port_at[k].root]),
                    p.buffers[s.port_at[k].root].bytes, s.port_at[k].element_bytes,
                    s.port_at[k].writes};
      const std::span<const vulkan_port> all{ports, static_cast<std::size_t>(s.ports)};
      to.barrier_for(all);
      to.dispatch(*s.kernel, all, s.groups[0], s.groups[1], s.groups[2]);
    }
  }
  void stage(const plan_view& p, const mirror& m, bool in, recorded& made) {
    const int which = static_cast<int>(&m - p.mirrors.data);
    const i64 at = staging_at_[which];
    const std::uint64_t there = arena_.address() + static_cast<std::uint64_t>(m.offset),
                        here = staging_.address() + static_cast<std::uint64_t>(at);
    const vulkan_port both[] = {{in ? here : there, m.bytes, 1, false},
                                {in ? there : here, m.bytes, 1, true}};
    made.commands.barrier_for(both);
    made.commands.copy(both[0].address, both[1].address, m.bytes);
    (in ? made.in : made.out).push_back({m.root, at, m.bytes});
  }

  const vulkan_bound* bound_ = nullptr;
  device_plan where_;
  vulkan_memory arena_, staging_;
  sequence<i64> staging_at_;       ///< by mirror of the plan
  std::deque<recorded> recorded_;  ///< by run: recordings do not move
};

}  // namespace tenon

// Devices that the host plays: kernels of `reference` in a memory of their own, into which the
// host's addresses do not reach, or which shares the host's buffers. They count what they are asked
// for.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/device.hpp>
#include <tenon/reference.hpp>
#include <tenon/run/model.hpp>
#include <vector>

namespace tenon_test {

namespace tn = tenon;

struct emulated_context {
  tn::i64 copies = 0, bytes_moved = 0, bytes_uploaded = 0, runs = 0, resolved = 0;
  bool refuses_models = false, refuses_instances = false, is_lost = false;
};

template <tn::sharing Memory> struct emulated {
  static constexpr bool is_separate = Memory == tn::sharing::separate;
  static constexpr const char* name = is_separate ? "emulated_separate" : "emulated_importable";
  static constexpr tn::sharing memory = Memory;
  static constexpr bool fuses = false;
  static constexpr double rounding = 0;
  static constexpr bool supports(const tn::table_view& t, const tn::node& n) {
    return tn::reference::supports(t, n);
  }
  static constexpr tn::footprint measure(const tn::plan_view&, int) { return {}; }

  using context = emulated_context;
  static context& standard() noexcept {
    static context own;
    return own;
  }

  struct bound {
    context* device = nullptr;
    std::vector<std::vector<std::byte>> weights;  // by node

    tn::error bind(context& c, const tn::plan_view& p, int place,
                   const std::byte* const* address) noexcept {
      if (c.refuses_models) return {tn::code::memory, name, "weights"};
      device = &c;
      weights.resize(static_cast<std::size_t>(p.table.nodes.size));
      tn::plans::each_upload(p, [&](int holder, int to, tn::i64 size) {
        if (to == place)
          weights[static_cast<std::size_t>(holder)].assign(address[holder], address[holder] + size);
        c.bytes_uploaded += to == place ? size : 0;
      });
      return {};
    }
    tn::error follow(const bound& limits, const tn::plan_view&, int) noexcept {
      *this = limits;
      return {};
    }
  };
  struct session {
    tn::status start(const bound& b, const tn::plan_view& p, int place, const tn::frame&) noexcept {
      device = b.device;
      if (device->refuses_instances) return {tn::code::memory, -1, 0, 0};
      arena.assign(static_cast<std::size_t>(p.device_bytes[place]) + 1, std::byte{0xff});
      where.start(p, place, arena.data(),
                  [&](int i) { return b.weights[static_cast<std::size_t>(i)].data(); });
      return {};
    }
    tn::status run(const tn::plan_view& p, const tn::group_range& r, const tn::frame& host,
                   tn::waiting) noexcept {
      if (device->is_lost) return {tn::code::memory, -1, 0, 0};
      ++device->runs;
      tn::device_groups& own = where.find(r);
      auto& f = where.on_device();
      if (own.follow(host)) {
        ++device->resolved;
        f.arena = host.arena;
        for (const tn::shared_buffer& s : own.shared)
          f.base[s.holder] = is_separate ? nullptr : host.base[s.holder];
      }
      tn::scans::run_groups(p, r, f, [&](int g, bool first, bool last) {
        if (first)
          where.before(p, g, [&](const tn::plans::mirror& m) {
            copy(arena.data() + m.offset, host.base[m.holder], tn::bytes_of(p, m.holder));
          });
        tn::reference::run({&p, p.groups[g].anchor}, tn::frame{f});
        if (last)
          where.behind(p, g, [&](const tn::plans::mirror& m) {
            copy(host.at<std::byte>(m.holder), arena.data() + m.offset, tn::bytes_of(p, m.holder));
          });
      });
      return {};
    }
    void copy(std::byte* to, const std::byte* from, tn::i64 bytes) noexcept {
      std::memcpy(to, from, static_cast<std::size_t>(bytes));
      ++device->copies;
      device->bytes_moved += bytes;
    }
    void renew(const bound&) noexcept {}
    const void* owner() const noexcept { return nullptr; }
    context* device = nullptr;
    std::vector<std::byte> arena;
    tn::device_plan<const std::byte*> where;
  };
};
using far_away = emulated<tn::sharing::separate>;
using importing = emulated<tn::sharing::importable>;
static_assert(tn::device_backend<far_away> && tn::device_backend<importing> &&
              !tn::backend<far_away>);

}  // namespace tenon_test

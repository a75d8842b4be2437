// A plan's arena as a picture: steps from left to right, addresses from bottom to top.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/describe.hpp>
#include "svg.hpp"
#include <vector>

namespace memory {
namespace tn = tenon;
namespace words = tenon::notation;

struct block {
  std::string name;
  tn::i64 offset = 0, bytes = 0;
  int first = 0, last = 0;
  bool scratch = false;
};

inline std::vector<block> blocks_of(const tn::plan_view& p) {
  std::vector<block> all;
  for (int i = 0; i < p.buffers.size; ++i)
    if (const tn::plans::buffer& b = p.buffers[i];
        b.in == tn::plans::buffer::storage::arena && b.home < 0)
      all.push_back({words::joined("%", i) + " " + words::operator_name(p.table, i), b.offset,
                     b.bytes, b.first, b.last, false});
  for (int g = 0; g < p.groups.size; ++g)
    if (p.needs[g].scratch > 0 && tn::plans::home_of(p.policies, p.groups[g].policy) < 0)
      all.push_back({"scratch", p.scratch_offset[g], p.needs[g].scratch, g, g, true});
  return all;
}
/// Bytes of the arena of a plan for one policy, in the host's memory or in the device's.
inline tn::i64 arena_bytes(const tn::plan_view& p) {
  tn::i64 sum = p.shared_bytes;
  for (const tn::i64 own : p.device_bytes) sum += own;
  return sum;
}
/// The bytes that are live at a step, as the planner counts them.
inline tn::i64 live_at(const std::vector<block>& all, int step) {
  tn::i64 sum = 0;
  for (const block& b : all)
    if (b.first <= step && step <= b.last) sum += tn::aligned(b.bytes);
  return sum;
}
/// The distance between two marks of the scale: a power of two that gives eight marks at most.
inline tn::i64 mark_every(tn::i64 bytes) {
  tn::i64 step = 64;
  while (bytes / step > 8) step *= 2;
  return step;
}

inline constexpr const char* rules =
    ".buffer { fill: #7fb2e5; stroke: #24567f; }\n"
    ".scratch { fill: #f3cf8c; stroke: #8f6a1e; }\n"
    ".buffer:hover, .scratch:hover { fill: #ffffff; }\n"
    ".live { fill: none; stroke: #1d7a3a; stroke-width: 2; stroke-opacity: 0.6; }\n"
    ".bound { stroke: #b3261e; stroke-width: 1.5; stroke-dasharray: 7 4; }\n"
    ".grid { stroke: #e3e6ea; }\n"
    "text { font-size: 12px; fill: #20252b; }\n"
    ".small { font-size: 11px; fill: #59626c; }\n"
    ".title { font-size: 16px; font-weight: bold; }\n"
    ".end { text-anchor: end; }\n"
    ".middle { text-anchor: middle; }\n";

/// The picture as an SVG document.
inline std::string draw(const tn::plan_view& p, const std::string& title) {
  using svg::attribute;
  const std::vector<block> all = blocks_of(p);
  int steps = p.groups.size;
  for (const block& b : all) steps = std::max(steps, b.last + 1);  // output copies are a step too
  const double column = std::clamp(900.0 / std::max(steps, 1), 14.0, 150.0);
  const double left = 90, top = 66, height = 420, right = 190, plot = column * std::max(steps, 1);
  const tn::i64 most = std::max<tn::i64>(arena_bytes(p), 64);
  const auto x = [&](int step) { return left + step * column; };
  const auto y = [&](tn::i64 address) {
    return top + height - static_cast<double>(address) / static_cast<double>(most) * height;
  };
  tn::i64 bound = 0;
  for (int g = 0; g < steps; ++g) bound = std::max(bound, live_at(all, g));
  svg::document out;
  out.text(left, 26, title, attribute("class", "title"));
  out.text(left, 46,
           words::joined("arena ", words::digits(arena_bytes(p))) + " B, lower bound " +
               words::digits(bound) + " B; " + words::digits(p.per_thread_bytes) +
               " B more for each thread",
           attribute("class", "small"));
  for (tn::i64 at = 0; at <= most; at += mark_every(most)) {
    out.line(left, y(at), left + plot, y(at), attribute("class", "grid"));
    out.text(left - 8, y(at) + 4, words::digits(at), attribute("class", "small end"));
  }
  out.text(left - 8, top - 12, "bytes", attribute("class", "small end"));
  for (const block& b : all) {
    const double width = (b.last - b.first + 1) * column,
                 tall = y(b.offset) - y(b.offset + b.bytes);
    const std::string where = words::digits(b.offset) + " .. " + words::digits(b.offset + b.bytes);
    out.rectangle(x(b.first) + 1.5, y(b.offset + b.bytes), width - 3, tall,
                  attribute("class", b.scratch ? "scratch" : "buffer"),
                  b.name + ": " + words::digits(b.bytes) + " B at " + where +
                      words::joined(", groups ", b.first) + words::joined(" to ", b.last));
  }
  std::string live;
  for (int g = 0; g < steps; ++g) {
    const double level = y(live_at(all, g));
    live += (g == 0 ? "M" : " L") + svg::number(x(g)) + "," + svg::number(level) + " L" +
            svg::number(x(g + 1)) + "," + svg::number(level);
  }
  if (steps > 0) out.path(live, attribute("class", "live"), "bytes that are live at each step");
  out.line(left, y(bound), left + plot, y(bound), attribute("class", "bound"));
  for (const block& b : all) {  // above the lines
    const double width = (b.last - b.first + 1) * column,
                 tall = y(b.offset) - y(b.offset + b.bytes);
    if (tall < 14) continue;
    const double middle = x(b.first) + width / 2, centre = y(b.offset) - tall / 2;
    const std::string size = words::bytes(b.bytes);
    const std::string whole = svg::width_of(b.name, 12) > width - 6
                                  ? b.name.substr(0, b.name.find(' '))  // its number alone
                                  : b.name;
    const bool two = tall >= 32 && svg::width_of(size, 11) <= width - 6;
    out.text(middle, centre + (two ? -3 : 4), svg::fitting(whole, 12, width - 2),
             attribute("class", "middle"));
    if (two) out.text(middle, centre + 13, size, attribute("class", "small middle"));
  }
  const int every = std::max(1, static_cast<int>(44 / column) + 1);
  double below = top + height + 18;
  for (int g = 0; g < steps; g += column < 40 ? every : 1)
    out.text(x(g) + column / 2, below, std::to_string(g), attribute("class", "middle"));
  if (column >= 60)
    for (int g = 0; g < p.groups.size; ++g)
      out.text(x(g) + column / 2, below + 16,
               svg::fitting(words::title(p, p.groups[g], 2), 11, column - 2),
               attribute("class", "small middle"));
  out.text(left - 8, below, "group", attribute("class", "small end"));
  const double key = left + plot + 20;
  out.rectangle(key, top, 14, 14, attribute("class", "buffer"));
  out.text(key + 22, top + 11, "value");
  out.rectangle(key, top + 24, 14, 14, attribute("class", "scratch"));
  out.text(key + 22, top + 35, "scratch of a group");
  out.line(key, top + 55, key + 14, top + 55, attribute("class", "live"));
  out.text(key + 22, top + 59, "live bytes");
  out.line(key, top + 79, key + 14, top + 79, attribute("class", "bound"));
  out.text(key + 22, top + 83, "lower bound");
  return out.finish(left + plot + right, below + 34, title, rules);
}

}  // namespace memory

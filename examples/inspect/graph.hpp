// A plan's groups as a picture, in layers: every arrow points downwards.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/describe.hpp>
#include "svg.hpp"
#include <vector>

namespace graph {
namespace tn = tenon;
namespace words = tenon::notation;

/// A box of the picture: a group, an input or an output. Also a place where an arrow passes a
/// layer.
struct box {
  std::vector<std::string> lines;
  std::string hover, style;
  int layer = 0;
  double x = 0, y = 0, width = 12, height = 0;  ///< x: the middle
  bool passing = false;
};
/// From one box to another, by way of passing places in the layers between.
struct arrow {
  std::vector<int> boxes;
  std::string style, hover;
};

/// Places boxes in layers, orders them so that few arrows cross, and draws them.
class picture {
 public:
  explicit picture(const tn::plan_view& p) : p_(p) {
    collect();
    connect();
    split_arrows();
    for (int round = 0; round < 12; ++round) order(round % 2 == 0);
    place();
  }
  std::string draw(const std::string& title) const;

 private:
  int put(box b) {
    boxes_.push_back(std::move(b));
    return static_cast<int>(boxes_.size()) - 1;
  }
  box& at(int i) { return boxes_[static_cast<std::size_t>(i)]; }
  const box& at(int i) const { return boxes_[static_cast<std::size_t>(i)]; }

  void collect();
  void connect();
  void join(int from, int to, int value, tn::passage how);
  void split_arrows();
  void order(bool downwards);
  void place();
  std::vector<int> neighbours(int i, bool above) const;
  double position(int i) const;

  tn::plan_view p_;
  std::vector<box> boxes_;
  std::vector<arrow> arrows_;
  std::vector<std::vector<int>> layers_;
  std::vector<int> input_box_, output_box_;  // groups come first: their boxes have their numbers
  double width_ = 0, height_ = 0;
};

inline void picture::collect() {
  for (int g = 0; g < p_.groups.size; ++g) {
    const tn::plans::group& own = p_.groups[g];
    const tn::list<int> members = p_.members_of(own);
    const tn::cost c = tn::cost_of(p_, g);
    const int last = members[members.size - 1];
    std::string hover;
    for (const int i : members)
      hover += words::joined(hover.empty() ? "%" : "\n%", i) + " = " + words::expression(p_, i);
    put({{words::title(p_, own, 2),
          words::joined("group ", g) + ", " + words::kind_of(own) + " on " +
              p_.policies[own.policy].name,
          tn::describe(p_.table.nodes[last].out.shape) + ", " + words::flops(c.flops)},
         hover,
         own.size > 1 ? "fused" : "single"});
  }
  for (const int i : p_.table.inputs)
    input_box_.push_back(put({{words::printable(p_.table.name_of(p_.table.nodes[i]).c_str()),
                               tn::describe(p_.table.nodes[i].out.shape)},
                              words::is_state(p_.table, i) ? "state" : "input",
                              "border"}));
  for (int o = 0; o < p_.table.outputs.size; ++o)
    output_box_.push_back(put(
        {{words::joined("output ", o), tn::describe(p_.table.nodes[p_.table.outputs[o]].out.shape)},
         "output",
         "border"}));
  for (box& b : boxes_)
    for (const std::string& line : b.lines) {
      const double bold = b.height == 0 ? 1.16 : 1.0;  // the first line
      b.width = std::max(b.width, svg::width_of(line, 12) * bold + 24);
      b.height += 17;
    }
}
inline void picture::join(int from, int to, int value, tn::passage how) {
  for (arrow& a : arrows_)
    if (a.boxes.front() == from && a.boxes.back() == to) {
      a.hover += words::joined(", %", value);
      return;
    }
  arrows_.push_back({{from, to},
                     how == tn::passage::none     ? "edge"
                     : how == tn::passage::shared ? "edge crosses"
                                                  : "edge copied",
                     words::joined("%", value)});
}
/// Arrows, and the layer of each box: below everything that points at it.
inline void picture::connect() {
  const auto box_of = [&](int maker) {
    if (p_.table.nodes[maker].kind != tn::family::input) return p_.group_of[maker];  // -1: a weight
    return input_box_[static_cast<std::size_t>(p_.buffers[maker].index)];
  };
  for (int g = 0; g < p_.groups.size; ++g)
    for (const int i : p_.members_of(p_.groups[g])) {
      const tn::node& n = p_.table.nodes[i];
      for (int k = 0; k < n.operands; ++k)
        tn::each_maker(p_, n.in[k], [&](int maker) {
          if (const int from = box_of(maker); from >= 0 && from != g)
            join(from, g, maker, tn::passage_of(p_, n.in[k], n.policy));
        });
    }
  for (int o = 0; o < p_.table.outputs.size; ++o) {
    const int id = p_.table.outputs[o];
    tn::each_maker(p_, id, [&](int maker) {
      if (const int from = box_of(maker); from >= 0)
        join(from, output_box_[static_cast<std::size_t>(o)], id, tn::passage_of(p_, id, -1));
    });
  }
  for (std::size_t round = 0; round < boxes_.size();
       ++round)  // groups stand in order: few rounds do
    for (const arrow& a : arrows_)
      at(a.boxes.back()).layer = std::max(at(a.boxes.back()).layer, at(a.boxes.front()).layer + 1);
}
inline void picture::split_arrows() {
  for (arrow& a : arrows_) {
    const int from = a.boxes.front(), to = a.boxes.back();
    std::vector<int> way{from};
    for (int layer = at(from).layer + 1; layer < at(to).layer; ++layer) {
      box b;
      b.layer = layer;
      b.passing = true;
      way.push_back(put(b));
    }
    way.push_back(to);
    a.boxes = way;
  }
  for (int i = 0; i < static_cast<int>(boxes_.size()); ++i) {
    const auto layer = static_cast<std::size_t>(at(i).layer);
    if (layers_.size() <= layer) layers_.resize(layer + 1);
    layers_[layer].push_back(i);
  }
}
inline std::vector<int> picture::neighbours(int i, bool above) const {
  std::vector<int> all;
  for (const arrow& a : arrows_)
    for (std::size_t k = 0; k + 1 < a.boxes.size(); ++k) {
      if (above && a.boxes[k + 1] == i) all.push_back(a.boxes[k]);
      if (!above && a.boxes[k] == i) all.push_back(a.boxes[k + 1]);
    }
  return all;
}
/// Where a box stands in its layer.
inline double position(const std::vector<int>& layer, int i) {
  return static_cast<double>(std::find(layer.begin(), layer.end(), i) - layer.begin());
}
inline double picture::position(int i) const {
  return graph::position(layers_[static_cast<std::size_t>(at(i).layer)], i);
}
/// One sweep: each layer by the mean position of its neighbours in the layer before.
inline void picture::order(bool downwards) {
  const int count = static_cast<int>(layers_.size());
  for (int k = 1; k < count; ++k) {
    std::vector<int>& layer = layers_[static_cast<std::size_t>(downwards ? k : count - 1 - k)];
    std::vector<std::pair<double, int>> keyed;
    for (const int i : layer) {
      const std::vector<int> near = neighbours(i, downwards);
      double sum = 0;
      for (const int j : near) sum += position(j);
      keyed.push_back({near.empty() ? position(i) : sum / static_cast<double>(near.size()), i});
    }
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t j = 0; j < layer.size(); ++j) layer[j] = keyed[j].second;
  }
}
/// Coordinates: boxes side by side, then each drawn towards the middle of its neighbours as far as
/// its own neighbours in the layer allow.
inline void picture::place() {
  constexpr double gap = 24, between = 44, margin = 30;
  double y = 72;
  for (const std::vector<int>& layer : layers_) {
    double x = 0, tall = 0;
    for (const int i : layer) {
      at(i).x = x + at(i).width / 2;
      x += at(i).width + gap;
      tall = std::max(tall, at(i).height + 14);
    }
    for (const int i : layer) {
      at(i).x -= x / 2;
      at(i).y = y;
      at(i).height = tall;
    }
    y += tall + between;
  }
  height_ = y;
  const auto settle = [&](const std::vector<int>& layer, bool above) {
    std::vector<double> want;
    for (const int i : layer) {
      const std::vector<int> near = neighbours(i, above);
      double sum = 0;
      for (const int j : near) sum += at(j).x;
      want.push_back(near.empty() ? at(i).x : sum / static_cast<double>(near.size()));
    }
    // Least movement that keeps the order and the gaps: blocks of boxes move as one.
    struct block {
      double sum, x;
      std::size_t size;
    };
    std::vector<block> blocks;
    double offset = 0;
    std::vector<double> offsets;
    for (std::size_t k = 0; k < layer.size(); ++k) {
      offset += k > 0 ? (at(layer[k - 1]).width + at(layer[k]).width) / 2 + gap : 0;
      offsets.push_back(offset);
      blocks.push_back({want[k] - offset, want[k] - offset, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].x > blocks.back().x) {
        const block last = blocks.back();
        blocks.pop_back();
        block& b = blocks.back();
        b = {b.sum + last.sum, (b.sum + last.sum) / static_cast<double>(b.size + last.size),
             b.size + last.size};
      }
    }
    std::size_t k = 0;
    for (const block& b : blocks)
      for (std::size_t j = 0; j < b.size; ++j, ++k) at(layer[k]).x = b.x + offsets[k];
  };
  for (int round = 0; round < 10; ++round) {
    for (std::size_t l = 1; l < layers_.size(); ++l) settle(layers_[l], true);
    for (std::size_t l = layers_.size(); l-- > 1;) settle(layers_[l - 1], false);
  }
  double low = boxes_.front().x, high = low;  // a graph has an output
  for (const box& b : boxes_) {
    low = std::min(low, b.x - b.width / 2);
    high = std::max(high, b.x + b.width / 2);
  }
  for (box& b : boxes_) b.x += margin - low;
  width_ = std::max(high - low + 2 * margin, 470.0);
}

inline constexpr const char* rules =
    ".fused { fill: #dbe9f7; stroke: #24567f; stroke-width: 1.5; }\n"
    ".single { fill: #eef1f4; stroke: #59626c; }\n"
    ".border { fill: #e3f2e6; stroke: #1d7a3a; }\n"
    ".edge { fill: none; stroke: #59626c; stroke-width: 1.4; }\n"
    ".crosses { stroke: #b3261e; stroke-dasharray: 6 3; }\n"
    ".copied { stroke: #b3261e; stroke-width: 2.6; }\n"
    ".head { fill: #59626c; }\n"
    "text { font-size: 12px; fill: #20252b; text-anchor: middle; }\n"
    ".name { font-weight: bold; }\n"
    ".small { font-size: 11px; fill: #59626c; }\n"
    ".title { font-size: 16px; font-weight: bold; text-anchor: start; }\n"
    ".key { text-anchor: start; }\n";

inline std::string picture::draw(const std::string& title) const {
  using svg::attribute;
  svg::document out;
  out.text(30, 30, title, attribute("class", "title"));
  out.text(30, 48, "blue: several operators fused, grey: one; the pointer shows a group's program",
           attribute("class", "small key"));
  for (const arrow& a : arrows_) {
    const box& first = at(a.boxes.front());
    double x = first.x, y = first.y + first.height;
    std::string d = "M" + svg::number(x) + "," + svg::number(y);
    const auto curve = [&](double to_x, double to_y) {
      const double half = (to_y - y) / 2;
      d += " C" + svg::number(x) + "," + svg::number(y + half) + " " + svg::number(to_x) + "," +
           svg::number(to_y - half) + " " + svg::number(to_x) + "," + svg::number(to_y);
      x = to_x;
      y = to_y;
    };
    for (std::size_t k = 1; k < a.boxes.size(); ++k) {
      const box& b = at(a.boxes[k]);
      curve(b.x, b.passing ? b.y : b.y - 8);
      if (b.passing) d += " L" + svg::number(x = b.x) + "," + svg::number(y = b.y + b.height);
    }
    out.path(d, attribute("class", a.style), a.hover);
    out.path("M" + svg::number(x - 5) + "," + svg::number(y - 2) + " L" + svg::number(x + 5) + "," +
                 svg::number(y - 2) + " L" + svg::number(x) + "," + svg::number(y + 8) + " Z",
             attribute("class", "head"));
  }
  for (const box& b : boxes_) {
    if (b.passing) continue;
    out.rectangle(b.x - b.width / 2, b.y, b.width, b.height,
                  attribute("class", b.style) + attribute("rx", 7), b.hover);
    double y = b.y + b.height / 2 - 17.0 * static_cast<double>(b.lines.size() - 1) / 2 + 4;
    for (std::size_t k = 0; k < b.lines.size(); ++k, y += 17)
      out.text(b.x, y, b.lines[k], attribute("class", k == 0 ? "name" : "small"));
  }
  return out.finish(width_, height_, title, rules);
}

inline std::string draw(const tn::plan_view& p, const std::string& title) {
  return picture(p).draw(title);
}

}  // namespace graph

// Prints docs/operators.md: what every operator is recorded as, and what each policy runs of it,
// for every element type. A test compares; `build/tests/operators > docs/operators.md` writes it
// again. A new operator is in a list of its family or a line here, a new policy one of `policies`.
// SPDX-License-Identifier: MIT
#include <tenon/base/describe.hpp>
#include <tenon/cpu.hpp>
#include <tenon/policy/vulkan/spirv/kernel.hpp>
#include <tenon/reference.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace tenon;

struct policy {
  const char* name;
  policy_facts facts;
  int (*dispatches)(const plan_view&, int group) = nullptr;  ///< where a step may be several
};
template <class P> policy listed() { return {P::name, facts_of<P>()}; }
/// As policy/vulkan/policy.hpp declares it, which needs Vulkan's headers: kernels alone do not.
policy on_vulkan() {
  policy_facts f{"vulkan", sharing::importable, true, nullptr, nullptr};
  f.supports = [](const table_view& t, const node& n) {
    return spirv::supports(t, n, spirv::target{});
  };
  f.measure = [](const plan_view&, int) { return footprint{}; };
  return {f.name, f, [](const plan_view& p, int g) {
            return spirv::kernels_of(p, g, spirv::target{}).size();
          }};
}
const std::vector<policy> policies = {listed<reference>(), listed<cpu>(), on_vulkan()};

/// An operand of a sample: its element type is the row's, or one that the operator prescribes.
struct operand {
  shape extents{};
  bool prescribed = false;
  type as = type::float32;
};
operand of(const shape& s) { return {s}; }
operand of(type t, const shape& s) { return {s, true, t}; }

struct sample {
  const char* name;
  std::function<result<table>(type)> record;
  const char* remark = "";
};
/// An operator with options on operands of these shapes.
template <class Op>
sample with(const typename Op::options& o, const std::vector<operand>& operands) {
  return {Op::name,
          [=](type t) -> result<table> {
            builder b;
            std::vector<builder::value> in;
            for (const operand& x : operands)
              in.push_back(b.input(name("x") + static_cast<int>(in.size()),
                                   {x.prescribed ? x.as : t, x.extents}));
            return b.finish(
                {b.add<Op>(o, list<builder::value>{in.data(), static_cast<int>(in.size())})});
          },
          ""};
}
template <class... Op> void each(std::vector<sample>& all, operator_list<Op...>,
                                 const typename std::common_type_t<typename Op::options...>& o,
                                 const std::vector<operand>& operands) {
  (all.push_back(with<Op>(o, operands)), ...);
}
/// Each with its default options.
template <class... Op> void plain(std::vector<sample>& all, const std::vector<operand>& operands) {
  (all.push_back(with<Op>(typename Op::options{}, operands)), ...);
}
template <class... Op>
void plain(std::vector<sample>& all, operator_list<Op...>, const std::vector<operand>& operands) {
  plain<Op...>(all, operands);
}

std::vector<sample> element_wise() {
  const operand x = of(extents(4, 6)), row = of(extents(6)), byte = of(type::uint8, extents(4, 6));
  std::vector<sample> all;
  plain(all, binary_operators{}, {x, row});
  plain(all, unary_operators{}, {x});
  plain(all, activation_operators{}, {x});
  clamp_options six;
  six.minValue = 0;
  six.maxValue = 6;
  all.push_back(with<clamp_t>(six, {x}));
  plain(all, comparison_operators{}, {x, row});
  plain(all, binary_logic_operators{}, {x, row});
  plain(all, unary_logic_operators{}, {x});
  plain<where_t>(all, {byte, x, row});
  plain<cast_t>(all, {x});
  return all;
}
std::vector<sample> reductions() {
  const operand x = of(extents(4, 6));
  std::vector<sample> all;
  each(all, reduce_operators{}, {.axes = {1}}, {x});
  each(all, arg_operators{}, {1, {}}, {x});
  return all;
}
std::vector<sample> products() {
  const operand image = of(extents(1, 4, 8, 8)), filter = of(extents(6, 4, 3, 3)),
                bias = of(extents(6));
  std::vector<sample> all;
  plain<matmul_t>(all, {of(extents(4, 6)), of(extents(6, 5))});
  plain<gemm_t>(all, {of(extents(4, 6)), of(extents(6, 5)), of(extents(5))});
  all.push_back(with<conv2d_t>({.padding = {1, 1, 1, 1}}, {image, filter, bias}));
  all.push_back(
      with<convTranspose2d_t>({.strides = {2, 2}}, {image, of(extents(4, 6, 3, 3)), bias}));
  each(all, pool2d_operators{}, {.windowDimensions = {2, 2}, .strides = {2, 2}}, {image});
  return all;
}
std::vector<sample> moves() {
  const operand x = of(extents(4, 6));
  std::vector<sample> all;
  all.push_back(with<reshape_t>({{3, 8}}, {x}));
  plain<transpose_t, reverse_t, triangular_t>(all, {x});
  all.push_back(with<slice_t>({{1, 2}, {2, 3}, {}}, {x}));
  all.push_back(with<split_t>({1, 2, 3}, {x}));
  all.push_back(with<concat_t>({1}, {x, x}));
  all.push_back(with<expand_t>({{3, 4, 6}}, {x}));
  all.push_back(with<tile_t>({{2, 3}}, {x}));
  all.push_back(with<pad_t>({{1, 1}, {1, 1}}, {x}));
  return all;
}
std::vector<sample> gathers_of() {
  const operand x = of(extents(4, 6)), at = of(type::int32, extents(3, 6)),
                rows = of(type::int32, extents(3, 1));
  std::vector<sample> all;
  plain<gather_t>(all, {x, of(type::int32, extents(3))});
  plain<gatherElements_t>(all, {x, at});
  plain<gatherND_t>(all, {x, rows});
  plain<scatterElements_t>(all, {x, at, of(extents(3, 6))});
  plain<scatterND_t>(all, {x, rows, of(extents(3, 6))});
  return all;
}
std::vector<sample> compositions() {
  const operand x = of(extents(4, 6)), image = of(extents(1, 4, 8, 8)), row = of(extents(6)),
                channel = of(extents(4));
  std::vector<sample> all;
  all.push_back(with<softmax_t>({1}, {x}));
  all.push_back(
      with<resample2d_t>({.mode = interpolation::nearest_neighbor, .scales = {2, 2}}, {image}));
  all.push_back(with<resample2d_t>({.mode = interpolation::linear, .scales = {2, 2}}, {image}));
  all.back().remark = ", linear";
  plain<layerNormalization_t>(all, {x, row, row});
  plain<batchNormalization_t>(all, {image, channel, channel, channel, channel});
  plain<instanceNormalization_t>(all, {image, channel, channel});
  const operand tokens = of(extents(1, 3, 8));
  all.push_back(with<attention_t>({2}, {tokens, tokens, tokens}));
  return all;
}

std::vector<sample> recurrent_nets() {
  const operand x = of(extents(4, 3)), h = of(extents(4, 2)), steps = of(extents(5, 4, 3));
  const auto weights = [](i64 gates) {
    return std::vector<operand>{of(extents(gates, 3)), of(extents(gates, 2))};
  };
  const auto stacked = [](i64 gates) {
    return std::vector<operand>{of(extents(1, gates, 3)), of(extents(1, gates, 2))};
  };
  std::vector<sample> all;
  all.push_back(with<cumulativeSum_t>({.axis = 0}, {of(extents(4, 6))}));
  plain<gruCell_t>(all, {x, weights(6)[0], weights(6)[1], h});
  plain<gru_t>(all, {steps, stacked(6)[0], stacked(6)[1]});
  plain<lstmCell_t>(all, {x, weights(8)[0], weights(8)[1], h, h});
  plain<lstm_t>(all, {steps, stacked(8)[0], stacked(8)[1]});
  return all;
}
std::vector<sample> quantizations() {
  const shape x = extents(4, 6), one = extents(1, 1), blocks = extents(2, 3);
  std::vector<sample> all;
  plain<dequantizeLinear_t>(all, {of(x), of(type::float32, one), of(one)});
  plain<dequantizeLinear_t>(all, {of(x), of(type::float32, blocks), of(blocks)});
  all.back().remark = ", by blocks";
  plain<quantizeLinear_t>(all, {of(x), of(one), of(type::int8, one)});
  plain<quantizeLinear_t>(all, {of(x), of(blocks), of(type::uint4, blocks)});
  all.back().remark = ", by blocks, to uint4";
  return all;
}

/// "map 2, contract": kinds one behind the other, with the number of equal ones.
class chain {
 public:
  void add(const std::string& kind) {
    if (kind != last_) flush();
    last_ = kind;
    ++count_;
  }
  std::string text() {
    flush();
    return text_;
  }

 private:
  void flush() {
    if (count_ > 0)
      text_ +=
          (text_.empty() ? "" : ", ") + last_ + (count_ > 1 ? " " + std::to_string(count_) : "");
    count_ = 0;
  }
  std::string text_, last_;
  int count_ = 0;
};
std::string families(const table_view& t) {
  chain c;
  for (const node& n : t.nodes)
    if (!is_leaf(n.kind)) c.add(name_of(n.kind));
  return c.text();
}
/// The steps of a plan for one policy, or why there is none.
std::string steps(const table_view& t, const policy& on) {
  const result<owned_plan> made = make_plan(t, {&on.facts, 1});
  if (!made.ok()) return describe(made.error());
  chain c;
  const plan_view p = made->view();
  for (int i = 0; i < p.groups.size; ++i) {
    const plans::group& g = p.groups[i];
    const int dispatches =
        on.dispatches != nullptr && p.group_of[g.anchor] == i ? on.dispatches(p, i) : 1;
    c.add((g.columns > 0 ? "row group" : name_of(g.kind)) +
          (dispatches == 1 ? "" : " of " + std::to_string(dispatches) + " dispatches"));
  }
  const std::string text = c.text();
  return text.empty() ? "a view" : text;
}

constexpr type types[] = {type::float32, type::float16, type::int32, type::uint32,
                          type::int64,   type::uint64,  type::int8,  type::uint8};
/// Cells of a row behind the element types.
using cells = std::vector<std::string>;
cells row_of(const sample& s, type t) {
  const result<table> net = s.record(t);
  if (!net.ok())
    return {"refused: " + describe(net.error()).substr(std::string(s.name).size() + 2)};
  cells all = {families(net->view())};
  for (const policy& p : policies) all.push_back(steps(net->view(), p));
  return all;
}
/// Rows that are equal but for what was found become one.
void print(const sample& s) {
  std::vector<std::pair<std::string, cells>> rows;
  for (const type t : types) {
    cells own = row_of(s, t);
    if (own.size() == 1) own[0] = own[0].substr(0, own[0].find(", found"));
    bool known = false;
    for (auto& [label, other] : rows)
      if (!known && other == own) {
        label += std::string(" ") + name_of(t);
        known = true;
      }
    if (!known) rows.emplace_back(name_of(t), own);
  }
  std::string label = "`" + std::string(s.name) + "`" + s.remark;
  for (auto& [of_types, row] : rows) {
    row.resize(1 + policies.size());
    std::string line = "| " + label + " | " + (rows.size() == 1 ? "any" : of_types) + " |";
    for (const std::string& cell : row) line += " " + cell + " |";
    std::puts(line.c_str());
    label = "";
  }
}
void print(const char* title, const std::vector<sample>& all) {
  std::string head = "| operator | element types | recorded as |", line = "|---|---|---|";
  for (const policy& p : policies) {
    head += " `" + std::string(p.name) + "` |";
    line += "---|";
  }
  std::printf("\n## %s\n\n%s\n%s\n", title, head.c_str(), line.c_str());
  for (const sample& s : all) print(s);
}

/// A table: which features of a device an element type needs.
void features() {
  std::puts("\n| element type | in buffers | in arithmetic |\n|---|---|---|");
  const auto row = [](bool spirv::target::*needed, const char* storage, const char* arithmetic) {
    std::string all;
    for (const type t : {type::float32, type::int32, type::uint32, type::float16, type::int8,
                         type::uint8, type::int64, type::uint64}) {
      spirv::target without;
      if (needed != nullptr) without.*needed = false;
      const bool always = needed == nullptr && size_bytes(t) == 4;
      if (always || (needed != nullptr && !spirv::has_type(without, t)))
        all += (all.empty() ? "" : ", ") + std::string(name_of(t));
    }
    std::printf("| %s | %s | %s |\n", all.c_str(), storage, arithmetic);
  };
  row(nullptr, "-", "-");
  row(&spirv::target::storage16, "`storageBuffer16BitAccess`", "`shaderInt16`");
  row(&spirv::target::storage8, "`storageBuffer8BitAccess`", "`shaderInt8`");
  row(&spirv::target::int64, "`shaderInt64`", "`shaderInt64`");
}

}  // namespace

int main() {
  std::puts(
      "# Operators on policies\n\n"
      "<!-- Made by tools/operators.cpp, which is compiled and compared by a test: "
      "build/tests/operators > docs/operators.md -->\n\n"
      "What an operator is recorded as (families of nodes, in order; a number counts equal ones "
      "that follow each other), and\n"
      "the steps that a policy runs of it after fusion, for every element type. A *row group* is "
      "maps and reductions over the\n"
      "same rows in one pass; *a view* runs nothing. An element type is refused where the WebNN "
      "specification does not have it;\n"
      "what a policy does not support stands in its column with the reason. Operands are small: "
      "[operators](1_operators.md) has\n"
      "options and limits, and [`tn::describe`](describe.md) shows the plan of any graph.\n\n"
      "A step on `vulkan` is one dispatch of one kernel, unless it says otherwise; `vulkan_staged` "
      "runs the same. What a device must\n"
      "have for an element type of an operand or a result, by the names of Vulkan's features:");
  features();
  print("Element-wise", element_wise());
  print("Reductions", reductions());
  print("Products and windows", products());
  print("Moves", moves());
  print("Gathers and scatters", gathers_of());
  print("Compositions", compositions());
  print("Scans and recurrent networks", recurrent_nets());
  print("Quantization; the element type is that of the input", quantizations());
}

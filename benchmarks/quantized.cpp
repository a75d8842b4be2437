// Layers of 8 bits whose scales are powers of two: `cpu` multiplies integers, and beside it the
// same policy that computes with float32 what it dequantized:
//   quantized [--threads N] [--json FILE] [--only NAME] [--seconds S]
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/language/builder.hpp>
#include <tenon/language/contract.hpp>
#include <tenon/language/quantize.hpp>
#include <tenon/run/instance.hpp>
#include <tenon/run/thread_pool.hpp>
#include "report.hpp"
#include <cstdlib>
#include <cstring>
#include <memory>
namespace tn = tenon;
using bytes = std::vector<std::byte>;

/// The policy `cpu` without the offer of integers.
struct cpu_in_float32 : tn::cpu {
  static constexpr bool multiplies_integers = false;
};

/// dequantize, multiply, bias, relu, quantize.
struct layer {
  std::string name;
  tn::shape image, filter;
  tn::conv2d_options options{};
  bool is_conv() const { return image.rank == 4; }
};

/// A layer as a graph, with its weights in order.
struct quantized_layer {
  tn::builder b;
  std::vector<bytes> weights{};
  tn::table graph{};
  bytes input{};

  static tn::shape ones(int rank) {
    tn::shape s{rank, {}};
    for (int i = 0; i < rank; ++i) s.extent[i] = 1;
    return s;
  }
  tn::builder::value weight(tn::type t, const tn::shape& s, bytes memory) {
    weights.push_back(std::move(memory));
    return b.weight(tn::name("w") + static_cast<int>(weights.size()), {t, s});
  }
  tn::builder::value scales(const tn::shape& s, float value) {
    bytes memory(static_cast<std::size_t>(s.count()) * sizeof value);
    for (std::size_t i = 0; i < memory.size(); i += sizeof value)
      std::memcpy(&memory[i], &value, sizeof value);
    return weight(tn::type::float32, s, std::move(memory));
  }
  tn::builder::value zeros(tn::type t, const tn::shape& s, int value) {
    return weight(t, s, bytes(static_cast<std::size_t>(s.count()), static_cast<std::byte>(value)));
  }
  /// Numbers between -16 and 15 from random floats, or all 256.
  static bytes integers(tn::i64 n, std::uint32_t seed, float reach) {
    bytes r;
    for (const float x : random_numbers(static_cast<std::size_t>(n), seed, reach))
      r.push_back(static_cast<std::byte>(static_cast<int>(std::floor(x))));
    return r;
  }
  explicit quantized_layer(const layer& l) {
    const tn::shape one = ones(l.image.rank);
    const int axis = l.is_conv() ? 0 : 1;  // of the filters
    tn::shape each = ones(l.filter.rank);
    each.extent[axis] = l.filter[axis];
    input = integers(l.image.count(), 1, 128);
    const auto x = b.input("x", {tn::type::uint8, l.image});
    const auto s = scales(one, 0.25f), z = zeros(tn::type::uint8, one, 128);
    const auto a = b.add<tn::dequantizeLinear_t>({}, {x, s, z});
    const auto w = weight(tn::type::int8, l.filter, integers(l.filter.count(), 2, 16));
    const auto t = scales(each, 1.0f / 64), zero = zeros(tn::type::int8, each, 0);
    const auto f = b.add<tn::dequantizeLinear_t>({}, {w, t, zero});
    const auto bias = scales(tn::extents(l.filter[axis]), 0.5f);
    const auto y = l.is_conv() ? b.add<tn::conv2d_t>(l.options, {a, f, bias})
                               : b.add<tn::gemm_t>({}, {a, f, bias});
    tn::result<tn::table> built =
        b.finish({b.add<tn::quantizeLinear_t>({}, {b.add<tn::relu_t>({}, {y}), s, z})});
    if (!built.ok()) fail(l.name + " cannot be built");
    graph = static_cast<tn::table&&>(*built);
  }
  tn::const_view find(const tn::name& wanted) const noexcept {
    for (int i = 0; i < graph.weights.size(); ++i) {
      const tn::node& n = graph.nodes[graph.weights[i]];
      if (graph.view().name_of(n) == wanted)
        return {weights[static_cast<std::size_t>(i)].data(), n.out.type, n.out.shape,
                tn::dense(n.out.shape), true};
    }
    return {};
  }
  double operations() const {
    double products = 2;
    const tn::contraction& c = graph.contractions[0];
    for (int k = 0; k < c.axes; ++k) products *= static_cast<double>(c.axis[k].extent);
    return products;
  }
};

/// A bound layer with its memory and its threads.
template <class Policy> struct bound_layer {
  const quantized_layer& from;
  tn::thread_pool pool;
  tn::model<tn::dynamic, Policy> model;
  tn::instance<tn::model<tn::dynamic, Policy>> instance;
  tn::tensor result;
  bytes output;
  bound_layer(const quantized_layer& l, int threads)
      : from(l),
        pool(threads),
        model(l.graph, l),
        instance(model, pool),
        result(l.graph.nodes[l.graph.outputs[0]].out),
        output(static_cast<std::size_t>(result.bytes())) {}
  bool call() {
    const tn::tensor& x = from.graph.nodes[from.graph.inputs[0]].out;
    const tn::const_view in{from.input.data(), x.type, x.shape, tn::dense(x.shape), true};
    const tn::mutable_view out{output.data(), result.type, result.shape, tn::dense(result.shape),
                               true};
    return instance.run({&in, 1}, {&out, 1}).ok();
  }
  /// How its contraction multiplies.
  tn::multiplied way() const {
    for (int g = 0; g < model.plan_of().groups.size; ++g)
      if (model.plan_of().groups[g].kind == tn::family::contract) return model.multiplication(g);
    return tn::multiplied::nothing;
  }
};
template <class Policy>
contender enter(const char* name, const quantized_layer& l, int threads, tn::multiplied wanted) {
  const auto own = std::make_shared<bound_layer<Policy>>(l, threads);
  if (!own->call() || own->way() != wanted) fail(std::string(name) + ": " + text_of(own->way()));
  return {name, [own](double seconds) { return time_calls(seconds, [&] { (void)own->call(); }); },
          [own] {
            numbers r;
            for (const std::byte x : own->output)
              r.push_back(static_cast<float>(std::to_integer<int>(x)));
            return r;
          }};
}

struct options {
  int threads = 1;
  std::string json, only;
  double seconds = 1;
};
void compare(const options& o, const layer& l, std::vector<row>& rows) {
  if (!o.only.empty() && o.only != l.name) return;
  const quantized_layer made(l);
  const std::vector<contender> both{
      enter<tn::cpu>("cpu", made, o.threads, tn::multiplied::integers),
      enter<cpu_in_float32>("cpu in float32", made, o.threads, tn::multiplied::nothing)};
  const std::vector<timing> times = race(both, o.seconds);
  const double apart = difference(both[0].output(), both[1].output());
  rows.push_back({l.name, "cpu", "int8", o.threads, times[0], both[1].name, times[1], 0, apart,
                  made.operations()});
  print(rows.back());
}

/// Error: false when the words are not understood.
bool parse(int argc, char** argv, options& o) {
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (value.empty()) return false;
    if (word == "--json")
      o.json = value;
    else if (word == "--only")
      o.only = value;
    else if (word == "--seconds")
      o.seconds = std::atof(value.c_str());
    else if (word == "--threads" && std::atoi(value.c_str()) > 0)
      o.threads = std::atoi(value.c_str());
    else
      return false;
  }
  return true;
}

int main(int argc, char** argv) {
  options o;
  if (!parse(argc, argv, o)) {
    std::fputs("usage: quantized [--threads N] [--json FILE] [--only NAME] [--seconds S]\n",
               stderr);
    return 2;
  }
  std::vector<row> rows;
  print_heading();
  using tn::extents;
  constexpr tn::conv2d_options same{.padding = {1, 1, 1, 1}},
      last{.padding = {1, 1, 1, 1}, .inputLayout = tn::image_layout::nhwc};
  for (const tn::i64 k : {256, 512, 1024})
    compare(o, {"gemm" + std::to_string(k), extents(128, k), extents(k, k)}, rows);
  compare(o, {"row512", extents(1, 512), extents(512, 512)}, rows);
  for (const tn::i64 c : {64, 128, 256}) {
    const tn::i64 side = 56 * 64 / c;
    const std::string of = std::to_string(c);
    compare(o, {"3x3 " + of, extents(1, c, side, side), extents(c, c, 3, 3), same}, rows);
    compare(o, {"1x1 " + of, extents(1, c, side, side), extents(c, c, 1, 1)}, rows);
  }
  compare(o, {"3x3 64 last", extents(1, 56, 56, 64), extents(64, 64, 3, 3), last}, rows);
  return o.json.empty() || write_json(o.json, "quantized", rows) ? 0 : 1;
}

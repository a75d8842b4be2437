// Prints hashes of the SPIR-V of many groups for many kinds of devices; same_words_compilers.sh
// compares them between compilers. With an argument: a line for each module.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/spirv/kernel.hpp>
#include <tenon/reference.hpp>
#include <tenon/trial/operators.hpp>
#include <cstdio>

namespace {

namespace tn = tenon;
namespace spirv = tn::spirv;
using tn::i64, tn::extents;

/// What a policy supports; it has no state, so the devices set it here.
spirv::target device;
template <bool Fuses> struct emits : tn::reference {
  static constexpr bool fuses = Fuses;
  static bool supports(const tn::table_view& t, const tn::node& n) {
    return spirv::supports(t, n, device);
  }
};

struct device_kind {
  const char* name;
  spirv::target is;
};
constexpr spirv::target cpu_driver(spirv::addressing by) {
  spirv::target t;
  t.by = by;
  t.cpu_driver = true;
  t.fuses = false;
  t.float64 = true;
  t.iterations = 65535;
  return t;
}
constexpr spirv::target gpu(spirv::addressing by) {
  spirv::target t;
  t.by = by;
  t.subgroup = 32;
  t.invocations = 1024;
  t.shared_bytes = 49152;
  return t;
}
constexpr spirv::target with_lanes(spirv::target t, bool pairs) {
  t.subgroup = 8;
  t.shuffles = true;
  t.unaligned = pairs;
  return t;
}
constexpr spirv::target with_matrices(spirv::target t, spirv::precision p, spirv::matrix_shape s,
                                      bool emulated) {
  t.matrix.products = p;
  t.matrix.emulated = emulated;
  (p == spirv::precision::bfloat16 ? t.matrix.bfloat : t.matrix.half) = s;
  return t;
}
constexpr spirv::target with_modes(spirv::target t) {
  t.float16 = t.float64 = t.keeps_denormals = t.matrix.rounds_even = t.matrix.keeps_denormals =
      true;
  return t;
}
/// Neither 64-bit integers nor small ones in arithmetic, and small workgroups.
constexpr spirv::target poor(spirv::target t) {
  t.int64 = t.int8 = t.int16 = t.keeps_nan = false;
  t.invocations = 128;
  t.shared_bytes = 16384;
  return t;
}
constexpr auto address = spirv::addressing::address, descriptor = spirv::addressing::descriptor;
constexpr auto half = spirv::precision::float16, brain = spirv::precision::bfloat16;
constexpr spirv::matrix_shape cube{16, 16, 16}, flat{16, 8, 16};
constexpr device_kind devices[] = {
    {"cpu address", cpu_driver(address)},
    {"cpu descriptor", cpu_driver(descriptor)},
    {"cpu address shuffles", with_lanes(cpu_driver(address), false)},
    {"cpu address pairs", with_lanes(cpu_driver(address), true)},
    {"cpu descriptor shuffles modes", with_modes(with_lanes(cpu_driver(descriptor), false))},
    {"gpu address", gpu(address)},
    {"gpu descriptor modes", with_modes(gpu(descriptor))},
    {"gpu address poor", poor(gpu(address))},
    {"gpu address float16", with_modes(with_matrices(gpu(address), half, cube, false))},
    {"gpu descriptor float16", with_matrices(gpu(descriptor), half, flat, false)},
    {"gpu address bfloat16", with_matrices(gpu(address), brain, flat, false)},
    {"gpu address float16 emulated", with_matrices(gpu(address), half, cube, true)},
    {"gpu address float16 emulated modes",
     with_modes(with_matrices(gpu(address), half, flat, true))},
    {"gpu descriptor bfloat16 emulated", with_matrices(gpu(descriptor), brain, cube, true)},
};
constexpr int device_count = sizeof devices / sizeof devices[0];

/// A line of the output: all modules of a family for a device.
struct line {
  unsigned long long hash = 1469598103934665603ull;
  long modules = 0;
  void add(const spirv::kernel& k) {
    ++modules;
    for (const spirv::word w : k.words) hash = (hash ^ w) * 1099511628211ull;
    for (const spirv::port& p : k.ports)
      hash = (hash ^ static_cast<unsigned>(p.holder + 1)) * 1099511628211ull;
  }
};
constexpr int family_count = static_cast<int>(tn::family::compose) + 1;
line lines[device_count][family_count];
bool each_module = false;

template <bool Fuses> void emit(const char* graph, const tn::table_view& net, int d) {
  device = devices[d].is;
  const tn::policy_facts facts[] = {tn::facts_of<emits<Fuses>>()};
  const tn::result<tn::owned_plan> made = tn::make_plan(net, {facts, 1});
  if (!made.ok()) return;
  const tn::plan_view p = made->view();
  for (int g = 0; g < p.groups.size; ++g)
    for (const spirv::kernel& k : spirv::emit(p, g, device)) {
      const tn::family kind = p.groups[g].kind;
      lines[d][static_cast<int>(kind)].add(k);
      if (!each_module) continue;
      line own;
      own.add(k);
      std::printf("%016llx %s, %s %s %d, %s\n", own.hash, graph, Fuses ? "fused" : "alone",
                  tn::name_of(kind), g, devices[d].name);
    }
}
void emit(const char* graph, const tn::table_view& net) {
  for (int d = 0; d < device_count; ++d) {
    emit<true>(graph, net, d);
    emit<false>(graph, net, d);
  }
}

/// Any operators; tensors are large enough for every form of a kernel, as nothing is run.
void random_graphs(int count) {
  for (int i = 0; i < count; ++i) {
    tn::trial::choices c =
        tn::trial::choices::from_seed(tn::trial::seed_of(20, static_cast<std::uint64_t>(i)));
    tn::trial::limits most;
    if (i % 2 == 0) most.elements = 1 << 21, most.terms = i64{1} << 40;
    const tn::trial::random_graph g = tn::trial::make_graph(c, most);
    if (g.fault.ok()) emit(("graph " + std::to_string(i)).c_str(), g.net.view());
  }
}

// Contractions of several tiles, with borders and maps behind them, and long reductions.
using value = tn::builder::value;
template <class Record> void one(const char* name, const Record& record) {
  tn::builder b;
  const value y = record(b);
  const tn::result<tn::table> made = b.finish({y});
  if (!made.ok())
    std::printf("refused: %s\n", name);
  else
    emit(name, made->view());
}
value leaf(tn::builder& b, const char* name, const tn::shape& s, tn::type t = tn::type::float32) {
  return b.input(name, {t, s});
}
/// A bias and a residual, and a program of them.
value closed(tn::builder& b, value y, const tn::shape& s, const tn::shape& bias) {
  const value c = leaf(b, "c", bias), r = leaf(b, "r", s);
  return b.map<3>([](auto x, auto u, auto v) { return select(x + u < v, x * v, tanh(u - x)); },
                  {y, c, r});
}
void products() {
  const i64 sizes[][3] = {{1, 64, 64},   {9, 8, 9},     {40, 24, 16}, {128, 96, 160},
                          {127, 65, 33}, {2, 70000, 3}, {64, 1, 7},   {1024, 512, 2048}};
  for (const auto& [m, k, n] : sizes)
    for (int turned = 0; turned < 4; ++turned)
      one(("product " + std::to_string(m) + " " + std::to_string(k) + " " + std::to_string(n) +
           " " + std::to_string(turned))
              .c_str(),
          [&](tn::builder& b) {
            tn::gemm_options o;
            o.aTranspose = turned % 2 == 1;
            o.bTranspose = turned / 2 == 1;
            const value x = leaf(b, "a", o.aTranspose ? extents(k, m) : extents(m, k)),
                        y = leaf(b, "b", o.bTranspose ? extents(n, k) : extents(k, n));
            return closed(b, b.add<tn::gemm_t>(o, {x, y}), extents(m, n), extents(n));
          });
  one("batches", [](tn::builder& b) {
    return b.add<tn::matmul_t>(
        {}, {leaf(b, "a", extents(3, 2, 40, 50)), leaf(b, "b", extents(2, 50, 60))});
  });
  one("of float16", [](tn::builder& b) {
    const value x = leaf(b, "a", extents(64, 64), tn::type::float16),
                y = leaf(b, "b", extents(64, 64), tn::type::float16);
    return b.add<tn::matmul_t>({}, {x, y});
  });
}
void convolutions() {
  for (const bool nchw : {true, false})
    for (const i64 channels : {1, 8, 24})
      for (const int stride : {1, 2})
        for (const i64 pad : {0, 1, 4})
          for (const i64 groups : {1, 8}) {
            if (channels % groups != 0) continue;
            one(("convolution " + std::to_string(nchw) + " " + std::to_string(channels) + " " +
                 std::to_string(stride) + " " + std::to_string(pad) + " " + std::to_string(groups))
                    .c_str(),
                [&](tn::builder& b) {
                  tn::conv2d_options o;
                  o.inputLayout = nchw ? tn::image_layout::nchw : tn::image_layout::nhwc;
                  o.strides = {stride, stride};
                  o.padding = {pad, 0, pad, pad};
                  if (pad == 4) o.dilations = {2, 3};
                  o.groups = static_cast<int>(groups);
                  const value x = leaf(b, "x",
                                       nchw ? extents(2, channels, 29, 34)
                                            : extents(2, 29, 34, channels)),
                              w = leaf(b, "w", extents(16, channels / groups, 3, 5));
                  return b.add<tn::relu_t>(
                      {}, {b.add<tn::conv2d_t>(o, {x, w, leaf(b, "c", extents(16))})});
                });
          }
}
void windows() {
  for (const bool nchw : {true, false})
    for (const i64 taps : {2, 5, 300}) {
      tn::pool2d_options o;
      o.layout = nchw ? tn::image_layout::nchw : tn::image_layout::nhwc;
      o.windowDimensions = {taps, taps};
      if (taps == 5) o.padding = {2, 1, 0, 2}, o.dilations = {1, 2}, o.strides = {2, 1};
      const tn::shape s = nchw ? extents(1, 3, 310, 320) : extents(1, 310, 320, 3);
      const auto pool = [&]<class Pool>(Pool*) {
        one("pool", [&](tn::builder& b) { return b.add<Pool>(o, {leaf(b, "x", s)}); });
      };
      pool(static_cast<tn::maxPool2d_t*>(nullptr));
      pool(static_cast<tn::averagePool2d_t*>(nullptr));
      pool(static_cast<tn::l2Pool2d_t*>(nullptr));
    }
}
void rows() {
  const tn::shape shapes[] = {extents(3, 5003),   extents(2000, 7),  extents(70, 3, 97),
                              extents(2, 300, 2), extents(5000, 16), extents(513, 517)};
  for (const tn::shape& s : shapes)
    for (int axis = 0; axis < s.rank; ++axis) {
      one("softmax",
          [&](tn::builder& b) { return b.add<tn::softmax_t>({.axis = axis}, {leaf(b, "x", s)}); });
      one("sum", [&](tn::builder& b) {
        return b.add<tn::reduceSum_t>({.axes = {axis}}, {leaf(b, "x", s)});
      });
      one("product", [&](tn::builder& b) {
        return b.add<tn::reduceProduct_t>({.axes = {axis}}, {leaf(b, "x", s, tn::type::int64)});
      });
      one("argmax",
          [&](tn::builder& b) { return b.add<tn::argMax_t>({.axis = axis}, {leaf(b, "x", s)}); });
    }
  one("copy", [](tn::builder& b) {
    return b.add<tn::transpose_t>({}, {leaf(b, "x", extents(3, 1398103), tn::type::uint8)});
  });
  one("turned", [](tn::builder& b) {
    return b.add<tn::add_t>({}, {b.add<tn::transpose_t>({}, {leaf(b, "x", extents(521, 511))}),
                                 leaf(b, "y", extents(511, 521))});
  });
}

}  // namespace

int main(int argc, char**) {
  each_module = argc > 1;
  random_graphs(argc > 1 ? 300 : 40);
  products();
  convolutions();
  windows();
  rows();
  for (int d = 0; d < device_count; ++d)
    for (int f = 0; f < family_count; ++f)
      if (const line& l = lines[d][f]; l.modules > 0)
        std::printf("words: %s %s %ld %016llx\n", devices[d].name,
                    tn::name_of(static_cast<tn::family>(f)), l.modules, l.hash);
}

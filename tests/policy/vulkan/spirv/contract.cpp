// Contractions and windows as SPIR-V on a CPU driver: what `reference` computes, in both addressing
// modes, and no access outside.
// SPDX-License-Identifier: MIT
#include "../../../catch.hpp"
#include "../../../support/contract_maker.hpp"
#include "emitted.hpp"
#include <cmath>

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::shape, tenon::i64;

namespace {

// A module is a constant, the same words as at run time.
template <bool CpuDriver> inline constexpr spirv::target made_for = [] {
  spirv::target t;
  t.cpu_driver = t.shuffles = t.unaligned = CpuDriver;
  t.subgroup = CpuDriver ? 8 : 32;
  return t;
}();
template <bool CpuDriver> struct emits : tenon::reference { static constexpr bool fuses = true; };
template <class Net, bool CpuDriver> constexpr auto modules() {
  return spirv::emit(tenon::plan<Net, emits<CpuDriver>>::view(), 0, made_for<CpuDriver>);
}
constexpr unsigned long long hash_of(const tenon::sequence<spirv::kernel>& all) {
  unsigned long long h = 1469598103934665603ull;
  for (const spirv::kernel& k : all)
    for (const spirv::word w : k.words) h = (h ^ w) * 1099511628211ull;
  return h;
}
inline constexpr auto product = [](auto a, auto b, auto c) {
  return tenon::relu(tenon::matmul(a, b) + c);
};
inline constexpr auto filtered = [](auto x, auto w) {
  return tenon::conv2d<tenon::conv2d_options{.padding = {1, 1, 1, 1}}>(x, w);
};
inline constexpr auto pooled = [](auto x) {
  return tenon::maxPool2d<tenon::pool2d_options{.windowDimensions = {2, 2}, .strides = {2, 2}}>(x);
};
using products = tenon::graph<product, tenon::input<"a", float, 9, 8>,
                              tenon::input<"b", float, 8, 9>, tenon::input<"c", float, 9>>;
using convolutions = tenon::graph<filtered, tenon::input<"x", float, 1, 2, 6, 6>,
                                  tenon::input<"w", float, 3, 2, 3, 3>>;
using odd_convolutions = tenon::graph<filtered, tenon::input<"x", float, 1, 2, 5, 5>,
                                      tenon::input<"w", float, 3, 2, 3, 3>>;
using pools = tenon::graph<pooled, tenon::input<"x", float, 1, 2, 6, 6>>;
static_assert(modules<products, false>()[0].words[0] == 0x07230203);
template <class Net, bool CpuDriver>
inline constexpr auto constant_hash = hash_of(modules<Net, CpuDriver>());
/// True if an invocation asks for what another one has, by a number that is no constant: a lane
/// beside it.
constexpr bool asks_beside(const tenon::sequence<spirv::kernel>& all) {
  constexpr spirv::word constant = 43, shuffle = 345;
  for (const spirv::kernel& k : all) {
    tenon::sequence<spirv::word> constants;
    for (int i = 5; i < k.words.size(); i += static_cast<int>(k.words[i] >> 16)) {
      if ((k.words[i] & 0xffff) == constant) constants.push(k.words[i + 2]);
      if ((k.words[i] & 0xffff) != shuffle) continue;
      bool known = false;
      for (const spirv::word c : constants) known = known || c == k.words[i + 5];
      if (!known) return true;
    }
  }
  return false;
}
static_assert(asks_beside(modules<convolutions, true>()));
static_assert(!asks_beside(modules<odd_convolutions, true>()));
static_assert(!asks_beside(modules<convolutions, false>()));

/// Empty, or what differs by more than roundings: `terms` values of at most 1 are added up.
std::string far_apart(std::span<const float> wanted, std::span<const float> found, double terms) {
  if (wanted.size() != found.size()) return "the sizes differ";
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double off = static_cast<double>(wanted[i]) - static_cast<double>(found[i]);
    const double most = 1e-6 * (terms + std::fabs(static_cast<double>(wanted[i])));
    if (!same_value(wanted[i], found[i]) && !(std::fabs(off) <= most))
      return "element " + std::to_string(i) + ": " + std::to_string(wanted[i]) + " and " +
             std::to_string(found[i]);
  }
  return "";
}
double most_terms(const tenon::table_view& t) {
  i64 most = 1;
  for (const tenon::node& n : t.nodes) {
    if (n.kind != tenon::family::contract) continue;
    i64 own = 1;
    for (const auto& l : t.contraction_of(n).axis) own *= l.reduced ? l.extent : 1;
    most = std::max(most, own);
  }
  return static_cast<double>(most);
}
std::string differs(const tenon::table_view& t, const contents& c, const results& wanted, wall at) {
  std::string problem;
  double largest = 1;  // of all operands
  for (const auto* all : {&c.inputs, &c.weights})
    for (const auto& run : *all)
      for (const float x : run)
        if (std::isfinite(x)) largest = std::max(largest, std::fabs(static_cast<double>(x)));
  const results found = run_table<any_family>(t, c, at, problem);
  if (problem.empty() && !bare_device::instance().fault.empty())
    problem = bare_device::instance().fault;
  for (std::size_t o = 0; o < wanted.size() && problem.empty(); ++o)
    problem = far_apart(wanted[o], found[o], most_terms(t) * largest * largest);
  return problem;
}
/// What the kernels of contractions may count on.
enum class form { workgroups, lanes, shuffles, pairs };
void emit_for(spirv::addressing by, form f) {
  spirv::target& t = emission_target();
  t.by = by;
  t.cpu_driver = f != form::workgroups;
  t.subgroup = f >= form::shuffles ? 8 : 0;
  t.shuffles = f >= form::shuffles;
  t.unaligned = f == form::pairs;
}
std::string differs_somewhere(const tenon::table_view& t, const contents& c, int i) {
  using by = spirv::addressing;
  switch (i / 2 % 6) {
    case 0: emit_for(by::descriptor, form::shuffles); break;
    case 1: emit_for(by::address, form::workgroups); break;
    case 2: emit_for(by::address, form::lanes); break;
    case 3: emit_for(by::address, form::shuffles); break;
    case 4: emit_for(by::descriptor, form::workgroups); break;
    default: emit_for(by::address, form::pairs);
  }
  std::string problem;
  const results wanted = run_table<tenon::reference>(t, c, wall::behind, problem);
  return differs(t, c, wanted, i % 2 == 0 ? wall::behind : wall::before);
}
constexpr bool on_lanes(int i) { return i / 2 % 6 != 1 && i / 2 % 6 != 4; }
/// Runs `count` random graphs of one kind. One value in `specials` is NaN, infinite or subnormal.
template <class Make> void compare(int test, int count, int specials, const Make& make) {
  int ran = 0, failed = 0;
  const char* only = std::getenv("TENON_CASE");
  for (int i = only ? std::atoi(only) : 0; ran < (only ? 1 : count) && i < 20 * count && failed < 5;
       ++i) {
    dice d = dice_of(test, i);
    maker m{d};
    const builder::value y = make(m);
    const tenon::result<tenon::table> made = m.b.finish({y});
    if (!made.ok()) continue;
    const tenon::table_view t = made->view();
    if (maker::work(t) > 3000000) continue;
    ++ran;
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(t));
    if (std::getenv("TENON_CASES") != nullptr)
      std::fprintf(stderr, "case %d %s\n", i, text_of(t).c_str());
    contents c = random_contents(t, d, specials);
    for (auto* all :
         {&c.inputs, &c.weights})  // products that overflow before a sum does are another matter
      for (auto& run : *all)
        for (float& x : run)
          if (std::isfinite(x) && std::fabs(x) > 1e6f)
            x = 1e6f;
          else if (std::fpclassify(x) == FP_SUBNORMAL && flushes_subnormals())
            x = 0;
    const std::string problem = differs_somewhere(t, c, i);
    if (problem.empty()) continue;
    ++failed;
    FAIL_CHECK(problem);
  }
  CHECK(ran == (only ? 1 : count));
}
bool none() {
  if (bare_device::instance().works()) return false;
  WARN("no Vulkan driver: nothing was run");
  return true;
}

}  // namespace

TEST_CASE("modules of contractions in constant expressions are those of run time") {
  const auto same = []<class Net>(Net) {
    CHECK(hash_of(modules<Net, true>()) == constant_hash<Net, true>);
    CHECK(hash_of(modules<Net, false>()) == constant_hash<Net, false>);
  };
  same(products{});
  same(convolutions{});
  same(odd_convolutions{});
  same(pools{});
}
TEST_CASE("random convolutions as SPIR-V are what reference computes") {
  if (none()) return;
  compare(1, times(40), 0, [](maker& m) { return m.epilogue(m.convolution()); });
}
TEST_CASE(
    "convolutions whose lanes have what lanes beside them need as SPIR-V are what reference "
    "computes") {
  if (none()) return;
  const auto make = [](maker& m) {
    dice& d = m.d;
    const i64 taps[] = {d.in(1, 5), d.in(2, 5)}, block = d.in(1, 4), channels = d.in(1, 4),
              filters = d.in(1, 30);
    tenon::conv2d_options o;
    o.dilations = {d.in(1, 2), d.in(1, 2)};
    o.groups = d.one_in(3) ? d.in(2, 9) : 1;
    const auto around = [&](int i) {  // as wide as the image, wider or less wide
      return std::max(0, static_cast<int>((taps[i] - 1) * o.dilations[i] + d.in(-1, 1) * block));
    };
    const int lines = around(0), columns = around(1), above = d.in(0, lines),
              before = d.in(0, columns);
    o.padding = {above, lines - above, before, columns - before};
    o.inputLayout = d.one_in(3) ? tenon::image_layout::nhwc : tenon::image_layout::nchw;
    const i64 n = d.in(1, 2), c = channels * o.groups, h = d.in(1, 12), w = block * d.in(2, 12);
    const bool nchw = o.inputLayout == tenon::image_layout::nchw;
    return m.epilogue(m.b.add<tenon::conv2d_t>(
        o, {m.operand(nchw ? extents(n, c, h, w) : extents(n, h, w, c)),
            m.operand(extents(filters * o.groups, channels, taps[0], taps[1]))}));
  };
  compare(12, times(30), 0, make);
  compare(13, times(12), 30, make);
}
TEST_CASE("convolutions of NaN, infinities and subnormals as SPIR-V are what reference computes") {
  if (none()) return;
  compare(2, times(12), 30, [](maker& m) { return m.convolution(); });
}
TEST_CASE("random matmul as SPIR-V is what reference computes") {
  if (none()) return;
  compare(3, times(30), 0, [](maker& m) { return m.epilogue(m.matrices()); });
}
TEST_CASE("random gemm as SPIR-V is what reference computes") {
  if (none()) return;
  compare(4, times(30), 0, [](maker& m) { return m.epilogue(m.gemm()); });
}
TEST_CASE("products of NaN and infinities as SPIR-V are what reference computes") {
  if (none()) return;
  compare(5, times(12), 30, [](maker& m) { return m.d.one_in(2) ? m.gemm() : m.matrices(); });
}
TEST_CASE("two contractions in a row as SPIR-V are what reference computes") {
  if (none()) return;
  compare(6, times(12), 0, [](maker& m) {
    const builder::value y = m.epilogue(m.convolution());
    const shape s = m.shape_of(y);
    if (s.rank != 4) return y;
    return m.b.add<tenon::matmul_t>({}, {y, m.operand(extents(s[3], m.size()))});
  });
}
TEST_CASE("contractions of several tiles as SPIR-V are what reference computes") {
  if (none()) return;
  compare(8, times(24), 0, [](maker& m) {
    dice& d = m.d;
    if (d.one_in(3))
      return m.epilogue(
          m.b.add<tenon::matmul_t>({}, {m.operand(extents(d.in(1, 2), d.in(30, 140), d.in(20, 70))),
                                        m.operand(extents(1, d.in(20, 70), d.in(30, 140)))}));
    tenon::conv2d_options o;
    o.inputLayout = d.one_in(2) ? tenon::image_layout::nhwc : tenon::image_layout::nchw;
    o.padding = {d.in(0, 2), d.in(0, 2), d.in(0, 2), d.in(0, 2)};
    if (d.one_in(3)) o.strides = {d.in(1, 2), d.in(1, 2)};
    o.groups = d.one_in(4) ? 2 : 1;
    const i64 channels = d.in(4, 12), filters = o.groups * d.in(8, 40), extent = d.in(10, 30),
              taps = d.one_in(4) ? d.in(5, 6) : d.in(1, 3);
    const bool nchw = o.inputLayout == tenon::image_layout::nchw;
    const shape image = nchw ? extents(1, o.groups * channels, extent, extent)
                             : extents(1, extent, extent, o.groups * channels);
    return m.epilogue(m.b.add<tenon::conv2d_t>(
        o, {m.operand(image), m.operand(extents(filters, channels, taps, taps)),
            m.leaf(extents(filters))}));
  });
}
TEST_CASE("sums of very many terms as SPIR-V are what reference computes") {
  if (none()) return;
  for (int i = 0; i < 12; ++i) {
    if (!on_lanes(i))
      continue;  // lavapipe ends loops after 65,535 rounds: kernels for GPUs know nothing of it
    dice d = dice_of(9, i);
    maker m{d};
    const i64 terms = i % 2 == 0 ? 70000 : 140001;
    const builder::value y = m.b.add<tenon::matmul_t>(
        {}, {m.leaf(extents(i % 3 == 0 ? 1 : 2, terms)), m.leaf(extents(terms, 1 + i % 3))});
    const tenon::result<tenon::table> made = m.b.finish({y});
    REQUIRE(made.ok());
    INFO("TENON_SEED=" << seed() << " case " << i);
    CHECK(differs_somewhere(made->view(), random_contents(made->view(), d), i) == "");
  }
}
TEST_CASE("pools of very large windows as SPIR-V are what reference computes") {
  if (none()) return;
  for (int i = 0; i < 3; ++i) {
    dice d = dice_of(11, i);
    maker m{d};
    const builder::value y =
        m.b.add<tenon::averagePool2d_t>({}, {m.leaf(extents(1, 1, 300 + i, 500))});
    const tenon::result<tenon::table> made = m.b.finish({y});
    REQUIRE(made.ok());
    CHECK(differs_somewhere(made->view(), random_contents(made->view(), d), i) == "");
  }
}
TEST_CASE("pools with all options as SPIR-V are what reference computes") {
  if (none()) return;
  compare(7, times(40), 0, [](maker& m) {
    dice& d = m.d;
    const tenon::pool2d_options o = any_pool(d);
    const builder::value x = m.operand(extents(d.in(1, 3), d.in(1, 20), d.in(1, 20), d.in(1, 20)));
    switch (d.in(0, 2)) {
      case 0: return m.b.add<tenon::maxPool2d_t>(o, {x});
      case 1: return m.b.add<tenon::averagePool2d_t>(o, {x});
      default: return m.b.add<tenon::l2Pool2d_t>(o, {x});
    }
  });
}
TEST_CASE("every module of a contraction is valid") {
  if (none()) return;
  if (std::system("spirv-val --version >/dev/null 2>&1") != 0) {
    WARN("spirv-val is not installed: nothing was checked");
    return;
  }
  char folder[] = "/tmp/tenon_spirv_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  bare_device::instance().folder = folder;
  bare_device::instance().forget();
  compare(10, 24, 0,
          [](maker& m) { return m.epilogue(m.d.one_in(2) ? m.convolution() : m.gemm()); });
  bare_device::instance().folder.clear();
  CHECK(bare_device::instance().pipelines() > 0);
  const std::string run = "for f in " + std::string(folder) +
                          "/*.spv; do spirv-val --target-env vulkan1.2 $f || exit 1; done";
  CHECK(std::system(run.c_str()) == 0);
  CHECK(std::system(("rm -r " + std::string(folder)).c_str()) == 0);
}

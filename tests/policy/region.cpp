// Composite operators keep their name as a region, and a policy may run one as a single step.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>
#include "../catch.hpp"
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace tn = tenon;
using tn::i64;

namespace {

/// A user's composite: x * softplus(scale * x), recorded as three nodes.
struct gate_t {
  static constexpr const char* name = "gate";
  using options = tn::no_options;
  static constexpr tn::result<tn::tensor> infer(options, tn::list<tn::tensor> in) { return in[0]; }
  static constexpr int record(tn::recorder& r, options, tn::list<int> in, const tn::tensor& out) {
    r.open(name);
    const int scaled = tn::part<tn::mul_t>(r, {}, {in[0], in[1]});
    const int bent = tn::part<tn::softplus_t>(r, {}, {scaled});
    const int y = r.map(name, tn::record_program<2>([](auto a, auto b) { return a * b; }),
                        {in[0], bent}, out);
    r.close();
    return y;
  }
};

/// `cpu`, but for the regions softmax and gate, which it computes with loops of its own.
struct regional {
  static constexpr const char* name = "regional";
  static constexpr tn::sharing memory = tn::sharing::same;
  static constexpr bool fuses = true;
  static constexpr bool same(const char* a, const char* b) {
    while (*a && *a == *b) ++a, ++b;
    return *a == *b;
  }
  static constexpr bool owns(const tn::table_view&, const tn::region& r) {
    return same(r.op, "softmax") || same(r.op, "gate");
  }
  static constexpr bool supports(const tn::table_view& t, const tn::node& n) {
    return tn::cpu::supports(t, n);
  }
  struct task {
    bool softmax = false;
    int in[2]{-1, -1}, out = -1;
    i64 in_offset[2]{}, out_offset = 0, rows = 0, columns = 0;
  };
  static constexpr tn::footprint measure(const tn::plan_view& p, int g) {
    if (p.groups[g].kind == tn::family::compose) return {0, 0, 0, static_cast<i64>(sizeof(task))};
    return tn::cpu::measure(p, g);
  }
  using function = tn::cpu::function;
  static function interpreted(tn::program_view p) noexcept { return tn::cpu::interpreted(p); }
  struct work {
    tn::cpu::work inner{};
    const task* own = nullptr;
  };
  static void bind(const tn::binding<function>& b, work& w) noexcept {
    const tn::plan_view& p = *b.plan;
    const tn::plans::group& g = p.groups[b.group];
    if (g.kind != tn::family::compose) return tn::cpu::bind(b, w.inner);
    const tn::list<int> members = p.members_of(g);
    const tn::node& first = p.table.nodes[members[0]];
    auto* t = new (b.bound) task{};
    t->softmax = same(p.table.regions[first.whole].op, "softmax");
    for (int k = 0; k < first.operands; ++k) {
      t->in[k] = p.locations[first.in[k]].holder;
      t->in_offset[k] = p.locations[first.in[k]].offset;
    }
    const int result = members[members.size - 1];
    t->out = p.locations[result].holder;
    t->out_offset = p.locations[result].offset;
    const tn::shape& s = p.table.nodes[result].out.shape;
    t->columns = s[s.rank - 1];
    t->rows = s.count() / t->columns;
    w.own = t;
  }
  static void run(const work& w, const tn::frame& f) noexcept {
    if (w.own == nullptr) return tn::cpu::run(w.inner, f);
    const task& t = *w.own;
    const float* x = f.at<const float>(t.in[0], t.in_offset[0]);
    float* y = f.at<float>(t.out, t.out_offset);
    for (i64 r = 0; r < t.rows; ++r, x += t.columns, y += t.columns) {
      if (!t.softmax) {
        const float scale = *f.at<const float>(t.in[1], t.in_offset[1]);
        for (i64 i = 0; i < t.columns; ++i) y[i] = x[i] * std::log1p(std::exp(scale * x[i]));
        continue;
      }
      float sum = 0;
      for (i64 i = 0; i < t.columns; ++i) sum += y[i] = std::exp(x[i]);
      for (i64 i = 0; i < t.columns; ++i) y[i] /= sum;
    }
  }
};
static_assert(tn::backend<regional>);

constexpr auto model = [](auto x) {
  auto a = tn::apply<gate_t>(tn::relu(x), tn::weight<"scale", float, 1>);
  auto b = tn::softmax<1>(a * 2.0f);
  return tn::concat<1>(b + 1.0f, tn::gelu(b));
};
using net = tn::graph<model, tn::input<"x", float, 5, 23>>;

constexpr int groups_of_kind(const tn::plan_view& p, tn::family kind) {
  int n = 0;
  for (const tn::plans::group& g : p.groups) n += g.kind == kind;
  return n;
}
constexpr tn::plan_view expanded = tn::plan<net, tn::cpu>::view(),
                        owned = tn::plan<net, regional>::view();
static_assert(groups_of_kind(expanded, tn::family::compose) == 0);
static_assert(groups_of_kind(owned, tn::family::compose) == 2,
              "gate and softmax are one step each");
static_assert(tn::plan<net, tn::cpu, regional>::groups == tn::plan<net, tn::cpu>::groups,
              "the second policy owns nothing of what the first one runs");

// A region whose inside is read from outside is not run as one step.
constexpr auto leaks = [](auto x) {
  auto m = tn::reduceMax<tn::reduce_options{.axes = {1}, .keepDimensions = true}>(x);
  return tn::softmax<1>(x - m);
};
static_assert(
    groups_of_kind(tn::plan<tn::graph<leaks, tn::input<"x", float, 2, 3>>, regional>::view(),
                   tn::family::compose) == 1);

}  // namespace

TEST_CASE("a policy runs the regions that it owns as one step") {
  std::mt19937 bits{std::random_device{}()};
  std::normal_distribution<float> number;
  std::vector<float> x(5 * 23), a(2 * x.size()), b(2 * x.size()), c(2 * x.size());
  for (float& v : x) v = number(bits);
  const float scale[] = {0.7f};
  const tn::weights given{tn::named("scale", scale)};
  const tn::model<net, regional> special{given};
  const tn::model<net, tn::reference> plain{given};
  const tn::model<tn::dynamic, regional> built{net::view(), given};
  tn::instance one{special};
  tn::instance two{plain};
  tn::instance three{built};
  REQUIRE(one(x, a).ok());
  REQUIRE(two(x, b).ok());
  REQUIRE(three(x, c).ok());
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(std::fabs(a[i] - b[i]) < 1e-5f * (1 + std::fabs(b[i])));
  CHECK(std::memcmp(a.data(), c.data(), a.size() * sizeof(float)) == 0);
}

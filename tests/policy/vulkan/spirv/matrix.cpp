// Matrix products in fragments: as arrays on a CPU driver they are what `reference` computes of
// rounded operands; as cooperative matrices their words are what the extensions want.
// SPDX-License-Identifier: MIT
#include <tenon/vulkan.hpp>
#include "../../../support/contract_maker.hpp"
#include "../policies.hpp"
#include "emitted.hpp"
#include <cmath>
#include <set>

using namespace tenon_test;
using spirv::precision, spirv::matrix_shape, spirv::word;
using tenon::builder, tenon::extents, tenon::shape, tenon::i64;

namespace {

constexpr spirv::target gpu_with(precision products, matrix_shape s, bool emulated) {
  spirv::target t;
  t.subgroup = 32;
  t.shared_bytes = 49152;
  t.matrix.products = products;
  t.matrix.emulated = emulated;
  (products == precision::bfloat16 ? t.matrix.bfloat : t.matrix.half) = s;
  return t;
}
constexpr matrix_shape cube{16, 16, 16};

// ---- what is written
struct fusing : tenon::reference {
  static constexpr bool fuses = true;
};
inline constexpr auto layer = [](auto a, auto b, auto c) {
  return tenon::relu(tenon::matmul(a, b) + c);
};
using layers = tenon::graph<layer, tenon::input<"a", float, 40, 24>,
                            tenon::input<"b", float, 24, 16>, tenon::input<"c", float, 16>>;
using large_layers =
    tenon::graph<layer, tenon::input<"a", float, 4096, 4096>, tenon::input<"b", float, 4096, 4096>,
                 tenon::input<"c", float, 4096>>;
using vectors = tenon::graph<layer, tenon::input<"a", float, 1, 64>,
                             tenon::input<"b", float, 64, 64>, tenon::input<"c", float, 64>>;

template <class Net> constexpr auto kernels_for(const spirv::target& t) {
  return spirv::emit(tenon::plan<Net, fusing>::view(), 0, t);
}
template <class Net> spirv::kernel kernel_for(const spirv::target& t) {
  return kernels_for<Net>(t)[0];
}
constexpr unsigned long long hash_of(const spirv::kernel& k) {
  unsigned long long h = 1469598103934665603ull;
  for (const word w : k.words) h = (h ^ w) * 1099511628211ull;
  return h;
}
template <precision Products, bool Emulated>
inline constexpr auto target_for = gpu_with(Products, cube, Emulated);
template <precision Products, bool Emulated> inline constexpr auto constant_hash =
    hash_of(kernels_for<layers>(target_for<Products, Emulated>)[0]);

/// A module as a reader finds it, by instruction.
struct module_reader {
  struct instruction {
    word op = 0;
    std::vector<word> operands;
  };
  std::vector<instruction> all;
  word bound = 0;
  bool good = true;

  explicit module_reader(const spirv::kernel& k) {
    const auto& w = k.words;
    good = w.size() > 5 && w[0] == 0x07230203 && w[1] == 0x00010500;
    bound = good ? w[3] : 0;
    for (int i = 5; good && i < w.size();) {
      const int size = static_cast<int>(w[i] >> 16);
      good = size > 0 && i + size <= w.size();
      instruction own{w[i] & 0xffff, {}};
      for (int j = 1; good && j < size; ++j) own.operands.push_back(w[i + j]);
      all.push_back(std::move(own));
      i += size;
    }
  }
  std::vector<instruction> with(word op) const {
    std::vector<instruction> found;
    for (const instruction& i : all)
      if (i.op == op) found.push_back(i);
    return found;
  }
  bool has(word op, word first) const {
    for (const instruction& i : with(op))
      if (!i.operands.empty() && i.operands[0] == first) return true;
    return false;
  }
  /// The instruction that gives `number`: types have it first, all others second.
  instruction maker_of(word number) const {
    for (const instruction& i : all) {
      const bool is_type = (i.op >= 19 && i.op <= 33) || i.op == 4456;
      if (is_type && i.operands[0] == number) return i;
      const bool has_none = i.op < 41 || i.op == 62 || i.op == 71 || i.op == 72 || i.op == 224 ||
                            (i.op >= 246 && i.op <= 254 && i.op != 248) || i.op == 4458;
      if (!is_type && !has_none && i.op != 248 && i.operands.size() > 1 && i.operands[1] == number)
        return i;
    }
    return {};
  }
  /// A constant of 32 bits.
  word constant(word number) const {
    const instruction i = maker_of(number);
    return i.op == 43 && i.operands.size() == 3 ? i.operands[2] : ~word{0};
  }
  std::string name_in(const instruction& i) const {
    std::string s;
    for (const word w : i.operands)
      for (int k = 0; k < 4; ++k)
        if (const char c = static_cast<char>(w >> 8 * k & 0xff)) s += c;
    return s;
  }
  /// Rows, columns and use of a matrix type whose component and scope are checked.
  std::vector<word> matrix(word type, word scope = 3) const {
    const instruction t = maker_of(type);
    if (t.op != 4456 || t.operands.size() != 6 || constant(t.operands[2]) != scope) return {};
    return {constant(t.operands[3]), constant(t.operands[4]), constant(t.operands[5])};
  }
};
enum : word {
  op_extension = 10,
  op_memory_model = 14,
  op_capability = 17,
  op_type_float = 22,
  op_type_pointer = 32,
  op_access = 65,
  op_barrier = 224,
  op_load = 61,
  op_store = 62,
  op_matrix = 4456,
  op_matrix_load = 4457,
  op_matrix_store = 4458,
  op_multiply = 4459
};

void check_cooperative(precision products, matrix_shape s) {
  const spirv::kernel k = kernel_for<layers>(gpu_with(products, s, false));
  const module_reader m(k);
  REQUIRE(m.good);
  for (const word c : {word{6022}, word{5345}, word{61}}) CHECK(m.has(op_capability, c));
  CHECK(m.has(op_capability, 9) == (products == precision::float16));
  for (const word c : {word{5116}, word{5118}})
    CHECK(m.has(op_capability, c) == (products == precision::bfloat16));
  std::set<std::string> extensions;
  for (const auto& e : m.with(op_extension)) extensions.insert(m.name_in(e));
  std::set<std::string> wanted{"SPV_KHR_cooperative_matrix"};
  if (products == precision::bfloat16) wanted.insert("SPV_KHR_bfloat16");
  CHECK(extensions == wanted);
  REQUIRE(m.with(op_memory_model).size() == 1);
  CHECK(m.with(op_memory_model)[0].operands == std::vector<word>{5348, 3});

  // all of a module's numbers are below its bound, and each is made once
  std::set<word> types;
  for (const auto& t : m.with(op_matrix)) types.insert(t.operands[0]);
  CHECK(types.size() == 3);
  const auto n = [](int x) { return static_cast<word>(x); };
  const std::vector<word> a{n(s.rows), n(s.terms), 0}, b{n(s.terms), n(s.columns), 1},
      sum{n(s.rows), n(s.columns), 2};
  const auto component = [&](word type) {
    return m.maker_of(m.maker_of(type).operands[1]).operands;
  };
  REQUIRE(!m.with(op_multiply).empty());
  for (const auto& i : m.with(op_multiply)) {
    REQUIRE(i.operands.size() == 5);
    CHECK(m.matrix(i.operands[0]) == sum);
    CHECK(m.matrix(m.maker_of(i.operands[2]).operands[0]) == a);
    CHECK(m.matrix(m.maker_of(i.operands[3]).operands[0]) == b);
    CHECK(m.matrix(m.maker_of(i.operands[4]).operands[0]) == sum);
    CHECK(component(i.operands[0]) == std::vector<word>{m.maker_of(i.operands[0]).operands[1], 32});
    const std::vector<word> of_a = component(m.maker_of(i.operands[2]).operands[0]);
    CHECK(std::vector<word>(of_a.begin() + 1, of_a.end()) ==
          (products == precision::bfloat16 ? std::vector<word>{16, 0} : std::vector<word>{16}));
    CHECK(component(m.maker_of(i.operands[3]).operands[0]) == of_a);
    for (const word number : i.operands) CHECK(number < m.bound);
  }
  // loads: from an element of the workgroup's array, where others have written
  for (const auto& i : m.with(op_matrix_load)) {
    REQUIRE(i.operands.size() == 6);
    const auto from = m.maker_of(i.operands[2]);
    CHECK(from.op == op_access);
    CHECK(m.maker_of(from.operands[0]).operands[1] == 4);  // Workgroup
    CHECK(m.constant(i.operands[3]) <= 1);
    CHECK(m.constant(i.operands[4]) * 8 % 16 == 0);
    CHECK(i.operands[5] == 0x20);
  }
  for (const auto& i : m.with(op_matrix_store)) {
    REQUIRE(i.operands.size() == 5);
    CHECK(m.matrix(m.maker_of(i.operands[1]).operands[0]) == sum);
    CHECK(m.constant(i.operands[2]) == 0);
    CHECK(m.constant(i.operands[3]) * 8 % 16 == 0);
    CHECK(i.operands[4] == 0x20);
  }
  for (const auto& i : m.with(op_barrier)) CHECK(m.constant(i.operands[2]) == 0x6108);
  // what invocations exchange is never private
  int exchanged = 0;
  for (const auto& i : m.all) {
    if (i.op != op_load && i.op != op_store) continue;
    const word p = i.operands[i.op == op_load ? 2 : 0];
    const auto from = m.maker_of(p);
    if (from.op != op_access || m.maker_of(from.operands[0]).operands[1] != 4) continue;
    ++exchanged;
    CHECK(i.operands.back() == 0x20);
  }
  CHECK(exchanged > 0);
}
int multiplications(const spirv::kernel& k) {
  return static_cast<int>(module_reader(k).with(op_multiply).size());
}

// ---- what is computed
float rounded(float x, precision p) {
  if (p == precision::float16) return tenon::halves::rounded(x);
  if (x != x) return x;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u);
}
/// Numbers of a table whose operands of contractions are rounded; they are leaves, or views of
/// such.
contents with_rounded_operands(const tenon::table_view& t, contents c, precision p) {
  for (const tenon::node& n : t.nodes)
    for (int k = 0; k < 2 && n.kind == tenon::family::contract; ++k) {
      int at = n.in[k];
      while (t.nodes[at].kind == tenon::family::move) at = t.nodes[at].in[0];
      int found = 0;
      const auto round = [&](const auto& ids, auto& runs) {
        for (int i = 0; i < ids.size; ++i)
          if (ids[i] == at) {
            ++found;
            for (float& x : runs[static_cast<std::size_t>(i)]) x = rounded(x, p);
          }
      };
      round(t.inputs, c.inputs);
      round(t.weights, c.weights);
      REQUIRE(found == 1);
    }
  return c;
}
/// Whether every contraction of a table is one in fragments: without matrices its words are others.
bool in_fragments(const tenon::table_view& t) {
  const tenon::policy_facts facts[] = {tenon::facts_of<any_family>()};
  const auto made = tenon::make_plan(t, {facts, 1});
  REQUIRE(made.ok());
  spirv::target without = emission_target();
  without.matrix = {};
  for (int g = 0; g < made->view().groups.size; ++g) {
    if (made->view().groups[g].kind != tenon::family::contract) continue;
    const auto with_them = spirv::kernels_of(made->view(), g, emission_target());
    const auto plain = spirv::kernels_of(made->view(), g, without);
    if (hash_of(with_them[0]) == hash_of(plain[0])) return false;
  }
  return true;
}
std::string far_apart(std::span<const float> wanted, std::span<const float> found, float most) {
  if (wanted.size() != found.size()) return "the sizes differ";
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!same_value(wanted[i], found[i]) &&
        !(std::fabs(wanted[i] - found[i]) <= most * (1 + std::fabs(wanted[i]))))
      return "element " + std::to_string(i) + ": " + std::to_string(wanted[i]) + " and " +
             std::to_string(found[i]);
  return "";
}
/// Fragments of several devices, operands of both kinds, memory of several sizes, both addressing
/// modes.
void emit_for(dice& d) {
  constexpr matrix_shape shapes[] = {cube,       cube,        {16, 8, 16}, {8, 8, 16}, {8, 16, 16},
                                     {16, 8, 8}, {16, 16, 8}, {8, 8, 32},  {32, 8, 16}};
  spirv::target& t = emission_target();
  t.by = d.one_in(3) ? spirv::addressing::descriptor : spirv::addressing::address;
  t.cpu_driver = false;
  t.subgroup = d.pick({8, 16, 32, 32, 64});
  t.shared_bytes = d.pick({16384, 32768, 32768});
  t.matrix = {};
  t.matrix.emulated = true;
  t.matrix.products = d.one_in(2) ? precision::float16 : precision::bfloat16;
  t.matrix.half = t.matrix.bfloat = d.pick(shapes);
}
struct emission_restored {
  spirv::target before = emission_target();
  ~emission_restored() { emission_target() = before; }
};
bool none() {
  if (bare_device::instance().works()) return false;
  WARN("no Vulkan driver: nothing was run");
  return true;
}
/// Runs random graphs until `count` were in fragments. Products of rounded operands are exact, and
/// sums have the order of `reference`: without an epilogue (`most` = 0) results are equal bit for
/// bit.
template <class Make> void compare(int test, int count, float most, const Make& make) {
  if (none()) return;
  const emission_restored restored;
  const char* only = std::getenv("TENON_CASE");
  int ran = 0, failed = 0;
  for (int i = only ? std::atoi(only) : 0; ran < (only ? 1 : count) && i < 20 * count && failed < 5;
       ++i) {
    dice d = dice_of(test, i);
    emit_for(d);
    maker m{d};
    const builder::value y = make(m);
    const tenon::result<tenon::table> made = m.b.finish({y});
    if (!made.ok() || maker::work(made->view()) > 3000000 || !in_fragments(made->view())) continue;
    ++ran;
    const tenon::table_view t = made->view();
    const auto& unit = emission_target().matrix;
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(t) << " fragments of "
                       << unit.half.rows << " x " << unit.half.columns << " x " << unit.half.terms
                       << ", subgroups of " << emission_target().subgroup
                       << (unit.products == precision::float16 ? ", float16" : ", bfloat16"));
    const contents c = random_contents(t, d);
    std::string problem;
    const results wanted = run_table<tenon::reference>(
        t, with_rounded_operands(t, c, unit.products), wall::behind, problem);
    const results found =
        run_table<any_family>(t, c, i % 2 == 0 ? wall::behind : wall::before, problem);
    if (problem.empty()) problem = bare_device::instance().fault;
    if (problem.empty()) problem = far_apart(wanted[0], found[0], most);
    if (problem.empty()) continue;
    ++failed;
    FAIL_CHECK(problem);
  }
  CHECK(ran == (only ? 1 : count));
}
int edge(dice& d) {
  constexpr int sizes[] = {8,  9,  12, 15, 16, 17, 20,  31,  32,  33,
                           40, 48, 63, 64, 65, 96, 100, 128, 129, 200};
  return d.pick(sizes);
}
builder::value matrices(maker& m) {
  dice& d = m.d;
  shape a = extents(edge(d), edge(d)), b = extents(a[1], edge(d));
  const auto lead = [&](shape& s, i64 extent) {
    for (int at = s.rank++; at > 0; --at) s.extent[at] = s.extent[at - 1];
    s.extent[0] = extent;
  };
  for (int i = d.in(0, 2); i > 0; --i) {
    const i64 extent = d.in(2, 3);
    const int who = d.in(0, 3);
    lead(a, who == 1 ? 1 : extent);
    if (who != 2)
      lead(b, who == 3 ? 1 : extent);
    else if (b.rank > 2)
      lead(b, 1);
  }
  return m.b.add<tenon::matmul_t>({}, {m.operand(a), m.operand(b)});
}
builder::value gemm(maker& m) {
  dice& d = m.d;
  const i64 rows = edge(d), columns = edge(d), terms = edge(d);
  tenon::gemm_options o;
  o.aTranspose = d.one_in(2);
  o.bTranspose = d.one_in(2);
  if (d.one_in(2)) o.alpha = 0.7f;
  if (d.one_in(2)) o.beta = -1.3f;
  const builder::value a = m.operand(o.aTranspose ? extents(terms, rows) : extents(rows, terms)),
                       b = m.operand(o.bTranspose ? extents(columns, terms)
                                                  : extents(terms, columns));
  const shape biases[] = {extents(columns), extents(rows, 1), extents(rows, columns), extents(1),
                          extents(1, columns)};
  if (d.one_in(4)) return m.b.add<tenon::gemm_t>(o, {a, b});
  return m.b.add<tenon::gemm_t>(o, {a, b, m.leaf(d.pick(biases))});
}
builder::value convolution(maker& m) {
  dice& d = m.d;
  tenon::conv2d_options o;
  o.inputLayout = d.one_in(2) ? tenon::image_layout::nhwc : tenon::image_layout::nchw;
  o.padding = {d.in(0, 2), d.in(0, 2), d.in(0, 2), d.in(0, 2)};
  if (d.one_in(3)) o.strides = {d.in(1, 2), d.in(1, 2)};
  if (d.one_in(4)) o.dilations = {2, 1};
  o.groups = d.one_in(4) ? 2 : 1;
  const i64 channels = d.in(1, 12), filters = o.groups * d.in(8, 40), high = d.in(7, 20),
            wide = d.in(7, 20), taps = d.one_in(3) ? 1 : 3;
  const bool nchw = o.inputLayout == tenon::image_layout::nchw;
  const shape image = nchw ? extents(d.in(1, 2), o.groups * channels, high, wide)
                           : extents(d.in(1, 2), high, wide, o.groups * channels);
  return m.b.add<tenon::conv2d_t>(
      o, {m.operand(image), m.operand(extents(filters, channels, taps, taps))});
}
/// Random products through the policy itself, in the device's own matrices; false where it has
/// none. Products of rounded operands are exact in float32, the order of sums is the device's.
template <class Policy> bool on_device(int test, precision products) {
  need_device<tenon::vulkan>();
  const emission_restored restored;
  emission_target() = tenon::target_of(tenon::vulkan::standard(), products);
  if (!emission_target().matrix.of(products).exists()) return false;
  int ran = 0, fragments = 0;
  for (int i = 0; i < times(40); ++i) {
    dice d = dice_of(test, i);
    maker m{d};
    builder::value y = d.pick({matrices, gemm, convolution})(m);
    if (d.one_in(2)) y = m.epilogue(y);
    const tenon::result<tenon::table> made = m.b.finish({y});
    if (!made.ok() || maker::work(made->view()) > 3000000) continue;
    const tenon::table_view t = made->view();
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(t) << " on " << Policy::name);
    const bool rounds = in_fragments(t);  // what is too narrow for them is computed in float32
    ++ran;
    fragments += rounds;
    const contents c = random_contents(t, d);
    std::string problem;
    const results wanted = run_table<tenon::reference>(
        t, rounds ? with_rounded_operands(t, c, products) : c, wall::behind, problem);
    const results found = run_table<Policy>(t, c, wall::behind, problem);
    CHECK(problem == "");
    CHECK(far_apart(wanted[0], found[0], 1e-4f) == "");
  }
  const matrix_shape s = emission_target().matrix.of(products);
  INFO(Policy::name << ", fragments of " << s.rows << " x " << s.columns << " x " << s.terms << ": "
                    << fragments << " of " << ran << " graphs");
  CHECK(2 * fragments > ran);
  return true;
}

}  // namespace

// ---- choice and words

TEST_CASE("products in fragments are the same words in constant expressions and at run time") {
  const auto same = []<precision P, bool Emulated>() {
    CHECK(hash_of(kernel_for<layers>(gpu_with(P, cube, Emulated))) == constant_hash<P, Emulated>);
  };
  same.operator()<precision::float16, false>();
  same.operator()<precision::float16, true>();
  same.operator()<precision::bfloat16, false>();
  same.operator()<precision::bfloat16, true>();
}
TEST_CASE("cooperative matrices are written as their extensions want") {
  for (const precision p : {precision::float16, precision::bfloat16})
    for (const matrix_shape s :
         {cube, matrix_shape{16, 8, 16}, matrix_shape{8, 8, 16}, matrix_shape{8, 8, 32}}) {
      INFO(s.rows << " x " << s.columns << " x " << s.terms);
      check_cooperative(p, s);
    }
}
TEST_CASE("a large product has 128 x 128 tiles: two buffers, one barrier for 32 terms") {
  const spirv::target t = gpu_with(precision::float16, cube, false);
  const spirv::kernel k = kernel_for<large_layers>(t);
  CHECK(k.local[0] == 256);
  CHECK(k.subgroup == 32);
  CHECK(k.groups[0] * k.groups[1] == 32 * 32);
  // 8 subgroups with 4 x 2 sums, of 2 x 16 terms; in the loop, and behind it
  CHECK(multiplications(k) == 2 * 4 * 2 * 2);
  // before the loop, in it, and around each row of fragments on its way out
  CHECK(module_reader(k).with(op_barrier).size() == 2 + 2 * 4);
}
TEST_CASE("the tile follows the memory of a workgroup and its subgroups") {
  for (const int subgroup : {8, 16, 32, 64})
    for (const int bytes : {16384, 32768, 49152, 65536}) {
      INFO(subgroup << ", " << bytes);
      spirv::target t = gpu_with(precision::float16, cube, false);
      t.subgroup = subgroup;
      t.shared_bytes = bytes;
      const spirv::kernel k = kernel_for<large_layers>(t);
      // 32 subgroups of 8 need a tile of 64 x 128
      CHECK((multiplications(k) > 0) == !(subgroup == 8 && bytes == 16384));
      if (multiplications(k) == 0) continue;
      CHECK(k.local[0] == 256);
      const module_reader m(k);
      i64 most = 0;  // of the arrays of two words
      for (const auto& i : m.with(28))
        most = std::max<i64>(most, i64{m.constant(i.operands[2])} * 8);
      CHECK(most > 0);
      CHECK(most <= bytes);
    }
}
TEST_CASE("without matrices, and for vectors, the words are those of other forms") {
  spirv::target plain = gpu_with(precision::float32, cube, false), none = plain;
  none.matrix = {};
  CHECK(hash_of(kernel_for<layers>(plain)) ==
        hash_of(kernel_for<layers>(none)));  // float32 stays float32
  const spirv::target half = gpu_with(precision::float16, cube, false);
  CHECK(hash_of(kernel_for<vectors>(half)) == hash_of(kernel_for<vectors>(none)));
  CHECK(multiplications(kernel_for<layers>(half)) > 0);
  CHECK(multiplications(kernel_for<layers>(none)) == 0);
  for (const matrix_shape odd :
       {matrix_shape{16, 16, 24}, matrix_shape{12, 16, 16}, matrix_shape{2, 2, 2}})
    CHECK(multiplications(kernel_for<layers>(gpu_with(precision::float16, odd, false))) == 0);
}
TEST_CASE(
    "of a device's matrices those with sums in float32 are used, the largest that a subgroup has") {
  using form = tenon::vulkan_matrix_form;
  tenon::vulkan_facts f;
  const auto add = [&](std::uint32_t m, std::uint32_t n, std::uint32_t k, std::uint32_t in,
                       std::uint32_t out, bool subgroup = true) {
    f.matrix[f.matrix_forms++] = {m, n, k, in, in, out, out, false, subgroup};
  };
  add(16, 16, 16, form::f16, form::f16);
  add(16, 8, 8, form::f16, form::f32);
  add(16, 8, 16, form::f16, form::f32);
  add(16, 16, 16, form::f16, form::f32);
  add(16, 8, 32, form::f16, form::f32);
  add(64, 64, 16, form::f16, form::f32);
  add(32, 32, 16, form::f16, form::f32, false);
  add(16, 16, 32, form::s8, form::s32);
  add(8, 8, 16, form::bf16, form::f32);
  CHECK(tenon::matrix_shape_of(f, form::f16) == cube);
  CHECK(tenon::matrix_shape_of(f, form::bf16) == matrix_shape{8, 8, 16});
  CHECK(!tenon::matrix_shape_of(f, form::s8).exists());

  CHECK(!tenon::matrix_unit_of(f).half.exists());  // nothing is enabled
  f.has.cooperative_matrix = f.has.memory_model = true;
  CHECK(!tenon::matrix_unit_of(f).half.exists());
  f.has.float16 = true;
  CHECK(tenon::matrix_unit_of(f).half == cube);
  for (const bool apart :
       {false, true}) {  // a mode for float16 alone: only where it may differ from float32's
    f.round_even_16 = f.denorm_preserve_16 = true;
    f.round_apart = f.denorm_apart = apart;
    CHECK(tenon::matrix_unit_of(f).rounds_even == apart);
    CHECK(tenon::matrix_unit_of(f).keeps_denormals == apart);
  }
  CHECK(!tenon::matrix_unit_of(f).bfloat.exists());
  f.has.bfloat16 = f.has.bfloat16_matrix = true;
  CHECK(tenon::matrix_unit_of(f).bfloat == matrix_shape{8, 8, 16});
  f.has.memory_model = false;
  CHECK(!tenon::matrix_unit_of(f).bfloat.exists());
}
TEST_CASE(
    "a policy of 16 bits on a device without matrices is an error that names the policy to take") {
  need_device<tenon::vulkan>();
  if (tenon::target_of(tenon::vulkan::standard()).matrix.half.exists())
    skip("the device has matrices");
  const tenon::tensor square{tenon::type::float32, extents(16, 16)};
  builder b;
  const auto net =
      b.finish({b.add<tenon::matmul_t>({}, {b.input("a", square), b.input("b", square)})});
  REQUIRE(net.ok());
  const auto refused = [&]<class Policy>(const char* other) {
    const tenon::model<tenon::dynamic, Policy> m(*net, tenon::weights<0>{});
    INFO(describe(m.fault()));
    CHECK(m.fault().is(tenon::code::feature, Policy::name));
    CHECK(m.fault().expected == tenon::fact(other));
    CHECK(describe(m.fault()).find("VK_KHR_cooperative_matrix") != std::string::npos);
  };
  refused.operator()<tenon::vulkan_f16>("the policy vulkan");
  refused.operator()<tenon::vulkan_bf16>("the policy vulkan");
  refused.operator()<tenon::vulkan_f16_staged>("the policy vulkan_staged");
  refused.operator()<tenon::vulkan_bf16_staged>("the policy vulkan_staged");
}

// ---- results

TEST_CASE(
    "random matmul in fragments is what reference computes of rounded operands, bit for bit") {
  compare(1, times(40), 0, matrices);
}
TEST_CASE("random gemm in fragments is what reference computes of rounded operands") {
  compare(2, times(30), 2e-6f, gemm);
}
TEST_CASE("epilogues on sums of fragments are computed in float32") {
  compare(3, times(40), 1e-5f,
          [](maker& m) { return m.epilogue(m.d.one_in(2) ? gemm(m) : matrices(m)); });
}
TEST_CASE(
    "convolutions in fragments are what reference computes of rounded operands, bit for bit") {
  compare(4, times(24), 0, convolution);
}
TEST_CASE(
    "float16 graphs use float16 matrices without being asked: products of such numbers are exact") {
  if (none()) return;
  const emission_restored restored;
  for (int i = 0; i < times(8); ++i) {
    dice d = dice_of(5, i);
    emit_for(d);
    spirv::target& t = emission_target();
    t.subgroup = 32;  // tiles of these fit into every memory
    t.matrix.half = cube;
    t.matrix.products = precision::float32;
    t.matrix.keeps_denormals = true;
    maker m{d};
    const i64 rows = edge(d), columns = edge(d), terms = edge(d);
    const bool both = i % 4 != 0;
    const auto half = [&](builder::value x) {
      return m.b.add<tenon::cast_t>({tenon::type::float16}, {x});
    };
    const builder::value a = half(m.leaf(extents(rows, terms))),
                         b = m.leaf(extents(terms, columns));
    builder::value y;
    if (both)
      y = m.b.add<tenon::matmul_t>({}, {a, half(b)});
    else
      y = m.b.add<tenon::matmul_t>({}, {m.b.add<tenon::cast_t>({tenon::type::float32}, {a}), b});
    if (both) y = m.b.add<tenon::cast_t>({tenon::type::float32}, {y});
    const tenon::result<tenon::table> made = m.b.finish({y});
    REQUIRE(made.ok());
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(made->view()));
    CHECK(in_fragments(made->view()) == both);
    const contents c = random_contents(made->view(), d);
    std::string problem;
    const results wanted = run_table<tenon::reference>(made->view(), c, wall::behind, problem);
    const results found = run_table<any_family>(made->view(), c, wall::behind, problem);
    CHECK(problem == "");
    CHECK(bare_device::instance().fault == "");
    // rounded once, behind the sum: what another last place makes of it is one step of float16
    CHECK(far_apart(wanted[0], found[0], both ? 0 : 2e-5f) == "");
  }
}
TEST_CASE("numbers that 16 bits cannot hold become what the format says") {
  if (none()) return;
  const emission_restored restored;
  constexpr float inf = std::numeric_limits<float>::infinity(),
                  nan = std::numeric_limits<float>::quiet_NaN();
  const float odd[] = {65504,         65519,
                       65520,         -70000,
                       1e30f,         3.4028235e38f,
                       3.3961776e38f, 6e-8f,
                       2e-8f,         flushes_subnormals() ? 0 : 1e-40f,
                       inf,           -inf,
                       nan,           0,
                       -0.0f,         1.00048828125f,
                       1.00390625f,   1.01171875f};
  for (const precision p : {precision::float16, precision::bfloat16})
    for (const bool converts : {false, true}) {
      spirv::target& t = emission_target();
      t = gpu_with(p, cube, true);
      t.matrix.rounds_even = t.matrix.keeps_denormals = converts;
      t.float64 = false;
      const tenon::tensor square{tenon::type::float32, extents(32, 32)};
      builder b;
      const auto net =
          b.finish({b.add<tenon::matmul_t>({}, {b.input("x", square), b.input("unit", square)})});
      REQUIRE(net.ok());
      contents c;
      c.inputs.assign(2, std::vector<float>(32 * 32));
      for (std::size_t i = 0; i < 32; ++i) {
        c.inputs[0][i * 33] =
            odd[i % std::size(odd)];  // on the diagonal: 0 * inf stays in its own row
        c.inputs[1][i * 33] = 1;
      }
      std::string problem;
      const results wanted = run_table<tenon::reference>(
          net->view(), with_rounded_operands(net->view(), c, p), wall::behind, problem);
      const results found = run_table<any_family>(net->view(), c, wall::behind, problem);
      CHECK(problem == "");
      INFO((p == precision::float16 ? "float16" : "bfloat16")
           << (converts ? ", converted" : ", by bits"));
      CHECK(far_apart(wanted[0], found[0], 0) == "");
    }
}
TEST_CASE(
    "on a device with matrices the policies of 16 bits compute what reference does of rounded "
    "operands") {
  int had = 0;
  had += on_device<tenon::vulkan_f16>(7, precision::float16);
  had += on_device<tenon::vulkan_f16_staged>(8, precision::float16);
  had += on_device<tenon::vulkan_bf16>(9, precision::bfloat16);
  had += on_device<tenon::vulkan_bf16_staged>(10, precision::bfloat16);
  if (had == 0) skip("no device has matrices of 16 bits");
}
TEST_CASE(
    "a kernel in fragments runs in full subgroups, without a complaint of the validation layer") {
  need_device<vulkan_validated>();
  tenon::vulkan_context& c = vulkan_validated::standard();
  spirv::target t = tenon::target_of(c, precision::float16);
  t.matrix.half = cube;
  t.matrix.emulated = true;
  const spirv::kernel k = kernel_for<layers>(t);
  CHECK(k.subgroup == c.facts().subgroup_size);
  const auto made =
      c.kernel({k.words.data(), static_cast<std::size_t>(k.words.size())}, k.ports.size(),
               c.addressing(), c.facts().subgroup_size_chosen ? k.subgroup : 0);
  REQUIRE(made);
  dice d = dice_of(6, 0);
  const tenon::table_view net = tenon::plan<layers, fusing>::view().table;
  std::vector<tenon::vulkan_memory> memory;
  std::vector<tenon::vulkan_port> ports;
  std::vector<std::span<float>> of(4);  // a, b, c and the result
  for (const spirv::port& p : k.ports) {
    const i64 count = net.nodes[p.holder].out.shape.count();
    auto own = tenon::vulkan_memory::host(c, 4 * count);
    REQUIRE(own);
    std::size_t which = 0;
    while (which < 3 && net.inputs[static_cast<int>(which)] != p.holder) ++which;
    of[which] = {reinterpret_cast<float*>(own->data()), static_cast<std::size_t>(count)};
    for (float& x : of[which]) x = d.real();
    ports.push_back({own->address(), 4 * count, 4, p.writes});
    memory.push_back(std::move(*own));
  }
  tenon::vulkan_recording r(c, true);
  REQUIRE(r.begin().ok());
  REQUIRE(r.dispatch(**made, ports, k.groups[0], k.groups[1], k.groups[2]).ok());
  REQUIRE(r.end().ok());
  REQUIRE(r.submit_and_wait().ok());
  for (std::size_t row = 0; row < 40; ++row)
    for (std::size_t column = 0; column < 16; ++column) {
      float sum = 0;
      for (std::size_t i = 0; i < 24; ++i)
        sum += rounded(of[0][row * 24 + i], precision::float16) *
               rounded(of[1][i * 16 + column], precision::float16);
      CHECK(of[3][row * 16 + column] == std::max(sum + of[2][column], 0.0f));
    }
  CHECK(vulkan_validated::said() == "");
}
TEST_CASE("every module in fragments is valid") {
  if (none()) return;
  if (std::system("spirv-val --version >/dev/null 2>&1") != 0) {
    WARN("spirv-val is not installed: nothing was checked");
    return;
  }
  const auto valid = [](const spirv::kernel& k, bool loud) {
    char file[] = "/tmp/tenon_matrix_XXXXXX";
    const int opened = mkstemp(file);
    REQUIRE(opened >= 0);
    const std::size_t bytes = static_cast<std::size_t>(k.words.size()) * 4;
    const bool written = write(opened, k.words.data(), bytes) == static_cast<ssize_t>(bytes);
    close(opened);
    const int r = std::system(
        ("spirv-val --target-env vulkan1.3 " + std::string(file) + (loud ? "" : " >/dev/null 2>&1"))
            .c_str());
    unlink(file);
    return written && r == 0;
  };
  for (const precision p : {precision::float16, precision::bfloat16})
    for (const auto by : {spirv::addressing::address, spirv::addressing::descriptor}) {
      spirv::target t = gpu_with(p, cube, true);
      t.by = by;
      CHECK(valid(kernel_for<layers>(t), true));
      CHECK(valid(kernel_for<large_layers>(t), true));
    }
  // a tool that does not know the extension cannot even read the types
  if (std::system("spirv-val --version | grep -qE 'v20(2[4-9]|[3-9][0-9])'") != 0) {
    WARN(
        "this spirv-val is older than SPV_KHR_cooperative_matrix: such modules were only read by "
        "the tests' own reader");
    return;
  }
  for (const auto by : {spirv::addressing::address, spirv::addressing::descriptor}) {
    spirv::target t = gpu_with(precision::float16, cube, false);
    t.by = by;
    t.matrix.rounds_even = t.matrix.keeps_denormals = true;
    CHECK(valid(kernel_for<layers>(t), true));
    CHECK(valid(kernel_for<large_layers>(t), true));
  }
}

// Programs that every build carries: which ones are recognised, and that they have the bits of the
// interpreter.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "testing.hpp"

using tenon::builder, tenon::extents, tenon::i64, tenon::program_view;

namespace {

/// The only program of a graph of up to three inputs.
template <class Make> tenon::table prepared(const Make& make) {
  builder b;
  builder::value x[3];
  for (int i = 0; i < 3; ++i)
    x[i] = b.input(tenon::name("x") + i, {tenon::type::float32, extents(1)});
  const tenon::result<tenon::table> table = b.finish({make(b, x)});
  REQUIRE(table.ok());
  return tenon::plans::prepare(table->view());
}
program_view only_program(const tenon::table& t) {
  const tenon::table_view v = t.view();
  REQUIRE(v.programs.size == 1);
  return {v.code.data + v.programs[0].begin, v.programs[0].size};
}
/// True if the program is known. Then it must have the interpreter's bits, for whole registers,
/// for a rest, and for a repeated operand.
template <class Make> bool is_known(const Make& make) {
  const tenon::table t = prepared(make);
  const program_view p = only_program(t);
  const tenon::simd::function::run_type known = tenon::simd::find_known_program(p);
  if (known == nullptr) return false;
  constexpr i64 count = 200;
  std::vector<float> x[3], wanted(count), found(count);
  tenon_test::dice d{1};
  tenon::simd::stream in[3];
  for (int k = 0; k < 3; ++k) {
    x[k] = tenon_test::random_floats(count, d, 20);
    in[k] = {x[k].data(), k == 1 && d.one_in(2) ? 0 : 1};
  }
  for (const i64 n : {i64{1}, i64{15}, i64{64}, count}) {
    known(p, in, found.data(), n);
    tenon::simd::run_interpreted(p, in, wanted.data(), n);
    CHECK(std::memcmp(found.data(), wanted.data(), static_cast<std::size_t>(n) * 4) == 0);
  }
  return true;
}

}  // namespace

TEST_CASE(
    "bias, residual, activation and softmax programs are known, with the interpreter's bits") {
  CHECK(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::add_t>({}, {x[0], x[1]});
  }));
  CHECK(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::relu_t>({}, {b.add<tenon::add_t>({}, {x[0], x[1]})});
  }));
  CHECK(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::add_t>({}, {b.add<tenon::add_t>({}, {x[0], x[1]}), x[2]});
  }));
  CHECK(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::clamp_t>({0.0f, 6.0f}, {b.add<tenon::add_t>({}, {x[0], x[1]})});
  }));
  CHECK(
      is_known([](builder& b, builder::value* x) { return b.add<tenon::sigmoid_t>({}, {x[0]}); }));
  CHECK(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::div_t>({}, {x[0], x[1]});
  }));
}

TEST_CASE("other programs are not known") {
  CHECK_FALSE(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::sub_t>({}, {x[0], x[1]});
  }));
  CHECK_FALSE(is_known([](builder& b, builder::value* x) {
    return b.add<tenon::clamp_t>({0.0f, 5.0f}, {b.add<tenon::add_t>({}, {x[0], x[1]})});
  }));
}

// Products of square matrices, the right one constant, as static graphs on cpu.
// SPDX-License-Identifier: MIT
#include "../nets.hpp"

namespace {

template <int N> struct product {
  static constexpr auto write = [](auto a) { return tn::matmul(a, tn::weight<"b", float, N, N>); };
  using graph = tn::graph<write, tn::input<"a", float, N, N>>;

  static tn::result<tn::table> build() {
    constexpr tn::tensor square{tn::type::float32, tn::extents(N, N)};
    tn::builder b;
    const auto a = b.input("a", square);
    return b.finish({b.add<tn::matmul_t>({}, {a, b.weight("b", square)})});
  }
  static network describe(const char* name) { return ::describe<graph>(name, name, "y", build()); }
};

}  // namespace

network nets::gemm(int n) {
  switch (n) {
    case 64: return product<64>::describe("gemm64");
    case 128: return product<128>::describe("gemm128");
    case 256: return product<256>::describe("gemm256");
    case 512: return product<512>::describe("gemm512");
    case 1024: return product<1024>::describe("gemm1024");
    default: fail("there is no product of that size");
  }
}

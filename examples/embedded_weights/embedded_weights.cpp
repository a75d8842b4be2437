// Weights in read-only memory, an arena inside the instance, no heap: tenon on a microcontroller.
// The compiler runs the same network, and both results are the same bits.
// SPDX-License-Identifier: MIT
#include <tenon/reference.hpp>
#include "infer.hpp"
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
namespace tn = tenon;

using image = std::array<float, lines::side * lines::side>;
using answer = std::array<float, 4>;

/// A line through the middle: direction 0 to 3.
constexpr image draw(int direction) {
  image pixels{};
  for (int i = 0; i < lines::side; ++i) {
    const int row = direction == 0 ? lines::side / 2 : direction == 3 ? lines::side - 1 - i : i;
    const int column = direction == 1 ? lines::side / 2 : i;
    pixels[static_cast<std::size_t>(row * lines::side + column)] = 1;
  }
  return pixels;
}

/// The network's answer as the compiler computes it.
template <int Direction> consteval answer evaluated() {
  constexpr image pixels = draw(Direction);
  float input[pixels.size()]{}, filters[36]{}, output[4]{};
  for (std::size_t i = 0; i < pixels.size(); ++i) input[i] = pixels[i];
  for (int i = 0; i < 36; ++i) filters[i] = lines::filters[i / 9][0][i / 3 % 3][i % 3];
  const tn::code done =
      tn::evaluate<lines::net>({tn::given("image", input), tn::given("filters", filters)}, output);
  return done == tn::code::ok ? std::to_array(output) : answer{};
}
constexpr answer expected[] = {evaluated<0>(), evaluated<1>(), evaluated<2>(), evaluated<3>()};
static_assert(expected[0][0] > 0.9f && expected[1][1] > 0.9f && expected[2][2] > 0.9f &&
              expected[3][3] > 0.9f);

int main() {
  std::puts(
      "A network tells lines apart by their direction; its weights are constants of the program.");
  int wrong = 0;
  for (unsigned direction = 0; direction < 4; ++direction) {
    const image pixels = draw(static_cast<int>(direction));
    answer computed{};
    if (!infer(pixels, computed).ok()) return 1;
    const auto found =
        static_cast<std::size_t>(std::ranges::max_element(computed) - computed.begin());
    using bits = std::array<std::uint32_t, 4>;
    const bool same = std::bit_cast<bits>(computed) == std::bit_cast<bits>(expected[direction]);
    wrong += !same || found != direction;
    std::printf("  a %-10s line: %-10s with probability %.6f, %s\n", lines::directions[direction],
                lines::directions[found], static_cast<double>(computed[found]),
                same ? "bit for bit what the compiler found" : "NOT what the compiler found");
  }
  return wrong;
}

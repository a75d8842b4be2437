// Transposed squares and matrices: every element where it belongs, nothing written outside, and
// what `change` is told.
// SPDX-License-Identifier: MIT
#include <tenon/policy/cpu/tile_transpose.hpp>
#include "../../catch.hpp"
#include <vector>

namespace {

using namespace tenon::simd;
using tenon::i64;

// With Lane 4 and Run 1 these are unpcklps and unpckhps: a0 b0 a1 b1, and a2 b2 a3 b3.
static_assert(interleaved<4, 1, false>::of(0) == 0 && interleaved<4, 1, false>::of(1) == width &&
              interleaved<4, 1, false>::of(2) == 1 && interleaved<4, 1, false>::of(3) == width + 1);
static_assert(interleaved<4, 1, true>::of(0) == 2 && interleaved<4, 1, true>::of(3) == width + 3);
static_assert(interleaved<4, 2, false>::of(1) == 1 && interleaved<4, 2, false>::of(2) == width,
              "movlhps: a0 a1 b0 b1");

/// Rows that are farther apart than they are long, whose elements are their own numbers; readable
/// up to whole squares.
struct matrix {
  i64 rows, columns, row;
  std::vector<float> of;
  static i64 whole(i64 n) { return (n + width - 1) / width * width; }
  matrix(i64 r, i64 c)
      : rows(r),
        columns(c),
        row(whole(c) + 3),
        of(static_cast<std::size_t>(whole(r) * row), -7.0f) {
    for (i64 i = 0; i < rows; ++i)
      for (i64 j = 0; j < columns; ++j) at(i, j) = static_cast<float>(1000 * i + j);
  }
  float& at(i64 i, i64 j) { return of[static_cast<std::size_t>(i * row + j)]; }
};

}  // namespace

TEST_CASE("a square turns: column after column is handed out, in order") {
  matrix m(width, width);
  int next = 0;
  transpose_square(m.of.data(), m.row, [&](int column, const lanes_of_register& x) {
    CHECK(column == next++);
    for (int i = 0; i < width; ++i) CHECK(x[i] == m.at(i, column));
  });
  CHECK(next == width);
}

TEST_CASE("matrices of all sizes are transposed, and nothing is written beside them") {
  for (const i64 rows : {1, 3, width - 1, width, width + 1, 2 * width, 2 * width + 5})
    for (const i64 columns : {1, 2, width - 1, width, width + 3, 3 * width}) {
      CAPTURE(rows, columns);
      matrix m(rows, columns);
      const i64 row = rows + 2;
      std::vector<float> to(static_cast<std::size_t>(columns * row), -1.0f);
      transpose(m.of.data(), m.row, rows, columns, to.data(), row);
      bool right = true, untouched = true;
      for (i64 c = 0; c < columns; ++c)
        for (i64 r = 0; r < row; ++r) {
          const float found = to[static_cast<std::size_t>(c * row + r)];
          if (r < rows)
            right = right && found == m.at(r, c);
          else
            untouched = untouched && found == -1.0f;
        }
      CHECK(right);
      CHECK(untouched);
    }
}

TEST_CASE("what changes a register is told its column, its first row and how many rows it has") {
  for (const i64 rows : {i64{3}, i64{width}, i64{width + 2}}) {
    CAPTURE(rows);
    const i64 columns = width + 1;
    matrix m(rows, columns);
    std::vector<float> to(static_cast<std::size_t>(columns * rows));
    transpose(m.of.data(), m.row, rows, columns, to.data(), rows,
              [&](real x, i64 column, i64 row, i64 n) {
                CHECK((column >= 0 && column < columns && row >= 0 && row + n <= rows));
                alignas(64) float lanes[width];
                x.store_aligned(lanes);
                for (i64 i = 0; i < n; ++i) CHECK(lanes[i] == m.at(row + i, column));
                return x + real(0.5f);
              });
    for (i64 c = 0; c < columns; ++c)
      for (i64 r = 0; r < rows; ++r)
        CHECK(to[static_cast<std::size_t>(c * rows + r)] == m.at(r, c) + 0.5f);
  }
}

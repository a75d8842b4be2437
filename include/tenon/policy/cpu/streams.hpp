// Functions on operands of any stride.
//
// The loops of programs know strides of 1 and 0 (program.hpp). Operands that lie otherwise, such as
// the columns of a matrix that a view shows as rows, are gathered into a block on the stack first,
// 256 elements at a time, which stays in the first level of the cache.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/program.hpp>
#include <cstring>

namespace tenon::simd {

/// Elements of a stack buffer into which strided operands are gathered.
inline constexpr i64 gather_block = 256;

/// `n` elements that lie `step` apart, one behind the other.
inline void gather(const float* from, i64 step, float* to, i64 n) noexcept {
  for (i64 i = 0; i < n; ++i) to[i] = from[i * step];
}
template <class T> inline void gather(const stream& from, void* to, i64 n) noexcept {
  const auto* x = static_cast<const T*>(from.data);
  auto* y = static_cast<T*>(to);
  for (i64 i = 0; i < n; ++i) y[i] = x[i * from.step];
}
/// Elements of any size.
inline void gather(const stream& from, void* to, i64 n) noexcept {
  if (from.bytes == 4) return gather<float>(from, to, n);
  if (from.bytes == 1) return gather<std::byte>(from, to, n);
  if (from.bytes == 2) return gather<std::uint16_t>(from, to, n);
  gather<std::uint64_t>(from, to, n);
}

/// Runs a function whose streams may have any stride. One without a loop copies operand 0.
inline void run_streams(const function& f, const stream* in, int operands, void* out,
                        i64 n) noexcept {
  bool plain = true;  // all operands as the loops want them
  for (int k = 0; k < operands; ++k) plain = plain && (in[k].step == 0 || in[k].step == 1);
  if (f.run == nullptr && in[0].step == 1) {
    std::memcpy(out, in[0].data, static_cast<std::size_t>(n * in[0].bytes));
    return;
  }
  if (f.run == nullptr) return gather(in[0], out, n);
  if (plain) return f.run(f.program, in, out, n);
  const i64 out_bytes = f.bytes;
  alignas(8) std::byte room[max_operands][gather_block * 8];
  for (i64 at = 0; at < n; at += gather_block) {
    const i64 m = n - at < gather_block ? n - at : gather_block;
    stream block_of[max_operands];
    for (int k = 0; k < operands; ++k) {
      block_of[k] = {in[k].at(at), in[k].step, in[k].bytes};
      if (in[k].step == 0 || in[k].step == 1) continue;
      gather(block_of[k], room[k], m);
      block_of[k] = {room[k], 1, in[k].bytes};
    }
    f.run(f.program, block_of, static_cast<std::byte*>(out) + at * out_bytes, m);
  }
}

}  // namespace tenon::simd

// What kernels are written for, and what comes out: the device as data, and one dispatch.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <tenon/base/type.hpp>
#include <tenon/policy/vulkan/spirv/grammar.hpp>
#include <limits>

namespace tenon::spirv {

/// How kernels find their buffers.
enum class addressing : std::uint8_t {
  address,     ///< push constant k: the 64-bit device address where port k's holder begins
  descriptor,  ///< binding k of set 0 is port k; push constant k: 32 bits, where its holder begins
               ///< in elements
};

/// What float32 operands of matrix products are rounded to; sums are float32.
enum class precision : std::uint8_t { float32, float16, bfloat16 };
/// A product that a device computes at once: rows x terms by terms x columns; no rows: the device
/// has none.
struct matrix_shape {
  int rows = 0, columns = 0, terms = 0;
  constexpr bool exists() const { return rows > 0; }
  constexpr bool operator==(const matrix_shape&) const = default;
};
/// The matrices of a device, with float32 sums, and what they may be used for.
struct matrix_unit {
  precision products = precision::float32;
  matrix_shape half{}, bfloat{};  ///< of float16, of bfloat16
  bool rounds_even = false;       ///< conversions to float16 round to nearest even if told to
  bool keeps_denormals = false;   ///< and keep subnormal float16
  bool emulated =
      false;  ///< no device: fragments are written as arrays, so that tests run anywhere
  constexpr matrix_shape of(precision p) const {
    return p == precision::float16 ? half : p == precision::bfloat16 ? bfloat : matrix_shape{};
  }
};

/// What a device has, as far as kernels care.
struct target {
  addressing by = addressing::address;
  bool storage8 = true, storage16 = true;  ///< elements of one and two bytes in buffers
  bool int8 = true, int16 = true;  ///< in arithmetic; not needed, but spirv-val wants them declared
  bool int64 = true;
  bool float16 = false;  ///< conversions from float16 and to it: subnormal numbers kept, NaN quiet
  bool float64 = false;
  bool keeps_nan = true, keeps_denormals = false;  ///< execution modes for float32
  bool fuses = true;        ///< fma rounds once; false: drivers that write a product and a sum
  bool cpu_driver = false;  ///< invocations are SIMD lanes: no shared memory, no barriers, vectors
  int subgroup = 0;         ///< invocations of a subgroup; 0: not known
  bool shuffles = false;    ///< an invocation can read what another one of its subgroup has
  int invocations = 256;    ///< most of a workgroup
  /// Iterations of all its loops after which a driver takes an invocation for endless, and leaves
  /// it.
  std::int64_t iterations = std::numeric_limits<std::int64_t>::max();
  int shared_bytes = 16384;
  bool unaligned =
      false;  ///< 8 bytes may be read at any multiple of 4: CPU drivers on CPUs that can
  matrix_unit matrix{};
};

/// A buffer that a kernel binds: a holder of the plan.
struct port {
  int holder = -1;
  type element = type::float32;  ///< uint8 for types of four bits
  bool reads = false, writes = false;
};
/// Most buffers of a kernel: 128 bytes of push constants.
inline constexpr int max_ports = 16;

/// One dispatch; the entry point is "main".
struct kernel {
  sequence<word> words;
  sequence<port> ports;
  word local[3]{1, 1, 1}, groups[3]{1, 1, 1};
  word subgroup = 0;  ///< invocations that every subgroup must have; 0: any number
};

}  // namespace tenon::spirv

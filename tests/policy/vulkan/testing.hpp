// What tests on a Vulkan device share: contexts, and a kernel assembled by hand.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include <tenon/policy/vulkan/memory.hpp>
#include <tenon/policy/vulkan/recording.hpp>
#include "../../catch.hpp"
#include "driver.hpp"
#include <bit>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace tn = tenon;

namespace tenon_test {

/// SPIR-V, word by word: `out[i] = in[i] * scale + add` for float32, 64 invocations per group, port
/// 0 read and port 1 written.
struct assembly {
  std::vector<std::uint32_t> words{0x07230203, 0x00010300, 0, 100, 0};
  void op(std::uint32_t code, std::initializer_list<std::uint32_t> arguments) {
    words.push_back(static_cast<std::uint32_t>(arguments.size() + 1) << 16 | code);
    words.insert(words.end(), arguments);
  }
  void text(std::uint32_t code, std::initializer_list<std::uint32_t> before, std::string s,
            std::initializer_list<std::uint32_t> after = {}) {
    s.resize(s.size() / 4 * 4 + 4);
    const std::size_t all = 1 + before.size() + s.size() / 4 + after.size();
    words.push_back(static_cast<std::uint32_t>(all) << 16 | code);
    words.insert(words.end(), before);
    for (std::size_t i = 0; i < s.size(); i += 4) {
      std::uint32_t w = 0;
      for (std::size_t k = 0; k < 4; ++k)
        w |= static_cast<std::uint32_t>(static_cast<unsigned char>(s[i + k])) << 8 * k;
      words.push_back(w);
    }
    words.insert(words.end(), after);
  }
};

inline std::vector<std::uint32_t> affine(tn::vulkan_addressing addressing, float scale, float add) {
  const bool by_address = addressing == tn::vulkan_addressing::address;
  enum : std::uint32_t {
    none,
    main,
    gid,
    void_t,
    fn_t,
    uint_t,
    float_t,
    uvec3_t,
    in_uvec3_t,
    in_uint_t,
    array_t,
    block_t,
    block_p,
    float_p,
    push_t,
    push_p,
    push,
    member_p,
    zero,
    one,
    k_scale,
    k_add,
    in_v,
    out_v,
    label,
    x,
    from,
    to,
    first,
    second,
    loaded,
    scaled,
    sum,
    at_in,
    at_out,
    start_in,
    start_out,
    in_p,
    out_p
  };
  enum : std::uint32_t { input = 1, push_constant = 9, storage = 12, physical = 5349 };
  const std::uint32_t space = by_address ? physical : storage;
  assembly a;
  a.op(17, {1});  // Capability Shader
  if (by_address) {
    a.op(17, {5347});  // PhysicalStorageBufferAddresses
    a.text(10, {}, "SPV_KHR_physical_storage_buffer");
  }
  a.op(14, {by_address ? 5348u : 0u, 1});  // MemoryModel
  a.text(15, {5, main}, "main", {gid});    // EntryPoint GLCompute
  a.op(16, {main, 17, 64, 1, 1});          // LocalSize
  a.op(71, {gid, 11, 28});                 // BuiltIn GlobalInvocationId
  a.op(71, {array_t, 6, 4});               // ArrayStride
  a.op(71, {block_t, 2});                  // Block
  a.op(72, {block_t, 0, 35, 0});           // Offset
  a.op(71, {push_t, 2});
  a.op(72, {push_t, 0, 35, 0});
  a.op(72, {push_t, 1, 35, by_address ? 8u : 4u});
  if (!by_address)
    for (const std::uint32_t v : {in_v, out_v}) {
      a.op(71, {v, 33, v == in_v ? 0u : 1u});  // Binding
      a.op(71, {v, 34, 0});                    // DescriptorSet
    }
  a.op(19, {void_t});
  a.op(33, {fn_t, void_t});
  a.op(21, {uint_t, 32, 0});
  a.op(22, {float_t, 32});
  a.op(23, {uvec3_t, uint_t, 3});
  a.op(32, {in_uvec3_t, input, uvec3_t});
  a.op(32, {in_uint_t, input, uint_t});
  a.op(29, {array_t, float_t});
  a.op(30, {block_t, array_t});
  a.op(32, {block_p, space, block_t});
  a.op(32, {float_p, space, float_t});
  a.op(30, {push_t, by_address ? block_p : uint_t, by_address ? block_p : uint_t});
  a.op(32, {push_p, push_constant, push_t});
  a.op(32, {member_p, push_constant, by_address ? block_p : uint_t});
  a.op(43, {uint_t, zero, 0});
  a.op(43, {uint_t, one, 1});
  a.op(43, {float_t, k_scale, std::bit_cast<std::uint32_t>(scale)});
  a.op(43, {float_t, k_add, std::bit_cast<std::uint32_t>(add)});
  a.op(59, {in_uvec3_t, gid, input});
  a.op(59, {push_p, push, push_constant});
  if (!by_address) {
    a.op(59, {block_p, in_v, space});
    a.op(59, {block_p, out_v, space});
  }
  a.op(54, {void_t, main, 0, fn_t});
  a.op(248, {label});
  a.op(65, {in_uint_t, first, gid, zero});
  a.op(61, {uint_t, x, first});
  a.op(65, {member_p, start_in, push, zero});
  a.op(65, {member_p, start_out, push, one});
  a.op(61, {by_address ? block_p : uint_t, from, start_in});
  a.op(61, {by_address ? block_p : uint_t, to, start_out});
  if (by_address) {
    a.op(65, {float_p, in_p, from, zero, x});
    a.op(65, {float_p, out_p, to, zero, x});
    a.op(61, {float_t, loaded, in_p, 2, 4});  // Aligned 4
  } else {
    a.op(128, {uint_t, at_in, from, x});
    a.op(128, {uint_t, at_out, to, x});
    a.op(65, {float_p, in_p, in_v, zero, at_in});
    a.op(65, {float_p, out_p, out_v, zero, at_out});
    a.op(61, {float_t, loaded, in_p});
  }
  a.op(133, {float_t, scaled, loaded, k_scale});
  a.op(129, {float_t, sum, scaled, k_add});
  if (by_address)
    a.op(62, {out_p, sum, 2, 4});
  else
    a.op(62, {out_p, sum});
  a.op(253, {});
  a.op(56, {});
  return a.words;
}

/// Skips the test case where there is no device.
inline void need(const tn::vulkan_context& context) {
  if (context.fault().what == tn::code::no_device) skip(describe(context.fault()));
  INFO(describe(context.fault()));
  REQUIRE(context.ok());
}

inline tn::vulkan_options options(tn::vulkan_addressing addressing) {
  tn::vulkan_options o;
  o.addressing = addressing;
  return o;
}

/// A context under the validation layer, and what the layer says until the device has ended,
/// forgotten handles included.
struct validated {
  std::string said;
  std::unique_ptr<tn::vulkan_context> context;
  explicit validated(tn::vulkan_addressing addressing) {
    tn::vulkan_options o = options(addressing);
    o.validation = true;
    o.user = &said;
    o.on_message = [](const char* text, void* user) { *static_cast<std::string*>(user) += text; };
    context = std::make_unique<tn::vulkan_context>(o);
    if (context->fault().what == tn::code::feature) skip(describe(context->fault()));
    need(*context);
  }
  /// Everything that was said; ends the device.
  const std::string& all() {
    context.reset();
    return said;
  }
};

/// Ports of the affine kernel.
inline std::vector<tn::vulkan_port> ports(std::uint64_t from, std::uint64_t to, std::size_t n) {
  const auto bytes = static_cast<tn::i64>(4 * n);
  return {{from, bytes, 4, false}, {to, bytes, 4, true}};
}

/// Runs the affine kernel once. Any error is the recording's or the submission's.
inline tn::error run_affine(tn::vulkan_context& c, std::uint64_t from, std::uint64_t to,
                            std::size_t n, float scale = 2, float add = 1) {
  const auto k = c.kernel(affine(c.addressing(), scale, add), 2);
  if (!k) return k.error();
  tn::vulkan_recording r(c, true);
  (void)r.begin();
  (void)r.dispatch(**k, ports(from, to, n), static_cast<std::uint32_t>(n / 64));
  if (tn::error e = r.end(); !e.ok()) return e;
  const tn::status s = r.submit_and_wait();
  return s.ok() ? tn::error{} : tn::error{s.what, "vulkan", "submit", {}, s.found};
}

inline std::vector<float> counting(std::size_t n) {
  std::vector<float> v(n);
  std::iota(v.begin(), v.end(), 0.0f);
  return v;
}

}  // namespace tenon_test

using namespace tenon_test;

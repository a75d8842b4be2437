// Which matrices of a device kernels use, and what is said where there are none.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan.hpp>
#include <tenon/policy/vulkan/device_facts.hpp>
#include <tenon/policy/vulkan/spirv/writer.hpp>

namespace tenon {

/// The largest product of a subgroup with operands of this type and sums in float32; of 16 x 16 x
/// 16 and 16 x 8 x 32, which are equally large, the one that is listed first.
constexpr spirv::matrix_shape matrix_shape_of(const vulkan_facts& f, std::uint32_t operands) {
  constexpr std::uint32_t sums = vulkan_matrix_form::f32;
  spirv::matrix_shape best;
  i64 largest = 0;
  for (const vulkan_matrix_form& m :
       std::span(f.matrix, static_cast<std::size_t>(f.matrix_forms))) {
    const bool matches = m.a == operands && m.b == operands && m.c == sums && m.result == sums &&
                         m.subgroup_scope && !m.saturating;
    const bool staged = m.m <= 32 && m.n <= 32 && m.k <= 32;  // tiles bring 32 terms at a time
    const i64 size = i64{m.m} * m.n * m.k;
    if (!matches || !staged || size <= largest) continue;
    largest = size;
    best = {static_cast<int>(m.m), static_cast<int>(m.n), static_cast<int>(m.k)};
  }
  return best;
}
/// What of a device's matrices kernels can use, with the features that they need.
constexpr spirv::matrix_unit matrix_unit_of(const vulkan_facts& f) {
  spirv::matrix_unit r;
  r.rounds_even = f.round_even_16 && f.round_apart;
  r.keeps_denormals = f.denorm_preserve_16 && f.denorm_apart;
  if (!f.has.cooperative_matrix || !f.has.memory_model) return r;
  if (f.has.float16) r.half = matrix_shape_of(f, vulkan_matrix_form::f16);
  if (f.has.bfloat16 && f.has.bfloat16_matrix)
    r.bfloat = matrix_shape_of(f, vulkan_matrix_form::bf16);
  return r;
}
/// The error of a policy whose matrices a device does not have: which, and the policy that does
/// without.
constexpr error lacks_matrices(const vulkan_facts& f, const policy_facts& policy,
                               spirv::precision products) {
  const bool half = products == spirv::precision::float16;
  const char* missing = !f.has.cooperative_matrix ? "no VK_KHR_cooperative_matrix"
                        : !f.has.memory_model     ? "no vulkanMemoryModel"
                        : half && !f.has.float16  ? "no shaderFloat16"
                        : !half && !(f.has.bfloat16 && f.has.bfloat16_matrix)
                            ? "no VK_KHR_shader_bfloat16 with matrices"
                        : half ? "no float16 matrices with float32 sums"
                               : "no bfloat16 matrices with float32 sums";
  return {code::feature, policy.name, "matrix products",
          policy.memory == sharing::importable ? "the policy vulkan" : "the policy vulkan_staged",
          missing};
}

}  // namespace tenon

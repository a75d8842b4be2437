// What the examples in the headers' doc comments take for granted; see header_examples.py. Examples
// stand in templates that nobody calls: they are checked, and compile no kernel.
// SPDX-License-Identifier: MIT
#include <tenon/policy/bound_layout.hpp>
#include <tenon/reference.hpp>
#include <tenon/run/thread_pool.hpp>
#include <tenon/tenon.hpp>
#include <tenon/trial.hpp>
#if __has_include(<xsimd/xsimd.hpp>)
#include <tenon/cpu.hpp>
#endif
#if __has_include(<vulkan/vulkan.hpp>)
#include <tenon/policy/vulkan/lease.hpp>
#include <tenon/policy/vulkan/spirv/constant.hpp>
#include <tenon/vulkan.hpp>
#endif

namespace {

using namespace tenon;

inline constexpr auto doubled = [](auto x) { return x * weight<"w", float, 1>; };
using net = graph<doubled, input<"x", float, 2>>;
using model_type = model<net, reference>;
#if !__has_include(<xsimd/xsimd.hpp>)
using cpu = reference;
#endif

namespace language_builder {
template <class> void example() {
  // example: language/builder.hpp
}
}  // namespace language_builder

namespace policy_bound_layout {
struct row_plan {};
// example: policy/bound_layout.hpp
static_assert(lay_out(nullptr, 3).bytes == 2 * arena_align);
}  // namespace policy_bound_layout

namespace policy_reference_evaluate {
// example: policy/reference/evaluate.hpp
}  // namespace policy_reference_evaluate

namespace run_instance {
template <class> void example(const model_type& model, thread_pool& pool, std::byte (&memory)[64]) {
  // example: run/instance.hpp
}
}  // namespace run_instance

namespace run_thread_pool {
template <class> void example(const model_type& model) {
  // example: run/thread_pool.hpp
}
}  // namespace run_thread_pool

namespace trial_differential {
using npu = reference;
template <class> void example() {
  // example: trial/differential.hpp
}
}  // namespace trial_differential

#if __has_include(<vulkan/vulkan.hpp>)
namespace policy_vulkan_lease {
template <class> void example(vulkan_context& context, vk::Buffer buffer) {
  // example: policy/vulkan/lease.hpp
}
}  // namespace policy_vulkan_lease

namespace policy_vulkan_session {
template <class Instance, class Buffer> void example(Instance& instance, vk::CommandBuffer buffer,
                                                     const Buffer& image, const Buffer& result) {
  // example: policy/vulkan/session.hpp
}
}  // namespace policy_vulkan_session

namespace policy_vulkan_spirv {
using namespace tenon::spirv;
template <class> void example(id a, id b, id n) {
  // example: policy/vulkan/spirv/assembler.hpp
}
constexpr sequence<word> negate() { return assembler{}.finish(1, 1, 1); }
template <class Device> void example_of_constant(Device device) {
  // example: policy/vulkan/spirv/constant.hpp
}
}  // namespace policy_vulkan_spirv
#endif

}  // namespace

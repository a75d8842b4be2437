// Execution on Vulkan devices beside tenon/compiled.hpp: what one source of the program compiles,
// the one that includes tenon/compile_vulkan.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/compiled.hpp>
#include <tenon/vulkan.hpp>

namespace tenon {

extern template error vulkan_handles::open<void>(const vulkan_options&, vulkan_features&);
extern template error vulkan_handles::adopt<void>(const vulkan_adopted&, vulkan_features&) noexcept;
extern template error vulkan_bound::bind<void>(vulkan_context&, const plan_view&, int,
                                               const std::byte* const*) noexcept;
extern template error vulkan_bound::follow<void>(const vulkan_bound&, const plan_view&,
                                                 int) noexcept;
extern template status vulkan_session::start<void>(const vulkan_bound&, const plan_view&, int,
                                                   const frame&) noexcept;
extern template status vulkan_session::run<void>(const plan_view&, const group_range&, const frame&,
                                                 waiting) noexcept;
extern template status vulkan_session::run<void>(const plan_view&, const group_range&, const frame&,
                                                 const vulkan_submission&) noexcept;
extern template status vulkan_session::run<void>(const plan_view&, const group_range&, const frame&,
                                                 const vulkan_commands&) noexcept;
extern template result<owned_plan> plan_for<vulkan>(const table_view&);
extern template result<owned_plan> plan_for<vulkan_staged>(const table_view&);

namespace spirv {

extern template sequence<kernel> kernels_of<void>(const plan_view&, int, const target&);

}  // namespace spirv
}  // namespace tenon

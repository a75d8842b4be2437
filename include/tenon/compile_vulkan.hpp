// Compiles here what tenon/compiled_vulkan.hpp only declares: for one source of a program, beside
// tenon/compile.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/compiled_vulkan.hpp>

namespace tenon {

template error vulkan_handles::open<void>(const vulkan_options&, vulkan_features&);
template error vulkan_handles::adopt<void>(const vulkan_adopted&, vulkan_features&) noexcept;
template error vulkan_bound::bind<void>(vulkan_context&, const plan_view&, int,
                                        const std::byte* const*) noexcept;
template error vulkan_bound::follow<void>(const vulkan_bound&, const plan_view&, int) noexcept;
template status vulkan_session::start<void>(const vulkan_bound&, const plan_view&, int,
                                            const frame&) noexcept;
template status vulkan_session::run<void>(const plan_view&, const group_range&, const frame&,
                                          waiting) noexcept;
template status vulkan_session::run<void>(const plan_view&, const group_range&, const frame&,
                                          const vulkan_submission&) noexcept;
template status vulkan_session::run<void>(const plan_view&, const group_range&, const frame&,
                                          const vulkan_commands&) noexcept;
template result<owned_plan> plan_for<vulkan>(const table_view&);
template result<owned_plan> plan_for<vulkan_staged>(const table_view&);

namespace spirv {

template sequence<kernel> kernels_of<void>(const plan_view&, int, const target&);

}  // namespace spirv
}  // namespace tenon

// What writes, compiles and runs kernels on Vulkan devices, for all tests and examples.
// SPDX-License-Identifier: MIT
#include <tenon/compile_vulkan.hpp>

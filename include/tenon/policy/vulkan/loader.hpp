// The Vulkan loader, opened at run time: a program built with tenon also starts without Vulkan.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>

#if !defined(__cpp_exceptions) && !defined(VULKAN_HPP_NO_EXCEPTIONS)
#define VULKAN_HPP_NO_EXCEPTIONS  // without it Vulkan-Hpp does not compile with -fno-exceptions
#endif
#include <vulkan/vulkan.hpp>

#if !defined(_WIN32)  // where it is, Vulkan-Hpp declares LoadLibraryA and GetProcAddress
#include <dlfcn.h>
#endif

namespace tenon {

/// Vulkan's functions, looked up at run time. Every call of ours names its dispatcher, so that the
/// application's default dispatcher, if it has one, stays its own affair.
#if VK_HEADER_VERSION >= 301
using vulkan_functions = vk::detail::DispatchLoaderDynamic;
#else
using vulkan_functions = vk::DispatchLoaderDynamic;
#endif

namespace vulkan_loader {

#if defined(_WIN32)
constexpr const char* file_names[] = {"vulkan-1.dll"};
#elif defined(__APPLE__)
constexpr const char* file_names[] = {"libvulkan.dylib", "libvulkan.1.dylib", "libMoltenVK.dylib"};
#else
constexpr const char* file_names[] = {"libvulkan.so.1", "libvulkan.so"};
#endif

/// The address of vkGetInstanceProcAddr in one file, or null. Never closed: drivers keep threads
/// and thread-exit handlers in their libraries, which must not be unmapped under them.
inline PFN_vkGetInstanceProcAddr open_file(const char* file) noexcept {
#if defined(_WIN32)
  const auto library = ::LoadLibraryA(file);
  if (library == nullptr) return nullptr;
  return reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      ::GetProcAddress(library, "vkGetInstanceProcAddr"));
#else
  void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  return reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(library, "vkGetInstanceProcAddr"));
#endif
}

/// Opens the loader in `file`, or the system's one.
/// Error: no_device, with the file that is not there or that is no loader.
inline result<PFN_vkGetInstanceProcAddr> open(const char* file = nullptr) noexcept {
  if (file != nullptr) {
    if (const auto entry = open_file(file)) return entry;
  } else {
    for (const char* usual : file_names)
      if (const auto entry = open_file(usual)) return entry;
  }
  return error{code::no_device, "vulkan", "loader", file ? file : file_names[0], "none"};
}

}  // namespace vulkan_loader

namespace vulkan_result {

/// The kind of refusal that a driver's answer is.
constexpr code code_of(vk::Result r) noexcept {
  switch (r) {
    case vk::Result::eSuccess: return code::ok;
    case vk::Result::eErrorOutOfHostMemory:
    case vk::Result::eErrorOutOfDeviceMemory:
    case vk::Result::eErrorTooManyObjects: return code::memory;
    case vk::Result::eErrorInvalidExternalHandle: return code::handle;
    case vk::Result::eErrorFeatureNotPresent:
    case vk::Result::eErrorExtensionNotPresent:
    case vk::Result::eErrorLayerNotPresent: return code::feature;
    case vk::Result::eErrorDeviceLost: return code::device_lost;
    case vk::Result::eTimeout: return code::timeout;
    default: return code::device;
  }
}

/// The driver's answer as an error of `what` (a function, an object); found: its VkResult.
constexpr error error_of(vk::Result r, const char* what) noexcept {
  if (r == vk::Result::eSuccess) return {};
  return {code_of(r), "vulkan", what, {}, static_cast<int>(r)};
}
/// The driver's answer as the status of a call; found: its VkResult.
constexpr status status_of(vk::Result r) noexcept {
  if (r == vk::Result::eSuccess) return {};
  return {code_of(r), -1, 0, static_cast<int>(r)};
}

}  // namespace vulkan_result

}  // namespace tenon

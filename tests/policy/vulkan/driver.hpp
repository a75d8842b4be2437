// Keeps drivers loaded to the end of a test, so that the leak checker can tell whose memory is
// lost.
// SPDX-License-Identifier: MIT
#pragma once
#include <dlfcn.h>

extern "C" [[gnu::used]] inline const char* __lsan_default_suppressions() {
  return "leak:libVkLayer_khronos_validation\nleak:libvulkan_lvp\n";
}

namespace tenon_test {

// Mesa's CPU driver and the validation layer lose memory of their own whenever they are unloaded,
// and the leak checker then cannot say whose it was. So they stay, and what they lose is let pass:
// the contexts of policies are never closed, and lavapipe hides pointers (48 bytes for each
// pipeline). Handles of ours are counted (`live`), and the layer tells of those that we forget at
// the end of a device, which the tests listen for.
inline void* const stay_loaded[] = {
    ::dlopen("libvulkan_lvp.so", RTLD_LAZY | RTLD_NODELETE),
    ::dlopen("libVkLayer_khronos_validation.so", RTLD_LAZY | RTLD_NODELETE)};

}  // namespace tenon_test

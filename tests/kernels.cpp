// The kernels and the planning that all tests share.
// SPDX-License-Identifier: MIT
#include <tenon/compile.hpp>

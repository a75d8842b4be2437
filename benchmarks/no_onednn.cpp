// Stands in for onednn.cpp where the library is not installed.
// SPDX-License-Identifier: MIT
#include "onednn.hpp"

namespace onednn {
std::optional<contender> gemm(int, const numbers&, const numbers&, int) { return {}; }
std::optional<contender> conv(int, int, const numbers&, const numbers&, int) { return {}; }
}  // namespace onednn

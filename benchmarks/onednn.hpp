// oneDNN as a peer, where it is installed; onednn.cpp or no_onednn.cpp defines these.
// SPDX-License-Identifier: MIT
#pragma once
#include "race.hpp"
#include <optional>

namespace onednn {

/// [n, n] x [n, n], the right one constant and packed in advance.
std::optional<contender> gemm(int n, const numbers& a, const numbers& b, int threads);

/// A 3 x 3 convolution with as many filters as channels, bias and ReLU. Plain NCHW images, the
/// layout at the border, are reordered within the call when the library prefers another.
std::optional<contender> conv(int channels, int extent, const numbers& image,
                              const numbers& weights_and_bias, int threads);

}  // namespace onednn

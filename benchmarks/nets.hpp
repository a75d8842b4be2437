// The networks of `tools/bench models`: nets/NAME.cpp has those of NAME.
// SPDX-License-Identifier: MIT
#pragma once
#include "task.hpp"

namespace nets {

network lenet5();
network dscnn();
network mobilenetv2();
network squeezenet11();
network resnet50();
network encoder1();
network encoder12();
/// `layers` convolutions of 100 channels, one behind the other: 1 or 2.
network conv100(int layers);
/// The product of a square matrix and a constant one: n is 64, 128, 256, 512 or 1024.
network gemm(int n);
/// An element-wise chain over `chain_length` floats.
network chain1m();
inline constexpr int chain_length = 1 << 20;

}  // namespace nets

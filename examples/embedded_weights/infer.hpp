// The function that an application calls.
// SPDX-License-Identifier: MIT
#pragma once
#include "lines.hpp"
#include <span>

/// Probabilities of the four directions. Allocates nothing, throws nothing.
[[nodiscard]] tenon::status infer(std::span<const float, lines::side * lines::side> image,
                                  std::span<float, 4> probabilities) noexcept;

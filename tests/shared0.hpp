// What tests of -O0 begin with: precompiled, see meson.build.
// SPDX-License-Identifier: MIT
#pragma once
#include "shared.hpp"

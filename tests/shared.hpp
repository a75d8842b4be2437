// What every test begins with where nothing else is said: precompiled, and without the kernels,
// which tests/kernels.cpp compiles for all of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/compiled.hpp>
#include "catch.hpp"
#include <array>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

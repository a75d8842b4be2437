// What every test begins with where nothing else is said: precompiled, and without what is
// compiled once for all of them: kernels (kernels.cpp) and random graphs (trial_graphs.cpp).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/compiled.hpp>
#include "catch.hpp"
#include "trial_graphs.hpp"
#include <array>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

// The main function of every test executable under Catch2 2; version 3 brings its own.
// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

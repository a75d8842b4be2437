// Catch2 of version 2 or 3 under one name, and what version 2 lacks: skipping a test case.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/interfaces/catch_interfaces_capture.hpp>
#else
#include <catch2/catch.hpp>
#endif

namespace tenon_test {

/// Ends the running test case, which then counts as skipped and not as passed.
/// Misuse: a failed CHECK before it still fails the test case.
[[noreturn]] inline void skip(const std::string& reason) {
  const std::string name = Catch::getResultCapture().getCurrentTestName();
  std::printf("skipped: %s: %s\n", name.c_str(), reason.c_str());  // tools/summary.py counts these
  std::fflush(stdout);
#if defined(SKIP)
  SKIP(reason);
#else
  throw Catch::TestFailureException{};  // without a failed assertion it only leaves the test case
#endif
  std::abort();
}

}  // namespace tenon_test

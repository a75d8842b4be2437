// Fuzzes the reader of .npy files: any bytes give an error or a view that can be read.
// SPDX-License-Identifier: MIT
#include <tenon/load/npy.hpp>
#include "../load/reading.hpp"
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tenon_test::exact_bytes bytes({reinterpret_cast<const char*>(data), size});
  const auto file = tenon::npy::parse(bytes.span());
  if (!file) return file.error().op == tenon::name("npy") ? 0 : (std::abort(), 0);
  volatile unsigned kept = tenon_test::sum_of(file->view());
  (void)kept;
  if (tenon::npy::parse(bytes.span().first(size - 1))) std::abort();
  return 0;
}

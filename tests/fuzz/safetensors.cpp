// Fuzzes the reader of safetensors files: any bytes give an error or views that can be read.
// SPDX-License-Identifier: MIT
#include <tenon/load/safetensors.hpp>
#include "../load/reading.hpp"
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tenon_test::exact_bytes bytes({reinterpret_cast<const char*>(data), size});
  const auto file = tenon::safetensors::parse(bytes.span());
  if (file.ok() != (file.error().what == tenon::code::ok)) std::abort();
  unsigned sum = 0;
  std::size_t seen = 8;
  for (int i = 0; file && i < file->size(); ++i) {
    const auto view = file->get(file->name_at(i));
    if (view.ok() == (file->find(file->name_at(i)).data == nullptr)) std::abort();
    if (!view) continue;
    sum += tenon_test::sum_of(*view);
    seen += static_cast<std::size_t>(tenon::tensor{view->type, view->shape}.bytes());
  }
  if (file && seen > size) std::abort();  // no byte is seen twice
  if (file && size > 0 && tenon::safetensors::parse(bytes.span().first(size - 1))) std::abort();
  volatile unsigned kept = sum;
  (void)kept;
  return 0;
}

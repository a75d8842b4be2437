// A heap that runs out while a file is read: an error and no exception, whichever allocation fails.
// SPDX-License-Identifier: MIT
#include <tenon/load/safetensors.hpp>
#include "../catch.hpp"
#include "reading.hpp"
#include <cstdlib>
#include <new>

namespace {

long allocations_left = -1;  // negative: without limit

}  // namespace

// All forms, so that a sanitizer's own do not mix with ours; not inlined, or g++ sees malloc's
// memory go to delete and warns.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* p = std::malloc(bytes > 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return std::malloc(bytes); }
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete[](void* p, std::size_t) noexcept { operator delete(p); }

TEST_CASE("an exhausted heap is code::memory, whichever allocation fails") {
  std::string header = "{";
  for (int i = 0; i < 40; ++i)  // more than one growth of the list, longer than a small string
    header += (i > 0 ? "," : "") + std::string("\"a.rather.long.name.of.a.weight.") +
              std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  header += '}';
  const tenon_test::exact_bytes bytes(tenon_test::little(header.size(), 8) + header);

  long failures = 0;
  for (bool finished = false; !finished; ++failures) {
    allocations_left = failures;
    const auto file = tenon::safetensors::parse(bytes.span());
    allocations_left = -1;
    finished = file.ok();
    if (!finished && !file.error().is(tenon::code::memory, "safetensors")) {
      FAIL("allocation " << failures << ": " << tenon::text_of(file.error().what));
    }
  }
  CHECK(failures > 3);
  CHECK(failures < 1000);
}

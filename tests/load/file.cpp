// Mapping files, and everything that is not one.
// SPDX-License-Identifier: MIT
#include <tenon/load/file.hpp>
#include "../catch.hpp"
#include "scratch.hpp"
#include <cstring>
#include <sys/stat.h>

namespace tn = tenon;
using tenon_test::scratch_file;

namespace {
static_assert(std::is_nothrow_move_constructible_v<tn::mapped_file>);
static_assert(!std::is_copy_constructible_v<tn::mapped_file>);
}  // namespace

TEST_CASE("a mapped file has the bytes of the file") {
  const scratch_file scratch("tenon");
  REQUIRE(scratch.ok());
  const auto file = tn::mapped_file::open(scratch.path());
  REQUIRE(file.ok());
  REQUIRE(file->bytes().size() == 5);
  CHECK(std::memcmp(file->bytes().data(), "tenon", 5) == 0);
}

TEST_CASE("a mapping moves with its object") {
  const scratch_file first("first"), second("second!");
  auto a = tn::mapped_file::open(first.path());
  auto b = tn::mapped_file::open(second.path());
  REQUIRE((a.ok() && b.ok()));
  const auto* data = b->bytes().data();
  *a = std::move(*b);
  CHECK(a->bytes().data() == data);
  CHECK(a->bytes().size() == 7);
  CHECK(b->bytes().empty());
  tn::mapped_file& itself = *a;
  *a = std::move(itself);
  CHECK(a->bytes().data() == data);
}

TEST_CASE("an empty file has no bytes and no error") {
  const scratch_file scratch("");
  const auto file = tn::mapped_file::open(scratch.path());
  REQUIRE(file.ok());
  CHECK(file->bytes().empty());
}

TEST_CASE("what is not a regular file is refused") {
  const auto directory = tn::mapped_file::open("/");
  CHECK(directory.error().is(tn::code::open_failed, "file"));
  CHECK(directory.error().found == tn::fact("a directory"));
  CHECK(tn::mapped_file::open("/dev/null").error().found == tn::fact("another kind of file"));
  const auto missing = tn::mapped_file::open("/there/is/no/such/file");
  CHECK(missing.error().is(tn::code::open_failed, "file"));
  CHECK(missing.error().found == tn::fact(ENOENT));
  CHECK(missing.error().operand == tn::name("/there/is/no/such/file"));
  CHECK(tn::mapped_file::open(nullptr).error().what == tn::code::open_failed);
}

TEST_CASE("a pipe without a writer is refused and does not block") {
  const scratch_file scratch("");
  const std::string pipe = std::string(scratch.path()) + "_pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(tn::mapped_file::open(pipe.c_str()).error().what == tn::code::open_failed);
  ::unlink(pipe.c_str());
}

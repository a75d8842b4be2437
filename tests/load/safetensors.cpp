// Reading safetensors files: what is in them, and every way in which they can be wrong.
// SPDX-License-Identifier: MIT
#include <tenon/load/safetensors.hpp>
#include "../catch.hpp"
#include "reading.hpp"
#include "scratch.hpp"

#ifndef TENON_SHARED_DATA
#define TENON_SHARED_DATA ""
#endif

namespace tn = tenon;
using tenon_test::exact_bytes;
using tn::code;

namespace {

static_assert(tn::weight_source<tn::safetensors>);
static_assert(std::is_nothrow_move_constructible_v<tn::safetensors>);
static_assert(!std::is_copy_constructible_v<tn::safetensors>);

/// A file of this header, as it is, and this much data: bytes 0, 1, 2...
std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string file = tenon_test::little(header.size(), 8) + header;
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i & 0xff);
  return file;
}
/// The header padded with spaces, so that the data is aligned to 8 bytes.
std::string padded(std::string header) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + '}';
}

/// Three tensors, their names not in the order of their data, and metadata.
std::string valid_file() {
  return file_of(
      padded('{' + entry("z.bias", "I32", "[2]", "[24,32]") + ',' +
             R"("__metadata__":{"format":"pt"},)" + entry("a.weight", "F32", "[2,3]", "[0,24]") +
             ',' + entry("half", "BF16", "[1,2]", "[32,36]") + '}'),
      36);
}

tn::error error_of(const std::string& file) {
  const exact_bytes bytes(file);
  return tn::safetensors::parse(bytes.span()).error();
}
code code_of(const std::string& header, std::size_t data_bytes) {
  const tn::error e = error_of(file_of(header, data_bytes));
  CHECK(e.op == tn::name(e.ok() ? "" : "safetensors"));
  return e.what;
}
/// The code for the only entry "w", whose data has `data_bytes`.
code code_of_entry(const std::string& fields, std::size_t data_bytes) {
  return code_of(R"({"w":{)" + fields + "}}", data_bytes);
}
code code_of_shape(const std::string& shape, const std::string& offsets, std::size_t data_bytes) {
  return code_of('{' + entry("w", "F32", shape, offsets) + '}', data_bytes);
}

/// Reads every byte of every tensor that can be viewed.
unsigned read_all(const tn::safetensors& file) {
  unsigned sum = 0;
  for (int i = 0; i < file.size(); ++i)
    if (const auto view = file.get(file.name_at(i))) sum += tenon_test::sum_of(*view);
  return sum;
}

}  // namespace

TEST_CASE("a file gives its tensors by name, in the order of their data, without copying") {
  const exact_bytes bytes(valid_file());
  const auto file = tn::safetensors::parse(bytes.span());
  REQUIRE(file.ok());
  REQUIRE(file->size() == 3);
  CHECK(file->name_at(0) == tn::name("a.weight"));
  CHECK(file->name_at(1) == tn::name("z.bias"));
  CHECK(file->name_at(2) == tn::name("half"));

  const tn::const_view weight = file->find("a.weight");
  const std::byte* data = bytes.span().data() + (bytes.span().size() - 36);
  CHECK(weight.data == data);
  CHECK(weight.type == tn::type::float32);
  CHECK(weight.shape == tn::extents(2, 3));
  CHECK(weight.shaped);
  CHECK(tn::fits(weight, {tn::type::float32, tn::extents(2, 3)}, 0).ok());
  CHECK(file->find("z.bias").data == data + 24);
  CHECK(file->find("z.bias").type == tn::type::int32);
}

TEST_CASE("a name that is missing and a type that tenon has not are told apart") {
  const exact_bytes bytes(valid_file());
  const auto file = tn::safetensors::parse(bytes.span());
  REQUIRE(file.ok());
  CHECK(file->get("other").error().is(code::missing, "safetensors"));
  const tn::error half = file->get("half").error();
  CHECK(half.is(code::element_type, "safetensors"));
  CHECK(half.operand == tn::name("half"));
  CHECK(half.found == tn::fact("BF16"));
  CHECK(file->find("other").data == nullptr);
  CHECK(file->find("half").data == nullptr);
  CHECK(tn::look_up(*file, "half").error() == half);
}

TEST_CASE("every dtype of the format is measured, ours are viewed") {
  for (const tn::safetensors_type& t : tn::safetensors_types) {
    CAPTURE(t.text);
    const auto size = static_cast<std::size_t>(t.bits);  // eight elements
    const exact_bytes bytes(file_of(
        padded('{' + entry("w", t.text, "[8]", "[0," + std::to_string(size) + ']') + '}'), size));
    const auto file = tn::safetensors::parse(bytes.span());
    REQUIRE(file.ok());
    CHECK(file->get("w").ok() == t.viewable);
    if (!t.viewable) continue;
    CHECK(file->find("w").type == t.element);
    CHECK(tn::size_bytes(t.element) * 8 == t.bits);
  }
  CHECK(code_of('{' + entry("w", "F33", "[1]", "[0,4]") + '}', 4) == code::element_type);
  CHECK(code_of('{' + entry("w", "f32", "[1]", "[0,4]") + '}', 4) == code::element_type);
}

TEST_CASE("small files are files: no tensors, scalars, empty tensors, spaces, other orders") {
  CHECK(code_of("{}", 0) == code::ok);
  CHECK(code_of("{}      ", 0) == code::ok);
  CHECK(code_of(R"({"__metadata__":{}})", 0) == code::ok);
  CHECK(code_of_shape("[]", "[0,4]", 4) == code::ok);
  CHECK(code_of_shape("[0]", "[0,0]", 0) == code::ok);
  CHECK(code_of_shape("[3,0,2]", "[0,0]", 0) == code::ok);
  CHECK(code_of_shape("[1,1,1,1,1,1,1,1]", "[0,4]", 4) == code::ok);
  CHECK(code_of_entry(R"("data_offsets":[0,4],"shape":[1],"dtype":"F32")", 4) == code::ok);
  CHECK(code_of(
            '{' + entry("e", "F32", "[0]", "[4,4]") + ',' + entry("w", "I8", "[4]", "[0,4]") + '}',
            4) == code::ok);
}

TEST_CASE("every proper prefix of a valid file is refused") {
  const std::string file = valid_file();
  REQUIRE(error_of(file).ok());
  for (std::size_t n = 0; n < file.size(); ++n) {
    CAPTURE(n);
    CHECK(error_of(file.substr(0, n)).is(code::truncated, "safetensors"));
  }
  CHECK(error_of(file + '\0').is(code::corrupt, "safetensors"));
}

TEST_CASE("a header that is no JSON object of tensors is corrupt") {
  // clang-format off
  const char* headers[] = {"", " ", "[]", "1", "null", "{", "}", "{}}", "{},", " {}",
                           "\xef\xbb\xbf{}", "{\"w\"}", "{\"w\":}", "{\"w\":null}", "{\"w\":true}",
                           "{\"w\":1}",
                           "{\"w\":\"x\"}", "{\"w\":[]}", "{\"w\":-1}", "{\"w\":1.5}", "{\"w\":{}}",
                           "{'w':{}}", "{}//", "{/**/}", "{\"w\":{\"w\":{}}}", "{\"\xff\":{}}",
                           "{\"__metadata__\":[]}", "{\"__metadata__\":{\"a\":1}}",
                           "{\"__metadata__\":{\"a\":{}}}", "{\"__metadata__\":{\"a\":null}}",
                           "{\"__metadata__\":\"a\"}"};
  // clang-format on
  for (const char* header : headers) {
    CAPTURE(header);
    CHECK(code_of(header, 0) == code::corrupt);
  }
  CHECK(code_of(std::string("{}\0", 3), 0) == code::corrupt);
  CHECK(code_of(std::string("{}\0garbage", 10), 0) == code::corrupt);
  CHECK(code_of('{' + entry("a\\u0000b", "I8", "[4]", "[0,4]") + '}', 4) == code::corrupt);
}

TEST_CASE("a deep header is refused at its third level") {
  std::string deep = "{";
  for (int i = 0; i < 100000; ++i) deep += "\"w\":{";
  CHECK(code_of(deep, 0) == code::corrupt);
  CHECK(code_of("{\"w\":{\"shape\":" + std::string(100000, '['), 0) == code::corrupt);
  CHECK(code_of(std::string(100000, '{'), 0) == code::corrupt);
}

TEST_CASE("fields are three, each once and of its own kind") {
  const std::string type = R"("dtype":"F32")", shape = R"("shape":[1])",
                    offsets = R"("data_offsets":[0,4])";
  const auto join = [](const std::string& a, const std::string& b, const std::string& c) {
    return a + ',' + b + ',' + c;
  };
  CHECK(code_of_entry(join(type, shape, offsets), 4) == code::ok);
  CHECK(code_of_entry(type + ',' + shape, 4) == code::corrupt);
  CHECK(code_of_entry(type + ',' + offsets, 4) == code::corrupt);
  CHECK(code_of_entry(shape + ',' + offsets, 4) == code::corrupt);
  CHECK(code_of_entry(join(type, shape, offsets) + R"(,"more":1)", 4) == code::corrupt);
  CHECK(code_of_entry(join(type, shape, offsets) + ',' + shape, 4) == code::duplicate);
  CHECK(code_of_entry(join(type, type, shape) + ',' + offsets, 4) == code::duplicate);
  for (const char* wrong : {"1", "null", "true", "[]", "{}", "-1", "1.5", "[\"F32\"]"}) {
    CAPTURE(wrong);
    CHECK(code_of_entry(join(std::string(R"("dtype":)") + wrong, shape, offsets), 4) ==
          code::corrupt);
  }
  // clang-format off
  for (const char* wrong : {"1", "null", "\"1\"", "{}", "[-1]", "[1.0]", "[1e0]", "[\"1\"]",
                            "[[1]]", "[{}]", "[null]", "[true]", "[-0]", "[01]", "[1,]",
                            "[99999999999999999999]"}) {
    // clang-format on
    CAPTURE(wrong);
    CHECK(code_of_entry(join(type, std::string(R"("shape":)") + wrong, offsets), 4) ==
          code::corrupt);
  }
  // clang-format off
  for (const char* wrong : {"4", "null", "[]", "[0]", "[4]", "[0,4,4]", "[0,4.0]", "[-4,0]",
                            "[0,\"4\"]", "{}", "[0,-4]"}) {
    // clang-format on
    CAPTURE(wrong);
    CHECK(code_of_entry(join(type, shape, std::string(R"("data_offsets":)") + wrong), 4) ==
          code::corrupt);
  }
}

TEST_CASE("names given twice are refused, however they are spelled") {
  const std::string first = entry("w", "I8", "[4]", "[0,4]");
  CHECK(code_of('{' + first + ',' + entry("w", "I8", "[4]", "[4,8]") + '}', 8) == code::duplicate);
  CHECK(code_of('{' + first + ',' + first + '}', 4) == code::duplicate);
  CHECK(code_of('{' + first + ',' + entry("v", "I8", "[4]", "[4,8]") + ',' +
                    entry("\\u0077", "I8", "[0]", "[8,8]") + '}',
                8) == code::duplicate);
  CHECK(code_of(R"({"__metadata__":{},"__metadata__":{}})", 0) == code::duplicate);
  CHECK(code_of(R"({"__metadata__":{"a":"1","b":"2","a":"1"}})", 0) == code::duplicate);
  CHECK(code_of(R"({"__metadata__":{"a":"1","b":"1"}})", 0) == code::ok);
}

TEST_CASE("names have to fit") {
  const std::string longest(tn::name::capacity, 'n');
  CHECK(code_of('{' + entry(longest, "I8", "[4]", "[0,4]") + '}', 4) == code::ok);
  CHECK(code_of('{' + entry(longest + 'n', "I8", "[4]", "[0,4]") + '}', 4) == code::name_length);
  const exact_bytes bytes(file_of('{' + entry(longest, "I8", "[4]", "[0,4]") + '}', 4));
  const auto file = tn::safetensors::parse(bytes.span());
  REQUIRE(file.ok());
  CHECK(file->get(longest.c_str()).ok());
  CHECK(file->get((longest + 'n').c_str()).error().what == code::missing);
  CHECK(code_of('{' + entry("", "I8", "[4]", "[0,4]") + '}', 4) == code::name_length);
}

TEST_CASE("offsets cover the data once and exactly") {
  const auto two = [](const std::string& a, const std::string& b, std::size_t data_bytes) {
    return code_of('{' + entry("a", "I8", "[4]", a) + ',' + entry("b", "I8", "[4]", b) + '}',
                   data_bytes);
  };
  // clang-format off
  CHECK(two("[0,4]", "[4,8]", 8) == code::ok);
  CHECK(two("[4,8]", "[0,4]", 8) == code::ok);
  CHECK(two("[0,4]", "[0,4]", 4) == code::corrupt);   // the same bytes
  CHECK(two("[0,4]", "[2,6]", 6) == code::corrupt);   // overlapping
  CHECK(two("[0,4]", "[5,9]", 9) == code::corrupt);   // a hole
  CHECK(two("[1,5]", "[5,9]", 9) == code::corrupt);   // a hole at the beginning
  CHECK(two("[0,4]", "[4,8]", 9) == code::corrupt);   // bytes behind
  CHECK(two("[0,4]", "[4,8]", 7) == code::truncated);
  CHECK(two("[0,4]", "[8,4]", 8) == code::corrupt);   // backwards
  CHECK(two("[0,4]", "[4,2]", 4) == code::corrupt);
  CHECK(two("[0,5]", "[5,8]", 8) == code::size);
  // clang-format on
  CHECK(code_of("{}", 1) == code::corrupt);
  CHECK(code_of_shape("[0]", "[1,1]", 0) == code::corrupt);
  CHECK(code_of_shape("[1]", "[0,18446744073709551615]", 4) == code::size);
  CHECK(code_of_shape("[1]", "[18446744073709551612,0]", 4) == code::corrupt);
}

TEST_CASE("shape and offsets have to agree, also where the product overflows") {
  CHECK(code_of_shape("[2]", "[0,4]", 4) == code::size);
  CHECK(code_of_shape("[0]", "[0,4]", 4) == code::size);
  CHECK(code_of_shape("[1,1,1,1,1,1,1,1,1]", "[0,4]", 4) == code::rank);
  CHECK(code_of_shape("[4294967296,4294967296]", "[0,0]", 0) == code::capacity);
  CHECK(code_of_shape("[4611686018427387905]", "[0,4]", 4) == code::capacity);
  CHECK(code_of_shape("[9223372036854775808]", "[0,4]", 4) == code::capacity);
  CHECK(code_of_shape("[18446744073709551615]", "[0,4]", 4) == code::capacity);
  CHECK(code_of_shape("[0,4294967296,4294967296]", "[0,0]", 0) == code::capacity);
  CHECK(code_of_shape("[1152921504606846976]", "[0,4]", 4) == code::capacity);
  CHECK(code_of('{' + entry("w", "F4", "[3]", "[0,1]") + '}', 1) == code::size);
}

TEST_CASE("the length of the header is checked before it is believed") {
  const auto with_length = [](std::uint64_t n) {
    return error_of(tenon_test::little(n, 8) + "{}").what;
  };
  CHECK(with_length(2) == code::ok);
  CHECK(with_length(3) == code::truncated);
  CHECK(with_length(1) == code::corrupt);
  CHECK(with_length(0) == code::corrupt);
  CHECK(with_length(tn::safetensors::header_bytes_max) == code::truncated);
  CHECK(with_length(tn::safetensors::header_bytes_max + 1) == code::corrupt);
  CHECK(with_length(~std::uint64_t{0}) == code::corrupt);
}

TEST_CASE("a tensor that is not aligned is listed and refused") {
  const exact_bytes bytes(file_of(padded('{' + entry("b", "I8", "[1]", "[0,1]") + ',' +
                                         entry("w", "F32", "[1]", "[1,5]") + '}'),
                                  5));
  const auto file = tn::safetensors::parse(bytes.span());
  REQUIRE(file.ok());
  CHECK(file->size() == 2);
  CHECK(file->get("b").ok());
  const tn::error e = file->get("w").error();
  CHECK(e.is(code::alignment, "safetensors"));
  CHECK((e.expected == tn::fact(4) && e.found == tn::fact(1)));
  CHECK(file->find("w").data == nullptr);
}

TEST_CASE("no bit flipped in the header makes the reader crash or read elsewhere") {
  const std::string file = valid_file();
  unsigned sum = 0;
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * (file.size() - 36); ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const exact_bytes bytes(flipped);
    const auto read = tn::safetensors::parse(bytes.span());
    if (read) sum += read_all(*read);
    refused += read.ok() ? 0 : 1;
    if (bit < 64) CHECK_FALSE(read.ok());  // another length
  }
  CHECK(sum > 0);  // a flipped letter of a name is another valid file
  CHECK(refused > 1000);
}

TEST_CASE("a file is mapped, and its views move with it") {
  const tenon_test::scratch_file scratch(valid_file());
  REQUIRE(scratch.ok());
  auto opened = tn::safetensors::open(scratch.path());
  REQUIRE(opened.ok());
  const void* data = opened->find("a.weight").data;
  REQUIRE(data != nullptr);
  tn::safetensors moved = std::move(*opened);
  CHECK(moved.find("a.weight").data == data);
  CHECK(read_all(moved) == read_all(moved));
  CHECK(opened->size() == 0);
  moved = tn::safetensors{};
  CHECK(moved.size() == 0);
}

TEST_CASE("a file that cannot be opened, or is empty, is refused by name") {
  CHECK(tn::safetensors::open("/there/is/no/such/file").error().is(code::open_failed, "file"));
  CHECK(tn::safetensors::open("/").error().is(code::open_failed, "file"));
  const tenon_test::scratch_file empty("");
  CHECK(tn::safetensors::open(empty.path()).error().is(code::truncated, "safetensors"));
}

TEST_CASE("real files are read") {
  const std::string root = TENON_SHARED_DATA;
  if (root.empty()) tenon_test::skip("the shared data is not there");
  const auto mnist = tn::safetensors::open((root + "/models/mnist.safetensors").c_str());
  REQUIRE(mnist.ok());
  CHECK(mnist->size() == 20);
  CHECK(mnist->find("conv3.weight").shape == tn::extents(24, 16, 3, 3));
  CHECK(mnist->find("norm1.num_batches_tracked").type == tn::type::int64);
  CHECK(mnist->find("norm1.num_batches_tracked").shape == tn::extents());

  const auto lenet = tn::safetensors::open((root + "/models/lenet/lenet.safetensors").c_str());
  REQUIRE(lenet.ok());
  const char* names[] = {"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias",
                         "fc1.weight",   "fc1.bias",   "fc2.weight",   "fc2.bias"};
  REQUIRE(lenet->size() == 8);
  for (int i = 0; i < 8; ++i) CHECK(lenet->name_at(i) == tn::name(names[i]));
  CHECK(tn::fits(lenet->find("fc1.weight"), {tn::type::float32, tn::extents(500, 800)}, 0).ok());
}

// Reading .npy files: every version, type and order, and every way in which they can be wrong.
// SPDX-License-Identifier: MIT
#include <tenon/load/npy.hpp>
#include "../catch.hpp"
#include "reading.hpp"
#include "scratch.hpp"

namespace tn = tenon;
using tenon_test::exact_bytes;
using tn::code;

namespace {

static_assert(std::is_nothrow_move_constructible_v<tn::npy>);
static_assert(!std::is_copy_constructible_v<tn::npy>);

// The header alone is read in constant expressions.
static_assert(tn::read_npy_header("{'descr':'<i8','fortran_order':True,'shape':(2,3)}\n")->shape ==
              tn::extents(2, 3));
static_assert(tn::read_npy_header("{}\n").error().is(code::corrupt, "npy"));

std::string file_of(const std::string& dictionary, std::size_t data_bytes, int version = 1) {
  const std::size_t before = version == 1 ? 10 : 12;
  std::string header = dictionary;
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  file += tenon_test::little(header.size(), version == 1 ? 2 : 4) + header;
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i & 0xff);
  return file;
}
std::string dictionary(const std::string& descr, const std::string& order,
                       const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}
std::string valid_file(int version = 1) {
  return file_of(dictionary("<f4", "False", "(3, 4)"), 48, version);
}

tn::error error_of(const std::string& file) {
  const exact_bytes bytes(file);
  return tn::npy::parse(bytes.span()).error();
}
code code_of(const std::string& dict, std::size_t data_bytes) {
  const tn::error e = error_of(file_of(dict, data_bytes));
  CHECK(e.op == tn::name(e.ok() ? "" : "npy"));
  return e.what;
}
code code_of_shape(const std::string& shape, std::size_t data_bytes) {
  return code_of(dictionary("<f4", "False", shape), data_bytes);
}

}  // namespace

TEST_CASE("an array is a view of the file's own bytes, in every version") {
  for (int version : {1, 2, 3}) {
    const exact_bytes bytes(valid_file(version));
    const auto file = tn::npy::parse(bytes.span());
    REQUIRE(file.ok());
    CHECK(file->view().data == bytes.span().data() + (bytes.span().size() - 48));
    CHECK(file->view().shape == tn::extents(3, 4));
    CHECK(file->view().strides == tn::dense(tn::extents(3, 4)));
    CHECK(tn::fits(file->view(), {tn::type::float32, tn::extents(3, 4)}, 0).ok());
  }
}

TEST_CASE("tenon's types are read, all others are refused by name") {
  // clang-format off
  const struct {
    const char* descr;
    tn::type is;
  } known[] = {{"<f4", tn::type::float32}, {"=f4", tn::type::float32}, {"<f2", tn::type::float16},
               {"<i4", tn::type::int32},   {"<u4", tn::type::uint32},  {"<i8", tn::type::int64},
               {"<u8", tn::type::uint64},  {"|i1", tn::type::int8},    {"|u1", tn::type::uint8},
               {"<i1", tn::type::int8},    {"=u1", tn::type::uint8}};
  // clang-format on
  for (const auto& t : known) {
    CAPTURE(t.descr);
    const auto size = static_cast<std::size_t>(2 * tn::size_bytes(t.is));
    const exact_bytes bytes(file_of(dictionary(t.descr, "False", "(2,)"), size));
    const auto file = tn::npy::parse(bytes.span());
    REQUIRE(file.ok());
    CHECK(file->view().type == t.is);
  }
  // clang-format off
  for (const char* other : {">f4", "|f4", "f4", "<f8", "|b1", "<c8", "<i2", "<u2", "<U4", "|S3",
                            "<M8[ns]", "|O", "", "<", "<f44", ">i8"}) {
    // clang-format on
    CAPTURE(other);
    const tn::error e = error_of(file_of(dictionary(other, "False", "(1,)"), 4));
    CHECK(e.is(code::element_type, "npy"));
    CHECK(e.found == tn::fact(other));
  }
  CHECK(code_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4) ==
        code::element_type);
  CHECK(error_of(file_of(dictionary(std::string(200, 'x'), "False", "(1,)"), 4)).found.word.cut);
}

TEST_CASE("Fortran order gives column-major strides, which fits refuses") {
  const exact_bytes bytes(file_of(dictionary("<f4", "True", "(3, 4)"), 48));
  const auto file = tn::npy::parse(bytes.span());
  REQUIRE(file.ok());
  CHECK(file->view().strides[0] == 1);
  CHECK(file->view().strides[1] == 3);
  CHECK(tn::fits(file->view(), {tn::type::float32, tn::extents(3, 4)}, 0).what == code::stride);
  const exact_bytes flat(file_of(dictionary("<f4", "True", "(12,)"), 48));
  const auto vector = tn::npy::parse(flat.span());
  REQUIRE(vector.ok());
  CHECK(tn::fits(vector->view(), {tn::type::float32, tn::extents(12)}, 0).ok());
}

TEST_CASE("the dictionary is read as Python writes it, and no more of Python") {
  const std::string f4 = "'descr': '<f4'", order = "'fortran_order': False",
                    shape = "'shape': (1,)";
  CHECK(code_of('{' + f4 + ',' + order + ',' + shape + '}', 4) == code::ok);
  CHECK(code_of('{' + shape + ", " + f4 + " , " + order + ",}", 4) == code::ok);
  CHECK(code_of("{\"descr\":\"<f4\",\"fortran_order\":False,\"shape\":(1,)}", 4) == code::ok);
  CHECK(code_of('{' + f4 + ',' + order + ',' + shape + ',' + f4 + '}', 4) == code::duplicate);
  const std::string all = f4 + ',' + order + ',' + shape;
  // clang-format off
  for (const std::string& wrong :
       {std::string(), std::string("{}"), '{' + f4 + '}', '{' + f4 + ',' + order + '}', all,
        '{' + all, '{' + all + "}}", '{' + all + ",,}", "{," + all + '}', '{' + all + "} x",
        '{' + all + ";}",
        '{' + all + ", 'more': 1}", '{' + f4 + ' ' + order + ',' + shape + '}', "[" + all + ']',
        "{'descr' '<f4'," + order + ',' + shape + '}', "{descr: '<f4'," + order + ',' + shape + '}',
        "{'descr': <f4," + order + ',' + shape + '}', std::string("{'descr': '<f4"),
        "{'descr': '\\x3cf4'," + order + ',' + shape + '}', '{' + all + "} # comment",
        '{' + f4 + ",'fortran_order': false," + shape + '}',
        '{' + f4 + ",'fortran_order': 0," + shape + '}', '{' + all + "\n}", "\t{" + all + '}'}) {
    // clang-format on
    CAPTURE(wrong);
    CHECK(code_of(wrong, 4) == code::corrupt);
  }
}

TEST_CASE("a shape is a tuple of numbers") {
  CHECK(code_of_shape("()", 4) == code::ok);
  CHECK(code_of_shape("(1,)", 4) == code::ok);
  CHECK(code_of_shape("( 1 , 1 , )", 4) == code::ok);
  CHECK(code_of_shape("(0, 7)", 0) == code::ok);
  CHECK(code_of_shape("(1,1,1,1,1,1,1,1)", 4) == code::ok);
  // clang-format off
  for (const char* wrong : {"(1)", "1", "[1]", "(,)", "(1,,)", "(1 1)", "(-1,)", "(+1,)", "(1.0,)",
                            "(1L,)", "(01,)", "(00,)", "(1_0,)", "(0x1,)", "('1',)", "((1,),)",
                            "(1,", "None", "(None,)", "(1e0,)"}) {
    // clang-format on
    CAPTURE(wrong);
    CHECK(code_of_shape(wrong, 4) == code::corrupt);
  }
  CHECK(code_of_shape("(1,1,1,1,1,1,1,1,1)", 4) == code::rank);
  CHECK(code_of_shape("(9223372036854775807,)", 4) == code::capacity);
  CHECK(code_of_shape("(9223372036854775808,)", 4) == code::capacity);
  CHECK(code_of_shape("(99999999999999999999999,)", 4) == code::capacity);
  CHECK(code_of_shape("(4294967296, 4294967296)", 0) == code::capacity);
  CHECK(code_of_shape("(0, 4294967296, 4294967296)", 0) == code::capacity);
}

TEST_CASE("the data has exactly the bytes of the shape") {
  CHECK(code_of_shape("(3, 4)", 48) == code::ok);
  CHECK(code_of_shape("(3, 4)", 47) == code::truncated);
  CHECK(code_of_shape("(3, 4)", 49) == code::corrupt);
  CHECK(code_of_shape("(0,)", 1) == code::corrupt);
}

TEST_CASE("every proper prefix of a valid npy file is refused") {
  for (int version : {1, 2, 3}) {
    const std::string file = valid_file(version);
    REQUIRE(error_of(file).ok());
    for (std::size_t n = 0; n < file.size(); ++n) {
      CAPTURE(version, n);
      CHECK(error_of(file.substr(0, n)).is(code::truncated, "npy"));
    }
  }
}

TEST_CASE("another magic, version or length is refused") {
  const auto with = [](std::size_t at, char byte) {
    std::string file = valid_file();
    file[at] = byte;
    return error_of(file).what;
  };
  for (std::size_t i = 0; i < 6; ++i) CHECK(with(i, 'x') == code::corrupt);
  for (char major : {'\0', '\4', '\xff'}) CHECK(with(6, major) == code::corrupt);
  CHECK(with(7, '\1') == code::corrupt);
  CHECK(with(8, '\0') == code::corrupt);      // a shorter header ends without a newline
  CHECK(with(9, '\xff') == code::truncated);  // a longer one than the file
  std::string unended = valid_file();
  unended[unended.size() - 49] = ' ';
  CHECK(error_of(unended).is(code::corrupt, "npy"));
  CHECK(error_of("x").is(code::corrupt, "npy"));
  CHECK(error_of("").is(code::truncated, "npy"));
}

TEST_CASE("data that is not aligned is refused") {
  const std::string file = '\0' + valid_file();
  const exact_bytes bytes(file);
  const tn::error e = tn::npy::parse(bytes.span().subspan(1)).error();
  CHECK(e.is(code::alignment, "npy"));
  CHECK((e.expected == tn::fact(4) && e.found == tn::fact(1)));
}

TEST_CASE("no bit flipped in an npy header makes the reader crash or read elsewhere") {
  unsigned sum = 0;
  int refused = 0;
  for (int version : {1, 2}) {
    const std::string file = valid_file(version);
    for (std::size_t bit = 0; bit < 8 * (file.size() - 48); ++bit) {
      std::string flipped = file;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      const exact_bytes bytes(flipped);
      const auto read = tn::npy::parse(bytes.span());
      if (read) sum += tenon_test::sum_of(read->view());
      refused += read.ok() ? 0 : 1;
    }
  }
  CHECK(sum > 0);  // float32 and int32, or (3, 4) and another pair of that product
  CHECK(refused > 1000);
}

TEST_CASE("an npy file is mapped, and its view moves with it") {
  const tenon_test::scratch_file scratch(valid_file());
  REQUIRE(scratch.ok());
  auto opened = tn::npy::open(scratch.path());
  REQUIRE(opened.ok());
  const void* data = opened->view().data;
  const tn::npy moved = std::move(*opened);
  CHECK(moved.view().data == data);
  CHECK(tenon_test::sum_of(moved.view()) == 47 * 48 / 2);
  CHECK(tn::npy::open("/").error().is(code::open_failed, "file"));
}

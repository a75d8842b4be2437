// The files of the digits example as the program uses them. A file that is missing or corrupt is an
// exception that names it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include "../idx.hpp"
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>
namespace fs = std::filesystem;

using image = std::array<float, 784>;  // pixel / 255
struct dataset {
  std::vector<image> images;
  std::vector<int> labels;
};

[[noreturn]] inline void fail(const fs::path& file, const std::string& why) {
  const bool named = why.starts_with(file.string());  // an error of opening it
  throw std::runtime_error(named ? why : file.string() + ": " + why);
}

/// Appends the pictures of an IDX file.
inline void read_images(const fs::path& path, std::vector<image>& images) {
  const auto file = idx_file::open(path.c_str(), 3);
  if (!file) fail(path, describe(file.error()));
  const tenon::shape& s = file->extents();
  if (s[1] != 28 || s[2] != 28) fail(path, "pictures of 28 x 28 expected, found " + describe(s));
  for (auto left = file->bytes(); !left.empty(); left = left.subspan(784)) {
    image& next = images.emplace_back();
    std::ranges::transform(left.first(784), next.begin(),
                           [](unsigned char p) { return static_cast<float>(p) / 255; });
  }
}

inline dataset read_heldout(const fs::path& folder) {
  dataset read;
  read_images(folder / "heldout-images.idx", read.images);
  const fs::path path = folder / "heldout-labels.idx";
  const auto file = idx_file::open(path.c_str(), 1);
  if (!file) fail(path, describe(file.error()));
  read.labels.assign(file->bytes().begin(), file->bytes().end());
  if (read.labels.size() != read.images.size() || read.labels.empty())
    fail(path, std::to_string(read.labels.size()) + " labels for " +
                   std::to_string(read.images.size()) + " images");
  if (std::ranges::any_of(read.labels, [](int l) { return l > 9; }))
    fail(path, "a label is above 9");
  return read;
}

/// DIR/0.idx to DIR/9.idx, one picture each; nothing when there is no such folder.
inline std::vector<image> read_mnist(const fs::path& folder) {
  std::vector<image> read;
  if (!fs::is_directory(folder)) return read;
  for (std::size_t digit = 0; digit < 10; ++digit) {
    const fs::path path = folder / (std::to_string(digit) + ".idx");
    read_images(path, read);
    if (read.size() != digit + 1) fail(path, "exactly one picture expected");
  }
  return read;
}

/// Logits that train.py computed in double precision, for the first held-out images.
inline std::vector<std::array<double, 10>> read_golden(const fs::path& path) {
  std::ifstream file(path);
  if (!file) fail(path, "cannot be opened");
  try {
    return nlohmann::json::parse(file).get<std::vector<std::array<double, 10>>>();
  } catch (const nlohmann::json::exception& e) {
    fail(path, e.what());
  }
}

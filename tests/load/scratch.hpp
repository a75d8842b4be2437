// A file that lives as long as its test.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace tenon_test {

/// A file of these bytes under the system's temporary directory; `ok` when it could be written.
class scratch_file {
 public:
  explicit scratch_file(const std::string& bytes) {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/tenon_test_XXXXXX";
    const int file = ::mkstemp(path_.data());
    if (file < 0) return;
    ok_ = ::write(file, bytes.data(), bytes.size()) == static_cast<::ssize_t>(bytes.size());
    ::close(file);
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { ::unlink(path_.c_str()); }

  bool ok() const { return ok_; }
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
  bool ok_ = false;
};

}  // namespace tenon_test

// ONNX Runtime as a peer: a child process that runs ort.mjs and times its calls when told to.
// SPDX-License-Identifier: MIT
#pragma once
#include "race.hpp"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace ort {

/// A program that answers every line by a line.
class dialogue {
 public:
  /// Starts `program` in `folder`. Error: ask() gets no answer.
  dialogue(const char* folder, std::vector<std::string> program) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) return;
    std::signal(SIGPIPE, SIG_IGN);
    child_ = fork();
    if (child_ == 0) {
      std::vector<char*> words;
      for (std::string& word : program) words.push_back(word.data());
      words.push_back(nullptr);
      dup2(to[0], STDIN_FILENO);
      dup2(from[1], STDOUT_FILENO);
      if (chdir(folder) == 0) execvp(words[0], words.data());
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    to_ = fdopen(to[1], "w");
    from_ = fdopen(from[0], "r");
  }
  dialogue(const dialogue&) = delete;
  dialogue& operator=(const dialogue&) = delete;
  ~dialogue() {
    if (to_ != nullptr) std::fclose(to_);
    if (from_ != nullptr) std::fclose(from_);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  /// The next line, without its end; nothing when the program is gone.
  std::optional<std::string> hear() {
    char line[256];
    if (from_ == nullptr || std::fgets(line, sizeof line, from_) == nullptr) return {};
    line[std::strcspn(line, "\n")] = 0;
    return line;
  }
  std::optional<std::string> ask(const std::string& line) {
    if (to_ == nullptr) return {};
    std::fputs((line + "\n").c_str(), to_);
    std::fflush(to_);
    return hear();
  }

 private:
  pid_t child_ = -1;
  std::FILE *to_ = nullptr, *from_ = nullptr;
};

struct array {
  std::string name;
  const numbers* data;
};

/// The model `name` of the folder `peers`, on these inputs. Error: none, when it does not start.
inline std::optional<contender> run(const std::string& peers, const std::string& name,
                                    const std::vector<array>& inputs, const std::string& output,
                                    int threads) {
  const std::string prefix = peers + "/io/" + name;
  for (const array& in : inputs)
    if (!write_floats(prefix + "." + in.name + ".bin", *in.data)) return {};
  const auto child = std::make_shared<dialogue>(
      peers.c_str(),
      std::vector<std::string>{"node", BENCHMARKS "/ort.mjs", peers + "/models/" + name + ".onnx",
                               std::to_string(threads), prefix});
  if (!child->hear()) return {};
  const auto timed = [child](double seconds) {
    timing t;
    const auto answer = child->ask("run " + std::to_string(seconds));
    if (!answer || std::sscanf(answer->c_str(), "%lf %lf", &t.min, &t.median) != 2)
      fail("ONNX Runtime does not answer");
    return t;
  };
  return contender{"ONNX Runtime", timed,
                   [file = prefix + "." + output + ".bin"] { return read_floats(file); }};
}

}  // namespace ort

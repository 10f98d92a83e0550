#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace vtax {

struct ProgramResult {
  int code = -1;  // -1: killed by a signal
  std::string out, err;
};

// Runs a shell command, with its output and errors apart.
inline ProgramResult run_program(const std::string& command) {
  std::string pattern = (std::filesystem::temp_directory_path() / "vtax-program-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const std::string out = (folder / "out").string();
  const std::string err = (folder / "err").string();
  const int status = std::system(("(" + command + ") >" + out + " 2>" + err).c_str());
  const auto text_of = [](const std::string& file) {
    const std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  };
  ProgramResult result{WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(out), text_of(err)};
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace vtax

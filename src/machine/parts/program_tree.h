#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "core/result.h"
#include "machine/parts/cpio.h"

namespace vtax::lab {

// The files of the user's program as its systems see them: below /lab/program, which is its root.
struct ProgramTree {
  // Below the root, without a slash in front: where on this computer.
  std::map<std::string, std::filesystem::path> files;
  std::set<std::string> folders;  // that packages bring, empty ones too
  std::string hash;               // of the user's own files' names, modes and content

  static constexpr std::uint64_t kMostBytes = 64 << 20;

  // Of a folder all files, of a single file usr/bin/NAME. Errors (usage): it is not there, is something else
  // than files, folders and links, or a program that needs a dynamic linker without a folder around it.
  [[nodiscard]] static Result<ProgramTree> own(const std::filesystem::path& files);

  // What unpacked packages hold and programs use: without documentation, translations, headers and what is
  // there already.
  void add_below(const std::filesystem::path& packages);

  // With the accounts and names that every program expects. Error (usage): more than most_bytes.
  [[nodiscard]] Result<> add_to(CpioArchive& image) const;

  // Its ELF files, and those of their symbols that packages keep apart (usr/lib/debug), into a folder.
  [[nodiscard]] Result<> write_symbols(const std::filesystem::path& folder) const;

 private:
  std::map<std::string, std::filesystem::path> symbols_;  // usr/lib/debug/.build-id/...
};

}  // namespace vtax::lab

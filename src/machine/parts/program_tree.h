#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/parts/cpio.h"

namespace vtax::lab {

// One of its files: on this computer, or out of an image of a container.
struct ProgramFile {
  std::filesystem::path place = {};
  std::shared_ptr<const std::vector<std::uint8_t>> held = {};  // its content, where it has no place
  std::string link = {};                                       // where it leads; empty: it is a file
  bool runs = false;                                           // its owner may execute it

  [[nodiscard]] static ProgramFile at(const std::filesystem::path& place);
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] Result<std::vector<std::uint8_t>> content() const;
};

// The files of the user's program as its systems see them: below /lab/program, which is its root.
struct ProgramTree {
  // Below the root, without a slash in front.
  std::map<std::string, ProgramFile> files;
  std::set<std::string> folders;  // that packages bring, empty ones too
  std::string hash;               // of the user's own files' names, modes and content

  static constexpr std::uint64_t kMostBytes = 512 << 20;
  static constexpr std::uint64_t kMostMemoryBytes = 768 << 20;  // of memory_bytes()
  // Larger ones are packed in the images: a system has its files twice in memory while it unpacks them.
  static constexpr std::uint64_t kMostPlainBytes = 64 << 20;

  // Of a folder all files, of a single file usr/bin/NAME. Errors (usage): it is not there, is something else
  // than files, folders and links, or a program that needs a dynamic linker without a folder around it.
  // "oci:FOLDER" is an image of a container (oci_image.h), whose files are read where `with_content`.
  [[nodiscard]] static Result<ProgramTree> own(const std::string& files, bool with_content = true);

  // What unpacked packages hold and programs use: without documentation, translations, headers and what is
  // there already.
  void add_below(const std::filesystem::path& packages);

  [[nodiscard]] std::uint64_t bytes() const;
  // What a system's memory has for them: whole pages, and what its kernel knows of each file and folder.
  [[nodiscard]] std::uint64_t memory_bytes() const;

  // With the accounts and names that every program expects. Error (usage): more than most_bytes.
  [[nodiscard]] Result<> add_to(CpioArchive& image) const;
  // Likewise, as the files of a folder that becomes the program's root; all are `owner`'s.
  [[nodiscard]] Result<> write_to(const std::filesystem::path& root, uid_t owner) const;

  // Its ELF files, and those of their symbols that packages keep apart (usr/lib/debug), into a folder.
  [[nodiscard]] Result<> write_symbols(const std::filesystem::path& folder) const;

 private:
  template <class Into>
  [[nodiscard]] Result<> put_into(Into& into) const;

  std::map<std::string, std::filesystem::path> symbols_;  // usr/lib/debug/.build-id/...
};

}  // namespace vtax::lab

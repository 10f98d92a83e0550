#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// What an archive says of a file, unchecked: its path may lead anywhere.
struct TarEntry {
  enum class Kind { file, hard_link, link, folder, other };  // other: devices, pipes, and what nobody knows
  Kind kind = Kind::other;
  std::string path, target;  // `target`: of links
  bool runs = false;         // its owner may execute it
  ByteView content;          // of a file, within the archive
};

// An archive as POSIX has it (ustar, pax) and GNU tar's long names, entry by entry. Sparse files are none of
// its: an archive with one is refused.
class TarReader {
 public:
  // `what` begins every error. The archive stays the caller's.
  TarReader(ByteView archive, std::string what) : rest_(archive), what_(std::move(what)) {}

  // Nothing: the archive's end. Errors (usage): it is cut off, or is none.
  [[nodiscard]] Result<std::optional<TarEntry>> next();

 private:
  // What stands in front of an entry and holds for it alone.
  struct Said {
    std::string path, target;
    std::optional<std::uint64_t> size;
  };
  [[nodiscard]] Result<> read_pax(ByteView records, Said& said) const;
  [[nodiscard]] Error bad(std::string why) const;

  ByteView rest_;
  std::string what_;
};

}  // namespace vtax::lab

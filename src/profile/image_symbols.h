#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace vtax::profile {

// The functions of a program or library (ELF64), by where they are in the file, so that it does not matter to
// which address it was loaded. The file may be anything: hostile, truncated, stripped.
class ImageSymbols {
 public:
  ImageSymbols() = default;
  explicit ImageSymbols(ByteView file);

  // The readable name of the function at this offset of the file; "" where there is none: only what a symbol
  // says it covers is its own, so that what a stripped library hides gets no neighbour's name.
  [[nodiscard]] std::string_view at(std::uint64_t file_offset);
  [[nodiscard]] const std::string& build_id() const { return build_id_; }  // hexadecimal; "" without

 private:
  struct Covered {
    std::uint64_t begin = 0, end = 0;  // offsets
    std::string name;
    bool is_global = false;
    bool is_readable = false;  // demangled: only what was asked for, for that takes long
  };
  std::vector<Covered> functions_;  // by begin
  std::string build_id_;
};

}  // namespace vtax::profile

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace vtax::profile {

// The functions of a program or library (ELF64), by where they are in the file, so that it does not matter to
// which address it was loaded. The file may be anything: hostile, truncated, stripped. Of what is stripped
// the table for unwinding stacks tells where functions begin and end.
class ImageSymbols {
 public:
  ImageSymbols() = default;
  // `symbols`: the file with its symbols alone that a distribution keeps apart; empty: none.
  explicit ImageSymbols(ByteView file, ByteView symbols = {});

  // The readable name of the function at this offset of the file; of one without a name kUnnamedFunction and
  // its address as the image was linked; "" where there is none: only what a symbol says it covers is its
  // own, so that what a stripped library hides gets no neighbour's name.
  [[nodiscard]] std::string_view at(std::uint64_t file_offset);
  [[nodiscard]] const std::string& build_id() const { return build_id_; }  // hexadecimal; "" without
  [[nodiscard]] bool is_stripped() const { return is_stripped_; }

 private:
  struct Covered {
    std::uint64_t begin = 0, end = 0;  // offsets
    std::string name;
    bool is_global = false;
    bool is_readable = false;  // demangled: only what was asked for, for that takes long
  };
  std::vector<Covered> functions_;  // by begin
  std::string build_id_;
  bool is_stripped_ = true;
};

}  // namespace vtax::profile

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vtax {

// Writes images with an embedded symbol table as scripts/kallsyms.c and Xen's tools/symbols.c lay them out,
// small enough to read. Noise stands before and behind, as code and data do in a real image.
class CompressedTableForTest {
 public:
  using Names = std::vector<std::string>;  // each begins with its type: "Tcontext_switch"

  explicit CompressedTableForTest(Names names) : names_(std::move(names)) {
    for (std::size_t i = 0; i < tokens_.size(); ++i)
      tokens_[i] = i >= '!' && i < 0x7f ? std::string(1, static_cast<char>(i)) : "";
    tokens_[1] = "sys_";
    tokens_[200] = "do_";
    tokens_[255] = "page_fault";
    bytes_.assign(1000, 0xcc);
  }

  CompressedTableForTest& u32(std::uint32_t value) { return little_endian(value, 4); }
  CompressedTableForTest& u64(std::uint64_t value) { return little_endian(value, 8); }
  CompressedTableForTest& align(std::size_t to) {
    while (bytes_.size() % to != 0) bytes_.push_back(0);
    return *this;
  }
  // num_syms, names, markers, token_table, token_index.
  CompressedTableForTest& tables(std::size_t alignment) {
    align(alignment).u32(static_cast<std::uint32_t>(names_.size())).align(alignment);
    std::vector<std::uint32_t> markers;
    const std::size_t start = bytes_.size();
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i % 256 == 0) markers.push_back(static_cast<std::uint32_t>(bytes_.size() - start));
      const auto packed = compress(names_[i]);
      if (packed.size() >= 128) {
        bytes_.push_back(static_cast<std::uint8_t>(packed.size() | 0x80));
        bytes_.push_back(static_cast<std::uint8_t>(packed.size() >> 7));
      } else {
        bytes_.push_back(static_cast<std::uint8_t>(packed.size()));
      }
      bytes_.insert(bytes_.end(), packed.begin(), packed.end());
    }
    align(alignment);
    for (const std::uint32_t marker : markers) u32(marker);
    align(alignment);
    std::vector<std::uint16_t> index;
    const std::size_t table = bytes_.size();
    for (const std::string& token : tokens_) {
      index.push_back(static_cast<std::uint16_t>(bytes_.size() - table));
      bytes_.insert(bytes_.end(), token.begin(), token.end());
      bytes_.push_back(0);
    }
    align(alignment);
    for (const std::uint16_t place : index) little_endian(place, 2);
    return *this;
  }
  [[nodiscard]] std::vector<std::uint8_t> image() const {
    std::vector<std::uint8_t> out = bytes_;
    out.insert(out.end(), 500, 0x90);
    return out;
  }

 private:
  CompressedTableForTest& little_endian(std::uint64_t value, int length) {
    for (int i = 0; i < length; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  [[nodiscard]] std::string compress(const std::string& name) const {
    std::string packed;
    for (std::size_t at = 0; at < name.size();) {
      std::size_t token = static_cast<unsigned char>(name[at]);
      for (const std::size_t longer : {1U, 200U, 255U})
        if (name.compare(at, tokens_[longer].size(), tokens_[longer]) == 0) token = longer;
      packed += static_cast<char>(token);
      at += tokens_[token].size();
    }
    return packed;
  }

  Names names_;
  std::array<std::string, 256> tokens_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace vtax

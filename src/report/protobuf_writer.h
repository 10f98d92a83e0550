#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vtax {

// The two wire types that profiles need (protobuf.dev/programming-guides/encoding): numbers as varints, and
// everything else with its length before it. A whole library for this is half a megabyte in every guest's
// image.
class ProtobufWriter {
 public:
  void number(std::uint32_t field, std::uint64_t value) {
    varint(field << 3U);
    varint(value);
  }
  void bytes(std::uint32_t field, std::string_view content) {
    varint(field << 3U | 2U);
    varint(content.size());
    text_ += content;
  }
  void message(std::uint32_t field, const ProtobufWriter& content) { bytes(field, content.text_); }

  // One of a repeated field of numbers, which stand together as the bytes of that field.
  void packed(std::uint64_t value) { varint(value); }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value) {
    for (; value > 0x7f; value >>= 7U) text_ += static_cast<char>((value & 0x7fU) | 0x80U);
    text_ += static_cast<char>(value);
  }

  std::string text_;
};

}  // namespace vtax

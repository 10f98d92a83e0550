#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What foreign text must not bring to a terminal or a page: control characters (C0, DEL, C1), those that turn
// the direction of text or break its line (U+061C, U+200E, U+2028 to 202E, U+2066 to 2069), and broken UTF-8.
namespace vtax {

// Bytes of the well-formed character that `text` begins with (Unicode 15, table 3-7), 0 when it is broken.
[[nodiscard]] std::size_t character_size(std::string_view text);

// Of one well-formed character.
[[nodiscard]] bool is_harmful(std::string_view character);

// The text with every harmful character replaced. `replace` is given the character's number, or nothing for a
// broken byte. What leaves vtax goes through this where its format is written, with the format's own escapes.
using Replacement = std::string (*)(std::optional<std::uint32_t> character);
[[nodiscard]] std::string without_harm(std::string_view text, Replacement replace);

// With '?' for each but new lines and tabs: for formats that have no escapes.
[[nodiscard]] std::string printable_text(std::string_view text);

}  // namespace vtax

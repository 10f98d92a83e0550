#include "account/compressed_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/bytes.h"

namespace vtax {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kTokenCount = 256;
constexpr std::size_t kNamesPerMarker = 256;
constexpr std::size_t kLongestName = 1024;         // Linux's KSYM_NAME_LEN is 512
constexpr std::uint32_t kMostSymbols = 4'000'000;  // Linux with everything built in has a tenth of that
constexpr int kMostCandidates = 100;               // of each table, in a hostile file

// Names contain every digit, and a character in use is always its own token.
constexpr std::string_view kDigitTokens = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009\000"sv;

struct Tokens {
  std::size_t table_at = 0;
  std::size_t index_end = 0;
  std::array<std::string_view, kTokenCount> text;
};

std::optional<Tokens> tokens_around(std::string_view image, std::size_t digits_at) {
  std::size_t end = digits_at;
  for (std::size_t token = '0'; token < kTokenCount; ++token) {
    const std::size_t nul = image.substr(end, kLongestName).find('\0');
    if (nul == std::string_view::npos) return std::nullopt;
    end += nul + 1;
  }
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(image.data()), image.size());
  const auto index_holds = [&](std::size_t index_at, Tokens& tokens) {
    const auto place = [&](std::size_t token) { return load<std::uint16_t>(bytes, index_at + 2 * token); };
    if (place(0) != 0 || place('0') > digits_at) return false;
    tokens.table_at = digits_at - place('0');
    tokens.index_end = index_at + 2 * kTokenCount;
    std::size_t expected = 0;
    for (std::size_t token = 0; token < kTokenCount; ++token) {
      if (place(token) != expected) return false;
      const std::size_t at = tokens.table_at + expected;
      const std::size_t length = image.substr(at, end - at).find('\0');
      if (length == std::string_view::npos) return false;
      tokens.text[token] = image.substr(at, length);
      expected += length + 1;
    }
    return tokens.table_at + expected == end;
  };
  for (std::size_t padding = 0; padding < 16; ++padding) {
    Tokens tokens;
    if (fits(image.size(), end + padding, 2 * kTokenCount) && index_holds(end + padding, tokens))
      return tokens;
  }
  return std::nullopt;
}

// How many markers stand at `at`: a zero, then steps that 256 names can have.
std::size_t markers_at(ByteView image, std::size_t at, std::size_t limit) {
  std::size_t count = 0;
  std::uint32_t previous = 0;
  for (; at + 4 <= limit; at += 4, ++count) {
    const auto marker = load<std::uint32_t>(image, at);
    if (count == 0
            ? marker != 0
            : marker < previous + 2 * kNamesPerMarker || marker - previous > kNamesPerMarker * kLongestName)
      break;
    previous = marker;
  }
  return count;
}

struct NameBytes {
  std::size_t at;
  std::size_t length;
};

std::optional<NameBytes> name_at(ByteView image, std::size_t at, std::size_t limit) {
  if (at >= limit) return std::nullopt;
  std::size_t length = image[at++];
  if ((length & 0x80) != 0) {
    if (at >= limit) return std::nullopt;
    length = (length & 0x7f) | (static_cast<std::size_t>(image[at++]) << 7);
  }
  if (length == 0 || length > limit - at) return std::nullopt;
  return NameBytes{at, length};
}

// Walks `count` names; each 256th has to stand where its marker says, and the last has to end at the markers.
std::optional<std::vector<NameBytes>> names_from(ByteView image, std::size_t names_at, std::size_t markers,
                                                 std::uint32_t count) {
  std::vector<NameBytes> names;
  std::size_t at = names_at;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i % kNamesPerMarker == 0 &&
        at - names_at != load<std::uint32_t>(image, markers + i / kNamesPerMarker * 4))
      return std::nullopt;
    const auto name = name_at(image, at, markers);
    if (!name) return std::nullopt;
    names.push_back(*name);
    at = name->at + name->length;
  }
  if (markers - at >= 16) return std::nullopt;
  return names;
}

struct Names {
  std::size_t num_syms_at;
  std::vector<NameBytes> names;
};

// num_syms stands before the names at a distance that only the walk can confirm.
std::optional<Names> names_before(ByteView image, std::size_t markers, std::size_t marker_count,
                                  int& candidates) {
  const auto marker = [&](std::size_t i) { return std::size_t{load<std::uint32_t>(image, markers + 4 * i)}; };
  // What follows the markers may look like one more of them: so the last but one gives the least distance.
  const std::size_t nearest = marker_count < 2 ? 0 : marker(marker_count - 2);
  const std::size_t furthest = marker(marker_count - 1) + kNamesPerMarker * kLongestName + 16;
  if (nearest > markers) return std::nullopt;
  for (std::size_t at = (markers - nearest) & ~std::size_t{3};
       at >= 4 && markers - at < furthest && candidates > 0; at -= 4) {
    const auto count = load<std::uint32_t>(image, at - 4);
    const std::size_t needs = (std::size_t{count} + kNamesPerMarker - 1) / kNamesPerMarker;
    if (count == 0 || count > kMostSymbols || needs > marker_count || needs + 1 < marker_count) continue;
    for (const std::size_t padding : {0U, 4U}) {
      if (at + padding >= markers) continue;
      --candidates;
      if (auto names = names_from(image, at + padding, markers, count))
        return Names{at - 4, std::move(*names)};
    }
  }
  return std::nullopt;
}

// Markers stand before the token table, at most three bytes a symbol away.
std::optional<Names> names_for(ByteView image, const Tokens& tokens) {
  int candidates = kMostCandidates;
  for (std::size_t at = tokens.table_at & ~std::size_t{3}; at >= 4 && candidates > 0; at -= 4) {
    if (tokens.table_at - at > std::size_t{3} * kMostSymbols) break;
    if (load<std::uint32_t>(image, at - 4) != 0) continue;
    const std::size_t count = markers_at(image, at - 4, tokens.table_at);
    // Of a small table the only marker is a zero; more than one zero may be padding.
    if (count == 1 && tokens.table_at - at >= 64) continue;
    --candidates;
    if (auto names = names_before(image, at - 4, count, candidates)) return names;
  }
  return std::nullopt;
}

}  // namespace

Result<CompressedNames> find_compressed_names(ByteView image, const std::string& what) {
  const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
  std::size_t at = text.find(kDigitTokens);
  for (int candidates = 0; at != std::string_view::npos && candidates < kMostCandidates;
       at = text.find(kDigitTokens, at + 1), ++candidates) {
    const auto tokens = tokens_around(text, at);
    if (!tokens) continue;
    const auto names = names_for(image, *tokens);
    if (!names) continue;
    CompressedNames found{{}, names->num_syms_at, tokens->index_end};
    found.names.reserve(names->names.size());
    std::string expanded;
    for (const NameBytes& name : names->names) {
      expanded.clear();
      for (std::size_t i = 0; i < name.length && expanded.size() <= kLongestName; ++i)
        expanded += tokens->text[image[name.at + i]];
      if (expanded.size() < 2 || expanded.size() > kLongestName)
        return fail(
            {what,
             "its symbol table is damaged: a name of " + std::to_string(expanded.size()) + " characters",
             ""});
      found.names.push_back({expanded[0], expanded.substr(1)});
    }
    return found;
  }
  return fail({what,
               "it has no embedded symbol table (not this kind of image, truncated, or built without one)",
               ""});
}

}  // namespace vtax

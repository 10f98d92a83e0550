#include "machine/parts/tar_reader.h"

#include <algorithm>
#include <charconv>

namespace vtax::lab {
namespace {

constexpr std::size_t kTarBlock = 512, kLongestTarName = 4096;

// Fields of a header: offset and length.
struct TarField {
  std::size_t at, length;
};
constexpr TarField kTarName{0, 100}, kTarMode{100, 8}, kTarSize{124, 12}, kTarSum{148, 8},
    kTarTarget{157, 100}, kTarMagic{257, 6}, kTarPrefix{345, 155};
constexpr std::size_t kTarType = 156;

std::string_view tar_text(ByteView header, TarField field) {
  const std::string_view text(reinterpret_cast<const char*>(header.data()) + field.at, field.length);
  return text.substr(0, text.find('\0'));
}

// Octal digits; or, as GNU tar writes large ones, bytes behind one whose first bit is set.
std::optional<std::uint64_t> tar_number(ByteView header, TarField field) {
  const ByteView bytes = header.subspan(field.at, field.length);
  std::uint64_t number = 0;
  if ((bytes[0] & 0x80) != 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint8_t digit = i == 0 ? bytes[i] & 0x7f : bytes[i];
      if (number >> 55 != 0) return std::nullopt;
      number = number << 8 | digit;
    }
    return number;
  }
  std::string_view text = tar_text(header, field);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (text.empty()) return 0;
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool sum_is_right(ByteView header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i)
    sum += i >= kTarSum.at && i < kTarSum.at + kTarSum.length ? std::uint8_t{' '} : header[i];
  return tar_number(header, kTarSum) == sum;
}

TarEntry::Kind kind_of(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':  // contiguous: a file
      return TarEntry::Kind::file;
    case '1':
      return TarEntry::Kind::hard_link;
    case '2':
      return TarEntry::Kind::link;
    case '5':
      return TarEntry::Kind::folder;
    default:
      return TarEntry::Kind::other;
  }
}

std::string text_of_name(ByteView bytes) {
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

}  // namespace

Error TarReader::bad(std::string why) const {
  return {what_, std::move(why), "write the image again: skopeo copy ... oci:FOLDER", ExitCode::usage};
}

// "27 path=a/long/name\n", one behind the other; the number is the record's length.
Result<> TarReader::read_pax(ByteView records, Said& said) const {
  std::string_view text(reinterpret_cast<const char*>(records.data()), records.size());
  while (!text.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length > text.size() || length < digits + 3 || text[digits] != ' ' ||
        text[length - 1] != '\n')
      return fail(bad("a record of its archive is damaged"));
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    text.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return fail(bad("a record of its archive is damaged"));
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if ((key == "path" || key == "linkpath") && value.find('\0') != std::string_view::npos)
      return fail(bad("a record of its archive is damaged"));
    if (key == "path") said.path = value;
    if (key == "linkpath") said.target = value;
    if (key.starts_with("GNU.sparse.")) return fail(bad("its archive holds a sparse file"));
    if (key != "size") continue;
    std::uint64_t size = 0;
    const auto number = std::from_chars(value.data(), value.data() + value.size(), size);
    if (number.ec != std::errc() || number.ptr != value.data() + value.size())
      return fail(bad("a size in its archive is no number"));
    said.size = size;
  }
  return {};
}

Result<std::optional<TarEntry>> TarReader::next() {
  Said said;
  while (true) {
    // Two empty blocks end it; some writers leave them out.
    if (rest_.empty()) return std::nullopt;
    if (rest_.size() < kTarBlock) return fail(bad("its archive is cut off"));
    const ByteView header = rest_.first(kTarBlock);
    if (std::all_of(header.begin(), header.end(), [](std::uint8_t byte) { return byte == 0; }))
      return std::nullopt;
    if (!sum_is_right(header)) return fail(bad("it holds something else than an archive of tar's"));
    const char type = static_cast<char>(header[kTarType]);
    const auto stated = tar_number(header, kTarSize), mode = tar_number(header, kTarMode);
    if (!stated || !mode) return fail(bad("a number in its archive is damaged"));
    const bool is_about_next = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    const std::uint64_t size = is_about_next ? *stated : said.size.value_or(*stated);
    const std::size_t room = rest_.size() - kTarBlock;
    if (size > room) return fail(bad("its archive is cut off"));
    const ByteView content = rest_.subspan(kTarBlock, size);
    const std::size_t padded = (size + kTarBlock - 1) / kTarBlock * kTarBlock;
    rest_ = rest_.subspan(kTarBlock + std::min(padded, room));
    if (type == 'x') {
      if (Result<> read = read_pax(content, said); !read) return fail(read.error());
      continue;
    }
    if (type == 'g') continue;  // a comment
    if (type == 'L' || type == 'K') {
      (type == 'L' ? said.path : said.target) = text_of_name(content);
      continue;
    }
    TarEntry entry;
    entry.kind = kind_of(type);
    entry.path = said.path;
    if (entry.path.empty()) {
      const std::string_view prefix =
          tar_text(header, kTarMagic) == "ustar" ? tar_text(header, kTarPrefix) : std::string_view();
      entry.path = prefix.empty() ? std::string(tar_text(header, kTarName))
                                  : std::string(prefix) + "/" + std::string(tar_text(header, kTarName));
    }
    entry.target = said.target.empty() ? std::string(tar_text(header, kTarTarget)) : said.target;
    if (entry.path.size() > kLongestTarName || entry.target.size() > kLongestTarName)
      return fail(bad("a name in its archive is too long"));
    entry.runs = (*mode & 0100) != 0;
    if (entry.kind == TarEntry::Kind::file) entry.content = content;
    return entry;
  }
}

}  // namespace vtax::lab

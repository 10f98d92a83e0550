#include "account/unwind_functions.h"

#include <algorithm>
#include <map>
#include <optional>

namespace vtax {
namespace {

// DW_EH_PE_*: how a pointer is written, and what it counts from.
constexpr std::uint8_t kForm = 0x0f, kFrom = 0x70, kAbsolute = 0x00, kUnsigned2 = 0x02, kUnsigned4 = 0x03,
                       kUnsigned8 = 0x04, kSigned2 = 0x0a, kSigned4 = 0x0b, kSigned8 = 0x0c,
                       kFromItself = 0x10;

// A bounded look into the table; once it has looked behind its end it stays there.
class Cursor {
 public:
  Cursor(ByteView bytes, std::uint64_t at) : bytes_(bytes), at_(at) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::uint64_t at() const { return at_; }

  template <class T>
  T take() {
    const auto value = copy_at<T>(bytes_, at_);
    good_ = good_ && value.has_value();
    if (!good_) return T();
    at_ += sizeof(T);
    return *value;
  }
  void skip(std::uint64_t bytes) {
    good_ = good_ && fits(bytes_.size(), at_, bytes);
    if (good_) at_ += bytes;
  }
  // Of either sign: its value does not matter here.
  void skip_leb128() {
    while (good_ && (take<std::uint8_t>() & 0x80) != 0) {
    }
  }

 private:
  ByteView bytes_;
  std::uint64_t at_;
  bool good_ = true;
};

// A pointer's number as it is written; nothing in a form that linkers do not use here.
std::optional<std::uint64_t> take_number(Cursor& cursor, std::uint8_t form) {
  std::uint64_t number = 0;
  switch (form & kForm) {
    case kAbsolute:
    case kUnsigned8:
    case kSigned8:
      number = cursor.take<std::uint64_t>();
      break;
    case kUnsigned2:
      number = cursor.take<std::uint16_t>();
      break;
    case kSigned2:
      number = static_cast<std::uint64_t>(std::int64_t{cursor.take<std::int16_t>()});
      break;
    case kUnsigned4:
      number = cursor.take<std::uint32_t>();
      break;
    case kSigned4:
      number = static_cast<std::uint64_t>(std::int64_t{cursor.take<std::int32_t>()});
      break;
    default:
      return std::nullopt;
  }
  if (!cursor.good()) return std::nullopt;
  return number;
}

// How the functions of a common information entry write their addresses: its augmentation's 'R'.
std::optional<std::uint8_t> form_of(Cursor entry) {
  const auto version = entry.take<std::uint8_t>();
  constexpr std::size_t kMostLetters = 8;
  char letters[kMostLetters] = {};
  std::size_t count = 0;
  for (char letter = entry.take<char>(); entry.good() && letter != 0; letter = entry.take<char>()) {
    if (count == kMostLetters) return std::nullopt;
    letters[count++] = letter;
  }
  entry.skip_leb128();  // code alignment
  entry.skip_leb128();  // data alignment
  if (version == 1)
    entry.skip(1);  // the return address's register
  else
    entry.skip_leb128();
  if (count == 0) return entry.good() ? std::optional(kAbsolute) : std::nullopt;
  if (letters[0] != 'z') return std::nullopt;
  entry.skip_leb128();  // the augmentation's length
  std::uint8_t form = kAbsolute;
  for (std::size_t i = 1; i < count; ++i) {
    if (letters[i] == 'R') form = entry.take<std::uint8_t>();
    if (letters[i] == 'L') entry.skip(1);
    if (letters[i] == 'P' && !take_number(entry, entry.take<std::uint8_t>())) return std::nullopt;
  }
  const std::uint8_t from = form & kFrom;
  const bool is_known = entry.good() && (from == kAbsolute || from == kFromItself) && (form & 0x80) == 0;
  return is_known ? std::optional(form) : std::nullopt;
}

struct Table {
  ByteView bytes;
  std::uint64_t address = 0;
};

// By its section; of a file without sections by what debuggers and C++ find it with at run time, a segment
// (PT_GNU_EH_FRAME) that points to it. It then ends with an entry of no length.
std::optional<Table> table_of(const ElfFile& elf) {
  if (const ElfFile::Section* section = elf.section(".eh_frame"))
    return Table{elf.content(*section), section->header.sh_addr};
  const auto segments = elf.segments();
  if (!segments) return std::nullopt;
  for (const Elf64_Phdr& segment : *segments) {
    if (segment.p_type != PT_GNU_EH_FRAME) continue;
    Cursor index(elf.loaded_at(segment.p_vaddr), 0);
    const auto version = index.take<std::uint8_t>(), form = index.take<std::uint8_t>();
    index.skip(2);  // the forms of what follows the pointer
    const std::uint64_t itself = segment.p_vaddr + index.at();
    const auto pointer = take_number(index, form);
    const std::uint8_t from = form & kFrom;
    if (version != 1 || !pointer || (from != kAbsolute && from != kFromItself)) return std::nullopt;
    const std::uint64_t address = *pointer + (from == kFromItself ? itself : 0);
    return Table{elf.loaded_at(address), address};
  }
  return std::nullopt;
}

}  // namespace

std::vector<UnwindFunction> unwind_functions(const ElfFile& elf) {
  const auto found = table_of(elf);
  if (!found) return {};
  const ByteView table = found->bytes;
  std::map<std::uint64_t, std::optional<std::uint8_t>> forms;  // by where the common entry stands
  std::vector<UnwindFunction> functions;
  constexpr std::uint32_t kLong = 0xffffffff;
  for (std::uint64_t at = 0;;) {
    Cursor entry(table, at);
    const auto length = entry.take<std::uint32_t>();
    const std::uint64_t id_at = entry.at();
    const auto id = entry.take<std::uint32_t>();
    if (!entry.good() || length < sizeof id || length == kLong || !fits(table.size(), id_at, length)) break;
    at = id_at + length;
    if (id == 0) {
      forms[id_at - sizeof length] = form_of(entry);
      continue;
    }
    // The common entry is so far before this field.
    const auto form = id <= id_at ? forms.find(id_at - id) : forms.end();
    if (form == forms.end() || !form->second) continue;
    const std::uint64_t itself = found->address + entry.at();
    const auto begin = take_number(entry, *form->second);
    const auto bytes = take_number(entry, *form->second & kForm);
    if (!begin || !bytes || *bytes == 0) continue;
    const std::uint64_t first = *begin + ((*form->second & kFrom) == kFromItself ? itself : 0);
    if (*bytes <= ~std::uint64_t{0} - first) functions.push_back({first, *bytes});
  }
  std::sort(functions.begin(), functions.end(), [](const UnwindFunction& a, const UnwindFunction& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.bytes > b.bytes;
  });
  const auto end = std::unique(functions.begin(), functions.end(),
                               [](const auto& a, const auto& b) { return a.begin == b.begin; });
  functions.erase(end, functions.end());
  return functions;
}

}  // namespace vtax

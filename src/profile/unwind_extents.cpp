#include "profile/unwind_extents.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

namespace vtax::profile {
namespace {

// How a pointer is written: DW_EH_PE_* of the Linux Standard Base.
constexpr std::uint8_t kFormat = 0x0f, kRelation = 0x70, kRelativeToItself = 0x10;
constexpr std::uint8_t kPointer = 0x00, kUnsigned2 = 0x02, kUnsigned4 = 0x03, kUnsigned8 = 0x04,
                       kSigned2 = 0x0a, kSigned4 = 0x0b, kSigned8 = 0x0c;
// A table of 256 MiB has no more.
constexpr std::size_t kMostExtents = 4'000'000;

// Fields one after the other; after the first that is not there all are zero.
class UnwindFields {
 public:
  UnwindFields(ByteView bytes, std::uint64_t at) : bytes_(bytes), at_(at) {}

  template <class T>
  T next() {
    const auto value = copy_at<T>(bytes_, at_);
    whole_ = whole_ && value.has_value();
    at_ += sizeof(T);
    return whole_ ? *value : T{};
  }
  // LEB128, of which the value is not needed.
  void skip_number() {
    while (whole_ && (next<std::uint8_t>() & 0x80U) != 0) {
    }
  }
  std::uint64_t pointer(std::uint8_t encoding) {
    switch (encoding & kFormat) {
      case kPointer:
      case kUnsigned8:
      case kSigned8:
        return next<std::uint64_t>();
      case kUnsigned4:
        return next<std::uint32_t>();
      case kSigned4:
        return static_cast<std::uint64_t>(std::int64_t{next<std::int32_t>()});
      case kUnsigned2:
        return next<std::uint16_t>();
      case kSigned2:
        return static_cast<std::uint64_t>(std::int64_t{next<std::int16_t>()});
      default:
        whole_ = false;
        return 0;
    }
  }
  [[nodiscard]] std::uint64_t at() const { return at_; }
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  ByteView bytes_;
  std::uint64_t at_;
  bool whole_ = true;
};

// How the entries that refer to this common one write their pointers.
std::optional<std::uint8_t> encoding_of(ByteView table, std::uint64_t common) {
  UnwindFields fields(table, common);
  if (fields.next<std::uint32_t>() == ~std::uint32_t{0}) fields.next<std::uint64_t>();
  if (fields.next<std::uint32_t>() != 0) return std::nullopt;
  const auto version = fields.next<std::uint8_t>();
  std::string augmentation;
  constexpr std::size_t kLongest = 8;
  while (const auto letter = fields.next<std::uint8_t>()) {
    if (augmentation.size() == kLongest) return std::nullopt;
    augmentation += static_cast<char>(letter);
  }
  fields.skip_number();  // alignment of code
  fields.skip_number();  // and of data
  if (version == 1)
    fields.next<std::uint8_t>();  // the register of the return address
  else
    fields.skip_number();
  if (!augmentation.starts_with('z')) return fields.whole() ? std::optional(kPointer) : std::nullopt;
  fields.skip_number();  // how long the augmentation is
  for (const char letter : augmentation.substr(1)) {
    if (letter == 'R') {
      const auto encoding = fields.next<std::uint8_t>();
      return fields.whole() ? std::optional(encoding) : std::nullopt;
    }
    if (letter == 'P')
      fields.pointer(fields.next<std::uint8_t>());
    else if (letter == 'L')
      fields.next<std::uint8_t>();
  }
  return fields.whole() ? std::optional(kPointer) : std::nullopt;
}

}  // namespace

std::vector<UnwindExtent> unwind_extents(const ElfFile& elf) {
  std::vector<UnwindExtent> all;
  const ElfFile::Section* section = elf.section(".eh_frame");
  if (section == nullptr) return all;
  const ByteView table = elf.content(*section);
  std::unordered_map<std::uint64_t, std::optional<std::uint8_t>> encodings;  // by the common entry's place
  for (std::uint64_t at = 0; all.size() < kMostExtents;) {
    UnwindFields fields(table, at);
    std::uint64_t length = fields.next<std::uint32_t>();
    if (length == 0xffffffff) length = fields.next<std::uint64_t>();
    if (!fields.whole() || length == 0 || !fits(table.size(), fields.at(), length)) break;
    const std::uint64_t reference_at = fields.at();
    at = fields.at() + length;
    const std::uint64_t reference = fields.next<std::uint32_t>();
    if (!fields.whole() || reference == 0 || reference > reference_at) continue;
    const std::uint64_t common = reference_at - reference;
    auto known = encodings.find(common);
    if (known == encodings.end()) known = encodings.emplace(common, encoding_of(table, common)).first;
    if (!known->second) continue;
    const std::uint8_t encoding = *known->second, relation = encoding & kRelation;
    if (relation != 0 && relation != kRelativeToItself) continue;
    const std::uint64_t place = section->header.sh_addr + fields.at();
    std::uint64_t begin = fields.pointer(encoding);
    if (relation == kRelativeToItself) begin += place;
    const std::uint64_t size = fields.pointer(encoding & kFormat);
    if (fields.whole() && begin != 0 && size > 0 && size <= ~std::uint64_t{0} - begin)
      all.push_back({begin, begin + size});
  }
  std::sort(all.begin(), all.end(),
            [](const UnwindExtent& a, const UnwindExtent& b) { return a.begin < b.begin; });
  return all;
}

}  // namespace vtax::profile

#include "meter/kernel_types.h"

#include <cstring>

namespace vtax::meter {
namespace {

// enum values of linux/btf.h, which are the format.
enum BtfKind : std::uint32_t {
  btf_int = 1,
  btf_array = 3,
  btf_struct = 4,
  btf_union = 5,
  btf_enum = 6,
  btf_func_proto = 13,
  btf_var = 14,
  btf_datasec = 15,
  btf_decl_tag = 17,
  btf_enum64 = 19,
};
constexpr std::uint32_t kBtfMagic = 0xeb9f, kHeadBytes = 24, kTypeBytes = 12, kMemberBytes = 12;
constexpr int kDeepest = 8;

std::uint32_t kind_of(std::uint32_t info) {
  return info >> 24 & 0x1f;
}
std::uint32_t count_of(std::uint32_t info) {
  return info & 0xffff;
}

// What follows a type's head.
std::uint64_t tail_bytes(std::uint32_t info) {
  const std::uint64_t count = count_of(info);
  switch (kind_of(info)) {
    case btf_int:
    case btf_var:
    case btf_decl_tag:
      return 4;
    case btf_array:
      return 12;
    case btf_struct:
    case btf_union:
    case btf_datasec:
    case btf_enum64:
      return 12 * count;
    case btf_enum:
    case btf_func_proto:
      return 8 * count;
    default:
      return 0;
  }
}

}  // namespace

std::uint32_t KernelTypes::word(std::uint64_t at) const {
  std::uint32_t value = 0;
  if (at + sizeof value <= types_.size()) std::memcpy(&value, types_.data() + at, sizeof value);
  return value;
}

std::string_view KernelTypes::name_at(std::uint32_t offset) const {
  if (offset >= strings_.size()) return "";
  const char* text = reinterpret_cast<const char*>(strings_.data()) + offset;
  return {text, strnlen(text, strings_.size() - offset)};
}

std::optional<KernelTypes> KernelTypes::read(ByteView btf) {
  std::uint32_t head[6] = {};
  if (btf.size() < sizeof head) return std::nullopt;
  std::memcpy(head, btf.data(), sizeof head);
  const std::uint64_t length = head[1], types_at = length + head[2], strings_at = length + head[4];
  if ((head[0] & 0xffff) != kBtfMagic || length < kHeadBytes || types_at + head[3] > btf.size() ||
      strings_at + head[5] > btf.size())
    return std::nullopt;
  KernelTypes out;
  out.types_ = btf.subspan(types_at, head[3]);
  out.strings_ = btf.subspan(strings_at, head[5]);
  out.all_.push_back({});  // number 0 is void
  for (std::uint64_t at = 0; at + kTypeBytes <= out.types_.size();) {
    const std::uint32_t info = out.word(at + 4);
    out.all_.push_back({out.word(at), info, static_cast<std::uint32_t>(at + kTypeBytes)});
    at += kTypeBytes + tail_bytes(info);
  }
  return out;
}

std::optional<std::uint32_t> KernelTypes::find(const Type& type, std::string_view member, int depth) const {
  if (depth > kDeepest) return std::nullopt;
  const bool has_bit_fields = (type.info & 0x80000000U) != 0;
  for (std::uint32_t i = 0; i < count_of(type.info); ++i) {
    const std::uint64_t at = type.at + std::uint64_t{kMemberBytes} * i;
    const std::string_view name = name_at(word(at));
    const std::uint32_t number = word(at + 4), offset = word(at + 8);
    const bool is_bit_field = has_bit_fields && offset >> 24 != 0;
    const std::uint32_t bytes = (has_bit_fields ? offset & 0xffffff : offset) / 8;
    if (name == member) return is_bit_field ? std::nullopt : std::optional(bytes);
    if (!name.empty() || number >= all_.size()) continue;
    const std::uint32_t kind = kind_of(all_[number].info);
    if (kind != btf_struct && kind != btf_union) continue;
    if (const auto inner = find(all_[number], member, depth + 1)) return bytes + *inner;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> KernelTypes::offset_of(std::string_view structure,
                                                    std::string_view member) const {
  for (const Type& type : all_)
    if (kind_of(type.info) == btf_struct && count_of(type.info) > 0 && name_at(type.name) == structure)
      return find(type, member, 0);
  return std::nullopt;
}

}  // namespace vtax::meter

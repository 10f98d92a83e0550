#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace vtax::meter {

// Where a member lies in a structure of the running kernel, from its BTF (Documentation/bpf/btf.rst of Linux;
// /sys/kernel/btf/vmlinux). Members of nameless structures and unions count as the outer one's.
class KernelTypes {
 public:
  // Nothing if these bytes are no BTF. They must outlive this.
  [[nodiscard]] static std::optional<KernelTypes> read(ByteView btf);

  // In bytes; nothing for bit fields and for what is not there.
  [[nodiscard]] std::optional<std::uint32_t> offset_of(std::string_view structure,
                                                       std::string_view member) const;

 private:
  struct Type {
    std::uint32_t name = 0, info = 0, at = 0;  // `at`: where what follows its head begins
  };
  [[nodiscard]] std::optional<std::uint32_t> find(const Type& type, std::string_view member, int depth) const;
  [[nodiscard]] std::uint32_t word(std::uint64_t at) const;
  [[nodiscard]] std::string_view name_at(std::uint32_t offset) const;

  ByteView types_, strings_;
  std::vector<Type> all_;  // by number, from 1
};

}  // namespace vtax::meter

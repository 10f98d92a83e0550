#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// One of `of` shares of what is to be done, which as many processes do.
struct Shard {
  std::uint64_t number = 0;  // 0 .. of - 1
  std::uint64_t of = 1;

  bool operator==(const Shard&) const = default;
};

// "0/4". Errors: usage.
[[nodiscard]] Result<Shard> parse_shard(std::string_view text);
[[nodiscard]] std::string text_of(const Shard& shard);

}  // namespace vtax

#include "core/shard.h"

#include <fmt/format.h>

#include <charconv>

#include "core/readable.h"

namespace vtax {

Result<Shard> parse_shard(std::string_view text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, shard.number);
  const bool has_slash = number.ec == std::errc() && number.ptr != end && *number.ptr == '/';
  const auto of = has_slash ? std::from_chars(number.ptr + 1, end, shard.of) : number;
  if (!has_slash || of.ec != std::errc() || of.ptr != end || shard.number >= shard.of)
    return fail({fmt::format("cannot use --shard {}", printable(text)), "it is not a share",
                 "the first of four shares is 0/4, the last 3/4"});
  return shard;
}

std::string text_of(const Shard& shard) {
  return fmt::format("{}/{}", shard.number, shard.of);
}

}  // namespace vtax

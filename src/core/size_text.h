#pragma once

#include <cstdint>
#include <string_view>

namespace vtax {

// A size as people write it: "1448", "64K", "8 MiB". K, M and G are 1024 each, as iperf3 and dd take them.
struct ParsedSize {
  enum class Fault { none, no_number, unknown_unit, too_much };
  std::uint64_t bytes = 0;  // only without a fault
  Fault fault = Fault::none;
};
[[nodiscard]] ParsedSize parse_size(std::string_view text);

}  // namespace vtax

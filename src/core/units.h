#pragma once

#include <compare>
#include <cstdint>

namespace vtax {

// A count of one unit: adds and compares with its own kind only.
template <class Tag>
struct Count {
  std::uint64_t value = 0;

  constexpr Count() = default;
  constexpr explicit Count(std::uint64_t v) : value(v) {}
  constexpr auto operator<=>(const Count&) const = default;
  constexpr Count& operator+=(Count other) {
    value += other.value;
    return *this;
  }
  constexpr friend Count operator+(Count a, Count b) { return Count(a.value + b.value); }
};

using Instructions = Count<struct InstructionsTag>;
using Bytes = Count<struct BytesTag>;
using Packets = Count<struct PacketsTag>;
using Transactions = Count<struct TransactionsTag>;

// Sizes of memory and of files, in bytes.
inline constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;

// How many MiB hold so many bytes.
[[nodiscard]] constexpr std::uint64_t whole_mib(std::uint64_t bytes) {
  return bytes / kMiB + (bytes % kMiB > 0 ? 1 : 0);
}

// An address as the guest's CPU sees it (virtual), never one of this process.
struct GuestAddress {
  std::uint64_t value = 0;

  constexpr GuestAddress() = default;
  constexpr explicit GuestAddress(std::uint64_t v) : value(v) {}
  constexpr auto operator<=>(const GuestAddress&) const = default;
};

}  // namespace vtax

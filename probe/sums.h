#pragma once

// What is added up where the guest enters a function: one, or what an argument in a register says.

#include <cstdint>

namespace vtax::probe {

enum class Amount : std::uint8_t {
  one = 0,
  value = 1,         // the register's low 32 bits: lengths and counts are `unsigned int` or below 4 GiB
  power_of_two = 2,  // 2 to the power of the register's low six bits: the order of a page allocation
};

struct Sum {
  std::uint32_t number = 0;  // of format.h's kSums
  Amount amount = Amount::one;
  int guest_register = 0;  // as an instruction's encoding numbers them: 0 %rax, 1 %rcx, ..., 15 %r15
  // Only when the block before lay in [caller_begin, caller_end), on this CPU; 0, 0: whoever calls.
  std::uint64_t caller_begin = 0, caller_end = 0;

  [[nodiscard]] bool is_of(std::uint64_t caller) const {
    return caller_end == 0 || (caller >= caller_begin && caller < caller_end);
  }

  [[nodiscard]] std::uint64_t amount_of(std::uint64_t argument) const {
    if (amount == Amount::value) return argument & 0xffffffff;
    if (amount == Amount::power_of_two) return 1ULL << (argument & 63);
    return 1;
  }
};

}  // namespace vtax::probe

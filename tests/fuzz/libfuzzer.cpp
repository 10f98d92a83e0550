#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/target.h"

// One target for a fuzzer that is guided by coverage: the environment's VTAX_FUZZ_TARGET names it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const vtax::fuzz::Target* const target = [] {
    const char* const name = std::getenv("VTAX_FUZZ_TARGET");
    for (const auto& one : vtax::fuzz::targets())
      if (name != nullptr && one.name == name) return &one;
    vtax::fuzz::require(false, "VTAX_FUZZ_TARGET names a target");
    return static_cast<const vtax::fuzz::Target*>(nullptr);
  }();
  static_cast<void>(target->try_one({reinterpret_cast<const char*>(bytes), size}));
  return 0;
}

#pragma once

#include <cstdint>

// Instructions that do nothing on any machine and that the lab's probe recognises when it translates them:
// an 8-byte NOP, `0f 1f 84 00` and four bytes of identity (docs/design/architecture.md, "Markers").
namespace vtax::marker {

// "The domain that runs on this CPU now is number k". Domains: 0 is the host or the driver domain.
inline constexpr int kMostDomains = 8;

[[gnu::always_inline]] inline void begin_window() {
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540100" ::: "memory");
}

[[gnu::always_inline]] inline void end_window() {
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540101" ::: "memory");
}

// "Guest number `guest` has done so much since the window's begin".
[[gnu::always_inline]] inline void progress(std::uint64_t guest, std::uint64_t bytes,
                                            std::uint64_t transactions) {
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540102" ::"D"(guest), "S"(bytes), "d"(transactions)
               : "memory");
}

// "Guest number `guest` sends its request number `request`"; "it has the whole answer".
[[gnu::always_inline]] inline void request(std::uint64_t guest, std::uint64_t request) {
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540103" ::"D"(guest), "S"(request) : "memory");
}

[[gnu::always_inline]] inline void answer(std::uint64_t guest, std::uint64_t request) {
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540104" ::"D"(guest), "S"(request) : "memory");
}

// "Guest number `guest` waited so long for an answer, by its own clock".
[[gnu::always_inline]] inline void latency(std::uint64_t guest, std::uint64_t ns) {
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540105" ::"D"(guest), "S"(ns) : "memory");
}

// Each identity is an instruction of its own, so the number must be known to the assembler.
template <int K>
[[gnu::always_inline]] inline void announce_domain() {
  static_assert(K >= 0 && K < kMostDomains);
  asm volatile(".byte 0x0f,0x1f,0x84,0x00\n\t.long 0x56540000 + %c0" ::"i"(K) : "memory");
}

// `domain` below most_domains; anything else announces nothing.
void announce(int domain);

}  // namespace vtax::marker

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

// Loops whose work is known, each timed by the CPU time that it takes.
namespace vtax::prices {

// Nanoseconds each; nothing where this processor or system has no such thing.

// Of a mix of adding, shifting, loading, storing and jumping; each instruction needs the one before, or none
// does.
[[nodiscard]] std::optional<double> ns_of_instruction(bool depends);

// Of a byte that is copied by 16 KiB at a time, through buffers of so many bytes.
[[nodiscard]] std::optional<double> ns_of_copied_byte(std::size_t buffer);

[[nodiscard]] std::optional<double> ns_of_system_call();

// Of the first touch of a page of 4 KiB.
[[nodiscard]] std::optional<double> ns_of_page_fault();

// Of a thread that is woken by another on the same CPU, which then waits: a byte through a pipe, and its two
// system calls. In another process, the page tables are switched besides.
[[nodiscard]] std::optional<double> ns_of_wake_up(bool in_another_process);

// Of a load whose address is what the load before gave, all over so many bytes, in an order that no
// prefetcher knows.
[[nodiscard]] std::optional<double> ns_of_load(std::size_t bytes);

}  // namespace vtax::prices

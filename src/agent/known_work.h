#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/json_fields.h"
#include "core/result.h"

namespace vtax::agent {

// Work whose cost is known to the instruction: what the self-check compares the ledger with. Each kind is one
// function of the namespace known_work with a loop in assembly; a round costs so many program instructions:
struct KnownWork {
  static constexpr std::uint64_t per_loop = 2, per_page = 4, per_system_call = 4, per_port_access = 3,
                                 per_memory_access = 5;

  std::uint64_t loops = 0;
  std::uint64_t pages = 0;            // first touches of fresh 4 KiB pages: a page fault each
  std::uint64_t system_calls = 0;     // getppid
  std::uint64_t port_accesses = 0;    // writes to port 0x80: a device access each
  std::uint64_t memory_accesses = 0;  // reads of a card's status register: likewise, and in mid-block

  static constexpr std::uint64_t most_loops = 1'000'000'000, most_rounds = 1'000'000, most_pages = 16'384;

  [[nodiscard]] nlohmann::json to_json() const;
  // Unknown keys are an error; missing ones count as none.
  [[nodiscard]] static Result<KnownWork> from(const JsonFields& fields);
};

// Everything the work needs, taken beforehand, so that do_now() does that work and nothing else.
class PreparedWork {
 public:
  [[nodiscard]] static Result<PreparedWork> prepare(const KnownWork& work);
  PreparedWork(PreparedWork&& other) noexcept;
  PreparedWork& operator=(PreparedWork&&) = delete;
  ~PreparedWork();

  void do_now() const;

 private:
  explicit PreparedWork(const KnownWork& work) : work_(work) {}

  KnownWork work_;
  void* pages_ = nullptr;
  void* registers_ = nullptr;
};

}  // namespace vtax::agent

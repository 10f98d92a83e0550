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
  static constexpr std::uint64_t kPerLoop = 2, kPerPage = 4, kPerSystemCall = 4, kPerPortAccess = 3,
                                 kPerMemoryAccess = 5;

  std::uint64_t loops = 0;
  std::uint64_t pages = 0;            // first touches of fresh 4 KiB pages: a page fault each
  std::uint64_t system_calls = 0;     // getppid
  std::uint64_t port_accesses = 0;    // writes to port 0x80: a device access each
  std::uint64_t memory_accesses = 0;  // reads of a card's status register: likewise, and in mid-block

  static constexpr std::uint64_t kMostLoops = 1'000'000'000, kMostRounds = 1'000'000, kMostPages = 16'384;

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

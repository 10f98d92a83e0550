#pragma once

#include <chrono>

#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax {

// What a guest of Xen obeys: {"do": "memory"}, how much it holds: {"kib"}.
[[nodiscard]] Result<nlohmann::json> obey_memory();

// Its answer.
[[nodiscard]] Result<std::uint64_t> memory_kib_of(EndpointClient& guest);

// Sleeps until the guest holds no more than this. Error: it does not get there in time.
[[nodiscard]] Result<> wait_for_memory(EndpointClient& guest, int mib, std::chrono::seconds limit);

}  // namespace vtax

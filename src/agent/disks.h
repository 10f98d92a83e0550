#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax::agent {

// The machine's disks: null_blk devices that keep what is written, in memory, and complete by a timer
// (docs/design/disks.md). They and everything about them are made after the snapshot, for trials that have a
// disk: other trials' machines never see them.

// Loads the modules of the lists' disks and makes so many: their paths.
[[nodiscard]] Result<std::vector<std::string>> make_disks(int count);

// In a guest: loads the disk's driver and waits for the disk.
//   {"do": "disk", "device": "xvda"} -> {"state": "done"}
[[nodiscard]] Result<nlohmann::json> obey_disk(const JsonFields& order);

// Tells a guest so and waits. Its path there.
[[nodiscard]] Result<std::string> take_disk(EndpointClient& guest, const std::string& device);

}  // namespace vtax::agent

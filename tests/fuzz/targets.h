#pragma once

#include "tests/fuzz/target.h"

// The targets by where their inputs come from.
namespace vtax::fuzz {

[[nodiscard]] std::vector<Target> targets_of_files();   // run files, studies, claims, timelines
[[nodiscard]] std::vector<Target> targets_of_images();  // kernels, hypervisors, modules, the probe's records
[[nodiscard]] std::vector<Target> targets_of_guests();  // plans, messages, results
[[nodiscard]] std::vector<Target> targets_of_computers();  // what anybody's processes and groups are called
[[nodiscard]] std::vector<Target> targets_of_networks();   // HTTP, iperf3, sessions, addresses
[[nodiscard]] std::vector<Target> targets_of_profiles();   // what agents and those who ask them say
[[nodiscard]] std::vector<Target> targets_of_programs();   // what programs mark, and where their files go
[[nodiscard]] std::vector<Target> targets_of_advice();     // servers, price lists, changes

}  // namespace vtax::fuzz

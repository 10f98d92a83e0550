#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

// How many CPUs a guest of the lab has, and queues of its card: the guest's kernel decides both.
namespace vtax::agent {

struct CpusAndQueues {
  int cpus = 0;    // online
  int queues = 0;  // for sending, which are as many as for receiving
};

// PID 1 of every image keeps to its first CPU; a guest with several works on all of them.
[[nodiscard]] Result<> use_every_cpu();

// The guest's order "cpus", with the "device" whose queues are meant.
[[nodiscard]] Result<nlohmann::json> obey_cpus(const JsonFields& order);

[[nodiscard]] Result<CpusAndQueues> cpus_and_queues_of(EndpointClient& guest, const std::string& device);

}  // namespace vtax::agent

#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb iperf3_client_verb();
[[nodiscard]] Verb iperf3_server_verb();

}  // namespace vtax

#pragma once

#include "core/result.h"
#include "workload/iperf3/control.h"
#include "workload/iperf3/server.h"

namespace vtax::iperf3 {

// The server's side of one test, from the parameters to the end. `listener` is the server's; whoever else
// comes is turned away.
[[nodiscard]] Result<TestReport> run_server_test(Control control, const Cookie& cookie, int listener,
                                                 const ServerOptions& options, const ServerEvents& events);

}  // namespace vtax::iperf3

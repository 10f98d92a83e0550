#include "cli/workload.h"

#include "cli/workload_http.h"
#include "cli/workload_http_files.h"
#include "cli/workload_http_server.h"
#include "cli/workload_iperf3.h"
#include "cli/workload_local.h"
#include "cli/workload_traffic.h"

namespace vtax {
namespace {

Verb::Action add_workload_options(CLI::App& app) {
  return add_group(app, {tcp_stream_verb(), udp_stream_verb(), tcp_rr_verb(), udp_rr_verb(), tcp_crr_verb(),
                         paced_verb(), http_verb(), softload_verb(), memory_verb(), linpack_verb(),
                         disk_verb(), compile_verb(), server_verb(), http_server_verb(), http_files_verb(),
                         iperf3_server_verb(), iperf3_client_verb()});
}

}  // namespace

Verb workload_verb() {
  return {"workload", "The load generators by hand: on this host, in a guest, against stock peers",
          "vtax workload tcp-stream 192.0.2.7 --duration 10s\n  vtax workload memory", add_workload_options};
}

}  // namespace vtax

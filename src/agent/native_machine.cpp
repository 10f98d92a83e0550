#include "agent/disks.h"
#include "agent/joined_peers.h"
#include "agent/kernel_counters.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/lab_trial.h"
#include "agent/machine.h"
#include "agent/profile_books.h"
#include "platform/placement.h"

namespace vtax::agent {

Result<> run_native_machine() {
  Result<> ready = lab_ports::open();
  if (ready) ready = pin_unbound_work(lab::kDriverCpu);
  if (!ready) return ready;
  const Result<LabPlan> plan = snapshot_and_read_plan();
  if (!plan) return fail(plan.error());
  if (plan->platform != PlatformId::native && plan->platform != PlatformId::container) {
    return fail(Error{"run the plan", "this machine has no Xen", "", ExitCode::trial_failed});
  }
  if (Result<> loaded = load_what_is_needed(*plan); !loaded) return loaded;
  nlohmann::json modules = to_json(module_sections("host"));
  if (Result<> announced = announce_on({0, 1, 2}, 0); !announced) return announced;
  if (plan->is_peer) return serve_as_peer(*plan);
  if (plan->self_check || plan->programs) {
    Result<nlohmann::json> done = !plan->self_check         ? run_programs(*plan->programs, plan->time_limit)
                                  : plan->self_check->queue ? run_paced_queue(*plan->self_check->queue)
                                                            : check_alone(plan->self_check->work);
    if (!done) return fail(done.error());
    send_result(std::move(*done), modules);
    return {};
  }
  Result<Setup> setup = lab_setup(*plan);
  if (!setup) return fail(setup.error());
  std::vector<EndpointClient> peers;
  if (Result<> joined = join_peers(*plan, peers, *setup); !joined) return joined;
  std::vector<std::string> disks;
  if (controller::has_disk(*plan)) {
    auto made = make_disks(plan->guests);
    if (!made) return fail(made.error());
    disks = std::move(*made);
    modules = to_json(module_sections("host"));
  }
  const auto platform = plan->platform == PlatformId::native ? make_native() : make_container();
  CountersOfWindow counters;
  ProfileBooks profile(sampling_of(*plan));
  if (plan->profile_hz > 0) {
    std::vector<EndpointClient> guests;
    if (Result<> opened = profile.open("host", guests); !opened) return opened;
  }
  return arrange_and_work(*plan, *platform, *setup, modules,
                          plan->counters         ? counters.hooks()
                          : plan->profile_hz > 0 ? profile.hooks()
                                                 : controller::WindowHooks(),
                          disks);
}

}  // namespace vtax::agent

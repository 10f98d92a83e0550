#include "controller/local_trial.h"

#include <algorithm>
#include <thread>

#include "controller/trial.h"
#include "controller/trial_result.h"
#include "workload/measure/side_report_reader.h"

namespace vtax::controller {
namespace {

// Guest k's share under `halving`, of whichever amount the work has.
FixedWork local_work_of(const FixedWork& first, Loads loads, int guest) {
  FixedWork work = first;
  if (loads != Loads::halving) return work;
  work.rounds = std::max<std::uint64_t>(2, work.rounds >> (guest - 1));
  work.systems = std::max<std::uint64_t>(1, work.systems >> (guest - 1));
  work.iterations = std::max<std::uint64_t>(1, work.iterations >> (guest - 1));
  work.compiles = std::max<std::uint64_t>(1, work.compiles >> (guest - 1));
  if (work.kind == FixedWork::Kind::disk)
    work.bytes = std::max<std::uint64_t>(512, work.bytes >> (guest - 1));
  return work;
}

Result<SideReport> local_report(EndpointClient& client, std::chrono::nanoseconds limit) {
  const auto answer = client.wait_for("done", limit);
  if (!answer) return fail(answer.error());
  const auto fields = answer->object("side");
  if (!fields) return fail(fields.error());
  return read_side_report(*fields);
}

}  // namespace

Result<nlohmann::json> run_local_trial(const TrialPlan& plan, Bench& bench,
                                       const std::vector<std::string>& disks,
                                       std::chrono::milliseconds settle, const WindowHooks& hooks) {
  using Clock = std::chrono::steady_clock;
  std::vector<End*> systems{&bench.system};
  for (EndPair& pair : bench.more) systems.push_back(&pair.system);

  // All begin together, when the last order was given long ago. Who ends earlier than others stays silent
  // for longer than they can take if their work is alike.
  const Clock::time_point begin = Clock::now() + 2 * settle;
  for (std::size_t i = 0; i < systems.size(); ++i) {
    FixedWork work = local_work_of(*plan.local, plan.loads, static_cast<int>(i) + 1);
    if (i < disks.size()) work.file = disks[i];
    const auto lead = std::max<std::chrono::nanoseconds>(begin - Clock::now(), settle / 4);
    const Result<> told =
        systems[i]->client->tell({{"do", "fixed-work"},
                                  {"work", work.to_json()},
                                  {"guest", i + 1},
                                  {"marks", marks_of_each(systems.size())},
                                  {"lead_ns", lead.count()},
                                  {"trail_ns", std::chrono::nanoseconds(4 * settle).count()}});
    if (!told) return fail(told.error());
  }
  if (hooks.before) {
    std::this_thread::sleep_until(begin - settle / 4);
    if (Result<> seen = hooks.before(); !seen) return fail(seen.error());
  }
  TrialResult done;
  nlohmann::json programs = nlohmann::json::array();
  for (End* system : systems) {
    const auto side = local_report(*system->client, plan.time_limit);
    if (!side) return fail(side.error());
    done.add(system->name, *side);
    programs.push_back(side->cpu.user.count());
  }
  if (hooks.after)
    if (Result<> seen = hooks.after(); !seen) return fail(seen.error());
  nlohmann::json result = done.to_json();
  if (hooks.after) result["systems_user_ns"] = programs;
  return result;
}

}  // namespace vtax::controller

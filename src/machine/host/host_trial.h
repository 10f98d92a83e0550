#pragma once

#include <map>
#include <string>

#include "core/result.h"
#include "machine/host/guest_parts.h"
#include "machine/host/sandbox.h"
#include "machine/parts/program_tree.h"
#include "record/trial.h"
#include "subject/platform_table.h"

namespace vtax::host {

// What a step begins with that `progress` hears of when the platform is made and the work begins.
inline constexpr char kMeasuringStep[] = "measuring on ";

// The user's program of a trial, and what it is made of.
struct HostProgram {
  lab::ProgramTree files;
  nlohmann::json provenance = nlohmann::json::object();
  lab::InUse in_use = {};  // nobody removes the files as long as this lives
};

// One trial on this computer: made, measured, taken down. `trial` brings index, repetition and factors; the
// rest is filled in. `guests`: by platform, for those that have one. `program`: of the workload `program`.
// CPUs: the first two that this process may use. `with_course`: readings within the window too
// (window_readings.h). Errors: trial_failed, unavailable, interrupted.
[[nodiscard]] Result<> run_host_trial(Trial& trial, const std::map<PlatformId, GuestParts>& guests,
                                      const TellStep& progress, bool with_course = true,
                                      const HostProgram* program = nullptr);

// The platform without the work: what one making and taking down costs. For the bench and the tests.
struct SetupTimes {
  std::chrono::nanoseconds all{};  // from before the first namespace until nothing is left
};
[[nodiscard]] Result<SetupTimes> make_and_take_down(PlatformId platform,
                                                    const std::map<PlatformId, GuestParts>& guests);

}  // namespace vtax::host

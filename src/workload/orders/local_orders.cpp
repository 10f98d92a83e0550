#include "workload/orders/local_orders.h"

#include <thread>

#include "workload/local/cpu_list.h"
#include "workload/local/sampler.h"
#include "workload/local/softload.h"
#include "workload/orders/fixed_work.h"
#include "workload/orders/http_work.h"
#include "workload/orders/program_orders.h"

namespace vtax {
namespace {

Result<nlohmann::json> start_softload(const JsonFields& order) {
  const auto percent = order.number("percent", 1, 100);
  if (!percent) return fail(percent.error());
  SoftloadOptions options;
  options.share = static_cast<double>(*percent) / 100;
  options.duration = std::chrono::hours(1);
  if (Result<> good = options.check(); !good) return fail(good.error());
  std::thread([options] { static_cast<void>(run_softload(options)); }).detach();
  return nlohmann::json{{"state", "done"}};
}

// On the CPUs on which this end may run: in a guest all that it has, otherwise the one that it is pinned to.
Result<nlohmann::json> start_sampling(const JsonFields& order) {
  static std::unique_ptr<Sampler> running;  // until the process ends
  const auto hz = order.number("hz", 1, kMostSamplingHz);
  if (!hz) return fail(hz.error());
  auto sampler = Sampler::start(*hz, usable_cpus());
  if (!sampler) return fail(sampler.error());
  running = std::move(*sampler);
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> do_fixed_work(const JsonFields& order) {
  constexpr std::uint64_t kLongestNs = 60'000'000'000;
  const auto fields = order.object("work");
  if (!fields) return fail(fields.error());
  const auto work = FixedWork::from(*fields);
  if (!work) return fail(work.error());
  const auto lead = order.number("lead_ns", 0, kLongestNs), trail = order.number("trail_ns", 0, kLongestNs);
  if (!lead) return fail(lead.error());
  if (!trail) return fail(trail.error());
  const auto guest = order.number("guest", 0, Marking::kMostGuests),
             marks = order.number("marks", 0, Marking::kMostMarks);
  if (!guest) return fail(guest.error());
  if (!marks) return fail(marks.error());
  std::this_thread::sleep_for(std::chrono::nanoseconds(*lead));
  const auto side =
      run_fixed_work(*work, true, {static_cast<unsigned>(*guest), static_cast<unsigned>(*marks)});
  if (!side) return fail(side.error());
  std::this_thread::sleep_for(std::chrono::nanoseconds(*trail));
  return nlohmann::json{{"state", "done"}, {"side", side->to_json()}};
}

}  // namespace

std::optional<Result<nlohmann::json>> obey_local(const std::string& order, const JsonFields& fields,
                                                 ControlChannel& control) {
  if (order == "softload") return start_softload(fields);
  if (order == "sample") return start_sampling(fields);
  if (order == "fixed-work") return do_fixed_work(fields);
  if (auto done = obey_program(order, fields, control)) return done;
  return obey_http(order, fields);
}

}  // namespace vtax

#include "workload/measure/repeat.h"

#include <fmt/format.h>

#include "core/interruption.h"

namespace vtax {

Result<> RepeatPolicy::check() const {
  if (least < 1 || most < least || most > 1000)
    return fail({"cannot repeat that often", fmt::format("{} to {} repeats", least, most),
                 "ask for 1 to 1000, for example --repeat 3,30"});
  if (!(confidence > 0.5 && confidence < 1))
    return fail(
        {"no such confidence", fmt::format("{}", confidence), "between 0.5 and 1, usually 0.95 or 0.99"});
  if (!(half_width > 0 && half_width < 1))
    return fail({"no such width", fmt::format("{}", half_width), "a part of the mean, such as 0.025"});
  return {};
}

Summary summarise(const RepeatPolicy& policy, const std::vector<Repeat>& repeats) {
  Summary out;
  out.confidence = policy.confidence;
  out.asked_half_width = policy.half_width;
  for (const Repeat& repeat : repeats) {
    const Metric& metric = repeat.at(0).metrics.at(0);
    out.metric = metric.name;
    out.unit = metric.unit;
    out.values.push_back(metric.value);
  }
  out.mean = mean(out.values).value_or(0);
  out.median = median(out.values).value_or(0);
  out.interval = mean_interval(out.values, policy.confidence);
  out.tight = out.interval && out.interval->high - out.mean <= policy.half_width * out.mean;
  return out;
}

Result<std::vector<Repeat>> repeat(const RepeatPolicy& policy, const std::function<Result<Repeat>()>& once,
                                   const std::function<void(const Repeat&)>& on_repeat) {
  if (Result<> good = policy.check(); !good) return fail(good.error());
  std::vector<Repeat> done;
  while (static_cast<int>(done.size()) < policy.most) {
    if (interrupted() && !done.empty()) break;
    if (interrupted()) return fail(interruption_error());
    Result<Repeat> one = once();
    if (!one && one.error().code == ExitCode::interrupted && !done.empty()) break;
    if (!one) return fail(one.error());
    if (on_repeat) on_repeat(*one);
    done.push_back(std::move(*one));
    if (static_cast<int>(done.size()) >= policy.least && summarise(policy, done).tight) break;
  }
  return done;
}

}  // namespace vtax

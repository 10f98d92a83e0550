#include "controller/guests_time.h"

#include <algorithm>

namespace vtax::controller {
namespace {

bool say_their_time(const Bench& bench) {
  using Role = MeteredProcess::Role;
  return !bench.xen_domains.empty() ||
         std::any_of(bench.processes.begin(), bench.processes.end(), [](const MeteredProcess& process) {
           return process.role == Role::emulator || process.role == Role::kvm;
         });
}

}  // namespace

GuestsTime::GuestsTime(const ProgramPairs& pairs, const Bench& bench, bool wanted)
    : pairs_(pairs), said_(wanted && say_their_time(bench)), before_(pairs.size()), after_(pairs.size()) {}

Result<> GuestsTime::ask_with_clients(When when) {
  return ask(when, true);
}

Result<> GuestsTime::ask_with_servers(When when) {
  return ask(when, false);
}

Result<> GuestsTime::ask(When when, bool with_client) {
  constexpr std::uint64_t kMostNs = std::uint64_t{1} << 62;
  for (std::size_t i = 0; i < pairs_.size() && said_; ++i) {
    const End& guest = with_client ? *pairs_[i].client : *pairs_[i].server;
    if (!guest.in_guest || pairs_[i].client->in_guest != with_client) continue;
    const auto answer = guest.client->ask({{"do", "program-time"}}, pairs_.patience());
    if (!answer) return fail(answer.error());
    const auto user = answer->number("user_ns", 0, kMostNs), own = answer->number("own_ns", 0, kMostNs),
               kernel = answer->number("kernel_ns", 0, kMostNs);
    for (const auto* part : {&user, &own, &kernel})
      if (!*part) return fail(part->error());
    using std::chrono::nanoseconds;
    (when == When::before ? before_ : after_)[i] = {nanoseconds(*user), nanoseconds(*own),
                                                    nanoseconds(*kernel)};
  }
  return {};
}

void GuestsTime::add_to(nlohmann::json& result) const {
  for (std::size_t i = 0; i < pairs_.size() && said_; ++i) {
    const ProgramsShare used = programs_share(before_[i], after_[i]);
    result["systems_user_ns"].push_back(used.user.count());
    result["systems_kernel_ns"].push_back(used.kernel.count());
  }
}

}  // namespace vtax::controller

#include "controller/guests_time.h"

#include <algorithm>

namespace vtax::controller {
namespace {

bool says_its_time(const MeteredProcess& process) {
  return process.role == MeteredProcess::Role::emulator || process.role == MeteredProcess::Role::kvm;
}

}  // namespace

GuestsTime::GuestsTime(const ProgramPairs& pairs, const Bench& bench, bool wanted)
    : pairs_(pairs),
      said_(wanted && std::any_of(bench.processes.begin(), bench.processes.end(), says_its_time)),
      before_(pairs.size()),
      after_(pairs.size()) {}

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
    const auto user = answer->number("user_ns", 0, kMostNs), kernel = answer->number("kernel_ns", 0, kMostNs);
    if (!user) return fail(user.error());
    if (!kernel) return fail(kernel.error());
    (when == When::before ? before_ : after_)[i] = {*user, *kernel};
  }
  return {};
}

void GuestsTime::add_to(nlohmann::json& result) const {
  for (std::size_t i = 0; i < pairs_.size() && said_; ++i) {
    const auto since = [&](std::uint64_t GuestTime::*part) {
      const std::uint64_t before = before_[i].*part, after = after_[i].*part;
      return after > before ? after - before : 0;
    };
    result["systems_user_ns"].push_back(since(&GuestTime::user_ns));
    result["systems_kernel_ns"].push_back(since(&GuestTime::kernel_ns));
  }
}

}  // namespace vtax::controller

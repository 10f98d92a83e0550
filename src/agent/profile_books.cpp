#include "agent/profile_books.h"

#include <unistd.h>

#include <cerrno>
#include <map>

#include "agent/lab_layout.h"
#include "platform/wiring.h"
#include "workload/session/secret.h"

namespace vtax::agent {
namespace {

// The lab's wires lead nowhere else.
constexpr char kLabToken[] = "token-of-the-lab";
constexpr std::chrono::seconds kToStart{5};
constexpr int kMostAttempts = 40;
constexpr std::chrono::milliseconds kBetweenAttempts{50};

nlohmann::json functions_of(const profile::MonitorProfile& profile, bool idle) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> sums;
  for (const profile::Row& row : profile.rows) {
    const bool in_guest = row.mode == profile::Mode::guest_kernel || row.mode == profile::Mode::guest_user;
    if (row.idle != idle || in_guest) continue;
    const profile::Function& leaf = profile.frames[row.frames.front()];
    sums[{leaf.image, leaf.name}] += row.samples;
  }
  nlohmann::json all = nlohmann::json::array();
  for (const auto& [function, samples] : sums) all.push_back({function.first, function.second, samples});
  return all;
}

}  // namespace

controller::WindowHooks ProfileBooks::hooks() {
  return {[this] { return begin(); }, [this] { return end(); },
          [this](nlohmann::json& result) { describe(result); }};
}

Result<> ProfileBooks::open(const std::string& domain, std::vector<EndpointClient>& guests) {
  domain_ = domain;
  const auto secret = Secret::from_text(kLabToken);
  if (!secret) return fail(secret.error());
  for (std::size_t i = 0; i < guests.size(); ++i) {
    const int guest = static_cast<int>(i) + 1;
    const auto started = guests[i].ask({{"do", "agent"}, {"token", kLabToken}}, kToStart);
    if (!started) return fail(started.error());
    profile::AgentAddress address;
    address.guest = lab::guest_name(guest);
    address.host = wiring::guest_ipv4(guest);
    auto agent = profile::AskedAgent::ask(address, *secret, options_);
    // It says that it has begun, not that it listens.
    for (int attempt = 0; attempt < kMostAttempts && !agent; ++attempt) {
      std::this_thread::sleep_for(kBetweenAttempts);
      agent = profile::AskedAgent::ask(address, *secret, options_);
    }
    if (!agent) return fail(agent.error());
    agents_.push_back(std::move(*agent));
  }
  auto monitor = profile::Monitor::open(options_);
  if (!monitor) return fail(monitor.error());
  monitor_.emplace(std::move(*monitor));
  return {};
}

Result<> ProfileBooks::begin() {
  for (profile::AskedAgent& agent : agents_)
    if (auto gone = agent.go(std::nullopt); !gone) return gone;
  begun_ = std::chrono::steady_clock::now();
  if (auto started = monitor_->start(); !started) return started;
  running_ = std::thread([this] { monitor_->run(); });
  return {};
}

Result<> ProfileBooks::end() {
  window_ = std::chrono::steady_clock::now() - begun_;
  running_.join();
  sides_.push_back({domain_, monitor_->finish()});
  for (profile::AskedAgent& agent : agents_) {
    auto profile = agent.profile();
    if (!profile) return fail(profile.error());
    sides_.push_back({agent.guest(), std::move(*profile)});
  }
  return {};
}

void ProfileBooks::describe(nlohmann::json& result) const {
  nlohmann::json sides = nlohmann::json::array();
  for (const Side& side : sides_)
    sides.push_back({{"domain", side.domain},
                     {"period", side.profile.period},
                     {"samples", side.profile.samples},
                     {"lost", side.profile.lost},
                     {"own_ns", side.profile.own_time.count()},
                     {"cost_ns", side.profile.sample_cost.count()},
                     {"functions", functions_of(side.profile, false)},
                     {"idle", functions_of(side.profile, true)}});
  result["profile"] = {{"window_ns", window_.count()}, {"sides", sides}};
}

profile::MonitorOptions sampling_of(const LabPlan& plan) {
  profile::MonitorOptions options;
  options.hz = plan.profile_hz;
  options.duration = plan.profile_duration;
  options.most_cost = 1;  // whatever it costs
  return options;
}

Result<nlohmann::json> obey_agent(const std::string& ipv4, const JsonFields& order) {
  const auto token = order.text("token");
  if (!token) return fail(token.error());
  const auto secret = Secret::from_text(*token);
  if (!secret) return fail(secret.error());
  const pid_t child = fork();
  if (child < 0) return fail(system_error("cannot start the agent", errno));
  if (child == 0) {
    profile::AgentOptions options;
    options.host = ipv4;
    static_cast<void>(profile::serve_profiles(options, *secret, [](const std::string&) {}));
    _exit(1);
  }
  return nlohmann::json{{"state", "done"}};
}

}  // namespace vtax::agent

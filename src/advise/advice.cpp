#include "advise/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "advise/figure_text.h"
#include "core/readable.h"
#include "subject/platform_table.h"

namespace vtax::advise {
namespace {

bool wants_p99(const Server& server) {
  return server.minimise == Aim::p99 ||
         std::any_of(server.applications.begin(), server.applications.end(),
                     [](const Application& application) { return application.most_p99_us.has_value(); });
}

// What is known of cells is asked for once: placements share them.
class Told {
 public:
  explicit Told(const CellTeller& tell) : tell_(tell) {}
  const Result<ToldCell>& of(const Factors& cell) {
    const auto found = known_.find(cell);
    return found != known_.end() ? found->second : known_.emplace(cell, tell_(cell)).first->second;
  }

 private:
  const CellTeller& tell_;
  std::map<Factors, Result<ToldCell>> known_;
};

class Adviser {
 public:
  Adviser(const Server& server, const Knowledge& knowledge)
      : server_(server), knowledge_(knowledge), told_(knowledge.tell) {}

  // The error's `why` says why nothing is promised.
  [[nodiscard]] Result<Option> option_of(const Placement& placement) {
    Option option;
    option.placement = placement;
    bool shares = false;
    for (std::size_t i = 0; i < placement.cells.size(); ++i) {
      auto told = cost_of(placement.cells[i], shares);
      if (!told) return fail({"", server_.applications[i].name + ": " + told.error().why, ""});
      option.told.push_back(std::move(*told));
    }
    option.stations = stations_of(server_, placement, option.told);
    option.notes = option.stations.notes;
    add_costs(option);
    if (shares) option.notes.emplace_back("costs are those of guests with CPUs of their own");
    if (auto done = add_simulated(option, shares); !done) return fail(done.error());
    check(option);
    set_aim(option);
    return option;
  }

 private:
  [[nodiscard]] Result<ToldCell> cost_of(const Factors& cell, bool& shares) {
    const auto& told = told_.of(cell);
    if (told || obstacle_to_simulating(cell)) return told;
    const Factors own = without_sharing(cell);
    if (own == cell) return told;
    const auto& alone = told_.of(own);
    if (alone) shares = true;
    return alone;
  }

  void add_costs(Option& option) const {
    constexpr double kMillion = 1e6;
    for (std::size_t i = 0; i < option.told.size(); ++i) {
      const ToldCell& told = option.told[i];
      const double scale =
          units_per_second(told.unit, server_.applications[i].rate) / (server_.cpu_mips * kMillion);
      option.cpus.value += told.cost.value * scale;
      option.cpus.interval.low += told.cost.interval.low * scale;
      option.cpus.interval.high += told.cost.interval.high * scale;
      for (const auto& [layer, cost] : told.layers) option.layers[layer] += cost * scale;
    }
    double most = 0;
    for (const Station& station : option.stations.all) most = std::max(most, station.utilisation);
    option.room = most > 0 ? server_.most_busy_percent / kPercent / most : 0;
  }

  // Where CPUs are shared, and for latencies.
  [[nodiscard]] Result<> add_simulated(Option& option, bool shares) {
    const bool for_p99 = wants_p99(server_);
    if (!for_p99 && !shares) return {};
    const std::vector<Factors>& cells = option.placement.cells;
    if (cells.size() > 1 && !for_p99) {
      option.notes.emplace_back("what sharing does to rates is by the utilisation law alone");
      return {};
    }
    std::vector<ToldCell> one_guest;
    for (const Factors& cell : cells) {
      if (const auto why = obstacle_to_simulating(cell)) {
        if (for_p99)
          return fail({"", "how long requests wait is the simulator's to say, not of " + *why, ""});
        return {};
      }
      Factors alone = without_sharing(cell);
      alone["guests"] = "1";
      const auto& told = told_.of(alone);
      if (!told) return fail({"", "one guest alone: " + told.error().why, ""});
      one_guest.push_back(*told);
    }
    auto simulated = simulated_of(cells, one_guest);
    if (!simulated) return fail({"", "the simulator: " + simulated.error().why, ""});
    option.simulated = std::move(*simulated);
    return {};
  }

  [[nodiscard]] Result<std::vector<Simulated>> simulated_of(const std::vector<Factors>& cells,
                                                            const std::vector<ToldCell>& one_guest) const {
    if (cells.size() > 1) return simulate_cells(server_, cells, one_guest, knowledge_.told_mips);
    const auto only = simulate_cell(server_, cells.front(), one_guest.front(), knowledge_.told_mips);
    if (!only) return fail(only.error());
    return std::vector<Simulated>{*only};
  }

  void check(Option& option) const {
    const double most = server_.most_busy_percent / kPercent;
    if (option.stations.cpus > static_cast<std::size_t>(server_.cpus))
      option.unmet.push_back(
          {fmt::format("it needs {} CPUs, the server has {}", option.stations.cpus, server_.cpus),
           static_cast<double>(option.stations.cpus) / server_.cpus});
    for (const Station& station : option.stations.all)
      if (station.utilisation > most)
        option.unmet.push_back({fmt::format("{} would be {} busy, {:.0f} % are allowed", station.name,
                                            percent_text(station.utilisation), server_.most_busy_percent),
                                station.utilisation / most});
    const double share = kPercent * option.stations.least_share;
    if (share < server_.least_share_percent)
      option.unmet.push_back({fmt::format("a guest has {:.0f} % of a CPU for sure, {:.0f} % are wished",
                                          share, server_.least_share_percent),
                              server_.least_share_percent / share});
    for (std::size_t i = 0; i < option.simulated.size(); ++i) check_simulated(i, option);
    std::stable_sort(option.unmet.begin(), option.unmet.end(),
                     [](const Wish& a, const Wish& b) { return a.over > b.over; });
  }

  // Beside others an application is simulated at its own rate, of which the window's edges miss a little.
  void check_simulated(std::size_t number, Option& option) const {
    constexpr double kNearly = 0.97;
    const Application& application = server_.applications[number];
    const Simulated& simulated = option.simulated[number];
    const bool is_alone = option.simulated.size() == 1;
    const bool is_stream = option.told[number].unit == Unit::kilobyte;
    const double wanted = is_alone ? application.rate : kNearly * application.rate;
    if ((is_stream || !is_alone) && simulated.rate < wanted)
      option.unmet.push_back({fmt::format("simulated, {} goes no faster than {} {}, {} are asked for",
                                          is_alone ? "it" : application.name, readable(simulated.rate),
                                          is_stream ? "Mb/s" : "a second", readable(application.rate)),
                              application.rate / simulated.rate});
    if (application.most_p99_us && simulated.p99_us && *simulated.p99_us > *application.most_p99_us)
      option.unmet.push_back(
          {fmt::format("simulated, 1 % of the exchanges{} take longer than {} us, {} are allowed",
                       is_alone ? "" : " of " + application.name, readable(*simulated.p99_us),
                       readable(*application.most_p99_us)),
           *simulated.p99_us / *application.most_p99_us});
  }

  // What is told of the cost is as uncertain as what follows from it.
  void set_aim(Option& option) const {
    const predict::Estimate& cpus = option.cpus;
    double value = cpus.value;
    if (server_.minimise == Aim::busiest_cpu) {
      const auto busiest = std::find_if(option.stations.all.begin(), option.stations.all.end(),
                                        [](const Station& station) { return station.cpu >= 0; });
      value = busiest == option.stations.all.end() ? 0 : busiest->utilisation;
    }
    if (server_.minimise == Aim::p99) {
      value = 0;
      for (const Simulated& simulated : option.simulated)
        value = std::max(value, simulated.p99_us.value_or(0));
    }
    option.aim = {value, {value * cpus.interval.low / cpus.value, value * cpus.interval.high / cpus.value}};
  }

  const Server& server_;
  const Knowledge& knowledge_;
  Told told_;
};

Result<std::vector<std::string>> platforms_for(const Server& server, const Knowledge& knowledge) {
  std::vector<std::string> platforms = server.platforms.empty() ? knowledge.platforms : server.platforms;
  if (server.own_kernel)
    std::erase_if(platforms, [](const std::string& name) {
      return facts_of(platform_named(name).value_or(PlatformId::native)).runner == GuestRunner::none;
    });
  if (platforms.empty())
    return fail({"cannot give advice on " + server.name,
                 "no platform at hand has guests with a kernel of their own",
                 "name one in platforms, or leave out own_kernel"});
  return platforms;
}

// Applications that cost the same in both are certain not to tell them apart.
bool overlap(const Server& server, const Option& best, const Option& other) {
  if (server.minimise != Aim::cost) return other.aim.interval.low <= best.aim.interval.high;
  double high = 0, low = 0;
  for (std::size_t i = 0; i < best.told.size(); ++i) {
    if (best.placement.cells[i] == other.placement.cells[i]) continue;
    const double rate = units_per_second(best.told[i].unit, server.applications[i].rate);
    high += best.told[i].cost.interval.high * rate;
    low += other.told[i].cost.interval.low * rate;
  }
  return low <= high;
}

}  // namespace

std::size_t Advice::contenders() const {
  return static_cast<std::size_t>(
      std::count_if(holds.begin(), holds.end(), [](const Option& option) { return option.may_be_best; }));
}

Result<Advice> advise(const Server& server, const Knowledge& knowledge) {
  const auto platforms = platforms_for(server, knowledge);
  if (!platforms) return fail(platforms.error());
  auto placements = placements_of(server, *platforms);
  if (!placements) return fail(placements.error());
  Advice advice;
  advice.placements = placements->size();
  Adviser adviser(server, knowledge);
  for (const Placement& placement : *placements) {
    auto option = adviser.option_of(placement);
    if (!option)
      advice.no_promise.emplace_back(placement, option.error().why);
    else
      (option->unmet.empty() ? advice.holds : advice.fails).push_back(std::move(*option));
  }
  std::stable_sort(advice.holds.begin(), advice.holds.end(),
                   [](const Option& a, const Option& b) { return a.aim.value < b.aim.value; });
  for (Option& option : advice.holds) option.may_be_best = overlap(server, advice.holds.front(), option);
  std::stable_sort(advice.fails.begin(), advice.fails.end(), [](const Option& a, const Option& b) {
    return a.unmet.front().over < b.unmet.front().over;
  });
  return advice;
}

}  // namespace vtax::advise

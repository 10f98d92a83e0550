#include <nlohmann/json.hpp>

#include "advise/known_by_model.h"
#include "advise/text.h"

namespace vtax::advise {
namespace {

using Json = nlohmann::json;
constexpr int kSchema = 1;

Json json_of(const predict::Estimate& estimate) {
  return {{"value", estimate.value}, {"low", estimate.interval.low}, {"high", estimate.interval.high}};
}

Json json_of(const Server& server, const Placement& placement) {
  Json json{{"common", placement.common}, {"applications", Json::object()}};
  for (std::size_t i = 0; i < placement.cells.size(); ++i)
    json["applications"][server.applications[i].name] = placement.cells[i];
  return json;
}

Json json_of(const Server& server, const Option& option, const predict::Model& model) {
  Json json{{"placement", json_of(server, option.placement)},
            {"cpus", json_of(option.cpus)},
            {"aim", json_of(option.aim)},
            {"layers_cpus", option.layers},
            {"may_be_best", option.may_be_best},
            {"room", option.room},
            {"least_share", option.stations.least_share},
            {"stations", Json::array()},
            {"notes", option.notes},
            {"unmet", Json::array()},
            {"rests_on", Json::array()}};
  for (const Station& station : option.stations.all)
    json["stations"].push_back({{"name", station.name}, {"utilisation", station.utilisation}});
  for (const Wish& wish : option.unmet) json["unmet"].push_back({{"why", wish.text}, {"times", wish.over}});
  for (std::size_t i = 0; i < option.simulated.size(); ++i) {
    Json simulated{{"application", server.applications[i].name}, {"rate", option.simulated[i].rate}};
    if (option.simulated[i].p99_us) simulated["p99_us"] = *option.simulated[i].p99_us;
    json["simulated"].push_back(std::move(simulated));
  }
  constexpr std::size_t kMostCells = 3;
  for (std::size_t i = 0; i < option.told.size(); ++i)
    json["rests_on"].push_back({{"application", server.applications[i].name},
                                {"is_measured", option.told[i].is_measured},
                                {"cells", rests_on(model, option.placement.cells[i], kMostCells)}});
  return json;
}

}  // namespace

void write_advice_json(const Server& server, const Advice& advice, const predict::Model& model,
                       std::ostream& out) {
  Json json{
      {"schema", kSchema},      {"server", server.name},           {"minimise", name_of(server.minimise)},
      {"confidence", 0.9},      {"placements", advice.placements}, {"contenders", advice.contenders()},
      {"holds", Json::array()}, {"fails", Json::array()},          {"no_promise", Json::array()}};
  for (const Option& option : advice.holds) json["holds"].push_back(json_of(server, option, model));
  for (const Option& option : advice.fails) json["fails"].push_back(json_of(server, option, model));
  for (const auto& [placement, why] : advice.no_promise)
    json["no_promise"].push_back({{"placement", json_of(server, placement)}, {"why", why}});
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void write_score_json(const Server& server, const RankingScore& score, std::ostream& out) {
  Json json{{"schema", kSchema},
            {"server", server.name},
            {"placements", score.placements},
            {"regret", score.regret},
            {"best_in_top_3", score.best_in_top_3},
            {"told_wrongly", score.told_wrongly},
            {"cells", score.cells},
            {"known_cells", score.known_cells},
            {"told_best", score.told_best},
            {"measured_best", score.measured_best}};
  json["kendall_tau"] = score.tau ? Json(*score.tau) : Json();
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace vtax::advise

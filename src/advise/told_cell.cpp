#include "advise/told_cell.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace vtax::advise {
namespace {

constexpr std::string_view kLayer = "layer ", kBusy = "busy ";
constexpr double kStandardOf90 = 1.645;  // standard deviations of a normal distribution, both sides

struct Figure {
  std::string name;
  double value = 0;
};

// `busy` shares of CPUs divide what is not idle among whose CPUs they are.
Result<> divide(const std::vector<Figure>& busy, ToldCell& cell) {
  double driver = 0, guests = 0, peer = 0;
  for (const Figure& one : busy) {
    if (one.name == "peer")
      peer += one.value;
    else if (one.name == "guest" || one.name.ends_with(predict::kBesideGuest))
      guests += one.value;
    else
      driver += one.value;
  }
  if (driver + guests <= 0)
    return fail({"no promise",
                 "the model does not know which CPUs are busy: it was made of runs without time",
                 "fit one of newer runs", ExitCode::usage});
  const auto idle = cell.layers.find("idle");
  const double works = cell.cost.value - (idle == cell.layers.end() ? 0 : idle->second);
  cell.of_driver = works * driver / (driver + guests);
  cell.of_guests = works * guests / (driver + guests);
  cell.of_peer = works * peer / (driver + guests);
  return {};
}

Result<ToldCell> measured_cell(const predict::KnownCell& known, double floor) {
  ToldCell cell;
  cell.unit = known.unit;
  cell.is_measured = true;
  cell.cost.value = known.figures.at("cost");
  cell.cost.interval = {cell.cost.value * std::exp(-kStandardOf90 * floor),
                        cell.cost.value * std::exp(kStandardOf90 * floor)};
  for (const double sample : known.samples) {
    cell.cost.interval.low = std::min(cell.cost.interval.low, sample);
    cell.cost.interval.high = std::max(cell.cost.interval.high, sample);
  }
  std::vector<Figure> busy;
  for (const auto& [figure, value] : known.figures) {
    if (figure.starts_with(kLayer)) cell.layers[figure.substr(kLayer.size())] = value;
    if (figure.starts_with(kBusy)) busy.push_back({figure.substr(kBusy.size()), value});
    if (figure == "rate") cell.rate = value;
  }
  if (auto done = divide(busy, cell); !done) return fail(done.error());
  return cell;
}

Result<ToldCell> predicted_cell(const predict::Prediction& prediction) {
  ToldCell cell;
  cell.unit = prediction.unit;
  cell.reach = prediction.reach;
  cell.cost = prediction.figures.at("cost");
  std::vector<Figure> busy;
  for (const auto& [figure, estimate] : prediction.figures) {
    if (figure.starts_with(kLayer)) cell.layers[figure.substr(kLayer.size())] = estimate.value;
    if (figure.starts_with(kBusy)) busy.push_back({figure.substr(kBusy.size()), estimate.value});
    if (figure == "rate") cell.rate = estimate.value;
  }
  if (auto done = divide(busy, cell); !done) return fail(done.error());
  return cell;
}

// The one value that all cells have; empty where they differ.
std::string only_value(const predict::KnownCells& known, const std::string& factor) {
  std::set<std::string> values;
  for (const predict::KnownCell& cell : known.cells)
    if (const auto found = cell.factors.find(factor); found != cell.factors.end())
      values.insert(found->second);
  return values.size() == 1 ? *values.begin() : std::string();
}

Error no_stations() {
  return {"cannot give advice by it", "its costs are a host's nanoseconds, and not by whose CPUs",
          "take what the lab measured: the model that comes with vtax, or `vtax fit` of a run of the lab"};
}

}  // namespace

Factors as_measured(Factors cell, const predict::KnownCells& known) {
  for (const char* factor : {"cpu_mips", "round_instructions", "link_mbps"})
    if (std::string value = only_value(known, factor); !value.empty()) cell[factor] = std::move(value);
  return cell;
}

int cpu_mips_of(const predict::KnownCells& known) {
  const std::string value = only_value(known, "cpu_mips");
  return value.empty() ? 0 : std::stoi(value);
}

Result<CellTeller> teller_of(const predict::Model& model) {
  if (model.parts().known.in_time) return fail(no_stations());
  return CellTeller([&model](const Factors& wanted) -> Result<ToldCell> {
    const Factors cell = as_measured(wanted, model.parts().known);
    if (const predict::KnownCell* known = model.measured(cell))
      return measured_cell(*known, model.parts().floor);
    const auto prediction = model.predict(cell);
    if (!prediction) return fail(prediction.error());
    return predicted_cell(*prediction);
  });
}

Result<CellTeller> teller_of(const predict::KnownCells& known) {
  if (known.in_time) return fail(no_stations());
  return CellTeller(
      [&known, space = predict::CellSpace(factors_of(known))](const Factors& wanted) -> Result<ToldCell> {
        const Factors cell = space.in_its_terms(as_measured(wanted, known));
        for (const predict::KnownCell& one : known.cells)
          if (space.in_its_terms(one.factors) == cell) return measured_cell(one, 0);
        return fail({"no promise", "it was not measured", "", ExitCode::usage});
      });
}

double units_per_second(Unit unit, double rate) {
  constexpr double kBitsOfMegabit = 1e6, kBitsOfByte = 8, kBytesOfKilobyte = 1024;
  return unit == Unit::kilobyte ? rate * kBitsOfMegabit / kBitsOfByte / kBytesOfKilobyte : rate;
}

}  // namespace vtax::advise

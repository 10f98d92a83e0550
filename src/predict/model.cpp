#include "predict/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/readable.h"
#include "predict/traits.h"

namespace vtax::predict {
namespace {

// What the median of a few repetitions is off by, of the logarithm. A single repetition says nothing: then
// what is usual among the cells.
std::optional<double> own_variance(const std::vector<double>& samples) {
  if (samples.size() < 2) return std::nullopt;
  double sum = 0, squares = 0;
  for (const double sample : samples) {
    const double log = std::log(sample);
    sum += log;
    squares += log * log;
  }
  const auto n = static_cast<double>(samples.size());
  return std::max(0.0, (squares - sum * sum / n) / (n - 1)) / n;
}

// Two repetitions' own variance is itself a guess: half of it, and half of what is usual.
double shrunk(const std::optional<double>& own, double usual) {
  return own ? (*own + usual) / 2 : usual;
}

// Whether any two of the cell's values on different axes were never measured together.
bool has_unseen_pair(const CellSpace& space, const KnownCells& known, const Factors& cell) {
  for (std::size_t a = 0; a < space.axes().size(); ++a)
    for (std::size_t b = a + 1; b < space.axes().size(); ++b) {
      const auto x = cell.find(space.axes()[a].factor), y = cell.find(space.axes()[b].factor);
      if (x == cell.end() || y == cell.end()) continue;
      if (std::none_of(known.cells.begin(), known.cells.end(), [&](const KnownCell& one) {
            const auto u = one.factors.find(x->first), v = one.factors.find(y->first);
            return u != one.factors.end() && v != one.factors.end() && u->second == x->second &&
                   v->second == y->second;
          }))
        return true;
    }
  return false;
}

Reach reach_of(const CellSpace& space, const KnownCells& known, const Factors& cell) {
  if (space.is_between_levels(cell)) return Reach::level;
  return has_unseen_pair(space, known, cell) ? Reach::pair : Reach::cell;
}

double off_of(const Learned& learned, Reach reach) {
  switch (reach) {
    case Reach::cell:
      return learned.off_by_cell;
    case Reach::pair:
      return learned.off_by_pair;
    case Reach::level:
      return learned.off_by_level;
  }
  return learned.off_by_level;
}

}  // namespace

std::string key_of(const std::string& figure, Unit unit) {
  return fmt::format("{} per {}", figure, name(unit));
}

std::map<std::string, TrainingSet> training_sets(const KnownCells& known) {
  std::vector<double> own;
  for (const KnownCell& cell : known.cells)
    if (const auto variance = own_variance(cell.samples)) own.push_back(*variance);
  const double usual = median(own).value_or(0);
  std::map<std::string, TrainingSet> sets;
  for (std::size_t i = 0; i < known.cells.size(); ++i)
    for (const auto& [figure, value] : known.cells[i].figures)
      if (value > 0) sets[key_of(figure, known.cells[i].unit)].cells.push_back(i);
  for (auto& [key, set] : sets) {
    const auto n = static_cast<Eigen::Index>(set.cells.size());
    set.values.resize(n);
    set.variances.resize(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const KnownCell& cell = known.cells[set.cells[static_cast<std::size_t>(i)]];
      set.factors.push_back(cell.factors);
      set.traits.push_back(with_traits(cell.factors));
      set.variances[i] = shrunk(own_variance(cell.samples), usual);
      set.values[i] = std::log(cell.figures.at(key.substr(0, key.rfind(" per "))));
    }
  }
  return sets;
}

Model::Model(Parts parts) : parts_(std::move(parts)), space_(factors_of(parts_.known)) {}

Result<Model> Model::of(Parts parts) {
  Model model(std::move(parts));
  const std::string what = "cannot use the model";
  auto sets = training_sets(model.parts_.known);
  for (auto& [key, set] : sets) {
    const auto learned = model.parts_.learned.find(key);
    if (learned == model.parts_.learned.end())
      return fail({what, fmt::format("nothing was learned of '{}'", printable(key)), "", ExitCode::usage});
    CellSpace space(set.traits);
    const Learned& its = learned->second;
    if (its.axes != space.names() || its.covariance.decay.size() != its.axes.size() ||
        its.scales.size() != its.axes.size())
      return fail({what,
                   fmt::format("'{}' was learned of {}, its cells differ in {}", printable(key),
                               printable(fmt::format("{}", fmt::join(its.axes, ", "))),
                               printable(fmt::format("{}", fmt::join(space.names(), ", ")))),
                   "", ExitCode::usage});
    auto distances = space.distances(set.traits, set.traits, its.scales);
    auto process = GaussianProcess::with(its.covariance, std::move(distances), std::move(set.values),
                                         std::move(set.variances));
    model.processes_.emplace(
        key, Process{std::move(set.cells), std::move(set.traits), std::move(space), std::move(process)});
  }
  return model;
}

const KnownCell* Model::measured(const Factors& named) const {
  const Factors cell = space_.in_its_terms(named);
  const auto found = std::find_if(parts_.known.cells.begin(), parts_.known.cells.end(),
                                  [&](const KnownCell& known) { return known.factors == cell; });
  return found == parts_.known.cells.end() ? nullptr : &*found;
}

std::vector<Eigen::VectorXd> Model::distances(const Process& process, const Scales& scales,
                                              const Factors& traits) const {
  std::vector<Eigen::VectorXd> all;
  for (std::size_t axis = 0; axis < process.space.axes().size(); ++axis) {
    Eigen::VectorXd& column = all.emplace_back(process.traits.size());
    for (std::size_t i = 0; i < process.traits.size(); ++i)
      column[static_cast<Eigen::Index>(i)] =
          process.space.distance(axis, process.traits[i], traits, scales[axis]);
  }
  return all;
}

std::vector<const KnownCell*> Model::nearest(const Factors& named, std::size_t most) const {
  const Factors cell = space_.in_its_terms(named);
  std::vector<std::pair<double, const KnownCell*>> near;
  for (const Unit unit : {Unit::packet, Unit::kilobyte, Unit::transaction}) {
    const std::string key = key_of("cost", unit);
    const auto process = processes_.find(key);
    if (process == processes_.end()) continue;
    const auto columns = distances(process->second, parts_.learned.at(key).scales, with_traits(cell));
    for (std::size_t i = 0; i < process->second.cells.size(); ++i) {
      const KnownCell& known = parts_.known.cells[process->second.cells[i]];
      if (known.factors.at("workload") != cell.at("workload")) continue;
      double distance = 0;
      for (const Eigen::VectorXd& column : columns) distance += column[static_cast<Eigen::Index>(i)];
      near.emplace_back(distance, &known);
    }
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const KnownCell*> cells;
  for (std::size_t i = 0; i < std::min(most, near.size()); ++i) cells.push_back(near[i].second);
  return cells;
}

Result<Prediction> Model::predict(const Factors& named) const {
  const Factors cell = space_.in_its_terms(named);
  if (const auto why = space_.beyond(cell)) return fail({"no promise", *why, "", ExitCode::usage});
  // The unit is the workload's.
  const auto alike = std::find_if(
      parts_.known.cells.begin(), parts_.known.cells.end(),
      [&](const KnownCell& known) { return known.factors.at("workload") == cell.at("workload"); });
  Prediction prediction;
  prediction.unit = alike->unit;
  prediction.reach = reach_of(space_, parts_.known, cell);
  const Factors traits = with_traits(cell);
  // A figure is told where the platform has it: a native system has no hypervisor.
  std::map<std::string, bool> figures;
  for (const KnownCell& known : parts_.known.cells)
    if (known.factors.at("platform") == cell.at("platform"))
      for (const auto& [figure, value] : known.figures) figures[figure] = true;
  for (const auto& [figure, is_there] : figures) {
    const std::string key = key_of(figure, alike->unit);
    const auto process = processes_.find(key);
    if (process == processes_.end()) continue;
    const Learned& learned = parts_.learned.at(key);
    const auto guess = process->second.process.at(distances(process->second, learned.scales, traits));
    const double off = off_of(learned, prediction.reach) * std::sqrt(guess.variance);
    const Estimate estimate{std::exp(guess.mean), {std::exp(guess.mean - off), std::exp(guess.mean + off)}};
    if (!(estimate.interval.low > 0 && std::isfinite(estimate.interval.high)))
      return fail({"no promise", fmt::format("the model's interval of '{}' has no end", printable(figure)),
                   "", ExitCode::usage});
    prediction.figures[figure] = estimate;
  }
  // Layers are told each by itself; what they say is their share of the cost.
  double layers = 0;
  for (const auto& [figure, estimate] : prediction.figures)
    if (figure.starts_with("layer ")) layers += estimate.value;
  const auto cost = prediction.figures.find("cost");
  if (layers > 0 && cost != prediction.figures.end())
    for (auto& [figure, estimate] : prediction.figures)
      if (figure.starts_with("layer ")) {
        const double scale = cost->second.value / layers;
        estimate = {estimate.value * scale, {estimate.interval.low * scale, estimate.interval.high * scale}};
      }
  return prediction;
}

}  // namespace vtax::predict

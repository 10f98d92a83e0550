#include "predict/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/sha256.h"
#include "predict/baselines.h"

namespace vtax::predict {
namespace {

constexpr std::size_t kLeastCells = 12;
constexpr double kShareOfIntervals = 0.9;

using Group = std::vector<std::size_t>;

// Places in a training set that are left out together.
std::vector<Group> each_alone(const TrainingSet& set) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < set.factors.size(); ++i) groups.push_back({i});
  return groups;
}

// For each axis of numbers and each of its inner levels: all cells that have it.
std::vector<Group> levels_of(const CellSpace& space, const TrainingSet& set) {
  std::vector<Group> groups;
  for (const CellSpace::Axis& axis : space.axes()) {
    if (!axis.is_numeric) continue;
    for (const std::string& level : axis.levels) {
      const double number = std::stod(level);
      if (number <= axis.low || number >= axis.high) continue;
      Group group;
      for (std::size_t i = 0; i < set.factors.size(); ++i)
        if (const auto found = set.factors[i].find(axis.factor);
            found != set.factors[i].end() && found->second == level)
          group.push_back(i);
      if (!group.empty() && group.size() < set.factors.size()) groups.push_back(std::move(group));
    }
  }
  return groups;
}

// For each two axes and each pair of their values: all cells that have both.
std::vector<Group> pairs_of(const CellSpace& space, const TrainingSet& set) {
  std::map<std::array<std::string, 4>, Group> pairs;
  for (std::size_t a = 0; a < space.axes().size(); ++a)
    for (std::size_t b = a + 1; b < space.axes().size(); ++b)
      for (std::size_t i = 0; i < set.factors.size(); ++i) {
        const Factors& cell = set.factors[i];
        const auto x = cell.find(space.axes()[a].factor), y = cell.find(space.axes()[b].factor);
        if (x != cell.end() && y != cell.end())
          pairs[{x->first, x->second, y->first, y->second}].push_back(i);
      }
  // A pair that all cells of one value have is that value: nothing is known of it without them.
  std::map<std::pair<std::string, std::string>, std::size_t> times;
  for (const Factors& cell : set.factors)
    for (const auto& one : cell) ++times[one];
  std::vector<Group> groups;
  for (auto& [names, group] : pairs)
    if (group.size() < times[{names[0], names[1]}] && group.size() < times[{names[2], names[3]}])
      groups.push_back(std::move(group));
  return groups;
}

struct Errors {
  std::vector<double> relative, widths;
  std::size_t inside = 0;
  // By a factor's value how many cells, and how many are inside.
  std::map<std::string, std::pair<std::size_t, std::size_t>> strata;

  void add(double guess, double truth) {
    relative.push_back(std::abs(std::expm1(guess - truth)));
  }  // logarithms
  void add_interval(const Factors& cell, bool is_inside, double width) {
    widths.push_back(width);
    if (is_inside) ++inside;
    for (const auto& [factor, value] : cell) {
      auto& [cells, held] = strata[factor + " " + value];
      ++cells;
      if (is_inside) ++held;
    }
  }
  void add(const Factors& cell, const Estimate& guess, double truth) {
    add(std::log(guess.value), std::log(truth));
    add_interval(cell, truth >= guess.interval.low && truth <= guess.interval.high,
                 guess.interval.high / guess.interval.low - 1);
  }
};

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  // The rank that makes the interval hold for one more value (Vovk and others: Algorithmic Learning in a
  // Random World, 2005).
  const auto rank = static_cast<std::size_t>(std::ceil(share * (static_cast<double>(values.size()) + 1)));
  return values[std::min(rank, values.size()) - 1];
}

Score score_of(const std::string& test, std::string_view method, const Errors& errors) {
  Score score{test, std::string(method), errors.relative.size(), median(errors.relative).value_or(0),
              quantile(errors.relative, kShareOfIntervals)};
  if (!errors.widths.empty()) {
    score.covered = static_cast<double>(errors.inside) / static_cast<double>(errors.widths.size());
    score.interval_width = median(errors.widths);
    constexpr std::size_t kLeastOfStratum = 10;
    for (const auto& [name, counts] : errors.strata) {
      const double share = static_cast<double>(counts.second) / static_cast<double>(counts.first);
      if (counts.first < kLeastOfStratum || (score.least_covered && share >= score.least_covered->share))
        continue;
      score.least_covered = {name, share};
    }
  }
  return score;
}

// What a process says of one cell while its group is left out.
struct LeftOut {
  std::size_t cell = 0, group = 0;
  double mean = 0, deviation = 0, off = 0;  // off: |error| / deviation
};

std::vector<LeftOut> leave_out(const GaussianProcess& process, const TrainingSet& set,
                               const std::vector<Group>& groups) {
  std::vector<LeftOut> all;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto guesses = process.without(groups[g]);
    for (std::size_t i = 0; i < groups[g].size(); ++i) {
      const std::size_t cell = groups[g][i];
      const double deviation = std::sqrt(guesses[i].variance);
      all.push_back({cell, g, guesses[i].mean, deviation,
                     std::abs(guesses[i].mean - set.values[static_cast<Eigen::Index>(cell)]) / deviation});
    }
  }
  return all;
}

// The quantile of 90 % of |error| / deviation of cells that are not in `without`.
double off_quantile(const std::vector<LeftOut>& all, const Group& without = {}) {
  std::vector<double> off;
  for (const LeftOut& one : all)
    if (std::find(without.begin(), without.end(), one.cell) == without.end()) off.push_back(one.off);
  return quantile(std::move(off), kShareOfIntervals);
}

Errors errors_of(const std::vector<LeftOut>& all, const TrainingSet& set) {
  Errors errors;
  for (const LeftOut& one : all) errors.add(one.mean, set.values[static_cast<Eigen::Index>(one.cell)]);
  return errors;
}

// Each group's intervals are as wide as the errors of the cells outside of it say: as with a model that never
// saw them.
Errors errors_with_intervals(const std::vector<LeftOut>& all, const std::vector<LeftOut>& alone,
                             const TrainingSet& set, const std::vector<Group>& groups) {
  Errors errors = errors_of(all, set);
  std::vector<double> off;
  for (const Group& group : groups)
    off.push_back(std::max(off_quantile(alone, group), off_quantile(all, group)));
  for (const LeftOut& one : all)
    errors.add_interval(set.factors[one.cell], one.off <= off[one.group],
                        std::expm1(2 * off[one.group] * one.deviation));
  return errors;
}

void score_baselines(const std::string& test, const CellSpace& space,
                     const std::vector<Eigen::MatrixXd>& distances, const GaussianProcess& product,
                     const TrainingSet& set, const std::vector<Group>& groups, std::vector<Score>& scores) {
  Errors nearest, alone;
  for (const Group& group : groups) {
    const auto near = nearest_cells(distances, set, group), add = additive(space, set, group);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const double truth = set.values[static_cast<Eigen::Index>(group[i])];
      nearest.add(near[i], truth);
      alone.add(add[i], truth);
    }
  }
  scores.push_back(score_of(test, "nearest cell", nearest));
  scores.push_back(score_of(test, "factors alone", alone));
  scores.push_back(score_of(test, "Gaussian process", errors_of(leave_out(product, set, groups), set)));
}

// The baseline: the usual kernel, of factors as studies name them.
GaussianProcess product_of(const CellSpace& space, const TrainingSet& set) {
  return GaussianProcess::fit(space.distances(set.factors, set.factors, space.usual_scales()), set.values,
                              set.variances, true);
}

GaussianProcess process_of(const CellSpace& traits, const TrainingSet& set, const Scales& scales) {
  return GaussianProcess::fit(traits.distances(set.traits, set.traits, scales), set.values, set.variances,
                              false);
}

// The scales under which the values are the likeliest: one axis after the other, the others as they are by
// then.
Scales likeliest_scales(const CellSpace& traits, const TrainingSet& set) {
  Scales best = traits.usual_scales();
  double most = process_of(traits, set, best).evidence();
  for (std::size_t axis = 0; axis < traits.axes().size(); ++axis) {
    constexpr std::size_t kLeastLevels = 3;  // of two, any scale makes the same distance
    if (!traits.axes()[axis].is_numeric || traits.axes()[axis].levels.size() < kLeastLevels) continue;
    for (const Scale scale : kScales) {
      Scales other = best;
      other[axis] = scale;
      if (other == best) continue;
      const double evidence = process_of(traits, set, other).evidence();
      if (evidence > most) {
        most = evidence;
        best = other;
      }
    }
  }
  return best;
}

// Learns every figure of the cells.
Result<Model> learn(const KnownCells& known, const std::string& stage,
                    const std::function<void(const std::string&)>& progress) {
  Model::Parts parts{known, {}, {}, 0};
  const CellSpace space(factors_of(known));
  const auto sets = training_sets(known);
  std::size_t at = 0;
  // The cost's scales serve its layers and rates too: they go by the same packets.
  std::map<std::string, std::map<std::string, Scale>> scales_of_units;
  for (const auto& [key, set] : sets) {
    progress(fmt::format("{}: {} ({} of {})", stage, key, ++at, sets.size()));
    const std::string unit = key.substr(key.rfind(" per "));
    if (!scales_of_units.contains(unit)) {
      const TrainingSet& costs = sets.at("cost" + unit);
      const CellSpace of_costs(costs.traits);
      const Scales likeliest = likeliest_scales(of_costs, costs);
      for (std::size_t axis = 0; axis < likeliest.size(); ++axis)
        scales_of_units[unit][of_costs.axes()[axis].factor] = likeliest[axis];
    }
    const CellSpace traits(set.traits);
    Learned learned;
    learned.axes = traits.names();
    for (const std::string& axis : learned.axes) {
      const auto& scales = scales_of_units[unit];
      const auto found = scales.find(axis);
      learned.scales.push_back(found == scales.end() ? Scale::log_1 : found->second);
    }
    const auto process = process_of(traits, set, learned.scales);
    learned.covariance = process.covariance();
    learned.off_by_cell = off_quantile(leave_out(process, set, each_alone(set)));
    // Close to what is known a deviation is noise, as for a cell; far from it the process is careful itself.
    learned.off_by_pair =
        std::max(learned.off_by_cell, off_quantile(leave_out(process, set, pairs_of(space, set))));
    learned.off_by_level =
        std::max(learned.off_by_cell, off_quantile(leave_out(process, set, levels_of(space, set))));
    parts.learned.emplace(key, std::move(learned));
  }
  return Model::of(std::move(parts));
}

// What a model that does not know them says of the held-out cells, and the baselines beside it.
void score_held_out(const Model& model, const KnownCells& known, double share, std::vector<Score>& scores) {
  const CellSpace space(factors_of(known));
  for (const auto& [key, set] : training_sets(known)) {
    if (!key.starts_with("cost ")) continue;
    Group held, learned;
    for (std::size_t i = 0; i < set.factors.size(); ++i)
      (is_held_out(set.factors[i], share) ? held : learned).push_back(i);
    Errors own;
    Group promised;
    for (const std::size_t i : held) {
      const auto prediction = model.predict(set.factors[i]);
      if (!prediction) continue;
      promised.push_back(i);
      own.add(set.factors[i], prediction->figures.at("cost"),
              std::exp(set.values[static_cast<Eigen::Index>(i)]));
    }
    if (promised.empty() || learned.size() < 2) continue;
    const std::string test = "held out, " + key;
    scores.push_back(score_of(test, kOwnMethod, own));
    // The baseline's covariance is found without them, too.
    TrainingSet rest;
    rest.values.resize(static_cast<Eigen::Index>(learned.size()));
    rest.variances.resize(rest.values.size());
    for (std::size_t i = 0; i < learned.size(); ++i) {
      rest.factors.push_back(set.factors[learned[i]]);
      rest.values[static_cast<Eigen::Index>(i)] = set.values[static_cast<Eigen::Index>(learned[i])];
      rest.variances[static_cast<Eigen::Index>(i)] = set.variances[static_cast<Eigen::Index>(learned[i])];
    }
    const auto product = product_of(space, rest);
    const auto distances = space.distances(set.factors, set.factors, space.usual_scales());
    score_baselines(test, space, distances,
                    GaussianProcess::with(product.covariance(), distances, set.values, set.variances), set,
                    {held}, scores);
  }
}

}  // namespace

bool is_held_out(const Factors& cell, double share) {
  Sha256 hash;
  for (const auto& [factor, value] : cell) hash.add(factor + "=" + value + "\n");
  constexpr double kWhole = 4294967296.0;  // of eight hexadecimal digits
  return static_cast<double>(std::stoul(hash.hex().substr(0, 8), nullptr, 16)) / kWhole < share;
}

Result<Model> fit(KnownCells known, const FitOptions& options,
                  const std::function<void(const std::string&)>& progress) {
  const std::string what = "cannot fit a model";
  if (known.cells.size() < kLeastCells)
    return fail({what,
                 fmt::format("{} cells were measured, and {} are the least", known.cells.size(), kLeastCells),
                 "run a study with more values of its factors; `vtax run model-grid` is made for this"});
  if (known.cells.size() > kMostCells)
    return fail(
        {what, fmt::format("{} cells are more than {}", known.cells.size(), kMostCells), "leave runs out"});
  const CellSpace named(factors_of(known));
  for (KnownCell& cell : known.cells) cell.factors = named.in_its_terms(std::move(cell.factors));
  const CellSpace space(factors_of(known));
  if (space.axes().empty()) return fail({what, "no factor differs among the cells", ""});

  std::vector<Score> scores;
  if (options.hold_out > 0) {
    KnownCells first{{}, known.sources, known.in_time};
    for (const KnownCell& cell : known.cells)
      if (!is_held_out(cell.factors, options.hold_out)) first.cells.push_back(cell);
    if (first.cells.size() >= kLeastCells && first.cells.size() < known.cells.size()) {
      const auto model = learn(first, "without the held-out cells", progress);
      if (!model) return model;
      score_held_out(*model, known, options.hold_out, scores);
    }
  }
  auto model = learn(known, "with all cells", progress);
  if (!model) return model;
  for (const auto& [key, set] : training_sets(known)) {
    if (!key.starts_with("cost ")) continue;
    progress("scoring: " + key);
    const auto distances = space.distances(set.factors, set.factors, space.usual_scales());
    const Learned& learned = model->parts().learned.at(key);
    const auto process = GaussianProcess::with(
        learned.covariance, CellSpace(set.traits).distances(set.traits, set.traits, learned.scales),
        set.values, set.variances);
    const auto product = product_of(space, set);
    const auto alone = leave_out(process, set, each_alone(set));
    for (const auto& [test, groups] :
         {std::pair("unseen cell, ", each_alone(set)), std::pair("unseen level, ", levels_of(space, set)),
          std::pair("unseen pair, ", pairs_of(space, set))}) {
      if (groups.empty()) continue;
      scores.push_back(score_of(test + key, kOwnMethod,
                                errors_with_intervals(leave_out(process, set, groups), alone, set, groups)));
      score_baselines(test + key, space, distances, product, set, groups, scores);
    }
  }
  Model::Parts parts = model->parts();
  parts.scores = std::move(scores);
  parts.floor = floor_of(known);
  return Model::of(std::move(parts));
}

Result<Check> check(const Model& model, const KnownCells& measured) {
  if (measured.in_time != model.parts().known.in_time)
    return fail({"cannot check the model",
                 fmt::format("it tells {}, the run counts {}", unit_of_cost(model.parts().known.in_time),
                             unit_of_cost(measured.in_time)),
                 "check it with a run of the kind that it was made of"});
  Check result;
  Errors errors;
  for (const KnownCell& cell : measured.cells) {
    if (model.measured(cell.factors) != nullptr) {
      ++result.known;
      continue;
    }
    const auto prediction = model.predict(cell.factors);
    if (!prediction) {
      result.no_promise.emplace_back(cell.factors, prediction.error().why);
      continue;
    }
    const Estimate& cost = prediction->figures.at("cost");
    const double truth = cell.figures.at("cost");
    result.cells.push_back({cell.factors, cost.value, truth, cost.interval, prediction->reach});
    errors.add(cell.factors, cost, truth);
  }
  if (!errors.relative.empty()) result.score = score_of("run", kOwnMethod, errors);
  std::stable_sort(result.cells.begin(), result.cells.end(), [](const Check::Cell& a, const Check::Cell& b) {
    return std::abs(std::log(a.predicted / a.measured)) > std::abs(std::log(b.predicted / b.measured));
  });
  return result;
}

}  // namespace vtax::predict

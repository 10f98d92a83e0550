#include "predict/cell_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/readable.h"
#include "predict/traits.h"
#include "study/catalogue.h"

namespace vtax::predict {
namespace {

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

const std::string* find(const Factors& cell, const std::string& factor) {
  const auto found = cell.find(factor);
  return found == cell.end() ? nullptr : &found->second;
}

struct ScaleRow {
  Scale scale{};
  std::string_view name;
  double beside = 0;  // of logarithms: what is added to the number
};
constexpr std::array kScaleRows{ScaleRow{Scale::log_1, "log(x + 1)", 1},
                                ScaleRow{Scale::log_200, "log(x + 200)", 200},
                                ScaleRow{Scale::log_1500, "log(x + 1500)", 1500},
                                ScaleRow{Scale::log_6000, "log(x + 6000)", 6000},
                                ScaleRow{Scale::log_24000, "log(x + 24000)", 24000},
                                ScaleRow{Scale::reciprocal, "1 / (1 + x / 1448)", 0}};

double scaled(double number, Scale scale) {
  constexpr double kStep = 4, kPacket = 1448;
  if (scale == Scale::reciprocal) return 2 / (1 + number / kPacket);
  return std::log(number + kScaleRows[static_cast<std::size_t>(scale)].beside) / std::log(kStep);
}

}  // namespace

std::string_view name(Scale scale) {
  return kScaleRows[static_cast<std::size_t>(scale)].name;
}

std::optional<Scale> scale_named(std::string_view text) {
  for (const ScaleRow& row : kScaleRows)
    if (row.name == text) return row.scale;
  return std::nullopt;
}

CellSpace::CellSpace(const std::vector<Factors>& cells) {
  std::map<std::string, Axis> all;
  std::map<std::string, std::size_t> times;
  for (const Factors& cell : cells)
    for (const auto& [factor, value] : cell) {
      Axis& axis = all[factor];
      axis.factor = factor;
      axis.levels.insert(value);
      ++times[factor];
      if (const auto workload = cell.find("workload"); workload != cell.end())
        factors_of_[workload->second].insert(factor);
    }
  for (auto& [factor, axis] : all) {
    if (axis.levels.size() == 1 && times[factor] == cells.size()) {
      fixed_[factor] = *axis.levels.begin();
      continue;
    }
    const Factor* row = find_factor_of_any(factor, "");
    const bool is_number =
        is_numeric_trait(factor) ||
        (row != nullptr && (row->type == FactorType::bytes || row->type == FactorType::count));
    axis.is_numeric =
        is_number && std::all_of(axis.levels.begin(), axis.levels.end(),
                                 [](const std::string& level) { return number_in(level).has_value(); });
    if (axis.is_numeric) {
      axis.low = axis.high = *number_in(*axis.levels.begin());
      for (const std::string& level : axis.levels) {
        axis.low = std::min(axis.low, *number_in(level));
        axis.high = std::max(axis.high, *number_in(level));
      }
    }
    axes_.push_back(std::move(axis));
  }
}

double CellSpace::distance(std::size_t axis, const Factors& a, const Factors& b, Scale scale) const {
  const std::string *one = find(a, axes_[axis].factor), *other = find(b, axes_[axis].factor);
  if (one == nullptr || other == nullptr) return one == other ? 0 : 1;
  if (*one == *other) return 0;
  if (!axes_[axis].is_numeric) return 1;
  const auto x = number_in(*one), y = number_in(*other);
  return x && y ? std::abs(scaled(*x, scale) - scaled(*y, scale)) : 1;
}

std::vector<std::string> CellSpace::names() const {
  std::vector<std::string> all;
  for (const Axis& axis : axes_) all.push_back(axis.factor);
  return all;
}

std::vector<Eigen::MatrixXd> CellSpace::distances(const std::vector<Factors>& a,
                                                  const std::vector<Factors>& b, const Scales& scales) const {
  std::vector<Eigen::MatrixXd> all;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    Eigen::MatrixXd& matrix = all.emplace_back(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t j = 0; j < b.size(); ++j)
        matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
            distance(axis, a[i], b[j], scales[axis]);
  }
  return all;
}

Factors CellSpace::in_its_terms(Factors cell) const {
  const std::string* workload = find(cell, "workload");
  const auto known = workload == nullptr ? factors_of_.end() : factors_of_.find(*workload);
  if (known == factors_of_.end()) return cell;
  const std::string its_workload = *workload;
  for (const std::string& factor : known->second)
    if (const Factor* row = find_factor_of_any(factor, its_workload); row != nullptr)
      cell.emplace(factor, row->fallback);
  std::erase_if(cell, [&](const auto& one) {
    const Factor* row = find_factor_of_any(one.first, its_workload);
    return !known->second.contains(one.first) && row != nullptr && row->fallback == one.second;
  });
  return cell;
}

std::optional<std::string> CellSpace::beyond(const Factors& cell) const {
  const std::string* workload = find(cell, "workload");
  const auto known = workload == nullptr ? factors_of_.end() : factors_of_.find(*workload);
  if (known == factors_of_.end())
    return fmt::format("no run of it has the workload {}",
                       workload == nullptr ? "that this one lacks" : printable(*workload));
  for (const auto& [factor, value] : fixed_) {
    const std::string* here = find(cell, factor);
    if (here == nullptr || *here != value)
      return fmt::format("it was learned with {} {} alone", printable(factor), printable(value));
  }
  for (const std::string& factor : known->second)
    if (find(cell, factor) == nullptr) return fmt::format("the cell does not say {}", printable(factor));
  for (const auto& [factor, value] : cell)
    if (!known->second.contains(factor))
      return fmt::format("no run of it has {} with this workload", printable(factor));
  for (const Axis& axis : axes_) {
    const std::string* here = find(cell, axis.factor);
    if (here == nullptr || axis.levels.contains(*here)) continue;
    const auto number = number_in(*here);
    if (!axis.is_numeric || !number)
      return fmt::format("no run of it has {} {}", printable(axis.factor), printable(*here));
    if (*number < axis.low || *number > axis.high)
      return fmt::format("{} was measured from {} to {} alone", printable(axis.factor), axis.low, axis.high);
  }
  return std::nullopt;
}

bool CellSpace::is_between_levels(const Factors& cell) const {
  return std::any_of(axes_.begin(), axes_.end(), [&](const Axis& axis) {
    const std::string* here = find(cell, axis.factor);
    return here != nullptr && !axis.levels.contains(*here);
  });
}

}  // namespace vtax::predict

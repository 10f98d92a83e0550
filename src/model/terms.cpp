#include "model/terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"

namespace vtax {
namespace {

// What one cell's median run says: instructions per message by term; the layers' rest behind the terms.
struct SizeCost {
  double size = 0;
  std::vector<double> costs;
};

std::optional<double> whole_number(const Factors& factors, const char* name) {
  const auto found = factors.find(name);
  if (found == factors.end()) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto read = std::from_chars(found->second.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value == 0) return std::nullopt;
  return static_cast<double>(value);
}

SizeCost size_cost(const Trial& trial, const TermTable& table, double size) {
  SizeCost out{size, std::vector<double>(table.terms().size() + kLayers.size(), 0)};
  const double messages = static_cast<double>(trial.work.bytes.value) / size;
  for (const FunctionCost& cost : trial.functions) {
    std::size_t place = table.term_of(cost);
    if (place == table.terms().size()) place += static_cast<std::size_t>(cost.layer);
    if (place < out.costs.size()) out.costs[place] += static_cast<double>(cost.instructions.value) / messages;
  }
  return out;
}

TermCost fitted(std::string name, std::string says, bool grows, const std::vector<SizeCost>& sizes,
                const auto& cost_at) {
  TermCost term{std::move(name), std::move(says), grows, {}, {}};
  std::vector<FitPoint> points;
  for (const SizeCost& s : sizes) {
    term.costs.push_back(cost_at(s));
    points.push_back({s.size, term.costs.back()});
  }
  term.fit = fit_line(points);
  return term;
}

MessageModel model_of(const Factors& factors, const std::vector<SizeCost>& sizes, const TermTable& table) {
  MessageModel model{factors, {}, {}, {}};
  for (const SizeCost& s : sizes) model.sizes.push_back(s.size);
  for (std::size_t i = 0; i < table.terms().size() + kLayers.size(); ++i) {
    const bool is_term = i < table.terms().size();
    const auto layer = is_term ? "" : std::string(name(kLayers[i - table.terms().size()]));
    TermCost term =
        fitted(is_term ? table.terms()[i].name : "other, " + layer, is_term ? table.terms()[i].says : "",
               is_term && table.terms()[i].grows, sizes, [&](const SizeCost& s) { return s.costs[i]; });
    if (std::any_of(term.costs.begin(), term.costs.end(), [](double c) { return c > 0; }))
      model.terms.push_back(std::move(term));
  }
  model.total = fitted("total", "", true, sizes, [](const SizeCost& s) {
    double sum = 0;
    for (const double cost : s.costs) sum += cost;
    return sum;
  });
  return model;
}

}  // namespace

Result<std::vector<MessageModel>> message_models(RunReader& reader, const TermTable& table) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  std::map<Factors, std::string> medians;  // digests
  for (const Cell& cell : costs->cells) {
    if (cell.cost()) medians[cell.factors] = cell.cost()->digest;
  }
  std::map<Factors, std::map<double, SizeCost>> found;  // a repetition of the same digest says the same
  std::vector<Factors> order;
  auto read = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    if (!trial.error.empty() || is_perturbed(trial) || trial.work.bytes.value == 0 || trial.functions.empty())
      return Result<>();
    Factors factors = cell_factors(trial);
    const auto size = whole_number(factors, "write_bytes");
    if (!size || medians[factors] != trial.digest) return Result<>();
    factors.erase("write_bytes");
    if (found.count(factors) == 0) order.push_back(factors);
    found[factors].try_emplace(*size, size_cost(trial, table, *size));
    return Result<>();
  });
  if (!read) return fail(read.error());
  std::vector<MessageModel> models;
  for (const Factors& factors : order) {
    std::vector<SizeCost> sizes;
    for (auto& [size, cost] : found[factors]) sizes.push_back(std::move(cost));
    if (sizes.size() >= 2) models.push_back(model_of(factors, sizes, table));
  }
  if (models.empty())
    return fail({"cannot read a model's terms",
                 "no stream of this run was measured with several sizes of a write",
                 "for example vtax run primet-2007 --set write_bytes=512,1448,4096,16384"});
  return models;
}

std::vector<std::string> names_of(const std::vector<MessageModel>& models) {
  std::map<std::string, std::set<std::string>> values;
  for (const MessageModel& model : models)
    for (const auto& [factor, value] : model.factors) values[factor].insert(value);
  std::set<std::string> varying;
  for (const auto& [factor, all] : values)
    if (all.size() > 1 || factor == "direction") varying.insert(factor);
  std::vector<std::string> names;
  for (const MessageModel& model : models)
    names.push_back(printable(model.factors.at("platform")) + ", " + full_phrase(model.factors, varying));
  return names;
}

void write_terms(const TermTable& table, const std::vector<MessageModel>& models, std::ostream& out) {
  print_wrapped(
      out, "",
      fmt::format("Instructions per message of S bytes by the terms of {}, from the exact function profile. "
                  "fit: least squares, constant + slope S; R2: what it explains.",
                  printable(table.model(), 200)));
  for (const Term& term : table.terms())
    print_wrapped(out, fmt::format("  {}{}: ", printable(term.name), term.grows ? "(S)" : ""),
                  printable(term.says, 200));
  const auto names = names_of(models);
  for (std::size_t which = 0; which < models.size(); ++which) {
    const MessageModel& model = models[which];
    out << '\n';
    print_wrapped(out, "", names[which]);
    // As many sizes as a page holds, the greatest and the least among them.
    std::vector<std::size_t> shown;
    constexpr std::size_t kMostSizes = 4;
    const std::size_t n = model.sizes.size(), columns_of = std::min(n, kMostSizes);
    for (std::size_t i = 0; i < columns_of; ++i)
      shown.push_back(columns_of == 1 ? 0 : i * (n - 1) / (columns_of - 1));
    std::vector<std::string> heading{"  S ="};
    for (const std::size_t i : shown)
      heading.push_back(readable_bytes(static_cast<std::uint64_t>(model.sizes[i])));
    heading.insert(heading.end(), {"constant", "per KB", "R2"});
    TextTable text(heading);
    const auto add = [&](const TermCost& term) {
      std::vector<std::string> row{"  " + printable(term.name) + (term.grows ? "(S)" : "")};
      for (const std::size_t i : shown) row.push_back(readable(term.costs[i]));
      row.push_back(readable(term.fit->constant));
      row.push_back(readable(term.slope_per_kilobyte()));
      row.push_back(term.fit->r_squared ? fmt::format("{:.3f}", *term.fit->r_squared) : "-");
      text.add(std::move(row));
    };
    for (const TermCost& term : model.terms) add(term);
    add(model.total);
    text.print(out);
  }
}

}  // namespace vtax

#include "published/published_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/suggest.h"
#include "study/toml_text.h"

namespace vtax {
namespace {

using Keys = std::vector<std::string_view>;

constexpr std::size_t kLongestText = 500;
constexpr std::size_t kLongestId = 24;  // the first column of a table of 80
constexpr std::size_t kLongestUnit = 16;
constexpr std::size_t kMostClaims = 200;
constexpr double kGreatestNumber = 1e15;

const Keys& formulas() {
  static const Keys names{"value",  "ratio",  "slope",    "rate",
                          "spread", "points", "fairness", "latency"};  // as in Formula
  return names;
}

const Keys& test_keys() {
  static const Keys keys{"formula", "per", "percentile", "of", "to", "base", "over", "at_least", "at_most"};
  return keys;
}

const Keys& claim_keys() {
  static const Keys keys = [] {
    Keys all{"id", "says", "source", "machine", "quantity", "unit", "published", "note", "not_testable"};
    all.insert(all.end(), test_keys().begin(), test_keys().end());
    return all;
  }();
  return keys;
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Result<Published> PublishedReader::read(const toml::table& root) {
  if (auto checked = check_keys(root, {"paper", "machine", "cells", "claim"}); !checked)
    return fail(checked.error());
  Published published;
  auto paper = text_of(root, "paper", true);
  if (!paper) return fail(paper.error());
  published.paper = std::move(*paper);
  auto machine = text_of(root, "machine", false);
  if (!machine) return fail(machine.error());
  published.machine = machine_ = std::move(*machine);
  cells_ = {};
  if (const toml::node* cells = root.get("cells")) {
    auto read = operand_of(*cells, "cells", {});
    if (!read) return fail(read.error());
    cells_ = std::move(*read);
  }
  const toml::node* node = root.get("claim");
  const toml::array* claims = node == nullptr ? nullptr : node->as_array();
  if (claims == nullptr || claims->empty())
    return fail({what_, "it holds no claim", "add a line [[claim]], and below it id = \"my-claim\""});
  if (claims->size() > kMostClaims)
    return wrong(*node, fmt::format("there are more than {} claims", kMostClaims));
  std::set<std::string> ids;
  for (const toml::node& element : *claims) {
    const toml::table* table = element.as_table();
    if (table == nullptr)
      return wrong(element, fmt::format("a claim must be a table, not {}", type_name(element)));
    auto claim = claim_of(*table);
    if (!claim) return fail(claim.error());
    if (!ids.insert(claim->id).second)
      return wrong(*table, fmt::format("two claims have the id '{}'", claim->id));
    published.claims.push_back(std::move(*claim));
  }
  return published;
}

Result<Claim> PublishedReader::claim_of(const toml::table& table) const {
  if (auto checked = check_keys(table, claim_keys()); !checked) return fail(checked.error());
  Claim claim;
  struct Text {
    std::string_view key;
    std::string* into;
    bool required;
  };
  for (const auto& [key, into, required] :
       {Text{"id", &claim.id, true}, Text{"says", &claim.says, true}, Text{"source", &claim.source, true},
        Text{"machine", &claim.machine, false}, Text{"quantity", &claim.quantity, true},
        Text{"unit", &claim.unit, false}, Text{"note", &claim.note, false},
        Text{"not_testable", &claim.not_testable, false}}) {
    auto text = text_of(table, key, required);
    if (!text) return fail(text.error());
    *into = std::move(*text);
  }
  if (!is_id(claim.id)) {
    return wrong(*table.get("id"), fmt::format("an id is 1 to {} letters a to z, digits and -", kLongestId));
  }
  if (columns(claim.unit) > kLongestUnit)
    return wrong(*table.get("unit"), fmt::format("'unit' is longer than {} characters", kLongestUnit));
  if (claim.machine.empty()) claim.machine = machine_;
  if (auto read = read_figure(table, claim); !read) return fail(read.error());
  if (table.contains("not_testable")) {
    if (claim.not_testable.empty()) return wrong(*table.get("not_testable"), "'not_testable' is empty");
    for (const std::string_view key : test_keys()) {
      if (const toml::node* node = table.get(key))
        return wrong(*node, fmt::format("'{}' cannot stand beside 'not_testable'", key));
    }
    return claim;
  }
  auto test = test_of(table);
  if (!test) return fail(test.error());
  claim.test = std::move(*test);
  return claim;
}

Result<> PublishedReader::read_figure(const toml::table& table, Claim& claim) const {
  const toml::node* node = table.get("published");
  if (node == nullptr) {
    return wrong(table, fmt::format("claim '{}' has no 'published'", claim.id),
                 "a figure, a range such as [3, 5], or the paper's word in quotes");
  }
  if (node->is_string()) {
    auto text = text_of(table, "published", true);
    if (!text) return fail(text.error());
    claim.published_text = std::move(*text);
    return {};
  }
  const toml::array* range = node->as_array();
  if (range == nullptr) {
    auto number = number_of(*node, "published");
    if (!number) return fail(number.error());
    claim.published = {*number};
    return {};
  }
  for (const toml::node& element : *range) {
    auto number = number_of(element, "published");
    if (!number) return fail(number.error());
    claim.published.push_back(*number);
  }
  if (claim.published.size() != 2 || claim.published[0] > claim.published[1])
    return wrong(*node, "a range is two numbers, the lesser first", "for example published = [3, 5]");
  return {};
}

Result<ClaimTest> PublishedReader::test_of(const toml::table& table) const {
  ClaimTest test;
  if (!table.contains("formula")) {
    return wrong(table, "this [[claim]] has neither 'formula' nor 'not_testable'",
                 fmt::format("formulas: {}", fmt::join(formulas(), ", ")));
  }
  auto formula = choice_of(table, "formula", formulas());
  if (!formula) return fail(formula.error());
  test.formula =
      static_cast<Formula>(std::find(formulas().begin(), formulas().end(), *formula) - formulas().begin());
  const bool is_latency = test.formula == Formula::latency;
  const bool is_of_time = test.formula == Formula::rate || test.formula == Formula::fairness || is_latency;
  if (!is_of_time) {
    auto per = choice_of(table, "per", {"KB", "packet", "transaction"});
    if (!per) return fail(per.error());
    test.per = std::move(*per);
  } else if (const toml::node* per = table.get("per")) {
    return wrong(*per, fmt::format("a {} has no 'per'", *formula),
                 "it is a figure of time, not a cost of work");
  }
  if (auto read = read_percentile(table, is_latency, test); !read) return fail(read.error());
  if (auto read = read_limits(table, test); !read) return fail(read.error());

  const toml::node* of = table.get("of");
  if (of == nullptr) return wrong(table, "key 'of' is missing", "of = { platform = \"xen-pv\", ... }");
  auto operand = operand_of(*of, "of", cells_);
  if (!operand) return fail(operand.error());
  test.of = std::move(*operand);
  const bool has_base = test.formula == Formula::points;
  const bool has_to = test.formula == Formula::ratio || has_base;
  const bool may_have_to = test.formula == Formula::rate || is_latency;
  const bool has_over = test.formula == Formula::slope || test.formula == Formula::spread;
  for (const auto& [key, belongs] :
       {std::pair("to", has_to), std::pair("base", has_base), std::pair("over", has_over)}) {
    const toml::node* node = table.get(key);
    if (node == nullptr && belongs) return wrong(table, fmt::format("a {} needs '{}'", *formula, key));
    if (node != nullptr && !belongs && !(key == std::string_view("to") && may_have_to))
      return wrong(*node, fmt::format("a {} has no '{}'", *formula, key));
  }
  if (has_over) {
    if (auto read = read_over(table, test); !read) return fail(read.error());
  }
  if (auto checked = check_factors(*of, test.of, test.over); !checked) return fail(checked.error());
  if (is_of_time && !test.of.event.empty())
    return wrong(*of, fmt::format("a {} has no 'event'", *formula), "it is a figure of time, not a count");
  if (!has_to && !table.contains("to")) return test;
  auto to = operand_of(*table.get("to"), "to", test.of);
  if (!to) return fail(to.error());
  test.to = std::move(*to);
  if (auto checked = check_factors(*table.get("to"), test.to, ""); !checked) return fail(checked.error());
  if (test.to == test.of) return wrong(*table.get("to"), "'to' is the same as 'of'");
  if (!has_base) return test;
  const toml::node& base = *table.get("base");
  for (const auto& [whole, into] : {std::pair(&test.of, &test.of_base), std::pair(&test.to, &test.to_base)}) {
    auto read = operand_of(base, "base", *whole);
    if (!read) return fail(read.error());
    *into = std::move(*read);
    if (auto checked = check_factors(base, *into, ""); !checked) return fail(checked.error());
    if (*into == *whole) return wrong(base, "'base' changes nothing", "base = { sampling_hz = 0 }");
  }
  return test;
}

Result<> PublishedReader::read_percentile(const toml::table& table, bool is_latency, ClaimTest& test) const {
  const toml::node* node = table.get("percentile");
  if (!is_latency) {
    if (node != nullptr) return wrong(*node, "only a latency has a 'percentile'");
    return {};
  }
  const auto* whole = node == nullptr ? nullptr : node->as_integer();
  const auto is_known = [](std::int64_t value) { return value == 50 || value == 90 || value == 99; };
  if (whole == nullptr || !is_known(whole->get()))
    return wrong(node == nullptr ? table : *node, "a latency needs a 'percentile': 50, 90 or 99",
                 "percentile = 99");
  test.percentile = static_cast<int>(whole->get());
  return {};
}

Result<> PublishedReader::read_limits(const toml::table& table, ClaimTest& test) const {
  for (const auto& [key, into] :
       {std::pair("at_least", &test.at_least), std::pair("at_most", &test.at_most)}) {
    const toml::node* node = table.get(key);
    if (node == nullptr) continue;
    auto number = number_of(*node, key);
    if (!number) return fail(number.error());
    *into = *number;
  }
  if (!test.at_least && !test.at_most) {
    return wrong(table, "this [[claim]] has neither 'at_least' nor 'at_most'",
                 "they say within what it counts as reproduced");
  }
  if (test.at_least && test.at_most && *test.at_least > *test.at_most)
    return wrong(*table.get("at_least"), "'at_least' is greater than 'at_most'");
  return {};
}

Result<> PublishedReader::read_over(const toml::table& table, ClaimTest& test) const {
  const toml::node& node = *table.get("over");
  const toml::table* over = node.as_table();
  if (over == nullptr || over->size() != 1)
    return wrong(node, "'over' names one factor with its values", "over = { write_bytes = [500, 1448] }");
  const auto entry = *over->begin();
  const auto& [key, values] = entry;
  const auto workload = test.of.factors.find("workload");
  const Factor* factor =
      find_factor_of_any(key.str(), workload == test.of.factors.end() ? "" : workload->second);
  if (factor == nullptr || factor->type == FactorType::choice)
    return wrong(values, fmt::format("'{}' is no factor that is a number", printable(key.str())));
  test.over = key.str();
  std::set<std::string> seen;
  if (const toml::array* list = values.as_array()) {
    for (const toml::node& element : *list) {
      auto value = study_.value_of(element, *factor);
      if (!value) return fail(value.error());
      if (!seen.insert(*value).second) return wrong(element, fmt::format("value {} stands twice", *value));
      test.over_values.push_back(std::move(*value));
    }
  }
  if (test.over_values.size() < 2) return wrong(values, "'over' needs at least two values in [ ]");
  return {};
}

Result<Operand> PublishedReader::operand_of(const toml::node& node, std::string_view key,
                                            Operand base) const {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return wrong(node, fmt::format("'{}' must be a table, not {}", key, type_name(node)),
                 fmt::format("{} = {{ platform = \"xen-pv\" }}", key));
  }
  Operand operand = std::move(base);
  for (const auto& [name, value] : *table) {
    if (name.str() == "layers") {
      auto layers = layers_of(value);
      if (!layers) return fail(layers.error());
      operand.layers = std::move(*layers);
    } else if (name.str() == "domain") {
      auto domain = text_of(*table, "domain", false);
      if (!domain) return fail(domain.error());
      operand.domain = std::move(*domain);
    } else if (name.str() == "event") {
      auto event = event_of(*table);
      if (!event) return fail(event.error());
      operand.event = std::move(*event);
    } else {
      auto read = study_.factor_value(name, value, {"layers", "domain", "event"});
      if (!read) return fail(read.error());
      operand.factors[std::string(name.str())] = std::move(*read);
    }
  }
  if (!operand.event.empty()) {
    // Events are told of the whole system under test.
    operand.layers.clear();
    operand.domain.clear();
  }
  return operand;
}

Result<std::string> PublishedReader::event_of(const toml::table& table) const {
  auto event = text_of(table, "event", false);
  if (!event) return event;
  const toml::node& node = *table.get("event");
  const bool is_name = std::all_of(event->begin(), event->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
  });
  if (!is_name)
    return wrong(node, "an event is named by letters a to z, digits and _",
                 "for example l2_misses or hypercalls");
  for (const char* other : {"layers", "domain"})
    if (table.contains(other))
      return wrong(node, fmt::format("'event' counts by all: '{}' cannot stand beside it", other));
  return event;
}

Result<> PublishedReader::check_factors(const toml::node& node, const Operand& operand,
                                        std::string_view over) const {
  for (const char* needed : {"platform", "workload"}) {
    if (operand.factors.count(needed) == 0)
      return wrong(node, fmt::format("no '{}' is named for the cell, here or under [cells]", needed));
  }
  const std::string& workload = operand.factors.at("workload");
  for (const auto& [name, value] : operand.factors) {
    if (name == over) return wrong(node, fmt::format("'{}' stands in 'over' too", name));
    if (name != "workload" && find_factor_of_any(name, workload) == nullptr)
      return wrong(node, fmt::format("{} has no factor '{}'", workload, name));
  }
  return {};
}

Result<std::vector<Layer>> PublishedReader::layers_of(const toml::node& node) const {
  const toml::array* list = node.as_array();
  if (list == nullptr) return wrong(node, "'layers' is a list", "layers = [\"hypervisor\", \"driver\"]");
  std::vector<Layer> layers;
  for (const toml::node& element : *list) {
    const auto text = element.value_exact<std::string>();
    const auto layer = text ? layer_named(*text) : std::nullopt;
    if (!layer || std::find(layers.begin(), layers.end(), *layer) != layers.end()) {
      return wrong(element, layer ? "a layer stands twice" : "this is no layer",
                   "layers: hypervisor, driver, kernel, program, idle, uncharged");
    }
    layers.push_back(*layer);
  }
  return layers;
}

Result<> PublishedReader::check_keys(const toml::table& table, const Keys& allowed) const {
  for (const auto& [key, node] : table) {
    if (std::find(allowed.begin(), allowed.end(), key.str()) != allowed.end()) continue;
    return study_.wrong(key.source(), fmt::format("unknown key '{}'", printable(key.str())),
                        suggestion(key.str(), allowed));
  }
  return {};
}

Result<std::string> PublishedReader::text_of(const toml::table& table, std::string_view key,
                                             bool required) const {
  const toml::node* node = table.get(key);
  if (node == nullptr) {
    if (!required) return std::string();
    return wrong(table, fmt::format("key '{}' is missing", key));
  }
  const auto text = node->value_exact<std::string>();
  if (!text) return wrong(*node, fmt::format("'{}' must be text, not {}", key, type_name(*node)));
  if (required && text->empty()) return wrong(*node, fmt::format("'{}' is empty", key));
  if (columns(*text) > kLongestText)
    return wrong(*node, fmt::format("'{}' is longer than {} characters", key, kLongestText));
  if (printable(*text, kLongestText) != *text)
    return wrong(*node, fmt::format("'{}' holds control characters", key), "write it in one line");
  return *text;
}

Result<std::string> PublishedReader::choice_of(const toml::table& table, std::string_view key,
                                               const Keys& allowed) const {
  auto text = text_of(table, key, true);
  if (!text) return text;
  if (std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) return text;
  return wrong(*table.get(key), fmt::format("'{}' is no value of '{}'", printable(*text), key),
               fmt::format("allowed: {}", fmt::join(allowed, ", ")));
}

Result<double> PublishedReader::number_of(const toml::node& node, std::string_view key) const {
  double number = 0;
  if (const auto* whole = node.as_integer()) {
    number = static_cast<double>(whole->get());
  } else if (const auto* fraction = node.as_floating_point()) {
    number = fraction->get();
  } else {
    return wrong(node, fmt::format("'{}' must be a number, not {}", key, type_name(node)));
  }
  if (!std::isfinite(number) || std::abs(number) > kGreatestNumber)
    return wrong(node, fmt::format("'{}' is out of range", key));
  return number;
}

Result<Published> parse_published(std::string_view text, std::string_view shown_name) {
  const std::string what = fmt::format("cannot read published claims {}", printable(shown_name, 200));
  const auto table =
      parse_toml(text, {what, "published claims are a short text file", "studies/published has some"});
  if (!table) return fail(table.error());
  return PublishedReader(what).read(*table);
}

}  // namespace vtax

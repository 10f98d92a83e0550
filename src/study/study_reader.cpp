#include "study/study_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "study/machine_rules.h"
#include "study/speed_reader.h"
#include "study/stack_reader.h"
#include "study/suggest.h"
#include "study/toml_text.h"

namespace vtax {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr std::size_t kLongestQuestion = 500;

const std::vector<std::string_view>& root_keys() {
  static const std::vector<std::string_view> keys{"name",  "question", "published", "machine", "repetitions",
                                                  "terms", "speed",    "stack",     "factors", "workload"};
  return keys;
}

// Where a misplaced key would be right; empty when it is right nowhere.
std::string home_of(std::string_view key) {
  if (find_factor(common_factors(), key) != nullptr) return fmt::format("'{}' belongs under [factors]", key);
  for (const WorkloadKind& workload : workloads()) {
    if (find_factor(workload.factors, key) == nullptr) continue;
    return fmt::format("'{}' belongs under the [[workload]] with name = \"{}\"", key, workload.name);
  }
  if (std::find(root_keys().begin(), root_keys().end(), key) != root_keys().end()) {
    return fmt::format("'{}' belongs at the top of the file, before [factors]", key);
  }
  return "";
}

std::string unknown_key_help(std::string_view key, const std::vector<std::string_view>& allowed) {
  const std::string home = home_of(key);
  return home.empty() ? suggestion(key, allowed) : home;
}

}  // namespace

tl::unexpected<Error> StudyReader::wrong(const toml::source_region& at, const std::string& why,
                                         std::string next) const {
  return fail(
      {what_, fmt::format("line {}, column {}: {}", at.begin.line, at.begin.column, why), std::move(next)});
}

Result<Study> StudyReader::read(const toml::table& root) const {
  Study study;
  if (auto checked = check_root_keys(root); !checked) return fail(checked.error());
  auto name = text_of(root, "name", true, kLongestName);
  if (!name) return fail(name.error());
  auto question = text_of(root, "question", false, kLongestQuestion);
  if (!question) return fail(question.error());
  auto published = text_of(root, "published", false, kLongestName);
  if (!published) return fail(published.error());
  auto machine = machine_of(root);
  if (!machine) return fail(machine.error());
  auto repetitions = named_repetitions(root);
  if (!repetitions) return fail(repetitions.error());
  auto terms = terms_of(root);
  if (!terms) return fail(terms.error());
  auto speed = read_speed(root, *this);
  if (!speed) return fail(speed.error());
  auto stacks = read_stacks(root, *this);
  if (!stacks) return fail(stacks.error());
  auto factors = common_factors_of(root);
  if (!factors) return fail(factors.error());
  // The default of the topology is the lab's.
  if (*machine == kHostMachine && !root["factors"]["topology"]) (*factors)["topology"] = {"inside"};
  auto workloads = workloads_of(root);
  if (!workloads) return fail(workloads.error());
  study.name = std::move(*name);
  study.question = std::move(*question);
  study.published = std::move(*published);
  study.machine = std::move(*machine);
  study.repetitions = *repetitions;
  study.terms = *terms;
  study.speed = std::move(*speed);
  study.stacks = std::move(*stacks);
  study.factors = std::move(*factors);
  if (const toml::table* named = root["factors"].as_table())
    for (const auto& [key, node] : *named) study.named.emplace(key.str());
  study.workloads = std::move(*workloads);
  return study;
}

Result<> StudyReader::check_root_keys(const toml::table& root) const {
  for (const auto& [key, node] : root) {
    if (std::find(root_keys().begin(), root_keys().end(), key.str()) != root_keys().end()) continue;
    return wrong(key.source(), fmt::format("unknown key '{}'", printable(key.str())),
                 unknown_key_help(key.str(), root_keys()));
  }
  return {};
}

Result<std::string> StudyReader::text_of(const toml::table& root, std::string_view key, bool required,
                                         std::size_t longest) const {
  const toml::node* node = root.get(key);
  if (node == nullptr) {
    if (!required) return std::string();
    return fail({what_, fmt::format("key '{}' is missing", key),
                 fmt::format("add a line such as {} = \"my-study\"", key)});
  }
  const auto text = node->value_exact<std::string>();
  if (!text)
    return wrong(node->source(), fmt::format("'{}' must be text, not {}", key, type_name(*node)), "");
  if (required && text->empty()) return wrong(node->source(), fmt::format("'{}' is empty", key), "");
  if (columns(*text) > longest) {
    return wrong(node->source(), fmt::format("'{}' is longer than {} characters", key, longest), "");
  }
  if (printable(*text, longest) != *text) {
    return wrong(node->source(), fmt::format("'{}' holds control characters", key), "write it in one line");
  }
  return *text;
}

Result<std::string> StudyReader::machine_of(const toml::table& root) const {
  const toml::node* node = root.get("machine");
  if (node == nullptr) return std::string(machines().front());
  const auto text = node->value_exact<std::string>();
  if (!text)
    return wrong(node->source(), fmt::format("'machine' must be text, not {}", type_name(*node)), "");
  if (std::find(machines().begin(), machines().end(), *text) == machines().end()) {
    return wrong(node->source(), fmt::format("'{}' is not a machine", printable(*text)),
                 suggestion(*text, machines()));
  }
  return *text;
}

Result<std::optional<int>> StudyReader::named_repetitions(const toml::table& root) const {
  const toml::node* node = root.get("repetitions");
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > kMostRepetitions) {
    return wrong(node->source(),
                 fmt::format("'repetitions' must be a whole number from 1 to {}", kMostRepetitions), "");
  }
  return static_cast<int>(*value);
}

Result<bool> StudyReader::terms_of(const toml::table& root) const {
  const toml::node* node = root.get("terms");
  if (node == nullptr) return false;
  if (const auto value = node->value_exact<bool>()) return *value;
  return wrong(node->source(), fmt::format("'terms' must be true or false, not {}", type_name(*node)), "");
}

Result<FactorValues> StudyReader::common_factors_of(const toml::table& root) const {
  static const toml::table none;
  const toml::node* node = root.get("factors");
  if (node != nullptr && !node->is_table()) {
    return wrong(node->source(), fmt::format("'factors' must be a table, not {}", type_name(*node)),
                 "write a line [factors], and below it platform = [\"native\", \"xen-pv\"]");
  }
  return values_of(node == nullptr ? none : *node->as_table(), common_factors());
}

Result<std::vector<StudyWorkload>> StudyReader::workloads_of(const toml::table& root) const {
  const toml::node* node = root.get("workload");
  if (node == nullptr) {
    return fail(
        {what_, "no workload is named", "add a line [[workload]], and below it name = \"tcp-stream\""});
  }
  const toml::array* blocks = node->as_array();
  if (blocks == nullptr || blocks->empty()) {
    return wrong(node->source(), "workloads are a list of tables", "write [[workload]], with two brackets");
  }
  std::vector<StudyWorkload> all;
  for (const toml::node& block : *blocks) {
    const toml::table* table = block.as_table();
    if (table == nullptr) {
      return wrong(block.source(), fmt::format("a workload must be a table, not {}", type_name(block)),
                   "write [[workload]], and below it name = \"tcp-stream\"");
    }
    auto workload = workload_of(*table);
    if (!workload) return fail(workload.error());
    all.push_back(std::move(*workload));
  }
  return all;
}

Result<StudyWorkload> StudyReader::workload_of(const toml::table& table) const {
  const toml::node* name = table.get("name");
  if (name == nullptr) {
    return wrong(table.source(), "this [[workload]] has no name", suggestion("", workload_names()));
  }
  const auto text = name->value_exact<std::string>();
  if (!text) {
    return wrong(name->source(), fmt::format("a workload's name must be text, not {}", type_name(*name)), "");
  }
  const WorkloadKind* kind = find_workload(*text);
  if (kind == nullptr) {
    return wrong(name->source(), fmt::format("'{}' is not a workload", printable(*text)),
                 suggestion(*text, workload_names()));
  }
  StudyWorkload workload{*text, {}};
  for (const auto& [key, node] : table) {
    const Factor* factor = find_factor(common_factors(), key.str());
    if (factor == nullptr) continue;
    auto values = values_of(node, *factor);
    if (!values) return fail(values.error());
    workload.common[std::string(key.str())] = std::move(*values);
  }
  auto factors = values_of(table, kind->factors);
  if (!factors) return fail(factors.error());
  workload.factors = std::move(*factors);
  for (const auto& [key, node] : table) workload.named.emplace(key.str());
  return workload;
}

Result<FactorValues> StudyReader::values_of(const toml::table& table,
                                            const std::vector<Factor>& factors) const {
  const bool is_workload = &factors != &common_factors();
  FactorValues values;
  for (const Factor& factor : factors) values[std::string(factor.name)] = {std::string(factor.fallback)};
  for (const auto& [key, node] : table) {
    if (is_workload && (key.str() == "name" || find_factor(common_factors(), key.str()) != nullptr)) continue;
    const Factor* factor = find_factor(factors, key.str());
    if (factor == nullptr) {
      return wrong(key.source(), fmt::format("unknown factor '{}'", printable(key.str())),
                   unknown_key_help(key.str(), names_of(factors)));
    }
    auto read = values_of(node, *factor);
    if (!read) return fail(read.error());
    values[std::string(key.str())] = std::move(*read);
  }
  return values;
}

// A list is one value; no word in it has a space.
Result<std::string> StudyReader::words_of(const toml::array& list, const Factor& factor) const {
  std::string words;
  for (const toml::node& element : list) {
    const auto word = element.value_exact<std::string>();
    if (!word || word->empty() || word->find(' ') != std::string::npos)
      return wrong(element.source(), fmt::format("'{}' is a list of single words", factor.name), "");
    words += (words.empty() ? "" : " ") + *word;
  }
  auto value = canonical(factor, words);
  if (!value) return wrong(list.source(), value.error().why, value.error().next);
  return value;
}

Result<std::vector<std::string>> StudyReader::values_of(const toml::node& node, const Factor& factor) const {
  std::vector<std::string> values;
  if (const toml::array* words = node.as_array(); words != nullptr && factor.type == FactorType::words) {
    auto one = words_of(*words, factor);
    if (!one) return fail(one.error());
    return std::vector<std::string>{std::move(*one)};
  }
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    auto one = value_of(node, factor);
    if (!one) return fail(one.error());
    return std::vector<std::string>{std::move(*one)};
  }
  if (list->empty())
    return wrong(node.source(), fmt::format("'{}' has no value", factor.name), "name at least one");
  for (const toml::node& element : *list) {
    auto one = value_of(element, factor);
    if (!one) return fail(one.error());
    values.push_back(std::move(*one));
  }
  return values;
}

Result<std::string> StudyReader::value_of(const toml::node& node, const Factor& factor) const {
  std::string text;
  if (const auto* number = node.as_integer(); number != nullptr && factor.type != FactorType::choice) {
    text = std::to_string(number->get());
  } else if (const auto* string = node.as_string(); string != nullptr) {
    text = string->get();
  } else {
    return wrong(
        node.source(), fmt::format("a value of '{}' cannot be {}", factor.name, type_name(node)),
        "allowed: " + allowed_values(factor) + (factor.type == FactorType::choice ? " (in quotes)" : ""));
  }
  auto value = canonical(factor, text);
  if (!value) return wrong(node.source(), value.error().why, value.error().next);
  return value;
}

Result<std::string> StudyReader::factor_value(const toml::key& key, const toml::node& node,
                                              const std::vector<std::string_view>& others) const {
  if (key.str() == "workload") {
    const auto name = node.value_exact<std::string>();
    if (name && find_workload(*name) != nullptr) return *name;
    return wrong(node.source(),
                 name ? fmt::format("'{}' is not a workload", printable(*name)) : "it is not text",
                 suggestion(name.value_or(""), workload_names()));
  }
  if (const Factor* factor = find_factor_of_any(key.str(), "")) return value_of(node, *factor);
  std::vector<std::string_view> names{"workload"};
  names.insert(names.end(), others.begin(), others.end());
  const auto add = [&](const std::vector<Factor>& factors) {
    for (const Factor& factor : factors) names.push_back(factor.name);
  };
  add(common_factors());
  for (const WorkloadKind& kind : workloads()) add(kind.factors);
  return wrong(key.source(), fmt::format("unknown factor '{}'", printable(key.str())),
               suggestion(key.str(), names));
}

}  // namespace vtax

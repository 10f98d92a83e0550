#include "model/term_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/embedded_file.h"
#include "core/readable.h"
#include "study/toml_text.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& terms();
}

namespace {

constexpr std::size_t kMostRules = 200;
constexpr std::size_t kMostPatterns = 1000;
constexpr std::size_t kLongestTermText = 200;

Error term_error(std::string_view shown_name, std::string why) {
  return {fmt::format("cannot read terms {}", printable(shown_name, 200)), std::move(why),
          "studies/terms/primet-2007.toml shows the form"};
}

// "" where the key is missing; nothing where it is no text.
std::optional<std::string> term_text(const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return "";
  const auto text = node->value_exact<std::string>();
  if (!text || text->size() > kLongestTermText) return std::nullopt;
  return *text;
}

std::optional<std::vector<std::string>> term_patterns(const toml::table& table, std::string_view key) {
  std::vector<std::string> out;
  const toml::node* node = table.get(key);
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  if (array == nullptr || array->empty() || array->size() > kMostPatterns) return std::nullopt;
  for (const toml::node& entry : *array) {
    const auto text = entry.value_exact<std::string>();
    if (!text || text->empty() || text->size() > kLongestTermText) return std::nullopt;
    out.push_back(*text);
  }
  return out;
}

}  // namespace

bool fits_pattern(std::string_view text, std::string_view pattern) {
  std::size_t t = 0, p = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::size_t TermTable::term_of(const FunctionCost& cost) const {
  const auto any = [](const std::vector<std::string>& all, std::string_view text) {
    return all.empty() ||
           std::any_of(all.begin(), all.end(), [&](const std::string& p) { return fits_pattern(text, p); });
  };
  for (const Rule& rule : rules_) {
    if (any(rule.images, cost.image) && any(rule.functions, cost.function)) return rule.term;
  }
  return terms_.size();
}

Result<TermTable> TermTable::parse(std::string_view text, std::string_view shown_name) {
  const auto wrong = [&](std::string why) { return fail(term_error(shown_name, std::move(why))); };
  const auto root =
      parse_toml(text, {term_error(shown_name, "").what, "a table of terms is a short text file",
                        "studies/terms/primet-2007.toml shows one"});
  if (!root) return fail(root.error());
  TermTable table;
  for (const auto& [key, node] : *root) {
    if (key.str() != "model" && key.str() != "term")
      return wrong(fmt::format("unknown key '{}': model and term are allowed", printable(key.str())));
  }
  const auto model = term_text(*root, "model");
  if (!model) return wrong("'model' must be a short text");
  table.model_ = *model;
  const toml::array* rules = root->get("term") == nullptr ? nullptr : root->get("term")->as_array();
  if (rules == nullptr || rules->size() > kMostRules)
    return wrong(fmt::format("it must have 1 to {} [[term]]", kMostRules));
  for (const toml::node& node : *rules) {
    const toml::table* rule = node.as_table();
    if (rule == nullptr) return wrong("a term must be a table, [[term]]");
    const auto name = term_text(*rule, "name"), says = term_text(*rule, "says");
    if (!name || name->empty() || name->size() > 24)
      return wrong("a term needs a 'name' of at most 24 bytes");
    for (const auto& [key, value] : *rule) {
      const std::string_view k = key.str();
      if (k != "name" && k != "says" && k != "grows" && k != "images" && k != "functions")
        return wrong(fmt::format("term '{}' has the unknown key '{}'", printable(*name), printable(k)));
    }
    if (!says) return wrong(fmt::format("'says' of term '{}' must be a short text", printable(*name)));
    bool grows = false;
    if (const toml::node* value = rule->get("grows")) {
      const auto truth = value->value_exact<bool>();
      if (!truth) return wrong(fmt::format("'grows' of term '{}' must be true or false", printable(*name)));
      grows = *truth;
    }
    auto images = term_patterns(*rule, "images"), functions = term_patterns(*rule, "functions");
    if (!images || !functions || (images->empty() && functions->empty()))
      return wrong(fmt::format("term '{}' needs 'images' or 'functions', arrays of texts", printable(*name)));
    auto place = std::find_if(table.terms_.begin(), table.terms_.end(),
                              [&](const Term& t) { return t.name == *name; });
    if (place == table.terms_.end()) place = table.terms_.insert(place, {*name, *says, grows});
    table.rules_.push_back(
        {static_cast<std::size_t>(place - table.terms_.begin()), std::move(*images), std::move(*functions)});
  }
  return table;
}

Result<TermTable> TermTable::built_in() {
  const EmbeddedFile& file = embedded::terms().front();
  return parse(file.content, file.name);
}

Result<TermTable> TermTable::read(const std::filesystem::path& file) {
  auto text = read_toml_text(file, term_error(file.string(), "").what,
                             "studies/terms/primet-2007.toml is the table that comes with vtax");
  if (!text) return fail(text.error());
  return parse(*text, file.string());
}

}  // namespace vtax

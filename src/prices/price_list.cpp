#include "prices/price_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "account/event_table.h"
#include "core/readable.h"
#include "study/suggest.h"
#include "study/toml_text.h"

namespace vtax::prices {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr double kMostNs = 1e9, kLeastGhz = 0.01, kMostGhz = 100;
constexpr std::size_t kLongestText = 300;

class PriceReader {
 public:
  explicit PriceReader(std::string what) : what_(std::move(what)) {}

  [[nodiscard]] Result<PriceList> read(const toml::table& root) {
    for (const auto& [key, node] : root)
      if (auto done =
              one_of(key, {"vtax_prices", "processor", "unit", "ghz", "instructions", "events", "not_known"});
          !done)
        return fail(done.error());
    PriceList prices;
    for (auto done : {version(root), processor(root, prices), unit(root)})
      if (!done) return fail(done.error());
    if (auto done = each(root, "instructions",
                         [&](const toml::key& key, const toml::node& node) -> Result<> {
                           const auto layer = layer_named(key.str());
                           if (!layer || !has_price(*layer))
                             return wrong(key.source(), fmt::format("'{}' is no layer", printable(key.str())),
                                          suggestion(key.str(), layers()));
                           return price(node, prices.instructions[*layer]);
                         });
        !done)
      return fail(done.error());
    if (auto done = each(root, "events",
                         [&](const toml::key& key, const toml::node& node) -> Result<> {
                           const auto& kinds = priced_events();
                           if (std::find(kinds.begin(), kinds.end(), key.str()) == kinds.end())
                             return wrong(key.source(), fmt::format("'{}' is no event", printable(key.str())),
                                          suggestion(key.str(), kinds));
                           return price(node, prices.events[std::string(key.str())]);
                         });
        !done)
      return fail(done.error());
    if (auto done = each(root, "not_known",
                         [&](const toml::key& key, const toml::node& node) {
                           return text(node, key.str(), prices.not_known[std::string(key.str())]);
                         });
        !done)
      return fail(done.error());
    if (prices.instructions.empty())
      return fail(
          {what_, "it has no price of an instruction",
           "add [instructions], and below it kernel = { price = 0.5, error = 0.2, source = \"...\" }"});
    return prices;
  }

 private:
  static std::vector<std::string_view> layers() { return {"hypervisor", "driver", "kernel", "program"}; }

  [[nodiscard]] tl::unexpected<Error> wrong(const toml::source_region& at, const std::string& why,
                                            std::string next) const {
    return fail(
        {what_, fmt::format("line {}, column {}: {}", at.begin.line, at.begin.column, why), std::move(next)});
  }

  [[nodiscard]] Result<> one_of(const toml::key& key, const std::vector<std::string_view>& allowed) const {
    if (std::find(allowed.begin(), allowed.end(), key.str()) != allowed.end()) return {};
    return wrong(key.source(), fmt::format("unknown key '{}'", printable(key.str())),
                 suggestion(key.str(), allowed));
  }

  template <class Use>
  [[nodiscard]] Result<> each(const toml::table& root, std::string_view name, Use use) const {
    const toml::node* node = root.get(name);
    if (node == nullptr) return {};
    const toml::table* table = node->as_table();
    if (table == nullptr)
      return wrong(node->source(), fmt::format("'{}' must be a table, not {}", name, type_name(*node)),
                   fmt::format("write a line [{}]", name));
    for (const auto& [key, value] : *table)
      if (auto done = use(key, value); !done) return done;
    return {};
  }

  [[nodiscard]] Result<> text(const toml::node& node, std::string_view key, std::string& into) const {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty() || printable(*value, kLongestText) != *value)
      return wrong(node.source(), fmt::format("'{}' is a line of text", printable(key)), "");
    into = *value;
    return {};
  }

  [[nodiscard]] Result<> version(const toml::table& root) const {
    const toml::node* node = root.get("vtax_prices");
    if (node == nullptr)
      return fail({what_, "it is no price list: key 'vtax_prices' is missing",
                   "`vtax prices measure -o FILE` writes one"});
    const auto number = node->value_exact<std::int64_t>();
    if (!number || *number < 1)
      return wrong(node->source(), "'vtax_prices' is its version, a whole number", "");
    if (*number > kVersion)
      return wrong(node->source(), fmt::format("its version is {}, this vtax knows {}", *number, kVersion),
                   "use a newer vtax");
    return {};
  }

  [[nodiscard]] Result<> processor(const toml::table& root, PriceList& prices) const {
    const toml::node* node = root.get("processor");
    if (node == nullptr)
      return fail({what_, "it does not name its processor", "add a line processor = \"AMD EPYC 7302\""});
    return text(*node, "processor", prices.processor);
  }

  [[nodiscard]] Result<> unit(const toml::table& root) {
    const toml::node* node = root.get("unit");
    const auto name = node == nullptr ? std::nullopt : node->value_exact<std::string>();
    if (!name || (*name != "ns" && *name != "cycles"))
      return node == nullptr
                 ? Result<>(fail({what_, "it does not say its unit", "unit = \"ns\", or \"cycles\" and ghz"}))
                 : Result<>(wrong(node->source(), "'unit' is ns or cycles", ""));
    const toml::node* ghz = root.get("ghz");
    if (*name == "ns") {
      if (ghz != nullptr)
        return wrong(ghz->source(), "'ghz' means nothing beside unit = \"ns\"", "leave one of them out");
      return {};
    }
    const auto value = ghz == nullptr ? std::nullopt : ghz->value<double>();
    if (!value || !(*value >= kLeastGhz && *value <= kMostGhz))
      return fail(
          {what_,
           fmt::format("prices in cycles need the processor's GHz, from {} to {}", kLeastGhz, kMostGhz),
           "add a line such as ghz = 2.8"});
    ns_of_unit_ = 1 / *value;
    return {};
  }

  [[nodiscard]] Result<> price(const toml::node& node, Price& into) const {
    const toml::table* table = node.as_table();
    if (table == nullptr)
      return wrong(node.source(), "a price is a table",
                   "for example { price = 0.5, error = 0.2, source = \"where it is from\" }");
    for (const auto& [key, value] : *table)
      if (auto done = one_of(key, {"price", "error", "source"}); !done) return done;
    for (const char* needed : {"price", "error", "source"})
      if (!table->contains(needed))
        return wrong(table->source(), fmt::format("a price without {}", needed), "");
    const auto number = [&](const char* key, double most, double& to) -> Result<> {
      const toml::node& value = *table->get(key);
      const auto given = value.value<double>();
      if (!given || !value.is_number() || !(*given >= 0 && *given <= most))
        return wrong(value.source(), fmt::format("'{}' is a number from 0 to {}", key, most), "");
      to = *given;
      return {};
    };
    if (auto done = number("price", kMostNs, into.ns); !done) return done;
    into.ns *= ns_of_unit_;
    constexpr double kMostError = 10;
    if (auto done = number("error", kMostError, into.error); !done) return done;
    return text(*table->get("source"), "source", into.source);
  }

  std::string what_;
  double ns_of_unit_ = 1;
};

void add_line(const std::string& key, const Price& price, std::string& text) {
  text += fmt::format("{} = {{ price = {:.4g}, error = {:.2g}, source = {} }}\n", key, price.ns, price.error,
                      toml_string(price.source));
}

}  // namespace

bool has_price(Layer layer) {
  return layer == Layer::hypervisor || layer == Layer::driver || layer == Layer::kernel ||
         layer == Layer::program;
}

const std::vector<std::string_view>& priced_events() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> names{"l1i_misses", "l1d_misses", "l2_misses", "l3_misses"};
    for (const EventKind& kind : event_kinds()) names.push_back(kind.name);
    return names;
  }();
  return all;
}

Result<PriceList> parse_prices(std::string_view text, std::string_view shown_name) {
  const std::string what = "cannot read the prices " + printable(shown_name);
  const auto root = parse_toml(text, {what, "a price list is a short text file", "docs/prices.md shows one"});
  if (!root) return fail(root.error());
  return PriceReader(what).read(*root);
}

Result<PriceList> read_prices(const std::filesystem::path& file) {
  const std::string what = "cannot read the prices " + printable(file.string());
  const auto text = read_toml_text(file, what, "`vtax prices measure -o FILE` writes one");
  if (!text) return fail(text.error());
  return parse_prices(*text, file.string());
}

std::string text_of(const PriceList& prices) {
  std::string text = fmt::format("vtax_prices = {}\nprocessor = {}\nunit = \"ns\"\n", kVersion,
                                 toml_string(prices.processor));
  text += "\n[instructions]   # of each layer\n";
  for (const auto& [layer, price] : prices.instructions) add_line(std::string(name(layer)), price, text);
  text += "\n[events]         # what each takes besides the instructions that it executes\n";
  for (const auto& [kind, price] : prices.events) add_line(kind, price, text);
  if (!prices.not_known.empty()) text += "\n[not_known]\n";
  for (const auto& [key, why] : prices.not_known) text += fmt::format("{} = {}\n", key, toml_string(why));
  return text;
}

}  // namespace vtax::prices

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "advise/server.h"
#include "core/readable.h"
#include "predict/known_cells.h"
#include "study/built_in.h"
#include "study/catalogue.h"
#include "study/study_reader.h"
#include "study/suggest.h"
#include "study/toml_text.h"

namespace vtax::embedded {
const std::vector<EmbeddedFile>& servers();
}

namespace vtax::advise {
namespace {

constexpr std::size_t kLongestWord = 31;  // of a name: it becomes a guest's
constexpr std::size_t kMostApplications = 16;
constexpr double kMostRate = 1e9, kMostMips = 1e6, kMostMbps = 1e6, kMostMicroseconds = 1e9;
constexpr int kMostCpus = 1024;

bool is_word(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || text.size() > kLongestWord || !is_letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::vector<std::string_view> aims() {
  std::vector<std::string_view> names;
  for (const auto& row : enum_names<Aim>) names.push_back(row.second);
  return names;
}

class ServerReader {
 public:
  explicit ServerReader(std::string what) : what_(what), values_(std::move(what)) {}

  [[nodiscard]] Result<Server> read(const toml::table& root) const {
    Server server;
    if (auto done = only(root, {"name", "minimise", "server", "choose", "must", "application"}, ""); !done)
      return fail(done.error());
    for (auto done : {read_head(root, server), read_machine(root, server), read_choices(root, server),
                      read_wishes(root, server), read_applications(root, server), check(server)})
      if (!done) return fail(done.error());
    return server;
  }

 private:
  [[nodiscard]] Result<> only(const toml::table& table, std::vector<std::string_view> keys,
                              std::string_view where) const {
    for (const auto& [key, node] : table)
      if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
        return values_.wrong(key.source(), fmt::format("unknown key '{}'{}", printable(key.str()), where),
                             suggestion(key.str(), keys));
    return {};
  }

  // Null where there is none of this name.
  [[nodiscard]] Result<const toml::table*> table_at(const toml::table& root, std::string_view key) const {
    const toml::node* node = root.get(key);
    if (node == nullptr) return static_cast<const toml::table*>(nullptr);
    if (!node->is_table())
      return values_.wrong(node->source(), fmt::format("'{}' must be a table, not {}", key, type_name(*node)),
                           fmt::format("write a line [{}]", key));
    return node->as_table();
  }

  [[nodiscard]] Result<> number(const toml::table& table, std::string_view key, double low, double high,
                                double& into) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    const auto value = node->value<double>();
    if (!value || !node->is_number() || !(*value >= low && *value <= high))
      return values_.wrong(node->source(), fmt::format("'{}' is a number from {} to {}", key, low, high), "");
    into = *value;
    return {};
  }

  [[nodiscard]] Result<> word(const toml::table& table, std::string_view key, std::string& into) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    const auto text = node->value_exact<std::string>();
    if (!text || !is_word(*text))
      return values_.wrong(
          node->source(),
          fmt::format("'{}' is a word of letters, digits and '-', at most {} long", key, kLongestWord),
          "it becomes a name in the files that are written");
    into = *text;
    return {};
  }

  // One value or an array of them, each once.
  [[nodiscard]] Result<std::vector<std::string>> values(const toml::node& node, const Factor& factor) const {
    std::vector<std::string> all;
    const auto add = [&](const toml::node& one) -> Result<> {
      auto value = values_.value_of(one, factor);
      if (!value) return fail(value.error());
      if (std::find(all.begin(), all.end(), *value) == all.end()) all.push_back(std::move(*value));
      return {};
    };
    const toml::array* list = node.as_array();
    if (list == nullptr) {
      if (auto done = add(node); !done) return fail(done.error());
      return all;
    }
    if (list->empty())
      return values_.wrong(node.source(), fmt::format("'{}' has no value", factor.name), "name at least one");
    for (const toml::node& one : *list)
      if (auto done = add(one); !done) return fail(done.error());
    return all;
  }

  [[nodiscard]] Result<> read_head(const toml::table& root, Server& server) const {
    if (!root.contains("name"))
      return fail({what_, "key 'name' is missing", "add a line such as name = \"web-box\""});
    if (auto done = word(root, "name", server.name); !done) return done;
    const toml::node* aim = root.get("minimise");
    if (aim == nullptr) return {};
    const auto text = aim->value_exact<std::string>();
    const auto named_aim = text ? named<Aim>(*text) : std::nullopt;
    if (!named_aim)
      return values_.wrong(aim->source(),
                           fmt::format("'{}' is nothing to minimise", printable(text.value_or(""))),
                           suggestion(text.value_or(""), aims()));
    server.minimise = *named_aim;
    return {};
  }

  [[nodiscard]] Result<> read_machine(const toml::table& root, Server& server) const {
    const auto table = table_at(root, "server");
    if (!table) return fail(table.error());
    if (*table == nullptr)
      return fail({what_, "it does not say what the server is",
                   "add a line [server], and below it cpus = 4 and cpu_mips = 2000"});
    const toml::table& machine = **table;
    if (auto done = only(machine, {"cpus", "cpu_mips", "link_mbps", "card", "platforms"}, " in [server]");
        !done)
      return done;
    for (const char* needed : {"cpus", "cpu_mips"})
      if (!machine.contains(needed))
        return values_.wrong(machine.source(), fmt::format("[server] does not say {}", needed),
                             "give cpus, and million instructions a second of each as cpu_mips");
    double cpus = 0;
    if (auto done = number(machine, "cpus", 1, kMostCpus, cpus); !done) return done;
    if (cpus != std::floor(cpus))
      return values_.wrong(machine.get("cpus")->source(), "'cpus' is a whole number", "");
    server.cpus = static_cast<int>(cpus);
    if (auto done = number(machine, "cpu_mips", 1, kMostMips, server.cpu_mips); !done) return done;
    if (auto done = number(machine, "link_mbps", 0, kMostMbps, server.link_mbps); !done) return done;
    if (auto done = word(machine, "card", server.card); !done) return done;
    if (const toml::node* node = machine.get("platforms")) {
      auto names = values(*node, *find_factor(common_factors(), "platform"));
      if (!names) return fail(names.error());
      server.platforms = std::move(*names);
    }
    return {};
  }

  [[nodiscard]] Result<> read_choices(const toml::table& root, Server& server) const {
    const auto table = table_at(root, "choose");
    if (!table) return fail(table.error());
    if (*table == nullptr) return {};
    for (const auto& [key, node] : **table) {
      const auto& allowed = choosable_factors();
      if (std::find(allowed.begin(), allowed.end(), key.str()) == allowed.end()) {
        const std::string next = key.str() == "platform" ? "name them as platforms in [server]"
                                 : key.str() == "guests" ? "name them in an [[application]]"
                                                         : suggestion(key.str(), allowed);
        return values_.wrong(key.source(), fmt::format("'{}' cannot be chosen", printable(key.str())), next);
      }
      auto all = values(node, *find_factor(common_factors(), key.str()));
      if (!all) return fail(all.error());
      server.choices[std::string(key.str())] = std::move(*all);
    }
    return {};
  }

  [[nodiscard]] Result<> read_wishes(const toml::table& root, Server& server) const {
    const auto table = table_at(root, "must");
    if (!table) return fail(table.error());
    if (*table == nullptr) return {};
    const toml::table& must = **table;
    if (auto done = only(must, {"most_busy_percent", "own_kernel", "least_share_percent"}, " in [must]");
        !done)
      return done;
    if (auto done = number(must, "most_busy_percent", 1, kPercent, server.most_busy_percent); !done)
      return done;
    if (auto done = number(must, "least_share_percent", 0, kPercent, server.least_share_percent); !done)
      return done;
    if (const toml::node* node = must.get("own_kernel")) {
      const auto value = node->value_exact<bool>();
      if (!value) return values_.wrong(node->source(), "'own_kernel' must be true or false", "");
      server.own_kernel = *value;
    }
    return {};
  }

  [[nodiscard]] Result<> read_applications(const toml::table& root, Server& server) const {
    const toml::node* node = root.get("application");
    const toml::array* blocks = node == nullptr ? nullptr : node->as_array();
    if (blocks == nullptr || blocks->empty())
      return fail({what_, "it names no application",
                   "add a line [[application]], and below it name, workload and rate"});
    if (blocks->size() > kMostApplications)
      return values_.wrong(node->source(), fmt::format("more than {} applications", kMostApplications),
                           "put alike ones together: their rates add up");
    for (const toml::node& block : *blocks) {
      const toml::table* table = block.as_table();
      if (table == nullptr)
        return values_.wrong(block.source(), "an application must be a table",
                             "write [[application]], with two brackets");
      auto one = application(*table);
      if (!one) return fail(one.error());
      for (const Application& other : server.applications)
        if (other.name == one->name)
          return values_.wrong(table->source(), fmt::format("two applications are called '{}'", one->name),
                               "give each a name of its own");
      server.applications.push_back(std::move(*one));
    }
    return {};
  }

  [[nodiscard]] Result<Application> application(const toml::table& table) const {
    Application out;
    for (const char* needed : {"name", "workload", "rate"})
      if (!table.contains(needed))
        return values_.wrong(table.source(), fmt::format("this [[application]] has no {}", needed),
                             "for example name = \"files\", workload = \"tcp-stream\", rate = 200");
    if (auto done = word(table, "name", out.name); !done) return fail(done.error());
    const auto workload = table.get("workload")->value_exact<std::string>();
    const WorkloadKind* kind = workload ? find_workload(*workload) : nullptr;
    if (kind == nullptr)
      return values_.wrong(table.get("workload")->source(),
                           fmt::format("'{}' is not a workload", printable(workload.value_or(""))),
                           suggestion(workload.value_or(""), workload_names()));
    if (!kind->has_traffic)
      return values_.wrong(table.get("workload")->source(),
                           fmt::format("{} has no rate: it works as fast as it can", *workload),
                           "name a workload with traffic");
    out.workload = *workload;
    constexpr double kLeastRate = 1e-6;
    if (auto done = number(table, "rate", kLeastRate, kMostRate, out.rate); !done) return fail(done.error());
    if (table.contains("most_p99_us")) {
      double most = 0;
      if (auto done = number(table, "most_p99_us", 0, kMostMicroseconds, most); !done)
        return fail(done.error());
      out.most_p99_us = most;
    }
    const Factor& guests = *find_factor(common_factors(), "guests");
    out.guests = {guests.fallback};
    for (const Factor& factor : kind->factors)
      if (!predict::is_amount(out.workload, std::string(factor.name)))
        out.factors[std::string(factor.name)] = {factor.fallback};
    for (const auto& [key, node] : table) {
      if (key.str() == "name" || key.str() == "workload" || key.str() == "rate" || key.str() == "most_p99_us")
        continue;
      if (key.str() == "guests") {
        auto all = values(node, guests);
        if (!all) return fail(all.error());
        out.guests = std::move(*all);
        continue;
      }
      const Factor* factor = find_factor(kind->factors, key.str());
      if (factor == nullptr) {
        auto keys = names_of(kind->factors);
        keys.insert(keys.end(), {"guests", "most_p99_us"});
        return values_.wrong(key.source(),
                             fmt::format("unknown key '{}' of an application", printable(key.str())),
                             suggestion(key.str(), keys));
      }
      if (!out.factors.contains(std::string(key.str())))
        return values_.wrong(key.source(), fmt::format("'{}' is an amount of work", key.str()),
                             "advice is about rates: leave it out");
      auto all = values(node, *factor);
      if (!all) return fail(all.error());
      out.factors[std::string(key.str())] = std::move(*all);
    }
    return out;
  }

  // Wishes that no placement can meet, whatever it costs.
  [[nodiscard]] Result<> check(const Server& server) const {
    const auto contradiction = [&](const std::string& why, std::string next) {
      return fail({what_, "its wishes contradict each other: " + why, std::move(next)});
    };
    if (server.own_kernel && !server.platforms.empty() &&
        std::none_of(server.platforms.begin(), server.platforms.end(), [](const std::string& name) {
          return facts_of(*platform_named(name)).runner != GuestRunner::none;
        }))
      return contradiction("own_kernel, and no platform at hand has guests with a kernel of their own",
                           "name one such as xen-pv or kvm in platforms");
    const bool has_exchanges = std::any_of(
        server.applications.begin(), server.applications.end(),
        [](const Application& application) { return application.factors.contains("response_bytes"); });
    if (server.minimise == Aim::p99 && !has_exchanges)
      return contradiction("minimise = \"p99\", and no application exchanges requests",
                           "minimise \"cost\" or \"busiest-cpu\"");
    for (const Application& application : server.applications)
      if (application.most_p99_us && !application.factors.contains("response_bytes"))
        return contradiction(fmt::format("most_p99_us of {}, whose workload {} has no requests that wait",
                                         application.name, application.workload),
                             "leave it out");
    std::size_t least = 0;
    for (const Application& application : server.applications) {
      std::size_t fewest = ~std::size_t{0};
      for (const std::string& guests : application.guests)
        fewest = std::min<std::size_t>(fewest, std::stoul(guests));
      least += fewest;
    }
    if (server.least_share_percent * static_cast<double>(least) > kPercent * server.cpus)
      return contradiction(fmt::format("{} guests with {} % of a CPU each need more than {} CPUs", least,
                                       server.least_share_percent, server.cpus),
                           "take fewer guests, a smaller share, or more CPUs");
    return {};
  }

  std::string what_;
  StudyReader values_;
};

}  // namespace

const std::vector<std::string_view>& choosable_factors() {
  static const std::vector<std::string_view> all{
      "offloads",   "guest_cpu",     "scheduler",   "guest_weights",    "guest_cap_percent",
      "forwarding", "system_window", "peer_window", "guest_memory_mib", "balloon_mib"};
  return all;
}

Result<Server> parse_server(std::string_view text, std::string_view shown_name) {
  const std::string what = "cannot read the server file " + printable(shown_name);
  const auto root =
      parse_toml(text, {what, "a server file is a short text file", "docs/advice.md shows one"});
  if (!root) return fail(root.error());
  return ServerReader(what).read(*root);
}

std::vector<std::string> built_in_servers() {
  return built_in_names(embedded::servers());
}

Result<Server> find_server(std::string_view path_or_name) {
  std::error_code error;
  const std::filesystem::path path(path_or_name);
  const bool is_path = path_or_name.find('/') != std::string_view::npos ||
                       path_or_name.ends_with(kTomlEnding) || std::filesystem::exists(path, error);
  if (!is_path) {
    if (const EmbeddedFile* file = find_built_in(embedded::servers(), path_or_name))
      return parse_server(file->content, file->name);
    return fail({fmt::format("cannot find the server {}", printable(path_or_name)),
                 "no such file, and none of this name comes with vtax",
                 built_in_suggestion(embedded::servers(), path_or_name)});
  }
  const std::string what = "cannot read the server file " + printable(path_or_name);
  const auto text =
      read_toml_text(path, what, "docs/advice.md shows one; web-box is one that comes with vtax");
  if (!text) return fail(text.error());
  return parse_server(*text, path.string());
}

}  // namespace vtax::advise

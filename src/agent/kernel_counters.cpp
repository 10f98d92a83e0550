#include "agent/kernel_counters.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <vector>

#include "core/files.h"

namespace vtax::agent {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    f(words_of(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<std::uint64_t> number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

using Reader = void(std::string_view, KernelCounters&);

// Each network namespace has its own; a process leads to it.
std::vector<std::string> namespaces() {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  std::set<std::string> seen;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (!number(name)) continue;
    const fs::path its_namespace = fs::read_symlink(entry.path() / "ns/net", ignored);
    if (!ignored && seen.insert(its_namespace).second) out.push_back(entry.path() / "net");
  }
  return out;
}

Result<> read_all(KernelCounters& into) {
  into.clear();
  std::vector<std::pair<std::string, Reader*>> files = {{"/proc/net/softnet_stat", read_softnet},
                                                        {"/proc/softirqs", read_softirqs},
                                                        {"/proc/vmstat", read_page_allocations},
                                                        {"/proc/schedstat", read_wake_ups},
                                                        {"/proc/interrupts", read_vif_interrupts}};
  for (const std::string& net : namespaces())
    for (const char* file : {"/snmp", "/netstat"}) files.emplace_back(net + file, read_protocol_counters);
  for (const auto& [file, read] : files) {
    const auto text = read_text(file);
    if (!text) return fail(text.error());
    read(*text, into);
  }
  return {};
}

}  // namespace

void read_protocol_counters(std::string_view text, KernelCounters& into) {
  std::vector<std::string_view> names;
  for_each_line(text, [&](const std::vector<std::string_view>& words) {
    const bool are_values = !names.empty() && !words.empty() && words.front() == names.front();
    if (!are_values) {
      names = words;
      return;
    }
    const std::string protocol(words.front().substr(0, words.front().find(':')));
    for (std::size_t i = 1; i < std::min(words.size(), names.size()); ++i)
      if (const auto value = number(words[i])) into[protocol + "." + std::string(names[i])] += *value;
    names.clear();
  });
}

void read_softnet(std::string_view text, KernelCounters& into) {
  for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words.empty()) return;
    if (const auto value = number(words.front(), 16)) into["softnet.processed"] += *value;
  });
}

void read_softirqs(std::string_view text, KernelCounters& into) {
  for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words.empty() || words.front() != "NET_RX:") return;
    for (std::size_t i = 1; i < words.size(); ++i)
      if (const auto value = number(words[i])) into["softirqs.NET_RX"] += *value;
  });
}

void read_vif_interrupts(std::string_view text, KernelCounters& into) {
  for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words.empty() || !words.back().starts_with("vif")) return;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto value = number(words[i]);
      if (!value) return;  // behind the CPUs' columns stands who
      into["interrupts.vif"] += *value;
    }
  });
}

void read_page_allocations(std::string_view text, KernelCounters& into) {
  for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words.size() != 2 || !words[0].starts_with("pgalloc_")) return;
    if (const auto value = number(words[1])) into["vmstat.pgalloc"] += *value;
  });
}

void read_wake_ups(std::string_view text, KernelCounters& into) {
  constexpr std::size_t kTtwuCount = 5;  // Documentation/scheduler/sched-stats.rst, version 15
  for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words.size() <= kTtwuCount || !words[0].starts_with("cpu")) return;
    if (const auto value = number(words[kTtwuCount])) into["schedstat.ttwu"] += *value;
  });
}

controller::WindowHooks CountersOfWindow::hooks() {
  return {[this] {
            // A kernel without it shows zeros, which read as no wake-up at all.
            std::ofstream("/proc/sys/kernel/sched_schedstats") << "1\n";
            return read_all(before_);
          },
          [this] { return read_all(after_); },
          [this](nlohmann::json& result) {
            nlohmann::json counters = nlohmann::json::object();
            for (const auto& [name, value] : after_)
              if (const auto first = before_.find(name); first != before_.end() && value >= first->second)
                counters[name] = value - first->second;
            result["counters"] = counters;
          }};
}

}  // namespace vtax::agent

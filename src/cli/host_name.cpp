#include "cli/host_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "core/net_address.h"
#include "core/readable.h"
#include "core/subprocess.h"

namespace vtax {
namespace {

constexpr std::chrono::seconds kPatienceWithNames{20};

// Letters, digits, '-', '_' and '.', and no number: what is meant as an address is none of these.
bool may_be_name(const std::string& host) {
  constexpr std::size_t kLongestName = 253;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const bool has_letter = std::any_of(
      host.begin(), host.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  return has_letter && host.size() <= kLongestName && host.front() != '-' &&
         std::all_of(host.begin(), host.end(), fits);
}

}  // namespace

Result<std::string> numeric_host(const std::string& host) {
  const auto address = NetAddress::parse(host, 0);
  if (address) return host;
  if (!may_be_name(host)) return fail(address.error());
  Command command{{"getent", "ahosts", host}};
  command.time_limit = kPatienceWithNames;
  const auto asked = run_command(command);
  if (!asked) return fail(address.error());  // which says how to look it up elsewhere
  const std::string first = asked->out.substr(0, asked->out.find_first_of(" \t\n"));
  if (!asked->ok() || !NetAddress::parse(first, 0))
    return fail({fmt::format("cannot find the computer '{}'", printable(host)),
                 asked->timed_out ? "nobody has answered for 20 s (getent ahosts)"
                                  : "its name is not known here (getent ahosts)",
                 "give its address, or add it to /etc/hosts", ExitCode::usage});
  return first;
}

Result<ResolvedUrl> resolve_url(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return ResolvedUrl{url, ""};
  const std::size_t end = std::min(url.find_first_of("/?#", kScheme.size()), url.size());
  const std::string authority = url.substr(kScheme.size(), end - kScheme.size());
  const std::string host = authority.substr(0, authority.find(':'));
  if (host.empty() || !may_be_name(host) || NetAddress::parse(host, 0)) return ResolvedUrl{url, ""};
  const auto numeric = numeric_host(host);
  if (!numeric) return fail(numeric.error());
  const bool is_ipv6 = numeric->find(':') != std::string::npos;
  return ResolvedUrl{fmt::format("{}{}{}{}", kScheme, is_ipv6 ? "[" + *numeric + "]" : *numeric,
                                 authority.substr(host.size()), url.substr(end)),
                     authority};
}

}  // namespace vtax

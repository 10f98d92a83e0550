#include "watch/container_groups.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/files.h"

namespace vtax::watch {
namespace {

constexpr std::size_t kHashDigits = 64, kShownDigits = 12;

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), [](unsigned char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

bool cut(std::string_view& text, std::string_view before, std::string_view behind) {
  if (!text.starts_with(before) || !text.ends_with(behind) || text.size() < before.size() + behind.size() + 1)
    return false;
  text.remove_prefix(before.size());
  text.remove_suffix(behind.size());
  return true;
}

// systemd writes "-" in a unit's name as "\x2d".
std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    if (text.substr(at).starts_with("\\x") && at + 4 <= text.size()) {
      const auto [end, error] = std::from_chars(text.data() + at + 2, text.data() + at + 4, value, 16);
      if (error == std::errc() && end == text.data() + at + 4 && value >= 0x20 && value < 0x7f) {
        out += static_cast<char>(value);
        at += 3;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

struct Found {
  std::string found_by, name, hash;
};

Found by_hash(const char* found_by, std::string_view hash) {
  return {found_by, std::string(hash.substr(0, kShownDigits)), std::string(hash)};
}

std::optional<Found> found_in(std::string_view part, std::string_view above, bool in_kubernetes) {
  std::string_view rest = part;
  for (const char* runtime : {"cri-containerd-", "crio-", "docker-"}) {
    rest = part;
    if (in_kubernetes && cut(rest, runtime, ".scope") && is_hash(rest)) return by_hash("kubernetes", rest);
  }
  if (in_kubernetes && is_hash(part)) return by_hash("kubernetes", part);
  rest = part;
  if (cut(rest, "docker-", ".scope") && is_hash(rest)) return by_hash("docker", rest);
  if (above == "docker" && is_hash(part)) return by_hash("docker", part);
  rest = part;
  if (cut(rest, "libpod-", ".scope") && is_hash(rest)) return by_hash("podman", rest);
  rest = part;
  if (cut(rest, "libpod-", "") && is_hash(rest)) return by_hash("podman", rest);
  rest = part;
  if (cut(rest, "lxc.payload.", "")) return Found{"lxc", std::string(rest), ""};
  if (above == "lxc" || above == "lxc.payload") return Found{"lxc", std::string(part), ""};
  rest = part;
  if (cut(rest, "systemd-nspawn@", ".service")) return Found{"systemd", without_escapes(rest), ""};
  rest = part;
  if (cut(rest, "machine-", ".scope")) {
    std::string name = without_escapes(rest);
    // libvirt's guests are QEMU processes, and found as such; its containers are "lxc-7-NAME".
    if (name.starts_with("qemu-")) return std::nullopt;
    if (name.starts_with("lxc-"))
      if (const std::size_t dash = name.find('-', 4); dash != std::string::npos && dash + 1 < name.size())
        return Found{"libvirt", name.substr(dash + 1), ""};
    return Found{"systemd", std::move(name), ""};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ContainerGroup> container_of(std::string_view path) {
  std::string_view above;
  bool in_kubernetes = false;
  for (std::size_t at = path.find_first_not_of('/'); at < path.size(); at = path.find_first_not_of('/', at)) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (auto found = found_in(part, above, in_kubernetes))
      return ContainerGroup{std::string(path.substr(0, end)), std::move(found->found_by),
                            std::move(found->name), std::move(found->hash)};
    in_kubernetes = in_kubernetes || part.starts_with("kubepods");
    above = part;
    at = end;
  }
  return std::nullopt;
}

std::optional<std::string> docker_name(std::string_view config_json) {
  const auto config = nlohmann::json::parse(config_json, nullptr, false);
  if (!config.is_object() || !config.contains("Name") || !config["Name"].is_string()) return std::nullopt;
  std::string name = config["Name"].get<std::string>();
  if (name.starts_with('/')) name.erase(0, 1);
  return name.empty() ? std::nullopt : std::optional(std::move(name));
}

std::optional<std::string> podman_name(std::string_view containers_json, std::string_view hash) {
  const auto list = nlohmann::json::parse(containers_json, nullptr, false);
  if (!list.is_array()) return std::nullopt;
  for (const auto& one : list) {
    if (!one.is_object() || !one.contains("id") || one["id"] != hash || !one.contains("names")) continue;
    if (const auto& names = one["names"]; names.is_array() && !names.empty() && names.front().is_string())
      return names.front().get<std::string>();
  }
  return std::nullopt;
}

std::optional<std::string> given_name(const ContainerGroup& container) {
  if (container.found_by == "docker") {
    const auto text = read_text("/var/lib/docker/containers/" + container.hash + "/config.v2.json");
    return text ? docker_name(*text) : std::nullopt;
  }
  if (container.found_by == "podman") {
    const auto text = read_text("/var/lib/containers/storage/overlay-containers/containers.json");
    return text ? podman_name(*text, container.hash) : std::nullopt;
  }
  if (container.found_by == "kubernetes") {
    // The kubelet's links to logs: POD_NAMESPACE_CONTAINER-HASH.log.
    const std::string end = "-" + container.hash + ".log";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/var/log/containers", error))
      if (std::string name = entry.path().filename(); name.ends_with(end)) {
        name.resize(name.size() - end.size());
        std::replace(name.begin(), name.end(), '_', '/');
        return name;
      }
  }
  return std::nullopt;
}

}  // namespace vtax::watch

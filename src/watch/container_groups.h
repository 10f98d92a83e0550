#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vtax::watch {

// A container as the path of its control group tells of it.
struct ContainerGroup {
  std::string path;      // up to the container's own group: what is below it is the container's, too
  std::string found_by;  // "docker", "podman", "lxc", "systemd", "kubernetes"
  std::string name;      // as the path says it; of those that are known by a hash, its first 12 digits
  std::string hash;      // the whole of it; empty where there is none
};

// Nothing where the path is no container's that is known here.
[[nodiscard]] std::optional<ContainerGroup> container_of(std::string_view path);

// The name that Docker, Podman or Kubernetes has for a hash, from the files that they keep; nothing where
// these cannot be read.
[[nodiscard]] std::optional<std::string> given_name(const ContainerGroup& container);

// The part of each of those files that matters: for tests, too.
[[nodiscard]] std::optional<std::string> docker_name(std::string_view config_json);
[[nodiscard]] std::optional<std::string> podman_name(std::string_view containers_json, std::string_view hash);

}  // namespace vtax::watch

#include "agent/vmm_control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/descriptor.h"

namespace vtax::agent {
namespace {

constexpr std::size_t kMostLine = 65536;
constexpr int kMostEvents = 100;
constexpr timeval kAnswerLimit{20, 0};

class Qmp {
 public:
  static Result<Qmp> open(const std::string& path) {
    Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (!fd.valid() ||
        setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit, sizeof kAnswerLimit) != 0 ||
        connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return fail(system_error("cannot reach QEMU at " + path, errno));
    Qmp out(std::move(fd));
    if (const auto greeting = out.line(); !greeting) return fail(greeting.error());
    if (const auto ready = out.execute("qmp_capabilities", nlohmann::json::object()); !ready)
      return fail(ready.error());
    return out;
  }

  // What it returns. `handed`: a descriptor of this process that comes with it.
  Result<nlohmann::json> execute(const char* command, const nlohmann::json& arguments, int handed = -1) {
    const std::string text = nlohmann::json{{"execute", command}, {"arguments", arguments}}.dump() + "\n";
    if (send(text, handed) != static_cast<ssize_t>(text.size()))
      return fail(system_error(fmt::format("cannot tell QEMU {}", command), errno));
    for (int event = 0; event < kMostEvents; ++event) {
      const auto answer = line();
      if (!answer) return fail(answer.error());
      const auto json = nlohmann::json::parse(*answer, nullptr, false);
      if (json.is_object() && json.contains("return")) return json["return"];
      if (json.is_object() && json.contains("event")) continue;
      return fail(Error{fmt::format("tell QEMU {}", command), "it answers: " + answer->substr(0, 300), "",
                        ExitCode::trial_failed});
    }
    return fail(
        Error{fmt::format("tell QEMU {}", command), "it does not answer", "", ExitCode::trial_failed});
  }

 private:
  explicit Qmp(Descriptor fd) : fd_(std::move(fd)) {}

  ssize_t send(const std::string& text, int handed) {
    iovec words{const_cast<char*>(text.data()), text.size()};  // sendmsg's interface, which only reads
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof handed)] = {};
    msghdr message{};
    message.msg_iov = &words;
    message.msg_iovlen = 1;
    if (handed >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof handed);
      std::memcpy(CMSG_DATA(header), &handed, sizeof handed);
    }
    return sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  }

  Result<std::string> line() {
    while (true) {
      if (const auto end = held_.find('\n'); end != std::string::npos) {
        std::string out = held_.substr(0, end);
        held_.erase(0, end + 1);
        return out;
      }
      char piece[4096];
      const ssize_t got = read(fd_.get(), piece, sizeof piece);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return fail(system_error("cannot hear QEMU", got < 0 ? errno : EPIPE));
      held_.append(piece, static_cast<std::size_t>(got));
      if (held_.size() > kMostLine)
        return fail(Error{"hear QEMU", "it says too much", "", ExitCode::trial_failed});
    }
  }

  Descriptor fd_;
  std::string held_;
};

}  // namespace

Result<> plug_disk(const std::string& control_socket, const std::string& device, DiskModel model) {
  auto qmp = Qmp::open(control_socket);
  if (!qmp) return fail(qmp.error());
  const bool emulated = model == DiskModel::nvme;
  const auto opened = qmp->execute("blockdev-add", {{"driver", "host_device"},
                                                    {"node-name", "disk"},
                                                    {"filename", device},
                                                    {"aio", emulated ? "threads" : "native"},
                                                    {"cache", {{"direct", !emulated}}}});
  if (!opened) return fail(opened.error());
  nlohmann::json disk = {{"driver", "virtio-blk-pci"}, {"id", "disk0"}, {"drive", "disk"}};
  if (emulated) {
    disk["driver"] = "nvme";
    disk["serial"] = "vtax";
  }
  const auto plugged = qmp->execute("device_add", disk);
  if (!plugged) return fail(plugged.error());
  return {};
}

Result<> plug_card(const std::string& control_socket, const std::vector<Descriptor>& tap,
                   const std::string& mac, bool vhost) {
  auto qmp = Qmp::open(control_socket);
  if (!qmp) return fail(qmp.error());
  std::string names;
  for (std::size_t queue = 0; queue < tap.size(); ++queue) {
    const std::string name = fmt::format("queue{}", queue);
    const auto handed = qmp->execute("getfd", {{"fdname", name}}, tap[queue].get());
    if (!handed) return fail(handed.error());
    names += (queue == 0 ? "" : ":") + name;
  }
  const auto added =
      qmp->execute("netdev_add", {{"type", "tap"}, {"id", "second"}, {"fds", names}, {"vhost", vhost}});
  if (!added) return fail(added.error());
  nlohmann::json card = {
      {"driver", "virtio-net-pci"}, {"id", "card1"}, {"netdev", "second"}, {"mac", mac}, {"romfile", ""}};
  if (tap.size() > 1) {
    card["mq"] = true;
    card["vectors"] = 2 * tap.size() + 2;
  }
  const auto plugged = qmp->execute("device_add", card);
  if (!plugged) return fail(plugged.error());
  return {};
}

Result<> plug_device(const std::string& control_socket, const std::string& device) {
  auto qmp = Qmp::open(control_socket);
  if (!qmp) return fail(qmp.error());
  const auto plugged =
      qmp->execute("device_add", {{"driver", "vfio-pci"}, {"id", "device0"}, {"host", device}});
  if (!plugged) return fail(plugged.error());
  return {};
}

Result<> plug_balloon(const std::string& control_socket, int mib) {
  auto qmp = Qmp::open(control_socket);
  if (!qmp) return fail(qmp.error());
  const auto plugged = qmp->execute("device_add", {{"driver", "virtio-balloon-pci"}, {"id", "balloon0"}});
  if (!plugged) return fail(plugged.error());
  const auto told = qmp->execute("balloon", {{"value", static_cast<std::int64_t>(mib) << 20}});
  if (!told) return fail(told.error());
  return {};
}

Result<> wait_for_balloon(const std::string& control_socket, int mib, std::chrono::seconds limit) {
  auto qmp = Qmp::open(control_socket);
  if (!qmp) return fail(qmp.error());
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto answer = qmp->execute("query-balloon", nlohmann::json::object());
    if (!answer) return fail(answer.error());
    const auto held =
        answer->is_object() && answer->contains("actual") ? (*answer)["actual"] : nlohmann::json();
    if (!held.is_number_unsigned())
      return fail(Error{"ask QEMU for the balloon's size", "it says none", "", ExitCode::trial_failed});
    if (held.get<std::uint64_t>() <= static_cast<std::uint64_t>(mib) << 20) return {};
    if (std::chrono::steady_clock::now() > end)
      return fail(Error{fmt::format("take the guest's memory down to {} MiB", mib),
                        fmt::format("it still holds {} MiB", held.get<std::uint64_t>() >> 20),
                        "let it keep more", ExitCode::trial_failed});
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace vtax::agent

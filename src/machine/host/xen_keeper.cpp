#include "machine/host/xen_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <thread>
#include <utility>
#include <vector>

#include "core/anonymous_file.h"
#include "core/files.h"
#include "core/kernel_file.h"
#include "core/subprocess.h"
#include "meter/cpu_reading.h"
#include "platform/backend_placement.h"
#include "platform/placement.h"

namespace vtax::host {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kCreateLimit{90}, kDestroyLimit{60}, kPlaceLimit{10}, kShortLimit{10};
constexpr int kChannel = 3;  // the keeper's only descriptor but the standard ones

Result<> could_not(const char* what, int why) {
  Error error = system_error(what, why);
  error.code = ExitCode::unavailable;
  return fail(std::move(error));
}

// The computer's settings, but that xl takes no memory from Domain-0: it would not give it back.
Result<> settle_memory(const XenToolstack& toolstack) {
  const auto settings = read_file(toolstack.settings);
  if (!settings) return {};  // there are none
  std::string text(settings->begin(), settings->end());
  text += "\nautoballoon=\"off\"\n";
  const std::filesystem::path own = toolstack.logs / "xl.conf";
  if (Result<> written = write_file(own, text_bytes(text)); !written) return written;
  if (mount(own.c_str(), toolstack.settings.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return could_not("cannot give xl settings of its own", errno);
  return {};
}

// Files that xl writes about a domain stay for ever; here they go with the keeper and xl.
Result<> make_own_mounts(const XenToolstack& toolstack) {
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return could_not("cannot give xl mounts of its own", errno);
  if (mount("tmpfs", toolstack.logs.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=16m") != 0)
    return could_not("cannot mount a folder for xl's logs over /var/log/xen", errno);
  return settle_memory(toolstack);
}

// What xl has left of its programs are this process's children. 0: the domain has none.
pid_t device_model_of(int domain) {
  for (const pid_t process : processes_named("")) {
    const auto text = read_kernel_file(fmt::format("/proc/{}/stat", process));
    const auto stat = text ? meter::parse_process_stat(*text) : std::nullopt;
    if (stat && stat->parent == getpid() && serves_domain(process, domain)) return process;
  }
  return 0;
}

struct KeptDomain {
  std::string name;
  int number = 0;
  pid_t device_model = 0;
};

// In the keeper's process.
class Keeping {
 public:
  explicit Keeping(XenToolstack toolstack) : toolstack_(std::move(toolstack)) {}

  Result<json> obey(const JsonFields& order) {
    const auto what = order.text("do", 32);
    if (!what) return fail(what.error());
    if (*what == "create") return create(order);
    if (*what == "place") return place(order);
    if (*what == "place-device-model") return place_device_model(order);
    return fail(order.bad("no such order"));
  }

  // Whether nothing is left.
  bool destroy_all() {
    bool all_gone = true;
    for (const KeptDomain& domain : domains_) all_gone = destroy(domain) && all_gone;
    // What `xl` has left in the background ends with its domain.
    const auto deadline = Clock::now() + kShortLimit;
    while (all_gone && waitpid(-1, nullptr, WNOHANG) >= 0 && Clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return all_gone;
  }

 private:
  Result<json> create(const JsonFields& order) {
    const auto name = order.text("name", 64);
    if (!name) return fail(name.error());
    const auto config = order.text("config", 16384);
    if (!config) return fail(config.error());
    const auto memory = order.number("memory_mib", 1, 1 << 20);
    if (!memory) return fail(memory.error());
    const auto facts = ask_xen(toolstack_);
    if (!facts) return fail(facts.error());
    if (facts->free_mib < *memory + std::uint64_t{kXenOverheadMib})
      return fail(Error{"make the domain " + *name,
                        fmt::format("Xen has {} MiB of free memory, and it takes {}", facts->free_mib,
                                    *memory + std::uint64_t{kXenOverheadMib}),
                        "as root: xl mem-set Domain-0 MEMORY leaves more to guests", ExitCode::unavailable});
    const auto file = anonymous_file("config", text_bytes(*config));
    if (!file) return fail(file.error());
    KeptDomain& made = domains_.emplace_back(KeptDomain{*name});
    const auto created =
        run_xl(toolstack_, {"create", fmt::format("/proc/{}/fd/{}", getpid(), file->get())}, kCreateLimit);
    if (!created) return fail(with_log(created.error(), *name));
    const auto number = domain_of(*name);
    if (!number) return fail(number.error());
    made.number = *number;
    made.device_model = device_model_of(*number);
    return json{{"state", "done"}, {"domain", made.number}, {"device_model", made.device_model}};
  }

  // A device model that did not start has said why in its log, which nobody else can read.
  [[nodiscard]] Error with_log(Error error, const std::string& name) const {
    if (const auto log = read_file(toolstack_.logs / ("qemu-dm-" + name + ".log")); log && !log->empty())
      error.why += "\nits device model's:\n" + last_lines(std::string(log->begin(), log->end()), 2);
    return error;
  }

  Result<int> domain_of(const std::string& name) const {
    const auto said = run_xl(toolstack_, {"domid", name}, kShortLimit);
    if (!said) return fail(said.error());
    int number = 0;
    const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), number);
    if (error != std::errc() || number < 1 || (end != said->data() + said->size() && *end != '\n'))
      return fail(Error{"find the domain " + name, "xl gives it no number", "", ExitCode::trial_failed});
    return number;
  }

  static Result<json> place(const JsonFields& order) {
    const auto vif = order.text("vif", 15);
    if (!vif) return fail(vif.error());
    const auto cpu = order.number("cpu", 0, CPU_SETSIZE - 1);
    if (!cpu) return fail(cpu.error());
    const auto moved = pin_kernel_threads({*vif + "-"}, static_cast<int>(*cpu));
    if (!moved) return fail(moved.error());
    if (*moved == 0)
      return fail(Error{"place the network backend " + *vif, "the kernel has no threads for it", "",
                        ExitCode::trial_failed});
    return json{{"state", "done"}};
  }

  Result<json> place_device_model(const JsonFields& order) const {
    const auto number = order.number("domain", 1, 65535);
    if (!number) return fail(number.error());
    const auto cpu = order.number("cpu", 0, CPU_SETSIZE - 1);
    if (!cpu) return fail(cpu.error());
    for (const KeptDomain& domain : domains_)
      if (domain.device_model > 0 && domain.number == static_cast<int>(*number)) {
        if (Result<> moved = pin_whole(domain.device_model, static_cast<int>(*cpu)); !moved)
          return fail(moved.error());
        return json{{"state", "done"}};
      }
    return fail(Error{"place the guest's device model", "it has none", "", ExitCode::trial_failed});
  }

  [[nodiscard]] bool destroy(const KeptDomain& domain) const {
    for (int tries = 0; tries < 3; ++tries) {
      static_cast<void>(run_xl(toolstack_, {"destroy", domain.name}, kDestroyLimit));
      if (run_xl(toolstack_, {"domid", domain.name}, kShortLimit)) continue;
      // It is asked to end, and has nothing to save. It is this process's child: the number is nobody else's.
      if (domain.device_model > 0) kill(domain.device_model, SIGKILL);
      return true;
    }
    return false;
  }

  XenToolstack toolstack_;
  std::vector<KeptDomain> domains_;
};

void go_on(int) {}

std::string end_of(const std::string& text, std::size_t most) {
  return text.substr(text.size() - std::min(text.size(), most));
}

// Out of reach of what ends vtax: its session, its terminal, its descriptors.
void leave_vtax(int socket) {
  setsid();
  prctl(PR_SET_NAME, kXenKeeperName);
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // of xl's background processes
  // Handlers, not SIG_IGN: xl would inherit that.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, go_on);
  if (chdir("/") != 0) _exit(1);
  const int null = open("/dev/null", O_RDWR);
  for (int standard = 0; standard < 3; ++standard) dup2(null, standard);
  // Not into xl: what it leaves in the background would hold the channel.
  if (socket == kChannel)
    fcntl(kChannel, F_SETFD, FD_CLOEXEC);
  else if (dup3(socket, kChannel, O_CLOEXEC) < 0)
    _exit(1);
  syscall(SYS_close_range, kChannel + 1, ~0U, 0);
}

[[noreturn]] void keep(const XenToolstack& toolstack, int socket) {
  leave_vtax(socket);
  ControlChannel control((Descriptor(kChannel)), "vtax");
  Keeping keeping(toolstack);
  const Result<> ready = make_own_mounts(toolstack);
  while (true) {
    const auto order = control.receive(std::chrono::nanoseconds(0));
    if (!order) break;
    const auto answer = ready ? keeping.obey(*order) : Result<json>(fail(ready.error()));
    constexpr std::size_t kMostWords = 480;  // the other side takes no longer ones
    if (!control.send(answer ? *answer
                             : json{{"state", "error"},
                                    {"what", answer.error().what},
                                    {"why", end_of(answer.error().why, kMostWords)}}))
      break;
  }
  _exit(keeping.destroy_all() ? 0 : 1);
}

}  // namespace

Result<XenKeeper> XenKeeper::start(const XenToolstack& toolstack) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(system_error("cannot start the keeper of Xen's domains", errno));
  Descriptor here(pair[0]), there(pair[1]);
  const pid_t process = fork();
  if (process < 0) return fail(system_error("cannot start the keeper of Xen's domains", errno));
  if (process == 0) keep(toolstack, there.get());
  return XenKeeper(process, EndpointClient(ControlChannel(std::move(here), "the keeper of Xen's domains")));
}

XenKeeper::XenKeeper(XenKeeper&& other) noexcept
    : process_(std::exchange(other.process_, -1)), client_(std::move(other.client_)) {}

XenKeeper::~XenKeeper() {
  static_cast<void>(finish());
}

XenHands XenKeeper::hands() {
  XenHands hands;
  hands.create = [client = client_.get()](const std::string& name, const std::string& config,
                                          int memory_mib) -> Result<XenHands::Made> {
    const auto answer =
        client->ask({{"do", "create"}, {"name", name}, {"config", config}, {"memory_mib", memory_mib}},
                    kCreateLimit + 3 * kShortLimit);
    if (!answer) return fail(answer.error());
    const auto number = answer->number("domain", 1, 65535);
    if (!number) return fail(number.error());
    const auto device_model = answer->number("device_model", 0, 1 << 22);
    if (!device_model) return fail(device_model.error());
    return XenHands::Made{static_cast<int>(*number), static_cast<pid_t>(*device_model)};
  };
  hands.place_backend = [client = client_.get()](const std::string& vif, int cpu) -> Result<> {
    const auto answer = client->ask({{"do", "place"}, {"vif", vif}, {"cpu", cpu}}, kPlaceLimit);
    if (!answer) return fail(answer.error());
    return {};
  };
  hands.place_device_model = [client = client_.get()](int domain, int cpu) -> Result<> {
    const auto answer =
        client->ask({{"do", "place-device-model"}, {"domain", domain}, {"cpu", cpu}}, kPlaceLimit);
    if (!answer) return fail(answer.error());
    return {};
  };
  return hands;
}

Result<> XenKeeper::finish() {
  if (process_ < 0) return {};
  client_.reset();
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(
      Error{"take the trial's domains down", "their keeper failed or was killed",
            "`xl list` shows what is left, as vtax-...; it ends by itself when its lifetime is over (20 "
            "minutes, with a program of yours more), or by `xl destroy NAME`",
            ExitCode::trial_failed});
}

}  // namespace vtax::host

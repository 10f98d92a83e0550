#include "platform/xen_guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "core/process_end.h"
#include "platform/links.h"
#include "platform/namespace.h"
#include "platform/placement.h"
#include "platform/wiring.h"
#include "platform/xenstore.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kXenDevice[] = "eth0";
constexpr std::chrono::seconds kBackendLimit{20};
// Of a guest whose firmware reads kernel and image by port accesses, each an exit to QEMU.
constexpr std::chrono::seconds kFirmwareBootLimit{300};

// What a guest prints, from the pseudoterminal that xenconsoled has made for it. It is taken while the guest
// lives: afterwards there is none.
class XenConsole {
 public:
  explicit XenConsole(int domain) {
    if (auto store = Xenstore::open())
      if (const auto tty = store->read(fmt::format("/local/domain/{}/console/tty", domain)))
        tty_ = Descriptor(open(tty->c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  }

  void take() {
    std::array<char, 4096> buffer{};
    for (int reads = 0; reads < 64 && tty_.valid(); ++reads) {
      const ssize_t got = read(tty_.get(), buffer.data(), buffer.size());
      if (got <= 0) break;
      text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (text_.size() > kPanicBytes) text_.erase(0, text_.size() - kPanicBytes);
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Descriptor tty_;
  std::string text_;
};

class XenDomain : public StartedGuest {
 public:
  // `port`: its vif, or the tap of a card that its device model emulates.
  XenDomain(XenHands::Made made, std::string port, bool emulated_card, XenHands hands)
      : made_(made),
        port_(std::move(port)),
        emulated_card_(emulated_card),
        hands_(std::move(hands)),
        console_(made.domain) {}

  bool running() override {
    console_.take();
    auto store = Xenstore::open();
    return store && store->has(made_.domain);
  }
  std::string_view runner() const override { return "its domain"; }
  std::string how_it_ended() override { return "xl has taken it down"; }
  Descriptor end() const override { return Xenstore::end_of(made_.domain); }
  std::string console() override {
    console_.take();
    return console_.text();
  }
  bool keeps_console() const override { return false; }  // xenconsoled closes it
  const std::string& port() const override { return port_; }

  // netback has its threads and interrupts since the guest's frontend came.
  Result<> settle(const Setup& setup) override {
    console_.take();
    if (made_.device_model > 0)
      if (Result<> placed = hands_.place_device_model(made_.domain, setup.peer_cpu); !placed) return placed;
    if (emulated_card_) return {};
    if (Result<> placed = hands_.place_backend(port_, setup.peer_cpu); !placed) return placed;
    const auto interrupts = interrupts_named(port_);
    if (!interrupts) return fail(interrupts.error());
    return pin_interrupts(*interrupts, setup.peer_cpu);
  }

  void describe(Bench& bench, const Setup& setup, int guest) const override {
    bench.xen_domains.push_back(made_.domain);
    if (!emulated_card_) bench.kernel_threads.push_back(port_ + "-");
    if (made_.device_model > 0)
      bench.processes.push_back({-made_.device_model, MeteredProcess::Role::emulator, setup.peer_cpu, guest});
  }

 private:
  XenHands::Made made_;
  std::string port_;
  bool emulated_card_;
  XenHands hands_;
  XenConsole console_;
};

// From the namespace in which the kernel has made it to the caller's.
Result<> fetch_backend(const std::string& port, const std::filesystem::path& from) {
  const Result<Descriptor> own = namespace_of(0);
  if (!own) return fail(own.error());
  const Descriptor first(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!first.valid()) return fail(system_error("cannot open Domain-0's network namespace", errno));
  const auto there = NamespaceScope::enter(first.get());
  if (!there) return fail(there.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto deadline = Clock::now() + kBackendLimit;
  while (!links->index_of(port)) {
    if (Clock::now() > deadline)
      return fail(Error{"find the guest's network backend",
                        fmt::format("there is no {} in Domain-0's first network namespace", port),
                        "as root: modprobe xen-netback tun; in a container vtax cannot see that namespace",
                        ExitCode::unavailable});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return links->move(port, own->get());
}

// What a hotplug script would say.
Result<> say_connected(int domain) {
  Result<Xenstore> store = Xenstore::open();
  if (!store) return fail(store.error());
  return store->write(fmt::format("/local/domain/0/backend/vif/{}/0/hotplug-status", domain), "connected");
}

bool has_emulated_card(const XenGuest& guest) {
  return guest.type == "hvm";
}

bool is_fully_virtualised(const XenGuest& guest) {
  return guest.type.starts_with("hvm");
}

int memory_mib(const XenGuest& guest) {
  return kXenGuestMemoryMib + guest.image.more_memory_mib;
}

// A PC without screen and keyboard. Without Xen's platform device its kernel finds no paravirtual devices,
// and keeps the emulated ones.
std::string emulated_machine(const XenGuest& guest) {
  const bool card = has_emulated_card(guest);
  return fmt::format("vga=\"none\"\nnographic=1\nvnc=0\nsdl=0\nusb=0\nxen_platform_pci={}\n{}", card ? 0 : 1,
                     // It does not boot from the network.
                     card ? "device_model_args=[\"-global\",\"e1000.romfile=\"]\n" : "");
}

// "type=vif": its device model has no card of its own, which the guest's kernel would unplug.
const char* card_of(const XenGuest& guest) {
  return has_emulated_card(guest) ? ",model=e1000" : is_fully_virtualised(guest) ? ",type=vif" : "";
}

}  // namespace

Result<std::string> xl_config(const XenGuest& guest, int number, int cpu) {
  for (const auto& path : {guest.image.kernel, guest.image.initrd, guest.nothing_script})
    if (path.string().find_first_of("\"\\\n,=") != std::string::npos)
      return fail(Error{"write the guest's configuration", "xl cannot be told the path " + path.string(),
                        "set VTAX_CACHE to a folder with a plain name", ExitCode::unavailable});
  return fmt::format(
      "name=\"{}{}\"\ntype=\"{}\"\nkernel=\"{}\"\nramdisk=\"{}\"\n"
      "cmdline=\"console=hvc0 quiet nokaslr panic=-1 {} vtax.alone={} vtax.lifetime={}\"\n"
      "memory={}\nvcpus=1\ncpus=\"{}\"\nvif=[\"mac={},script={}{}\"]\n"
      // It never moves to another computer.
      "tsc_mode=\"native\"\n"
      "on_poweroff=\"destroy\"\non_reboot=\"destroy\"\non_crash=\"destroy\"\non_watchdog=\"destroy\"\n{}",
      guest.name_prefix, number, is_fully_virtualised(guest) ? "hvm" : guest.type,
      guest.image.kernel.string(), guest.image.initrd.string(), guest_boot_word(number),
      kXenGuestAlone.count(), guest.lifetime.count(), memory_mib(guest), cpu, wiring::guest_mac(number),
      guest.nothing_script.string(), card_of(guest),
      is_fully_virtualised(guest) ? emulated_machine(guest) : "");
}

std::unique_ptr<Platform> make_xen_guests(const XenGuest& guest, XenHands hands) {
  GuestKind kind;
  kind.name = "xen-" + guest.type;
  kind.device = kXenDevice;
  if (is_fully_virtualised(guest)) kind.boot_limit = kFirmwareBootLimit;
  kind.start = [guest, hands = std::move(hands)](
                   int number, const Setup& setup,
                   const PlugIn& plug_in) -> Result<std::unique_ptr<StartedGuest>> {
    const auto config = xl_config(guest, number, setup.system_cpu);
    if (!config) return fail(config.error());
    const auto made =
        hands.create(fmt::format("{}{}", guest.name_prefix, number), *config, memory_mib(guest));
    if (!made) return fail(made.error());
    if (is_fully_virtualised(guest) && made->device_model == 0)
      return fail(Error{"find the guest's device model", "xl has started no QEMU for it that still runs", "",
                        ExitCode::trial_failed});
    const bool emulated_card = has_emulated_card(guest);
    const std::string port = fmt::format("vif{}.0{}", made->domain, emulated_card ? "-emu" : "");
    Result<> done = fetch_backend(port, guest.first_network);
    if (done) done = plug_in(port);
    if (done && !emulated_card) done = say_connected(made->domain);
    if (!done) return fail(done.error());
    return std::make_unique<XenDomain>(*made, port, emulated_card, hands);
  };
  return make_booted_guests(std::move(kind));
}

}  // namespace vtax

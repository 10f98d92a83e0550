#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/descriptor.h"
#include "platform/platform.h"

namespace vtax {

// A guest that was started, seen from the network namespace in which its card's other end is.
class StartedGuest {
 public:
  virtual ~StartedGuest() = default;
  [[nodiscard]] virtual bool running() = 0;
  // For errors: what has ended where it does not run any more, and how.
  [[nodiscard]] virtual std::string_view runner() const { return "the process that runs it"; }
  [[nodiscard]] virtual std::string how_it_ended() = 0;
  // Can be read from its end on; invalid: nobody tells.
  [[nodiscard]] virtual Descriptor end() const = 0;
  // What it printed last, kPanicBytes of it at the most; it may print anything. Whether that is there when it
  // has ended.
  [[nodiscard]] virtual std::string console() = 0;
  [[nodiscard]] virtual bool keeps_console() const { return true; }
  // That other end: "vtaxg0", "vif3.0".
  [[nodiscard]] virtual const std::string& port() const = 0;
  // Its agent has answered: what came into being since it started may now be placed.
  [[nodiscard]] virtual Result<> settle(const Setup&) { return {}; }
  // Adds what a meter has to know of guest 1, 2, ... to the bench.
  virtual void describe(Bench& bench, const Setup& setup, int guest) const = 0;
};

// What a guest's card leads to becomes a port of the bridge, or faces the router.
using PlugIn = std::function<Result<>(const std::string& port)>;

// Guests that are made for one trial: the other end of each one's network card is a port of a bridge (or
// faces a router in its place), and their partners are programs in a namespace behind a veth pair at the same
// bridge, as a container's are. vtax is a guest's PID 1 (role "guest") and answers on its card. For
// Topology::inside alone. Setup's link is that veth pair.
//
// arrange() is called in a network namespace that has nothing else in it and ends with the trial: the
// devices' names are fixed, and the guests' ports stay in it.
struct GuestKind {
  std::string name;    // "uml", "kvm", "xen-pv": for errors
  std::string device;  // the card's name in the guest
  // Starts guest 1, 2, ..., which boots while this returns, and plugs its port in.
  std::function<Result<std::unique_ptr<StartedGuest>>(int guest, const Setup& setup, const PlugIn& plug_in)>
      start;
  std::chrono::seconds boot_limit{60};  // of each
};

// Of guest 1, 2, ...: its name in the ledger, and what its kernel is told.
[[nodiscard]] std::string guest_domain_name(int guest);
[[nodiscard]] std::string guest_boot_word(int guest);

[[nodiscard]] std::unique_ptr<Platform> make_booted_guests(GuestKind kind);

// What is to run as a guest's kernel and first program.
struct GuestImage {
  std::filesystem::path kernel, initrd;
  int more_memory_mib = 0;  // than a guest has that holds vtax alone
};

}  // namespace vtax

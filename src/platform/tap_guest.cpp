#include "platform/tap_guest.h"

#include <fmt/format.h>
#include "core/process_end.h"
#include "platform/tap.h"

namespace vtax {
namespace {

class ProcessWithTap : public StartedGuest {
 public:
  ProcessWithTap(GuestProcess process, MeteredProcess::Role role, std::string tap)
      : process_(std::move(process)), role_(role), tap_(std::move(tap)) {}

  bool running() override { return process_.running(); }
  std::string how_it_ended() override { return process_.how_it_ended(); }
  Descriptor end() const override { return process_descriptor(process_.process()); }
  std::string console() override { return process_.console(); }
  const std::string& port() const override { return tap_; }
  void describe(Bench& bench, const Setup& setup, int guest) const override {
    bench.processes.push_back({process_.process(), role_, setup.system_cpu, guest});
  }

 private:
  GuestProcess process_;
  MeteredProcess::Role role_;
  std::string tap_;
};

}  // namespace

std::string guest_tap(int guest) {
  return guest == 1 ? "vtaxg0" : fmt::format("vtaxg0-{}", guest);
}

std::unique_ptr<Platform> make_tap_guest(const TapGuest& guest) {
  GuestKind kind;
  kind.name = guest.name;
  kind.device = guest.device;
  kind.boot_limit = guest.boot_limit;
  kind.start = [guest](int number, const Setup& setup,
                       const PlugIn& plug_in) -> Result<std::unique_ptr<StartedGuest>> {
    const std::string tap = guest_tap(number);
    Result<> done = make_tap(tap);
    if (done) done = plug_in(tap);
    if (!done) return fail(done.error());
    auto process = GuestProcess::start(guest.program(number), setup.system_cpu);
    if (!process) return fail(process.error());
    return std::make_unique<ProcessWithTap>(std::move(*process), guest.role, tap);
  };
  return make_booted_guests(std::move(kind));
}

}  // namespace vtax

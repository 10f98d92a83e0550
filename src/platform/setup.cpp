#include "platform/platform.h"

namespace vtax {

Setup Setup::of(const TrialSpec& trial) {
  Setup setup;
  setup.topology = trial.topology;
  setup.offloads = trial.offloads;
  setup.guests = trial.guests;
  setup.link_bits_per_second = trial.link_mbps * 1'000'000;
  setup.softload_percent = trial.softload_percent;
  setup.sampling_hz = trial.sampling_hz;
  setup.forwarding = trial.forwarding;
  setup.interrupts = trial.driver_interrupts;
  return setup;
}

}  // namespace vtax

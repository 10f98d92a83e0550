#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profile/monitor.h"
#include "query/profile.h"
#include "watch/inventory.h"
#include "watch/reading.h"

namespace vtax::profile {

// What the local monitor sampled, and whose everything was.
struct HostSide {
  MonitorProfile profile;
  watch::Inventory before, after;
  watch::Reading reading;  // of the counters, in the same window
  int own_process = 0;
};

struct GuestSide {
  std::string guest;
  std::optional<MonitorProfile> profile;
  std::string missing;  // why there is none
};

// Samples that were told to be for one guest, with the counters of the same window beside them. Times are in
// seconds of CPU; of samples by equation 4.9 (account/charging.h).
struct GuestShare {
  std::string guest;
  std::optional<std::uint64_t> own_samples;  // where it ran itself; nothing where neither side sees it
  std::optional<std::uint64_t>
      caused_samples;  // threads that serve it alone; nothing without the host's side
  double own_seconds = 0, caused_seconds = 0;
  std::optional<double> counted_own_seconds, counted_caused_seconds;  // of `vtax top`
  bool by_agent = false;                                              // its own samples are its agent's
};

struct Merged {
  Profile profile;  // by samples, the most first, with callers; idleness is left out
  double seconds = 0;
  std::uint64_t period = 0;
  Event event = Event::cpu_clock;
  std::vector<GuestShare> guests;  // by name
  std::uint64_t idle = 0, lost = 0;
  // Without a function; in one of a stripped program, whose place is known and whose name is not.
  std::uint64_t unknown = 0, unnamed = 0;
  double own_seconds = 0;  // CPU time of vtax here and of its agents, with the kernel's for their samples
  std::map<std::string, std::string> build_ids;  // by "domain/image"
  std::vector<std::string> notes;
};

// Puts the parts together. A guest's samples go to its own domain and to no other, whatever it says; where
// its agent tells them, those that the host took of the same guest are left out.
[[nodiscard]] Merged merge(const HostSide& host, const std::vector<GuestSide>& guests);

// Functions without their callers, the most first.
[[nodiscard]] Profile by_function(const Profile& profile);

}  // namespace vtax::profile

#pragma once

#include <cstdint>
#include <string>

#include "watch/reading.h"

// Readings made by hand, whose rows add up.
namespace vtax::watch {

inline GuestUse guest_of(const std::string& name, GuestKind kind, std::uint64_t own_ns) {
  GuestUse guest;
  guest.name = name;
  guest.kind = kind;
  guest.id = "17";
  guest.found_by = "libvirt";
  guest.own_ns = own_ns;
  return guest;
}

// One second of two CPUs: web, a KVM guest of which everything is known; box, a container of which nothing is
// but its own time.
inline Reading reading_of_two() {
  Reading out;
  out.at = std::chrono::system_clock::time_point(std::chrono::nanoseconds(1'764'371'109'120'000'000));
  out.interval = std::chrono::seconds(1);
  out.number = 1;
  out.driver = "host";
  out.shared_by = "packets";
  GuestUse web = guest_of("web", GuestKind::kvm, 250'000'000);
  web.caused = {30'000'000, 15'000'000, 5'000'000};
  web.waiting_ns = 12'000'000;
  web.blocked_ns = 1'600'000'000;
  web.switches = 1'234;
  web.exits = 56'789;
  web.busy_so_far_ns = 12'345'678'901;
  web.memory = {std::uint64_t{2} << 30U, std::uint64_t{1536} << 20U, std::uint64_t{512} << 20U};
  web.network = NetworkUse{1'000, 2'000, 1'500'000, 3'000'000, 3};
  web.disk = DiskUse{10, 20, 40'960, 81'920};
  web.virtual_cpus = {{0, 200'000'000, 10'000'000, 790'000'000, 1}, {1, 50'000'000, {}, {}, {}}};
  out.guests = {guest_of("box", GuestKind::container, 100'000'000), web};
  out.other = {40'000'000, 10'000'000, 300'000'000, 2'000'000, 8'000'000, 1'240'000'000};
  out.cpus = {
      {0, 100'000'000, 20'000'000, {20'000'000, 5'000'000, 150'000'000, 1'000'000, 4'000'000, 700'000'000}},
      {1, 250'000'000, 30'000'000, {20'000'000, 5'000'000, 150'000'000, 1'000'000, 4'000'000, 540'000'000}}};
  out.missing = {"Guests' disks are not seen without root: run it as root."};
  out.all_cpus_ns = 2'000'000'000;
  return out;
}

// So many guests, the n-th with n microseconds, on two CPUs.
inline Reading reading_of_many(std::size_t guests) {
  Reading out = reading_of_two();
  const GuestUse like = out.guests[1];
  out.guests.clear();
  for (std::size_t i = 1; i <= guests; ++i) {
    GuestUse one = like;
    std::string digits = std::to_string(i);
    one.name = "guest" + std::string(5 - digits.size(), '0') + digits;
    one.id = digits;
    one.own_ns = i * 1'000;
    one.caused = {i * 100, i * 10, i};
    out.guests.push_back(std::move(one));
  }
  std::uint64_t used = 0;
  for (const GuestUse& one : out.guests) used += one.own_ns + one.caused.total();
  out.other = {};
  out.other.idle_ns = 2'000'000'000 - used;
  return out;
}

// What a guest's owner may call it.
inline const std::string evil_name = "\x1b[2J\x1b]0;owned\a\nroot#\t\xe2\x80\xae\xe4\xb8\xad\xe6\x96\x87\xff";

}  // namespace vtax::watch

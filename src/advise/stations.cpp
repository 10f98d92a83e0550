#include "advise/stations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "subject/platform_table.h"
#include "subject/trial_spec.h"

namespace vtax::advise {
namespace {

// The work of one system, in CPUs.
struct Piece {
  std::string name;
  double work = 0;
};

double cpus_of(double instructions_a_unit, const Application& application, Unit unit, const Server& server) {
  constexpr double kMillion = 1e6;
  return instructions_a_unit * units_per_second(unit, application.rate) / (server.cpu_mips * kMillion);
}

std::string value_or(const Factors& factors, const std::string& factor, const char* usual) {
  const auto found = factors.find(factor);
  return found == factors.end() ? usual : found->second;
}

// Of the systems of all applications, in their order.
std::vector<Piece> pieces_of(const Server& server, const Placement& placement,
                             const std::vector<ToldCell>& told, double ToldCell::*part) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const int guests = std::stoi(placement.cells[i].at("guests"));
    const double work = cpus_of(told[i].*part, server.applications[i], told[i].unit, server) / guests;
    for (int guest = 1; guest <= guests; ++guest)
      pieces.push_back({guests == 1 ? server.applications[i].name
                                    : fmt::format("{} {}", server.applications[i].name, guest),
                        work});
  }
  return pieces;
}

Stations without_guests(const Server& server, std::vector<Piece> pieces) {
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.work > b.work; });
  struct Cpu {
    double work = 0;
    std::vector<std::string> systems = {};
  };
  std::vector<Cpu> cpus(static_cast<std::size_t>(server.cpus));
  for (const Piece& piece : pieces) {
    Cpu& cpu = *std::min_element(cpus.begin(), cpus.end(),
                                 [](const Cpu& a, const Cpu& b) { return a.work < b.work; });
    cpu.work += piece.work;
    cpu.systems.push_back(piece.name);
  }
  Stations stations;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    const auto& systems = cpus[i].systems;
    if (systems.empty()) continue;
    stations.all.push_back({fmt::format("CPU {} ({})", i, fmt::join(systems, ", ")), cpus[i].work,
                            static_cast<int>(i), systems});
    stations.least_share = std::min(stations.least_share, 1 / static_cast<double>(systems.size()));
  }
  return stations;
}

Stations with_guests(const Factors& common, const std::string& driver, double driver_work,
                     const std::vector<Piece>& guests) {
  const GuestCpu where = named<GuestCpu>(value_or(common, "guest_cpu", "own")).value_or(GuestCpu::own);
  std::vector<double> weights;
  const bool are_halved = value_or(common, "guest_weights", "equal") == name_of(GuestWeights::halving);
  double all_weights = where == GuestCpu::driver ? kUsualWeight : 0;
  for (std::size_t i = 0; i < guests.size(); ++i) {
    weights.push_back(are_halved ? std::ldexp(kUsualWeight, -static_cast<int>(i)) : kUsualWeight);
    all_weights += weights.back();
  }
  const double cap = std::stod(value_or(common, "guest_cap_percent", "0")) / kPercent;
  Stations stations;
  stations.cpus = where == GuestCpu::own ? guests.size() + 1 : where == GuestCpu::together ? 2 : 1;
  Station driver_cpu{fmt::format("CPU 0 ({})", driver), driver_work, 0};
  Station shared{"CPU 1 (guests)", 0, 1};
  for (std::size_t i = 0; i < guests.size(); ++i) {
    double share = where == GuestCpu::own ? 1 : weights[i] / all_weights;
    if (cap > 0) {
      share = std::min(share, cap);
      stations.all.push_back({fmt::format("the cap of {}", guests[i].name), guests[i].work / cap});
    }
    stations.least_share = std::min(stations.least_share, share);
    if (where == GuestCpu::own)
      stations.all.push_back(
          {fmt::format("CPU {} ({})", i + 1, guests[i].name), guests[i].work, static_cast<int>(i) + 1});
    else
      (where == GuestCpu::together ? shared : driver_cpu).utilisation += guests[i].work;
  }
  if (where == GuestCpu::driver) driver_cpu.name = fmt::format("CPU 0 ({}, guests)", driver);
  stations.all.push_back(std::move(driver_cpu));
  if (where == GuestCpu::together) stations.all.push_back(std::move(shared));
  return stations;
}

void add_wire(const Server& server, const Placement& placement, const std::vector<ToldCell>& told,
              Stations& stations) {
  if (server.link_mbps == 0) return;
  constexpr double kBitsOfByte = 8, kMillion = 1e6;
  double received = 0, sent = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const WireBytes bytes = wire_bytes_of(placement.cells[i]);
    if (!bytes.is_known)
      stations.notes.push_back(
          fmt::format("how full the wire is with {} is not known", server.applications[i].name));
    const double units = units_per_second(told[i].unit, server.applications[i].rate);
    received += units * bytes.received;
    sent += units * bytes.sent;
  }
  const double bits = server.link_mbps * kMillion;
  stations.all.push_back({"the wire, receiving", received * kBitsOfByte / bits});
  stations.all.push_back({"the wire, sending", sent * kBitsOfByte / bits});
}

}  // namespace

WireBytes wire_bytes_of(const Factors& cell) {
  // Of a full TCP segment with time stamps, and what a frame has besides: Ethernet's header and checksum,
  // IP's, TCP's, preamble and gap.
  constexpr double kSegment = 1448, kAround = 90, kKilobyte = 1024;
  const auto framed = [](double bytes) {
    return bytes + std::max(1.0, std::ceil(bytes / kSegment)) * kAround;
  };
  const auto number = [&](const char* factor) { return std::stod(cell.at(factor)); };
  WireBytes bytes;
  if (cell.contains("response_bytes")) {
    bytes = {framed(number("request_bytes")), framed(number("response_bytes"))};
  } else if (cell.contains("write_bytes")) {
    // Datagrams are as long as they are written; what a stream writes is cut into segments.
    const double datagram = cell.at("workload") == "udp-stream" ? number("write_bytes") : kSegment;
    bytes.received = framed(datagram) / datagram * kKilobyte;
  } else if (cell.contains("file_bytes") && value_or(cell, "files", "one") == "one") {
    constexpr double kRequest = 100;  // of vtax's own client, about
    bytes = {framed(kRequest), framed(number("file_bytes"))};
  } else {
    bytes.is_known = false;
  }
  if (value_or(cell, "direction", "receive") == "send") std::swap(bytes.received, bytes.sent);
  return bytes;
}

Stations stations_of(const Server& server, const Placement& placement, const std::vector<ToldCell>& told) {
  const PlatformFacts& platform =
      facts_of(platform_named(placement.common.at("platform")).value_or(PlatformId::native));
  const auto driver = pieces_of(server, placement, told, &ToldCell::of_driver);
  Stations stations;
  if (platform.runner == GuestRunner::none) {
    stations = without_guests(server, driver);
  } else {
    double work = 0;
    for (const Piece& piece : driver) work += piece.work;
    stations = with_guests(placement.common, platform.runner == GuestRunner::xen ? "Domain-0" : "host", work,
                           pieces_of(server, placement, told, &ToldCell::of_guests));
  }
  add_wire(server, placement, told, stations);
  std::stable_sort(stations.all.begin(), stations.all.end(),
                   [](const Station& a, const Station& b) { return a.utilisation > b.utilisation; });
  return stations;
}

}  // namespace vtax::advise

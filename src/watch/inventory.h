#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "meter/cpu_clock.h"
#include "meter/link_books.h"
#include "meter/process_table.h"
#include "watch/look.h"
#include "watch/reading.h"

namespace vtax::watch {

// Whose a thread's time is.
enum class Part { elsewhere, driver, softirqs, vtax, own, helper };
struct Whose {
  Part part = Part::elsewhere;
  std::size_t guest = 0;  // of own and helper
  int virtual_cpu = -1;   // of own; -1: none is known
};

struct KnownGuest {
  // The same from its beginning to its end, and no other's before or after it.
  std::string identity;
  std::string name, id, found_by;
  std::uint64_t born_ticks = 0;  // since the computer's start, of a guest that is a process
  GuestKind kind = GuestKind::container;
  std::vector<int> processes;                      // its own; of a Xen domain none
  std::vector<int> helpers;                        // kernel threads and device models
  std::map<std::string, std::string> groups;       // of a container: path by hierarchy (group_books.h)
  bool group_is_its_own = true;                    // false: other guests, or vtax, are in its group
  std::optional<std::uint64_t> memory_bytes;       // that it was given, as its process's arguments say
  std::optional<int> domain;                       // of Xen
  std::optional<std::uint32_t> network_namespace;  // its own, of a container
  std::vector<std::uint32_t> links;                // indices of its devices on the host
};

struct Inventory {
  std::vector<KnownGuest> guests;            // by name
  std::unordered_map<int, Whose> processes;  // every process that was seen
  std::unordered_map<int, Whose> threads;    // those that differ from their process
  std::map<meter::DeviceKey, std::vector<std::size_t>> devices;
  std::map<std::uint32_t, std::vector<std::size_t>> namespaces;  // of network
  std::map<std::uint32_t, std::size_t> interrupts;               // by number
  std::set<std::uint32_t> network_interrupts;                    // of cards, for whoever's packets

  [[nodiscard]] Whose of(int process, int thread) const;
  // Nothing where it is not one guest's or several's.
  [[nodiscard]] const std::vector<std::size_t>* owners(const meter::DeviceKey& device) const;
};

struct XenDomainFacts {
  std::string name;
  std::array<std::uint8_t, 16> handle{};
};

// What is known of this computer, from which whose everything is follows.
struct Facts {
  std::map<int, meter::ProcessFacts> processes;
  std::vector<meter::LinkReading> links;
  std::optional<std::uint32_t> network_namespace;        // that of `links`
  std::map<int, std::uint32_t> namespace_numbers;        // as `links` number others
  std::map<std::uint32_t, int> taps;                     // index of a device -> the process that holds it
  std::map<std::string, std::string> given_names;        // of containers, by hash
  std::vector<std::string> libvirt_guests;               // names
  std::optional<std::map<int, XenDomainFacts>> domains;  // without Domain-0; absent: this is no Domain-0
  std::map<std::uint32_t, std::string> interrupts;       // names, by number
  std::set<std::uint32_t> network_interrupts;            // of the host's cards
  int own_process = 0;
};

[[nodiscard]] Inventory make_inventory(const Facts& facts);

// The virtual CPUs among the threads that a look has found.
void find_virtual_cpus(Inventory& inventory, const std::map<std::string, GuestLook>& looks);

// Names and numbers of /proc/interrupts.
[[nodiscard]] std::map<std::uint32_t, std::string> parse_interrupts(std::string_view text);

}  // namespace vtax::watch

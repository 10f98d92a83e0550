#include "watch/watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "meter/cpu_clock.h"
#include "meter/kernel_text.h"
#include "watch/charge.h"
#include "watch/container_groups.h"
#include "watch/guest_books.h"
#include "watch/hypervisor_process.h"
#include "watch/inventory.h"
#include "watch/look.h"
#include "watch/taps.h"
#include "watch/xen_watch.h"

namespace vtax::watch {
namespace {

// A file of each thread of a guest stays open.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t own_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

std::optional<std::uint32_t> own_network_namespace() {
  struct stat status {};
  if (stat("/proc/self/ns/net", &status) != 0) return std::nullopt;
  return static_cast<std::uint32_t>(status.st_ino);
}

bool same_links(const std::vector<meter::LinkReading>& a, const std::vector<meter::LinkReading>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.index == other.index && one.name == other.name &&
           one.other_end_namespace == other.other_end_namespace;
  });
}

// Those of the cards behind the devices: a card's own, or of the bus under a virtual one.
std::set<std::uint32_t> interrupts_of(const std::vector<meter::LinkReading>& links) {
  std::set<std::uint32_t> numbers;
  std::string buffer;
  for (const auto& link : links) {
    if (!link.kind.empty()) continue;  // "tun", "veth", ...: no card
    for (const char* device : {"device", "device/.."}) {
      const std::string folder = "/sys/class/net/" + link.name + "/" + device;
      std::error_code error;
      for (const auto& entry : std::filesystem::directory_iterator(folder + "/msi_irqs", error))
        if (const auto number = meter::whole_number<std::uint32_t>(entry.path().filename().native()))
          numbers.insert(*number);
      if (const auto text = meter::read_once(AT_FDCWD, (folder + "/irq").c_str(), buffer))
        if (const auto number = meter::whole_number<std::uint32_t>(meter::Words(*text).next());
            number && *number > 0)
          numbers.insert(*number);
    }
  }
  return numbers;
}

void add(NetworkUse& sum, const meter::PacketCounters& as_host_sees_it) {
  sum.received_packets += as_host_sees_it.sent_packets;
  sum.sent_packets += as_host_sees_it.received_packets;
  sum.received_bytes += as_host_sees_it.sent_bytes;
  sum.sent_bytes += as_host_sees_it.received_bytes;
  sum.drops += as_host_sees_it.drops;
}

}  // namespace

class Watch::Looks {
 public:
  static Result<std::unique_ptr<Looks>> open(const WatchOptions& options) {
    allow_many_files();
    auto looks = std::unique_ptr<Looks>(new Looks(options));
    auto processes = meter::ProcessTable::open();
    if (!processes) return fail(processes.error());
    looks->processes_.emplace(std::move(*processes));
    std::string why_no_xen;
    auto xen = XenWatch::open(why_no_xen);
    if (!xen) return fail(xen.error());
    looks->xen_ = std::move(*xen);
    if (!why_no_xen.empty())
      looks->why_not_.push_back(
          fmt::format("Xen's domains: {}; root sees them, with xenfs mounted at /proc/xen.", why_no_xen));
    auto clock = meter::CpuClock::start();
    if (clock)
      looks->clock_.emplace(std::move(*clock));
    else
      looks->why_not_.push_back(fmt::format(
          "Softirqs, interrupts, single CPUs and tasks that ended: {}; root, or a program with CAP_BPF, "
          "CAP_PERFMON and CAP_SYS_ADMIN, on Linux 5.10 or later with BTF, sees them.",
          clock.error().why));
    if (auto links = meter::LinkBooks::open())
      looks->links_.emplace(std::move(*links));
    else
      looks->why_not_.push_back(fmt::format("Network devices: {}.", links.error().why));
    looks->mounts_ = meter::read_group_mounts();
    looks->here_ = own_network_namespace();
    auto first = looks->look();
    if (!first) return fail(first.error());
    looks->before_ = std::move(*first);
    for (const KnownGuest& guest : looks->inventory_.guests) looks->names_.insert(guest.name);
    return looks;
  }

  [[nodiscard]] const Inventory& inventory() const { return inventory_; }

  Result<Reading> read() {
    auto after = look();
    if (!after) return fail(after.error());
    Reading reading = charge(before_, *after, inventory_, options_.charge_by);
    reading.number = ++number_;
    for (const GuestUse& guest : reading.guests)
      if (!names_.contains(guest.name)) reading.came.push_back(guest.name);
    std::set<std::string> names;
    for (const GuestUse& guest : reading.guests) names.insert(guest.name);
    std::set_difference(names_.begin(), names_.end(), names.begin(), names.end(),
                        std::back_inserter(reading.gone));
    names_ = std::move(names);
    reading.missing = missing();
    before_ = std::move(*after);
    return reading;
  }

 private:
  explicit Looks(const WatchOptions& options) : options_(options) {}

  // What changes fastest is read last, close together: ticks, Xen's counters, the clock.
  Result<Look> look() {
    Look look;
    if (auto scanned = processes_->scan(); !scanned) return fail(scanned.error());
    std::optional<XenWatch::Seen> xen;
    if (xen_) {
      auto seen = xen_->read();
      if (!seen) return fail(seen.error());
      xen = std::move(*seen);
    }
    std::vector<meter::LinkReading> links;
    if (links_)
      if (auto read = links_->read()) links = std::move(*read);
    update_inventory(xen, links);
    for (const KnownGuest& guest : inventory_.guests) {
      auto books = books_.find(guest.identity);
      if (books == books_.end())
        books = books_.try_emplace(guest.identity, guest, mounts_, !clock_ || !clock_->sees_guests()).first;
      GuestLook& seen = look.guests[guest.identity] = books->second.read(guest);
      if (books->second.group_is_gone())
        for (const int process : guest.processes) processes_->doubt(process);
      if (xen && guest.domain) {
        seen.memory = xen->memory[*guest.domain];
        seen.paused = xen->paused[*guest.domain];
      }
    }
    count_packets(links, look);
    find_virtual_cpus(inventory_, look.guests);
    if (auto ticks = meter::read_cpu_ticks())
      look.ticks = std::move(*ticks);
    else
      return fail(ticks.error());
    look.vtax_ns = own_cpu_time();
    if (xen_) {
      auto again = xen_->read_times(xen->look);
      if (!again) return fail(again.error());
      look.xen = std::move(xen->look);
    }
    look.at = std::chrono::steady_clock::now();
    look.wall = std::chrono::system_clock::now();
    if (clock_) {
      auto lap = clock_->lap();
      if (!lap) return fail(lap.error());
      look.at = lap->at;  // this process may have waited for a CPU since
      look.lap = std::move(*lap);
      look.clock_sees_guests = clock_->sees_guests();
    }
    return look;
  }

  void update_inventory(const std::optional<XenWatch::Seen>& xen,
                        const std::vector<meter::LinkReading>& links) {
    const auto named = [](const std::map<int, XenDomainFacts>& domains) {
      std::map<int, std::pair<std::string, std::array<std::uint8_t, 16>>> all;
      for (const auto& [number, domain] : domains) all[number] = {domain.name, domain.handle};
      return all;
    };
    constexpr std::uint64_t kLooksBetweenRenames = 16;
    const bool same = looks_++ % kLooksBetweenRenames != 0 && inventory_of_ == processes_->changes() &&
                      same_links(facts_.links, links) &&
                      (!xen || !facts_.domains || named(xen->guests) == named(*facts_.domains));
    if (same) return;
    if (!same_links(facts_.links, links)) {
      namespace_numbers_.clear();
      facts_.network_interrupts = interrupts_of(links);
    }
    if ((looks_ - 1) % kLooksBetweenRenames == 0) given_names_.clear();
    inventory_of_ = processes_->changes();
    facts_.processes = processes_->all();
    facts_.own_process = getpid();
    facts_.links = links;
    facts_.network_namespace = here_;
    if (xen) facts_.domains = xen->guests;
    find_names();
    find_namespaces();
    find_taps();
    std::string buffer;
    if (xen)
      if (const auto text = meter::read_once(AT_FDCWD, "/proc/interrupts", buffer))
        facts_.interrupts = parse_interrupts(*text);
    inventory_ = make_inventory(facts_);
    std::set<std::string> known;
    for (const KnownGuest& guest : inventory_.guests) known.insert(guest.identity);
    std::erase_if(books_, [&](const auto& books) { return !known.contains(books.first); });
  }

  // Names that were given may change: now and then all are read anew.
  void find_names() {
    facts_.given_names.clear();
    facts_.libvirt_guests.clear();
    for (const auto& [number, process] : facts_.processes)
      for (const auto& [controllers, path] : process.groups) {
        if (path == "/") continue;
        const auto container = container_of(path);
        if (!container || container->hash.empty()) continue;
        auto known = given_names_.find(container->hash);
        if (known == given_names_.end())
          known = given_names_.emplace(container->hash, given_name(*container)).first;
        if (known->second) facts_.given_names[container->hash] = *known->second;
      }
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/run/libvirt/qemu", error))
      if (entry.path().extension() == ".xml") facts_.libvirt_guests.push_back(entry.path().stem());
  }

  void find_namespaces() {
    facts_.namespace_numbers.clear();
    unseen_namespaces_ = false;
    for (const auto& [number, process] : facts_.processes) {
      if (process.of_kernel) continue;
      if (!process.network_namespace) {
        unseen_namespaces_ = unseen_namespaces_ || process.network_is_hidden;
        continue;
      }
      const std::uint32_t its = *process.network_namespace;
      if (!links_ || its == here_) continue;
      auto known = namespace_numbers_.find(its);
      if (known == namespace_numbers_.end())
        known = namespace_numbers_.emplace(its, links_->number_of_namespace(number)).first;
      if (known->second) facts_.namespace_numbers[*known->second] = its;
    }
  }

  void find_taps() {
    std::vector<const meter::ProcessFacts*> hypervisors;
    for (const auto& [number, process] : facts_.processes)
      if (hypervisor_of(process.arguments)) hypervisors.push_back(&process);
    taps_.look(hypervisors, facts_.links);
    facts_.taps = taps_.all();
  }

  void count_packets(const std::vector<meter::LinkReading>& links, Look& look) const {
    std::map<std::uint32_t, const meter::LinkReading*> by_index;
    for (const auto& link : links) by_index[link.index] = &link;
    for (const KnownGuest& guest : inventory_.guests) {
      if (guest.links.empty()) continue;
      NetworkUse sum;
      for (const std::uint32_t index : guest.links)
        if (const auto link = by_index.find(index); link != by_index.end()) add(sum, link->second->counters);
      look.guests[guest.identity].network = sum;
    }
  }

  [[nodiscard]] std::vector<std::string> missing() const {
    std::vector<std::string> all = why_not_;
    if (unseen_namespaces_)
      all.emplace_back(
          geteuid() == 0
              ? "The networks and devices of some processes may not be seen, as in a container; the "
                "capability CAP_SYS_PTRACE lets root see them."
              : "The networks and devices of other users' processes may not be seen; root sees "
                "them.");
    if (xen_) {
      if (!xen_->why_no_names().empty())
        all.push_back(
            fmt::format("Names of domains: {}; /dev/xen/xenbus is what is asked.", xen_->why_no_names()));
      all.emplace_back(
          "How long domains wait for a CPU: Xen tells it each domain alone, and others in its trace, which "
          "is not "
          "read; a domain's agent tells it (`vtax top --guest NAME=ADDRESS`).");
    }
    bool kvm = false, exits = false;
    for (const KnownGuest& guest : inventory_.guests) {
      if (guest.kind != GuestKind::kvm) continue;
      kvm = true;
      const auto look = before_.guests.find(guest.identity);
      exits = exits || (look != before_.guests.end() && look->second.exits);
    }
    if (kvm && !exits)
      all.emplace_back("VM exits: /sys/kernel/debug/kvm cannot be read; mount debugfs there, and be root.");
    if (kvm && !(clock_ && clock_->sees_guests()))
      all.emplace_back(
          "What of a virtual CPU's thread is the guest and what is KVM is known by samples, the kernel's "
          "ticks.");
    return all;
  }

  WatchOptions options_;
  std::optional<meter::ProcessTable> processes_;
  std::optional<XenWatch> xen_;
  std::optional<meter::CpuClock> clock_;
  std::optional<meter::LinkBooks> links_;
  meter::GroupMounts mounts_;
  std::optional<std::uint32_t> here_;
  TapHolders taps_;
  Facts facts_;
  Inventory inventory_;
  std::map<std::string, std::optional<std::string>> given_names_;  // by hash; what was asked for so far
  std::map<std::uint32_t, std::optional<int>> namespace_numbers_;  // likewise
  std::uint64_t inventory_of_ = ~std::uint64_t{0}, looks_ = 0, number_ = 0;
  std::unordered_map<std::string, GuestBooks> books_;
  std::set<std::string> names_;
  bool unseen_namespaces_ = false;
  std::vector<std::string> why_not_;
  Look before_;
};

Watch::Watch(std::unique_ptr<Looks> looks) : looks_(std::move(looks)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

Result<Watch> Watch::start(const WatchOptions& options) {
  auto looks = Looks::open(options);
  if (!looks) return fail(looks.error());
  return Watch(std::move(*looks));
}

const Inventory& Watch::inventory() const {
  return looks_->inventory();
}

Result<Reading> Watch::read() {
  return looks_->read();
}

}  // namespace vtax::watch

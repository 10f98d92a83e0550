#include "watch/guest_books.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "meter/kernel_text.h"

namespace vtax::watch {
namespace {

namespace fs = std::filesystem;

// Of a container with more tasks than that, waiting and switches are not read: its control group tells the
// rest.
constexpr std::size_t kMostTasks = 64, kMostThreads = 4096;

}  // namespace

GuestBooks::GuestBooks(const KnownGuest& guest, const meter::GroupMounts& mounts, bool with_ticks)
    : with_ticks_(with_ticks) {
  if (!guest.groups.empty()) group_.emplace(mounts, guest.groups);
}

GuestLook GuestBooks::read(const KnownGuest& guest) {
  GuestLook look;
  look.memory.given_bytes = guest.memory_bytes;
  if (group_) {
    look.group = group_->read();
    group_is_gone_ = !look.group;
  }
  if (look.group) {
    look.paused = look.group->frozen;
    look.memory.used_bytes = look.group->used_bytes;
    look.memory.given_bytes = look.group->most_bytes;
    if (const auto& blocks = look.group->blocks)
      look.disk = DiskUse{blocks->reads, blocks->writes, blocks->read_bytes, blocks->written_bytes};
  }
  const bool is_container = guest.kind == GuestKind::container;
  const std::size_t most = is_container ? kMostTasks : kMostThreads;
  std::erase_if(threads_, [&](const auto& books) {
    const auto has = [&](const std::vector<int>& of) {
      return std::find(of.begin(), of.end(), books.first) != of.end();
    };
    return !has(guest.processes) && !has(guest.helpers);
  });
  look.all_threads = guest.processes.size() <= most;
  std::uint64_t resident = 0;
  for (const auto* of : {&guest.processes, &guest.helpers})
    for (const int process : *of) {
      if (!look.all_threads) break;
      auto& books = threads_.try_emplace(process, process, with_ticks_ && !is_container).first->second;
      auto threads = books.read(most - std::min(most, look.threads.size()));
      if (!threads) {
        threads_.erase(process);
        // It may just have ended; too many are told by the next.
        continue;
      }
      look.threads.merge(*threads);
      if (of == &guest.processes && !is_container) {
        resident += books.resident_bytes().value_or(0);
        look.paused = look.paused || books.stopped();
      }
    }
  if (resident > 0 && !look.memory.used_bytes) look.memory.used_bytes = resident;
  read_network(guest, look);
  if (guest.kind == GuestKind::kvm && !guest.processes.empty()) read_exits(guest.processes.front(), look);
  if (guest.domain) read_blocks_of_domain(*guest.domain, look);
  return look;
}

// Of devices on the host the caller knows the counters.
void GuestBooks::read_network(const KnownGuest& guest, GuestLook& look) {
  if (!guest.network_namespace) return;
  auto text = network_.read(buffer_);
  if (!text ||
      std::find(guest.processes.begin(), guest.processes.end(), network_of_) == guest.processes.end()) {
    network_of_ = guest.processes.front();
    network_ = meter::HeldFile(AT_FDCWD, fmt::format("/proc/{}/net/dev", network_of_).c_str());
    text = network_.read(buffer_);
  }
  if (!text) return;
  if (const auto counters = meter::parse_net_dev(*text))
    look.network = NetworkUse{counters->received_packets, counters->sent_packets, counters->received_bytes,
                              counters->sent_bytes, counters->drops};
}

// KVM's folder of a guest is named by its process and a descriptor of it.
void GuestBooks::read_exits(int process, GuestLook& look) {
  auto text = exits_.read(buffer_);
  if (!text && exits_of_ != process) {
    exits_of_ = process;
    std::error_code error;
    const std::string begin = fmt::format("{}-", process);
    for (const auto& entry : fs::directory_iterator("/sys/kernel/debug/kvm", error))
      if (entry.path().filename().string().starts_with(begin))
        exits_ = meter::HeldFile(AT_FDCWD, (entry.path() / "exits").c_str());
    text = exits_.read(buffer_);
  }
  if (text) look.exits = meter::whole_number<std::uint64_t>(meter::Words(*text).next());
}

// Sectors are of 512 bytes. A domain without such devices has no disk that Domain-0 serves.
void GuestBooks::read_blocks_of_domain(int domain, GuestLook& look) {
  std::error_code error;
  const std::string begin = fmt::format("vbd-{}-", domain);
  constexpr std::uint64_t kSector = 512;
  for (const auto& entry : fs::directory_iterator("/sys/bus/xen-backend/devices", error)) {
    if (!entry.path().filename().string().starts_with(begin)) continue;
    const auto value = [&](const char* name) -> std::optional<std::uint64_t> {
      const auto text = meter::read_once(AT_FDCWD, (entry.path() / "statistics" / name).c_str(), buffer_);
      return text ? meter::whole_number<std::uint64_t>(meter::Words(*text).next()) : std::nullopt;
    };
    const auto reads = value("rd_req"), writes = value("wr_req"), read_sectors = value("rd_sect"),
               written_sectors = value("wr_sect");
    if (!reads || !writes || !read_sectors || !written_sectors) continue;
    if (!look.disk) look.disk.emplace();
    look.disk->reads += *reads;
    look.disk->writes += *writes;
    look.disk->read_bytes += *read_sectors * kSector;
    look.disk->written_bytes += *written_sectors * kSector;
  }
}

}  // namespace vtax::watch

#pragma once

// The shared file: a live header and a record for each window that closed.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "blocks.h"
#include "contexts.h"
#include "format.h"
#include "latencies.h"
#include "schedule.h"
#include "timeline.h"

namespace vtax::probe {

class Output {
 public:
  bool open(int fd) {
    fd_ = fd;
    if (ftruncate(fd, sizeof(Header)) != 0) return false;
    void* memory = mmap(nullptr, sizeof(Header), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return false;
    header_ = static_cast<Header*>(memory);
    std::memcpy(header_->magic, kMagic, sizeof kMagic);
    set(State::running);
    return true;
  }

  [[nodiscard]] Header& header() { return *header_; }
  void set(State state) {
    __atomic_store_n(&header_->state, static_cast<std::uint32_t>(state), __ATOMIC_RELEASE);
  }

  // Ends the emulator: nothing it would still do can be trusted.
  [[noreturn]] void stop(State state, const char* message) {
    if (header_ != nullptr) {
      std::snprintf(header_->message, sizeof header_->message, "%s", message);
      set(state);
    } else {
      std::fprintf(stderr, "vtax probe: %s\n", message);
    }
    _exit(70);
  }

  void write_window(const Contexts& contexts, const Blocks& blocks, const Timeline& timeline,
                    const Latencies& latencies, const Schedule& schedule) {
    std::vector<Context> table;
    std::vector<Row> rows;
    std::vector<EventRow> events;
    std::vector<CacheRow> cache_rows;
    // By context and block: its row. What the slices name has one, be its sum over the window zero.
    constexpr std::uint32_t kNoRow = ~0U;
    const std::vector<bool> accesses_devices = blocks.end_in_device_access();
    std::vector<std::uint32_t> row_of(contexts.all().size() * blocks.size(), kNoRow);
    for (const Timeline::Difference& one : timeline.differences())
      row_of[one.context * std::size_t{blocks.size()} + one.block] = 0;
    for (const ContextTable* context : contexts.all()) {
      const auto number = static_cast<std::uint32_t>(table.size());
      table.push_back({context->cpu, context->domain, context->vcpu});
      for (std::uint32_t block = 0; block < blocks.size(); ++block) {
        std::uint32_t& row = row_of[number * std::size_t{blocks.size()} + block];
        const bool cached = has_counts(*context, block);
        if (context->instructions[block] == 0 && row == kNoRow && !cached) continue;
        if (cached)
          for (std::uint32_t kind = 0; kind < kCacheCounts; ++kind)
            if (const std::uint64_t value = context->caches[block].of[kind]; value != 0)
              cache_rows.push_back({static_cast<std::uint32_t>(rows.size()), kind, value});
        row = static_cast<std::uint32_t>(rows.size());
        rows.push_back({blocks[block].address, context->instructions[block], number,
                        static_cast<std::uint16_t>(blocks[block].instructions),
                        static_cast<std::uint16_t>(accesses_devices[block])});
      }
      for (std::uint32_t kind = 0; kind < kCounters; ++kind)
        if (context->events[kind] != 0) events.push_back({number, kind, context->events[kind]});
    }
    std::vector<SliceRow> slice_rows;
    for (const Timeline::Difference& one : timeline.differences())
      slice_rows.push_back(
          {row_of[one.context * std::size_t{blocks.size()} + one.block], 0, one.instructions});
    std::vector<Stay> stays;
    for (const Schedule::Entry& one : schedule.stays()) {
      const auto place = std::find(contexts.all().begin(), contexts.all().end(), one.context);
      stays.push_back({static_cast<std::uint32_t>(place - contexts.all().begin()), 0,
                       static_cast<std::uint64_t>(one.begin_ns), static_cast<std::uint64_t>(one.end_ns),
                       one.woke_ns});
    }
    const WindowHeader window{header_->window_icount,
                              header_->window_ns,
                              header_->corrected_blocks,
                              header_->corrected_instructions,
                              header_->unexplained,
                              table.size(),
                              rows.size(),
                              events.size(),
                              timeline.slices().size(),
                              slice_rows.size(),
                              cache_rows.size(),
                              latencies.taken().size(),
                              latencies.left_out(),
                              stays.size(),
                              schedule.left_out()};
    put(&window, sizeof window);
    put(table.data(), table.size() * sizeof(Context));
    put(rows.data(), rows.size() * sizeof(Row));
    put(events.data(), events.size() * sizeof(EventRow));
    put(timeline.slices().data(), timeline.slices().size() * sizeof(Slice));
    put(slice_rows.data(), slice_rows.size() * sizeof(SliceRow));
    put(cache_rows.data(), cache_rows.size() * sizeof(CacheRow));
    put(latencies.taken().data(), latencies.taken().size() * sizeof(Latency));
    put(stays.data(), stays.size() * sizeof(Stay));
    __atomic_store_n(&header_->windows, header_->windows + 1, __ATOMIC_RELEASE);
    set(State::window_closed);
  }

 private:
  // Behind what is there.
  void put(const void* data, std::size_t bytes) {
    const char* from = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t done = pwrite(fd_, from, bytes, end_);
      if (done <= 0) stop(State::failed, "cannot write the window's tables");
      from += done;
      end_ += done;
      bytes -= static_cast<std::size_t>(done);
    }
  }

  static bool has_counts(const ContextTable& context, std::uint32_t block) {
    if (context.caches == nullptr) return false;
    for (const std::uint64_t value : context.caches[block].of)
      if (value != 0) return true;
    return false;
  }

  int fd_ = -1;
  off_t end_ = sizeof(Header);
  Header* header_ = nullptr;
};

}  // namespace vtax::probe

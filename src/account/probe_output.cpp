#include "account/probe_output.h"

#include <cstring>
#include <map>
#include <type_traits>
#include <utility>

namespace vtax {
namespace {

tl::unexpected<Error> damaged(std::string why) {
  return fail(
      {"cannot read the probe's counts", std::move(why), "run the trial again", ExitCode::trial_failed});
}

template <class T>
T field_at(std::span<const std::byte> file, std::size_t at) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

Result<> read_stays(std::span<const std::byte> file, std::size_t at, const probe::WindowHeader& header,
                    ProbeWindow& window) {
  window.stays_left_out = header.stays_left_out;
  std::map<int, std::uint64_t> now;  // by CPU
  for (std::uint64_t i = 0; i < header.stays; ++i, at += sizeof(probe::Stay)) {
    const auto stay = field_at<probe::Stay>(file, at);
    if (stay.context >= header.contexts) return damaged("its schedule names a context that is not there");
    std::uint64_t& end = now[window.contexts[stay.context].cpu];
    const bool woke = stay.woke_ns != probe::kNeverWoke;
    if (stay.begin_ns < end || stay.end_ns <= stay.begin_ns || (woke && stay.woke_ns < 0))
      return damaged("its schedule goes back in time");
    end = stay.end_ns;
    window.stays.push_back({stay.context, stay.begin_ns, stay.end_ns,
                            woke ? std::optional(static_cast<std::uint64_t>(stay.woke_ns)) : std::nullopt});
  }
  return {};
}

// The tables behind the events.
Result<> read_details(std::span<const std::byte> file, std::size_t at, const probe::WindowHeader& header,
                      ProbeWindow& window) {
  std::uint64_t rows = 0, now = 0;
  for (std::uint64_t i = 0; i < header.slices; ++i, at += sizeof(probe::Slice)) {
    const auto slice = field_at<probe::Slice>(file, at);
    if (slice.end_virtual_ns < now) return damaged("its slices go back in time");
    now = slice.end_virtual_ns;
    window.slices.push_back({now, slice.guest, Bytes(slice.bytes), Transactions(slice.transactions),
                             static_cast<std::size_t>(rows), slice.rows});
    rows += slice.rows;
  }
  if (rows != header.slice_rows) return damaged("its slices have other rows than they say");
  window.slice_rows.reserve(rows);
  for (std::uint64_t i = 0; i < rows; ++i, at += sizeof(probe::SliceRow)) {
    const auto row = field_at<probe::SliceRow>(file, at);
    if (row.row >= header.rows) return damaged("a slice names a row that is not there");
    window.slice_rows.push_back({row.row, row.instructions});
  }
  for (std::uint64_t i = 0; i < header.cache_rows; ++i, at += sizeof(probe::CacheRow)) {
    const auto row = field_at<probe::CacheRow>(file, at);
    if (row.row >= header.rows || row.count >= probe::kCacheCounts)
      return damaged("a count of the cache model names a row or a kind that is not there");
    window.cache_rows.push_back({row.row, static_cast<probe::CacheCount>(row.count), row.value});
  }
  const std::size_t behind_latencies = at + header.latencies * sizeof(probe::Latency);
  if (header.latencies_left_out == 0) {
    window.latencies.reserve(header.latencies);
    for (std::uint64_t i = 0; i < header.latencies; ++i, at += sizeof(probe::Latency)) {
      const auto latency = field_at<probe::Latency>(file, at);
      window.latencies.push_back({latency.guest, latency.ns});
    }
  }
  return read_stays(file, behind_latencies, header, window);
}

}  // namespace

ProbeStatus read_probe_status(std::span<const std::byte> file) {
  ProbeStatus status;
  if (file.size() < sizeof(probe::Header)) return status;
  const auto header = field_at<probe::Header>(file, 0);
  if (header.state <= static_cast<std::uint32_t>(probe::State::failed))
    status.state = static_cast<probe::State>(header.state);
  if (std::memcmp(header.magic, probe::kMagic, sizeof probe::kMagic) == 0) status.windows = header.windows;
  status.instructions = header.instructions;
  status.message.assign(header.message, strnlen(header.message, sizeof header.message));
  return status;
}

Result<std::size_t> probe_record_bytes(std::span<const std::byte> begin) {
  if (begin.size() < sizeof(probe::WindowHeader))
    return damaged("a window's record is shorter than its header");
  const auto header = field_at<probe::WindowHeader>(begin, 0);
  if (header.slices > probe::kMostSlices) return damaged("it has too many slices");
  if (header.latencies > probe::kMostLatencies) return damaged("it has too many latencies");
  if (header.stays > probe::kMostStays) return damaged("its schedule is too long");
  std::size_t bytes = sizeof(probe::WindowHeader);
  for (const auto& [length, size] : {std::pair{header.contexts, sizeof(probe::Context)},
                                     {header.rows, sizeof(probe::Row)},
                                     {header.events, sizeof(probe::EventRow)},
                                     {header.slices, sizeof(probe::Slice)},
                                     {header.slice_rows, sizeof(probe::SliceRow)},
                                     {header.cache_rows, sizeof(probe::CacheRow)},
                                     {header.latencies, sizeof(probe::Latency)},
                                     {header.stays, sizeof(probe::Stay)}}) {
    if (length > (kMostRecordBytes - bytes) / size) return damaged("its tables are longer than 1 GiB");
    bytes += length * size;
  }
  return bytes;
}

Result<ProbeWindow> read_probe_window(std::span<const std::byte> file) {
  const auto bytes = probe_record_bytes(file);
  if (!bytes) return fail(bytes.error());
  if (*bytes > file.size()) return damaged("its tables are longer than the file");
  const auto header = field_at<probe::WindowHeader>(file, 0);

  ProbeWindow window;
  window.total = Instructions(header.window_icount);
  window.corrected_blocks = header.corrected_blocks;
  window.unexplained = header.unexplained;
  window.ns = header.window_ns;
  std::size_t at = sizeof(probe::WindowHeader);
  for (std::uint64_t i = 0; i < header.contexts; ++i, at += sizeof(probe::Context)) {
    const auto context = field_at<probe::Context>(file, at);
    window.contexts.push_back({context.cpu, context.domain, context.vcpu});
  }
  window.rows.reserve(header.rows);
  for (std::uint64_t i = 0; i < header.rows; ++i, at += sizeof(probe::Row)) {
    const auto row = field_at<probe::Row>(file, at);
    if (row.context >= header.contexts) return damaged("a row names a context that is not there");
    window.rows.push_back({row.context, GuestAddress(row.address),
                           static_cast<std::int64_t>(row.instructions), row.length,
                           row.accesses_devices != 0});
  }
  for (std::uint64_t i = 0; i < header.events; ++i, at += sizeof(probe::EventRow)) {
    const auto event = field_at<probe::EventRow>(file, at);
    if (event.context >= header.contexts || event.event >= probe::kCounters)
      return damaged("an event names a context or a kind that is not there");
    if (event.event < probe::kEventKinds)
      window.events.push_back({event.context, static_cast<probe::Event>(event.event), event.count});
    else
      window.sums.push_back({event.context, event.event - probe::kEventKinds, event.count});
  }
  if (auto read = read_details(file, at, header, window); !read) return fail(read.error());
  return window;
}

}  // namespace vtax

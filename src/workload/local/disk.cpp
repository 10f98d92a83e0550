#include "workload/local/disk.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "core/interruption.h"
#include "core/readable.h"
#include "workload/local/disk_run.h"
#include "workload/local/option_bounds.h"
#include "workload/local/seeded.h"
#include "workload/measure/marker.h"

namespace vtax {
namespace {

constexpr std::uint64_t kDiskMostBlock = std::uint64_t{16} << 20;
constexpr std::uint64_t kDiskMostSize = std::uint64_t{1} << 43;
constexpr std::uint64_t kDiskMostDepth = 1024;

SideReport disk_report(const DiskRun& run, std::chrono::nanoseconds span, const CpuUse& cpu) {
  const DiskOptions& options = run.options;
  SideReport report;
  report.side = "local";
  report.duration = span;
  report.cpu = cpu;
  report.transactions = Transactions(run.done);
  report.bytes = Bytes(run.done * options.block);
  report.latency = run.latency;
  const double seconds = std::chrono::duration<double>(span).count();
  const Metric throughput{"throughput", static_cast<double>(report.bytes.value) / seconds, "B/s", true};
  const Metric iops{"iops", static_cast<double>(run.done) / seconds, "1/s", true};
  const bool random = options.pattern == DiskPattern::random;
  report.metrics = random ? std::vector{iops, throughput} : std::vector{throughput, iops};
  report.details["engine"] = options.depth > 1 ? "io_uring" : "pread, pwrite";
  report.details["passes"] = static_cast<double>(report.bytes.value) / static_cast<double>(options.size);
  report.details["warnings"] = nlohmann::json::array();
  return report;
}

Result<> disk_prepare(const DiskOptions& options, const DiskFile& file, SectorPattern& pattern) {
  if (options.existing && options.fill && options.operation == DiskOperation::read) {
    if (Result<> good = file.write_pattern(options.size, pattern); !good) return good;
    file.drop_cache(options.size);
  } else if (options.existing) {
    if (Result<> good = file.sync(); !good) return good;  // only clean pages can be dropped
    file.drop_cache(options.size);
  } else if (options.operation == DiskOperation::read) {
    if (Result<> good = file.write_pattern(options.size, pattern); !good) return good;
    file.drop_cache(options.size);
  } else if (options.pattern == DiskPattern::random || options.direct) {
    if (Result<> good = file.reserve(options.size); !good) return good;
  }
  return options.direct ? file.go_direct(options.block) : Result<>();
}

}  // namespace

Result<> DiskOptions::check() const {
  if (file.empty())
    return fail({"no file", "--file is empty", "name a new file on the file system that is to be measured"});
  if (device && !existing)
    return fail({"--really-write-device is for devices that are there", "--use-existing is missing",
                 "add --use-existing, or name a new file without both"});
  if (Result<> good = within("--block", block, SectorPattern::kSector, kDiskMostBlock); !good) return good;
  if (block % SectorPattern::kSector != 0)
    return fail({fmt::format("--block cannot be {}", block), "blocks are whole sectors of 512 bytes",
                 "for example --block 512 or --block 4K"});
  if (Result<> good = within("--size", size, block, kDiskMostSize); !good) return good;
  if (size % block != 0)
    return fail({fmt::format("--size cannot be {}", size),
                 fmt::format("it is no multiple of --block {}", block),
                 fmt::format("for example --size {}", size / block * block)});
  if (Result<> good = within("--depth", depth, 1, kDiskMostDepth); !good) return good;
  if (depth > 1 && !direct)
    return fail({fmt::format("--depth {} cannot be had through the page cache", depth),
                 "its copies are made one at a time", "add --direct, or leave --depth out"});
  if (blocks != 0 && duration.count() != 0)
    return fail({"a number of blocks and --duration", "each says when the work ends", "give one of them"});
  return within("--duration", duration, std::chrono::nanoseconds(0), kLongestRun);
}

BlockOrder DiskRun::order_of(std::uint64_t pass) const {
  const std::uint64_t blocks = options.size / options.block;
  if (options.pattern == DiskPattern::sequential) return BlockOrder::sequential(blocks);
  return BlockOrder::random(blocks, SplitMix::nth(options.seed, pass));
}

std::optional<std::uint64_t> DiskRun::next_offset() {
  if (next_ == order.blocks()) {
    if (options.duration.count() == 0 && issued_ >= options.blocks) return std::nullopt;
    next_ = 0;
    order = order_of(++passes);
    if (options.operation == DiskOperation::read && !options.direct) file.drop_cache(options.size);
  }
  if (options.blocks != 0 && issued_ == options.blocks) return std::nullopt;
  ++issued_;
  return order.at(next_++) * options.block;
}

Result<> DiskRun::finished(std::uint64_t offset, const std::uint8_t* read, std::chrono::nanoseconds took) {
  if (read != nullptr && (!options.existing || options.fill)) {
    const auto wrong = options.verify_all ? pattern.wrong_byte(read, options.block, offset)
                                          : pattern.wrong_tag(read, options.block, offset);
    if (wrong)
      return fail({fmt::format("{} holds what was not written there", printable(options.file)),
                   fmt::format("the sector at byte {} is wrong", offset + *wrong),
                   "do not trust this disk or its file system", ExitCode::io});
  }
  if (!options.window) latency.record(static_cast<std::uint64_t>(took.count()));
  ++done;
  return {};
}

Error DiskRun::io_error(int error_number) const {
  if (error_number == EINVAL && options.direct) return file.alignment_error(options.block, 0);
  return file.error(options.operation == DiskOperation::read ? "read" : "write", error_number);
}

Result<> run_in_turn(DiskRun& run) {
  const DiskOptions& options = run.options;
  const bool reads = options.operation == DiskOperation::read;
  const std::unique_ptr<std::uint8_t, void (*)(void*)> buffer(
      static_cast<std::uint8_t*>(std::aligned_alloc(4096, (options.block + 4095) / 4096 * 4096)), std::free);
  if (!buffer) return fail(run.io_error(ENOMEM));
  const int fd = run.file.fd();
  auto start = run.now();
  while (!interrupted() && !run.time_is_over(start)) {
    const auto offset = run.next_offset();
    if (!offset) return {};
    const std::uint8_t* const from = reads ? nullptr : run.pattern.content(options.block, *offset);
    for (std::uint64_t part = 0; part < options.block;) {
      const auto place = static_cast<off_t>(*offset + part);
      const std::size_t left = options.block - part;
      const ssize_t moved =
          reads ? pread(fd, buffer.get() + part, left, place) : pwrite(fd, from + part, left, place);
      if (moved < 0 && errno == EINTR) continue;
      if (moved <= 0) return fail(run.io_error(moved < 0 ? errno : EIO));
      part += static_cast<std::uint64_t>(moved);
    }
    if (!reads && options.sync == DiskSync::each)
      if (Result<> good = run.file.sync(); !good) return good;
    if (!reads && run.between_passes())
      if (Result<> good = run.file.sync(); !good) return good;
    const auto end = run.now();
    if (Result<> good = run.finished(*offset, reads ? buffer.get() : nullptr, end - start); !good)
      return good;
    start = reads ? run.now() : end;  // checking is no part of the latency
  }
  return {};
}

Result<SideReport> run_disk(const DiskOptions& options) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  SectorPattern pattern(options.seed, std::max(options.block, SectorPattern::kPeriod));
  if (!pattern.valid())
    return fail({"cannot have the blocks' pattern", "no memory", "", ExitCode::unavailable});
  const bool reads = options.operation == DiskOperation::read;
  const auto file = options.existing ? DiskFile::existing(options.file, options.size,
                                                          {!reads || options.fill, options.device})
                                     : DiskFile::make(options.file);
  if (!file) return fail(file.error());
  if (Result<> good = disk_prepare(options, *file, pattern); !good) return fail(good.error());
  const double cached = reads && !options.direct ? file->cached_share(options.size) : 0;

  DiskRun run(options, *file, pattern);
  const CpuMeter meter;
  const auto start = DiskClock::now();
  run.deadline = start + options.duration;
  if (options.window) marker::begin_window();
  const Result<> ran = options.depth > 1 ? run_in_flight(run) : run_in_turn(run);
  if (!ran) return fail(ran.error());
  if (interrupted() && (options.window || run.done == 0)) return fail(interruption_error());
  if (interrupted() && !reads && options.sync != DiskSync::none)
    if (Result<> good = file->sync(); !good) return fail(good.error());
  if (!interrupted() && !reads && options.sync != DiskSync::none)
    if (Result<> good = file->sync_in_pieces(options.size); !good) return fail(good.error());
  if (options.window) marker::end_window();
  const auto span = DiskClock::now() - start;
  SideReport report = disk_report(run, span, meter.since());
  if (cached > 0.1)
    report.details["warnings"].push_back(fmt::format(
        "The page cache kept {:.0f} % of the file: these are not figures of the disk.", 100 * cached));
  if (reads && options.existing && !options.fill)
    report.details["warnings"].push_back(
        "What was read is not vtax's own: nobody has checked that it is right.");
  if (!reads && !options.direct && options.sync == DiskSync::end && report.bytes.value > options.size)
    report.details["warnings"].push_back(
        "Blocks were written again before they were synced: the disk need not have had all of these bytes.");
  if (!reads && options.sync == DiskSync::none)
    report.details["warnings"].push_back(
        "Nothing was synced: what was written may be in the page cache only.");
  return report;
}

}  // namespace vtax

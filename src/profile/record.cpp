#include "profile/record.h"

#include <linux/perf_event.h>

#include <cstring>
#include <utility>

#include "core/elf_file.h"

namespace vtax::profile {
namespace {

// Behind every record but a sample (sample_id_all): process and thread, time, CPU.
constexpr std::size_t kTrailerBytes = 24;

Mode mode_of(std::uint16_t misc) {
  switch (misc & PERF_RECORD_MISC_CPUMODE_MASK) {
    case PERF_RECORD_MISC_KERNEL:
      return Mode::kernel;
    case PERF_RECORD_MISC_HYPERVISOR:
      return Mode::hypervisor;
    case PERF_RECORD_MISC_GUEST_KERNEL:
      return Mode::guest_kernel;
    case PERF_RECORD_MISC_GUEST_USER:
      return Mode::guest_user;
    default:
      return Mode::user;
  }
}

// What follows such a mark in a call chain.
std::optional<Mode> mode_behind(std::uint64_t mark) {
  switch (mark) {
    case PERF_CONTEXT_HV:
      return Mode::hypervisor;
    case PERF_CONTEXT_KERNEL:
      return Mode::kernel;
    case PERF_CONTEXT_USER:
      return Mode::user;
    case PERF_CONTEXT_GUEST_KERNEL:
      return Mode::guest_kernel;
    case PERF_CONTEXT_GUEST_USER:
      return Mode::guest_user;
    default:
      return std::nullopt;
  }
}

class Fields {
 public:
  explicit Fields(ByteView bytes) : bytes_(bytes) {}
  template <class T>
  T next() {
    const auto value = copy_at<T>(bytes_, at_);
    at_ += sizeof(T);
    whole_ = whole_ && value.has_value();
    return value.value_or(T{});
  }
  // To the first NUL.
  std::string rest(std::size_t without_last) {
    std::string text;
    for (; at_ + without_last < bytes_.size() && bytes_[at_] != 0; ++at_)
      text += static_cast<char>(bytes_[at_]);
    return text;
  }
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] std::size_t left() const { return at_ < bytes_.size() ? bytes_.size() - at_ : 0; }

 private:
  ByteView bytes_;
  std::size_t at_ = sizeof(perf_event_header);
  bool whole_ = true;
};

std::optional<Record> sample(Fields fields, Mode mode) {
  Record record;
  Sample sample;
  const auto address = fields.next<std::uint64_t>();
  sample.process = fields.next<std::int32_t>();
  sample.thread = fields.next<std::int32_t>();
  record.time_ns = fields.next<std::uint64_t>();
  sample.cpu = static_cast<int>(fields.next<std::uint32_t>());
  fields.next<std::uint32_t>();
  const auto entries = fields.next<std::uint64_t>();
  if (!fields.whole() || entries > fields.left() / sizeof(std::uint64_t)) return std::nullopt;
  sample.stack.push_back({mode, address});
  Mode now = mode;
  bool is_first = true;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const auto entry = fields.next<std::uint64_t>();
    if (entry >= static_cast<std::uint64_t>(PERF_CONTEXT_MAX)) {
      if (const auto behind = mode_behind(entry)) now = *behind;
      continue;
    }
    // The chain begins with the sampled address itself.
    if (!std::exchange(is_first, false)) sample.stack.push_back({now, entry});
  }
  record.what = std::move(sample);
  return record;
}

}  // namespace

std::uint64_t sample_type() {
  return PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_CALLCHAIN;
}

std::optional<Record> parse_record(ByteView bytes) {
  const auto header = copy_at<perf_event_header>(bytes, 0);
  if (!header || header->size != bytes.size()) return std::nullopt;
  Fields fields(bytes);
  if (header->type == PERF_RECORD_SAMPLE) return sample(fields, mode_of(header->misc));
  if (bytes.size() < sizeof(perf_event_header) + kTrailerBytes) return std::nullopt;
  Record record;
  record.time_ns = load<std::uint64_t>(bytes, bytes.size() - 16);
  switch (header->type) {
    case PERF_RECORD_MMAP2: {
      Mapped mapped;
      mapped.process = fields.next<std::int32_t>();
      fields.next<std::int32_t>();
      mapped.begin = fields.next<std::uint64_t>();
      mapped.size = fields.next<std::uint64_t>();
      mapped.file_offset = fields.next<std::uint64_t>();
      const auto major = fields.next<std::uint32_t>(), minor = fields.next<std::uint32_t>();
      mapped.device = static_cast<std::uint64_t>(major) << 32U | minor;
      mapped.inode = fields.next<std::uint64_t>();
      fields.next<std::uint64_t>();  // its generation
      fields.next<std::uint64_t>();  // protection, flags
      mapped.file = fields.rest(kTrailerBytes);
      record.what = std::move(mapped);
      break;
    }
    case PERF_RECORD_COMM: {
      Named named;
      named.process = fields.next<std::int32_t>();
      named.thread = fields.next<std::int32_t>();
      named.began_program = (header->misc & PERF_RECORD_MISC_COMM_EXEC) != 0;
      named.name = fields.rest(kTrailerBytes);
      record.what = std::move(named);
      break;
    }
    case PERF_RECORD_FORK: {
      Forked forked;
      forked.process = fields.next<std::int32_t>();
      forked.parent = fields.next<std::int32_t>();
      record.what = forked;
      break;
    }
    case PERF_RECORD_LOST: {
      fields.next<std::uint64_t>();  // the event's number
      record.what = Lost{fields.next<std::uint64_t>()};
      break;
    }
    case PERF_RECORD_LOST_SAMPLES:
      record.what = Lost{fields.next<std::uint64_t>()};
      break;
    case PERF_RECORD_THROTTLE:
      record.what = Throttled{};
      break;
    default:
      return std::nullopt;
  }
  if (!fields.whole()) return std::nullopt;
  return record;
}

}  // namespace vtax::profile

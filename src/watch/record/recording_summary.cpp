#include "watch/record/recording_summary.h"

#include <algorithm>

#include "watch/show/figures.h"

namespace vtax::watch {
namespace {

void add_known(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

void add_other(OtherTime& sum, const OtherTime& other) {
  for (const auto member : {&OtherTime::driver_ns, &OtherTime::uncharged_ns, &OtherTime::elsewhere_ns,
                            &OtherTime::vtax_ns, &OtherTime::stolen_ns, &OtherTime::idle_ns})
    sum.*member += other.*member;
}

void add_guest(GuestTotals& sum, const GuestUse& guest, std::chrono::nanoseconds interval) {
  sum.kind = guest.kind;
  sum.own_ns += guest.own_ns;
  sum.caused_ns += guest.caused.total();
  sum.most_percent = std::max(sum.most_percent, sum_percent(guest, interval));
  add_known(sum.waiting_ns, guest.waiting_ns);
  add_known(sum.exits, guest.exits);
  if (const auto& n = guest.network) {
    add_known(sum.packets, n->received_packets + n->sent_packets);
    add_known(sum.network_bytes, n->received_bytes + n->sent_bytes);
  }
  if (const auto& d = guest.disk) add_known(sum.disk_bytes, d->read_bytes + d->written_bytes);
}

void add_reading(RecordingSummary& sum, CourseSlice& slice, const Reading& reading) {
  const auto ns = static_cast<std::uint64_t>(reading.interval.count());
  sum.driver = reading.driver;
  sum.charged_by = charge_name(reading.charge_by);
  if (!reading.shared_by.empty()) sum.shared_by = reading.shared_by;
  sum.end = reading.at;
  sum.read_ns += ns;
  sum.all_cpus_ns += reading.all_cpus_ns;
  slice.end = reading.at;
  slice.ns += ns;
  std::uint64_t total = reading.other.total();
  for (const GuestUse& guest : reading.guests) {
    const std::uint64_t caused = guest.caused.total();
    total += guest.own_ns + caused;
    slice.own_ns += guest.own_ns;
    slice.caused_ns += caused;
    slice.of_guests[guest.name] += guest.own_ns + caused;
    add_guest(sum.guests[guest.name], guest, reading.interval);
  }
  if (total != reading.all_cpus_ns) ++sum.wrong_readings;
  add_other(sum.other, reading.other);
  add_other(slice.other, reading.other);
  for (const std::string& sentence : reading.missing)
    if (std::find(sum.missing.begin(), sum.missing.end(), sentence) == sum.missing.end())
      sum.missing.push_back(sentence);
}

}  // namespace

Result<RecordingSummary> summarise(RecordingReader& reader, std::size_t slices) {
  RecordingSummary out;
  out.header = reader.header();
  const std::uint64_t readings = out.header.readings;
  if (readings == 0)
    return fail({"cannot report the recording", "it ended before its first reading", "record for longer"});
  const std::uint64_t each = (readings + slices - 1) / slices;
  std::uint64_t seen = 0;
  auto read = reader.for_each([&](const Reading& reading) {
    if (seen == 0)
      out.begin =
          reading.at - std::chrono::duration_cast<std::chrono::system_clock::duration>(reading.interval);
    if (seen++ % each == 0) out.course.emplace_back();
    add_reading(out, out.course.back(), reading);
    return Result<>();
  });
  if (!read) return fail(read.error());
  return out;
}

}  // namespace vtax::watch

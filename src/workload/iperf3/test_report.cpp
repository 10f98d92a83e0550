#include "workload/iperf3/test_report.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "core/net_address.h"

namespace vtax::iperf3 {
namespace {

double percent(std::chrono::nanoseconds part, std::chrono::nanoseconds of) {
  return of.count() > 0 ? 100.0 * static_cast<double>(part.count()) / static_cast<double>(of.count()) : 0;
}

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

// One direction of the test as one side sees it.
struct DirectionSum {
  std::uint64_t bytes = 0, messages = 0, lost = 0, reordered = 0, duplicates = 0, of_packets = 0;
  std::uint64_t unseen = 0;   // sent, and neither arrived nor missed when the test ended
  double jitter_seconds = 0;  // mean of the streams
  int streams = 0;
  bool lost_known = true;
};

// The other side's span, as it says.
double own_seconds(const TestReport& report) {
  double seconds = 0;
  for (const StreamResult& one : report.there.streams) seconds = std::max(seconds, one.seconds);
  return seconds;
}

std::uint64_t above(std::uint64_t value, std::uint64_t limit) {
  return value > limit ? value - limit : 0;
}

DirectionSum sum_here(const TestReport& report, bool sending) {
  DirectionSum out;
  for (std::size_t i = 0; i < report.places.size(); ++i) {
    if (report.places[i].sends != sending) continue;
    const StreamFigures& one = report.here.streams[i];
    out.bytes += one.bytes;
    out.messages += one.messages;
    out.lost += one.reception.lost;
    out.reordered += one.reception.reordered;
    out.duplicates += one.reception.duplicates;
    out.of_packets += one.reception.received + one.reception.lost;
    out.jitter_seconds += one.reception.jitter_ns * 1e-9;
    if (!sending) out.unseen += above(report.there.streams[i].packets, one.highest);
    ++out.streams;
  }
  if (out.streams != 0) out.jitter_seconds /= out.streams;
  return out;
}

DirectionSum sum_there(const TestReport& report, bool sending) {
  DirectionSum out;
  for (std::size_t i = 0; i < report.places.size(); ++i) {
    if (report.places[i].sends == sending) continue;
    const StreamResult& one = report.there.streams[i];
    out.bytes += one.bytes;
    out.lost += one.lost;
    out.of_packets += one.measured_packets(report.here.omitted_highest[i]);
    out.lost_known = out.lost_known && one.lost_known;
    out.jitter_seconds += one.jitter_seconds;
    if (!sending) out.unseen += above(report.here.streams[i].highest, one.packets);
    ++out.streams;
  }
  if (report.test.udp) out.messages = out.bytes / report.test.block_bytes;
  if (out.streams != 0) out.jitter_seconds /= out.streams;
  return out;
}

// Of a fixed amount the server waits until nothing comes any more: what it has not seen then is lost. In all
// other cases some are still under way.
void add_reception(SideReport& side, const TestReport& report, DirectionSum sum) {
  if (report.test.amount() != 0 && side.side == "server") {
    sum.lost += sum.unseen;
    sum.of_packets += sum.unseen;
  } else {
    side.failures["unseen"] += sum.unseen;
  }
  const auto all = static_cast<double>(sum.of_packets);
  if (all > 0 && sum.lost_known)
    side.metrics.push_back({"loss", static_cast<double>(sum.lost) / all, "share", false});
  side.metrics.push_back({"jitter", sum.jitter_seconds, "s", false});
  if (sum.lost_known) side.failures["lost"] += sum.lost;
}

// `received` and `sent` by this side; `confirmed`: what the other has received of the latter.
void fill(SideReport& side, const TestReport& report, const DirectionSum& received, const DirectionSum& sent,
          std::uint64_t confirmed) {
  const double seconds = std::chrono::duration<double>(side.duration).count();
  const auto rate = [&](std::uint64_t bytes) {
    return seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0;
  };
  // What a kernel has taken is not sent yet; what is sent in datagrams may be lost, and is then reported so.
  const std::uint64_t really_sent = report.test.udp ? sent.bytes : std::min(sent.bytes, confirmed);
  const bool both = report.test.bidirectional;
  const bool receives = received.streams != 0;
  side.bytes = Bytes(receives ? received.bytes : really_sent);
  if (report.test.udp) side.messages = Packets((receives ? received : sent).messages);
  side.metrics.push_back({"rate", rate(side.bytes.value), "bit/s", true});
  if (both) side.metrics.push_back({"sent_rate", rate(really_sent), "bit/s", true});
  if (report.test.udp)
    side.metrics.push_back(
        {"datagram_rate", seconds > 0 ? static_cast<double>(side.messages.value) / seconds : 0, "1/s", true});
  if (report.test.udp && receives) add_reception(side, report, received);
  side.details["sent_bytes"] = sent.streams != 0 ? nlohmann::json(sent.bytes) : nlohmann::json(nullptr);
}

SideReport local_side(const TestReport& report) {
  SideReport side;
  side.side = report.client ? "client" : "server";
  side.duration = report.here.duration;
  side.cpu = report.here.cpu;
  const DirectionSum received = sum_here(report, false);
  fill(side, report, received, sum_here(report, true), sum_there(report, false).bytes);
  if (report.test.udp && received.streams != 0) {
    side.failures["reordered"] += received.reordered;
    side.failures["duplicates"] += received.duplicates;
  }
  if (report.here.no_buffer_space != 0) side.failures["no_buffer_space"] = report.here.no_buffer_space;
  for (const PhaseInterval& interval : report.here.intervals) {
    if (!interval.omitted) side.intervals.push_back(report_of(interval, report.places));
  }
  side.details["streams"] = nlohmann::json::array();
  for (std::size_t i = 0; i < report.places.size(); ++i) {
    const StreamFigures& one = report.here.streams[i];
    nlohmann::json entry{{"id", stream_id(i)}, {"sends", report.places[i].sends}, {"bytes", one.bytes}};
    if (one.tcp) entry["retransmits"] = one.tcp->retransmits;
    side.details["streams"].push_back(entry);
  }
  return side;
}

SideReport remote_side(const TestReport& report) {
  SideReport side;
  side.side = report.client ? "server" : "client";
  side.duration = remote_duration(report);
  // Its shares are of its own time.
  const double share =
      (own_seconds(report) > 0 ? own_seconds(report) : std::chrono::duration<double>(side.duration).count()) /
      100;
  side.cpu.user = from_seconds(report.there.cpu_user * share);
  side.cpu.system = from_seconds(report.there.cpu_system * share);
  side.cpu.switches_known = false;
  fill(side, report, sum_there(report, false), sum_there(report, true), sum_here(report, false).bytes);
  side.details["streams"] = nlohmann::json::array();
  for (std::size_t i = 0; i < report.places.size(); ++i) {
    const StreamResult& one = report.there.streams[i];
    nlohmann::json entry{{"id", one.id}, {"sends", !report.places[i].sends}, {"bytes", one.bytes}};
    if (one.retransmits && !report.places[i].sends) entry["retransmits"] = *one.retransmits;
    side.details["streams"].push_back(entry);
  }
  return side;
}

}  // namespace

std::chrono::nanoseconds remote_duration(const TestReport& report) {
  const double seconds = own_seconds(report);
  return seconds > 0 && report.test.amount() == 0 ? from_seconds(seconds) : report.here.duration;
}

std::vector<StreamPlace> places_of(const std::vector<Stream>& streams) {
  std::vector<StreamPlace> out;
  for (const Stream& stream : streams) {
    const int fd = stream.socket.get();
    const NetAddress here = NetAddress::of_socket(fd), there = NetAddress::of_partner(fd);
    out.push_back({fd, stream.sends, here.host(), there.host(), here.port(), there.port()});
  }
  return out;
}

std::string congestion_of(const std::vector<Stream>& streams, const Parameters& test) {
  std::array<char, 32> name{};
  auto size = static_cast<socklen_t>(name.size() - 1);
  if (test.udp || streams.empty() ||
      getsockopt(streams[0].socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0)
    return "";
  return name.data();
}

Results results_of(const TestReport& report) {
  Results out;
  out.cpu_user = percent(report.here.cpu.user, report.here.duration);
  out.cpu_system = percent(report.here.cpu.system, report.here.duration);
  out.cpu_total = out.cpu_user + out.cpu_system;
  out.congestion = report.congestion;
  out.receives_only = true;
  const double seconds = std::chrono::duration<double>(report.here.duration).count();
  for (std::size_t i = 0; i < report.places.size(); ++i) {
    const StreamFigures& one = report.here.streams[i];
    StreamResult result{stream_id(i), one.bytes, std::nullopt, 0, 0, 0, seconds};
    if (report.places[i].sends) out.receives_only = false;
    if (one.tcp) {
      result.retransmits = one.tcp->retransmits;
      out.has_retransmits = true;
    }
    if (report.test.udp) {
      result.packets = one.highest;
      result.omitted_packets = report.here.omitted_highest[i];
      result.lost = std::min(one.reception.lost, result.packets);
      result.jitter_seconds = one.reception.jitter_ns * 1e-9;
    }
    out.streams.push_back(result);
  }
  return out;
}

Result<> check_claims(const TestReport& report, const std::vector<std::uint64_t>& moved) {
  for (std::size_t i = 0; i < report.places.size(); ++i) {
    if (!report.places[i].sends || report.there.streams[i].bytes <= moved[i]) continue;
    return fail(Error{"compare both sides' counts",
                      fmt::format("the other side says that it received {} bytes on stream {}, {} were sent",
                                  report.there.streams[i].bytes, stream_id(i), moved[i]),
                      "", ExitCode::trial_failed});
  }
  return {};
}

IntervalReport report_of(const PhaseInterval& interval, const std::vector<StreamPlace>& places) {
  const bool only_sends =
      std::all_of(places.begin(), places.end(), [](const StreamPlace& place) { return place.sends; });
  Bytes bytes;
  for (std::size_t i = 0; i < interval.streams.size(); ++i)
    if (!places[i].sends || only_sends) bytes += Bytes(interval.streams[i].bytes);
  return {interval.start, interval.end, bytes, Transactions(0)};
}

std::vector<SideReport> sides_of(const TestReport& report) {
  SideReport here = local_side(report), there = remote_side(report);
  const bool receives_here = report.test.bidirectional || (report.test.reverse == report.client);
  if (receives_here) return {std::move(here), std::move(there)};
  return {std::move(there), std::move(here)};
}

}  // namespace vtax::iperf3

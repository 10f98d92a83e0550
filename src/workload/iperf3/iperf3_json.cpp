#include "workload/iperf3/iperf3_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/readable.h"

namespace vtax::iperf3 {
namespace {

using Json = nlohmann::ordered_json;

double rate_of(std::uint64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0;
}

double percent_of(std::uint64_t part, std::uint64_t all) {
  return all > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(all) : 0;
}

double in_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string system_info() {
  utsname names{};
  uname(&names);
  return fmt::format("{} {} {} {} {}", names.sysname, names.nodename, names.release, names.version,
                     names.machine);
}

// The keys with which everything that took time begins.
Json timed(double start, double end, double seconds, std::uint64_t bytes) {
  return {{"start", start},
          {"end", end},
          {"seconds", seconds},
          {"bytes", bytes},
          {"bits_per_second", rate_of(bytes, seconds)}};
}

class Iperf3Writer {
 public:
  explicit Iperf3Writer(const TestReport& report)
      : report_(report),
        here_seconds_(in_seconds(report.here.duration)),
        there_seconds_(in_seconds(remote_duration(report))) {}

  std::string write() const {
    Json out{{"start", start()}, {"intervals", Json::array()}};
    for (const PhaseInterval& interval : report_.here.intervals)
      out["intervals"].push_back(interval_of(interval));
    out["end"] = end();
    if (!report_.there.server_output.empty()) out["server_output_text"] = report_.there.server_output;
    if (report_.interrupted) out["error"] = "interrupt - the client has been terminated";
    return out.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
  }

 private:
  Json start() const {
    const Parameters& test = report_.test;
    const auto time = std::chrono::system_clock::to_time_t(report_.started);
    Json out;
    out["connected"] = Json::array();
    for (const StreamPlace& place : report_.places)
      out["connected"].push_back({{"socket", place.socket},
                                  {"local_host", place.local_host},
                                  {"local_port", place.local_port},
                                  {"remote_host", place.remote_host},
                                  {"remote_port", place.remote_port}});
    out["version"] = "vtax " VTAX_VERSION;
    out["system_info"] = system_info();
    out["timestamp"] = {{"time", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(time))},
                        {"timesecs", time}};
    out["connecting_to"] = {{"host", report_.peer_host}, {"port", report_.peer_port}};
    out["cookie"] = report_.cookie;
    if (!test.udp && test.segment_bytes != 0) out["tcp_mss"] = test.segment_bytes;
    if (!test.udp && test.segment_bytes == 0) out["tcp_mss_default"] = report_.control_segment_bytes;
    out["target_bitrate"] = test.bits_per_second;
    out["sock_bufsize"] = test.window_bytes;
    out["sndbuf_actual"] = report_.send_buffer_bytes;
    out["rcvbuf_actual"] = report_.receive_buffer_bytes;
    out["test_start"] = {{"protocol", test.udp ? "UDP" : "TCP"},
                         {"num_streams", test.parallel},
                         {"blksize", test.block_bytes},
                         {"omit", test.omit.count()},
                         {"duration", test.time.count()},
                         {"bytes", test.bytes},
                         {"blocks", test.blocks},
                         {"reverse", test.reverse ? 1 : 0},
                         {"tos", test.type_of_service},
                         {"target_bitrate", test.bits_per_second}};
    return out;
  }

  // Whether a direction's figures are there, and what iperf3 calls it.
  struct Way {
    bool sends;
    const char* suffix;
  };
  std::vector<Way> ways() const {
    if (report_.test.bidirectional) return {{true, ""}, {false, "_bidir_reverse"}};
    return {{!report_.test.reverse, ""}};
  }

  void add_figures(Json& out, const StreamFigures& one, bool sends) const {
    if (!report_.test.udp) {
      if (sends && one.tcp) out["retransmits"] = one.tcp->retransmits;
      return;
    }
    if (sends) {
      out["packets"] = one.messages;
      return;
    }
    const std::uint64_t packets = one.reception.received + one.reception.lost;
    out["jitter_ms"] = one.reception.jitter_ns * 1e-6;
    out["lost_packets"] = one.reception.lost;
    out["packets"] = packets;
    out["lost_percent"] = percent_of(one.reception.lost, packets);
  }

  Json interval_of(const PhaseInterval& interval) const {
    const double start = in_seconds(interval.start), end = in_seconds(interval.end);
    Json out{{"streams", Json::array()}};
    const auto close = [&](Json& one, bool sends) {
      one["omitted"] = interval.omitted;
      one["sender"] = sends;
    };
    for (std::size_t i = 0; i < interval.streams.size(); ++i) {
      const StreamFigures& one = interval.streams[i];
      Json entry{{"socket", report_.places[i].socket}};
      entry.update(timed(start, end, end - start, one.bytes));
      add_figures(entry, one, report_.places[i].sends);
      if (one.tcp) {
        entry["snd_cwnd"] = one.tcp->window;
        entry["snd_wnd"] = one.tcp->peer_window;
        entry["rtt"] = one.tcp->round_trip_us;
        entry["rttvar"] = one.tcp->round_trip_variation_us;
        entry["pmtu"] = one.tcp->path_mtu;
      }
      close(entry, report_.places[i].sends);
      out["streams"].push_back(entry);
    }
    for (const Way& way : ways()) {
      const StreamFigures sum = sum_of(interval.streams, way.sends);
      Json entry = timed(start, end, end - start, sum.bytes);
      add_figures(entry, sum, way.sends);
      close(entry, way.sends);
      out[std::string("sum") + way.suffix] = entry;
    }
    return out;
  }

  StreamFigures sum_of(const std::vector<StreamFigures>& streams, bool sends) const {
    StreamFigures sum;
    double count = 0;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (report_.places[i].sends != sends) continue;
      const StreamFigures& one = streams[i];
      sum.bytes += one.bytes;
      sum.messages += one.messages;
      sum.reception.received += one.reception.received;
      sum.reception.lost += one.reception.lost;
      sum.reception.jitter_ns += one.reception.jitter_ns;
      if (one.tcp) {
        if (!sum.tcp) sum.tcp.emplace();
        sum.tcp->retransmits += one.tcp->retransmits;
      }
      count += 1;
    }
    if (count > 0) sum.reception.jitter_ns /= count;
    return sum;
  }

  // One stream of the whole test, both sides of it.
  struct Both {
    std::uint64_t sent = 0, received = 0;
    std::optional<std::uint64_t> retransmits;
    std::uint64_t packets_sent = 0, packets_received = 0, lost = 0, reordered = 0;
    double jitter_ms = 0;
  };
  Both both_sides(std::size_t i) const {
    const StreamFigures& here = report_.here.streams[i];
    const StreamResult& there = report_.there.streams[i];
    Both out;
    if (report_.places[i].sends) {
      out = {here.bytes,
             there.bytes,
             std::nullopt,
             here.messages,
             there.measured_packets(report_.here.omitted_highest[i]),
             there.lost,
             0,
             there.jitter_seconds * 1e3};
      if (here.tcp) out.retransmits = here.tcp->retransmits;
    } else {
      out = {there.bytes,
             here.bytes,
             there.retransmits,
             there.measured_packets(report_.here.omitted_highest[i]),
             here.reception.received + here.reception.lost,
             here.reception.lost,
             here.reception.reordered,
             here.reception.jitter_ns * 1e-6};
    }
    return out;
  }

  double sender_seconds(bool sends) const { return sends ? here_seconds_ : there_seconds_; }
  double receiver_seconds(bool sends) const { return sends ? there_seconds_ : here_seconds_; }

  Json end() const {
    Json out{{"streams", Json::array()}};
    for (std::size_t i = 0; i < report_.places.size(); ++i)
      out["streams"].push_back(report_.test.udp ? udp_stream(i) : tcp_stream(i));
    for (const Way& way : ways()) add_sums(out, way);
    const Results own = results_of(report_);
    out["cpu_utilization_percent"] = {
        {"host_total", own.cpu_total},           {"host_user", own.cpu_user},
        {"host_system", own.cpu_system},         {"remote_total", report_.there.cpu_total},
        {"remote_user", report_.there.cpu_user}, {"remote_system", report_.there.cpu_system}};
    const bool reverse = report_.test.reverse || report_.test.bidirectional;
    const std::string& sender = reverse ? report_.there.congestion : report_.congestion;
    const std::string& receiver = reverse ? report_.congestion : report_.there.congestion;
    if (!report_.test.udp && !sender.empty()) out["sender_tcp_congestion"] = sender;
    if (!report_.test.udp && !receiver.empty()) out["receiver_tcp_congestion"] = receiver;
    return out;
  }

  Json tcp_stream(std::size_t i) const {
    const bool sends = report_.places[i].sends;
    const Both both = both_sides(i);
    const double sent = sender_seconds(sends), received = receiver_seconds(sends);
    Json sender{{"socket", report_.places[i].socket}}, receiver = sender;
    sender.update(timed(0, sent, sent, both.sent));
    if (both.retransmits) {
      sender["retransmits"] = *both.retransmits;
      add_extremes(sender, i);
    }
    sender["sender"] = sends;
    receiver.update(timed(0, received, received, both.received));
    receiver["sender"] = sends;
    return {{"sender", sender}, {"receiver", receiver}};
  }

  // Over the moments at which intervals ended.
  void add_extremes(Json& out, std::size_t stream) const {
    std::uint64_t window = 0, peer_window = 0, longest = 0, shortest = 0, sum = 0, count = 0;
    for (const PhaseInterval& interval : report_.here.intervals) {
      const auto& tcp = interval.streams[stream].tcp;
      if (!tcp) continue;
      window = std::max(window, tcp->window);
      peer_window = std::max(peer_window, tcp->peer_window);
      longest = std::max(longest, tcp->round_trip_us);
      shortest = count == 0 ? tcp->round_trip_us : std::min(shortest, tcp->round_trip_us);
      sum += tcp->round_trip_us;
      ++count;
    }
    out["max_snd_cwnd"] = window;
    out["max_snd_wnd"] = peer_window;
    out["max_rtt"] = longest;
    out["min_rtt"] = shortest;
    out["mean_rtt"] = count == 0 ? 0 : sum / count;
  }

  Json udp_stream(std::size_t i) const {
    const bool sends = report_.places[i].sends;
    const Both both = both_sides(i);
    Json out{{"socket", report_.places[i].socket}};
    out.update(timed(0, sender_seconds(sends), sender_seconds(sends), both.sent));
    out["jitter_ms"] = both.jitter_ms;
    out["lost_packets"] = both.lost;
    out["packets"] = both.packets_sent;
    out["lost_percent"] = percent_of(both.lost, both.packets_sent);
    out["out_of_order"] = both.reordered;
    out["sender"] = sends;
    return {{"udp", out}};
  }

  void add_sums(Json& out, const Way& way) const {
    Both sum;
    double streams = 0;
    bool all_retransmits = true;
    std::uint64_t retransmits = 0;
    for (std::size_t i = 0; i < report_.places.size(); ++i) {
      if (report_.places[i].sends != way.sends) continue;
      const Both one = both_sides(i);
      sum.sent += one.sent;
      sum.received += one.received;
      sum.packets_sent += one.packets_sent;
      sum.packets_received += one.packets_received;
      sum.lost += one.lost;
      sum.jitter_ms += one.jitter_ms;
      all_retransmits = all_retransmits && one.retransmits;
      retransmits += one.retransmits.value_or(0);
      streams += 1;
    }
    if (streams > 0) sum.jitter_ms /= streams;
    const double sent = sender_seconds(way.sends), received = receiver_seconds(way.sends);
    const auto key = [&](const char* name) { return std::string(name) + way.suffix; };
    Json from = timed(0, sent, sent, sum.sent), to = timed(0, received, received, sum.received);
    if (!report_.test.udp) {
      if (all_retransmits) from["retransmits"] = retransmits;
      from["sender"] = to["sender"] = way.sends;
      out[key("sum_sent")] = from;
      out[key("sum_received")] = to;
      return;
    }
    const auto datagrams = [](Json& into, double jitter, std::uint64_t lost, std::uint64_t packets,
                              bool sender) {
      into["jitter_ms"] = jitter;
      into["lost_packets"] = lost;
      into["packets"] = packets;
      into["lost_percent"] = percent_of(lost, packets);
      into["sender"] = sender;
    };
    Json whole = timed(0, received, received, sum.sent);
    whole["bits_per_second"] = rate_of(sum.sent, sent);
    datagrams(whole, sum.jitter_ms, sum.lost, sum.packets_sent, way.sends);
    datagrams(from, 0.0, 0, sum.packets_sent, true);
    datagrams(to, sum.jitter_ms, sum.lost, sum.packets_received, false);
    out[key("sum")] = whole;
    out[key("sum_sent")] = from;
    out[key("sum_received")] = to;
  }

  const TestReport& report_;
  double here_seconds_, there_seconds_;
};

}  // namespace

std::string iperf3_json(const Error& error) {
  std::string text = printable(error.what, 500);
  if (!error.why.empty()) text += ": " + printable(error.why, 500);
  const Json out{
      {"start",
       {{"connected", Json::array()}, {"version", "vtax " VTAX_VERSION}, {"system_info", system_info()}}},
      {"intervals", Json::array()},
      {"end", Json::object()},
      {"error", text}};
  return out.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string iperf3_json(const TestReport& report) {
  return Iperf3Writer(report).write();
}

}  // namespace vtax::iperf3

#include "core/json_fields.h"
#include "core/net_address.h"
#include "tests/fuzz/targets.h"
#include "workload/http/head_buffer.h"
#include "workload/http/request.h"
#include "workload/http/response_parser.h"
#include "workload/http/url.h"
#include "workload/iperf3/parameters.h"
#include "workload/iperf3/results.h"
#include "workload/measure/side_report_reader.h"
#include "workload/session/handshake.h"
#include "workload/session/secret.h"
#include "workload/traffic/order.h"

namespace vtax::fuzz {
namespace {

std::vector<std::string> requests() {
  return {
      "GET /index.html?a=%20b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /b/../c "
      "HTTP/1.0\r\n\r\n",
      "GET http://[::1]:80/%2e%2e/x HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\n\r\n",
      "HEAD /a/b/./c HTTP/1.1\nHost: b\n\n"};
}

// Heads are found and judged, and no path leads upwards.
bool try_request(std::string_view data) {
  http::HeadBuffer buffer(http::kLongestRequestHead);
  std::string storage;
  bool is_taken = false;
  while (!data.empty()) {
    std::size_t used = 0;
    std::string_view head;
    // In pieces whose sizes the data themselves decide.
    const std::string_view piece = data.substr(0, 1 + static_cast<unsigned char>(data[0]) % 64);
    const auto state = buffer.take(piece, used, head);
    require(used <= piece.size(), "no more is used than there is");
    data.remove_prefix(used);
    if (state == http::HeadBuffer::State::too_long) return is_taken;
    if (state != http::HeadBuffer::State::complete) continue;
    const http::Request request = http::parse_request(head);
    if (request.refusal != 0) return is_taken;
    const std::string_view path = http::path_of(request.target, storage);
    require(path.empty() || (path[0] == '/' && path.find("/../") == std::string_view::npos),
            "no path leads upwards");
    is_taken = true;
  }
  return is_taken;
}

std::vector<std::string> responses() {
  return {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n",
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\nnothing"};
}

// The same in one piece and in many.
bool try_response(std::string_view data) {
  http::ResponseParser whole, pieces;
  const std::size_t used = whole.feed(data);
  require(used <= data.size(), "no more is used than there is");
  std::size_t at = 0;
  while (at < data.size() && !pieces.done() && !pieces.bad())
    at += pieces.feed(data.substr(at, 1 + static_cast<unsigned char>(data[at]) % 16));
  require(at == used && pieces.state() == whole.state() && pieces.content() == whole.content() &&
              pieces.status() == whole.status() && pieces.keep_alive() == whole.keep_alive(),
          "pieces say what the whole says");
  whole.end();
  return whole.done();
}

std::vector<std::string> iperf3_messages() {
  return {
      R"({"tcp":true,"omit":0,"time":10,"num":0,"blockcount":0,"parallel":2,"len":131072,"bandwidth":1000000,
              "pacing_timer":1000,"client_version":"3.18"})",
      R"({"udp":true,"reverse":true,"omit":1,"time":0,"num":1000000,"parallel":1,"len":1448})",
      R"({"cpu_util_total":81.0,"cpu_util_user":2.4,"cpu_util_system":78.6,"sender_has_retransmits":1,
              "streams":[{"id":1,"bytes":2353250682,"retransmits":18446744073709551615,"jitter":0,"errors":0,
              "packets":0,"start_time":0,"end_time":1.000127},{"id":3,"bytes":5,"retransmits":12,"jitter":0.25,
              "errors":2,"omitted_errors":1,"packets":7,"omitted_packets":2,"start_time":0,"end_time":1}]})"};
}

// Refused, or within every limit.
bool try_iperf3(std::string_view text) {
  const auto fields = JsonFields::parse("read it", text);
  if (!fields) return false;
  const auto test = iperf3::Parameters::from(*fields);
  if (test) require(test->check() && test->streams() <= 256, "what is asked for is within the limits");
  iperf3::Parameters two;
  two.parallel = 2;
  const auto results = iperf3::Results::from(*fields, two);
  if (!results) return test.has_value();
  require(results->streams.size() == 2, "there are as many streams as were asked for");
  for (const auto& one : results->streams)
    require(one.lost <= one.packets && one.seconds >= 0, "no more are lost than were sent");
  return true;
}

std::vector<std::string> session_messages() {
  return {
      R"({"vtax":1,"challenge":"0123456789abcdef0123456789abcdef","proof":"00"})",
      R"({"order":"run","work":"tcp-stream","bytes":1000000,"write_bytes":65536,"streams":1,"time_limit_ns":1000})",
      R"({"work":"tcp-rr","transactions":500,"request_bytes":1,"response_bytes":1,"bytes":0,"write_bytes":1448,
              "count":1,"limit_ns":1000000000})",
      R"({"bytes":1,"packets":2,"transactions":3,"ns":4,"cpu_ns":5})"};
}

// Nobody is let in who does not know the secret, whatever he sends.
bool try_session(std::string_view text) {
  const auto fields = JsonFields::parse("read it", text);
  if (!fields) return false;
  static const Secret secret = Secret::from_text("correct-horse-battery").value();
  require(!challenge_of(*fields, "fedcba9876543210fedcba9876543210", secret), "a stranger is kept out");
  const auto order = Order::from(*fields);
  if (order) require(order->check().has_value(), "an order is within the limits");
  (void)read_side_report(*fields);
  return true;
}

std::vector<std::string> addresses() {
  return {"127.0.0.1",
          "::1",
          "[::1]",
          "localhost",
          "fe80::1%lo",
          "[fe80::1%25lo]",
          "2001:db8::1",
          "http://[::1]:8080/a?b",
          "http://127.0.0.1/index.html",
          "192.168.122.1:5201"};
}

bool try_address(std::string_view text) {
  const auto address = NetAddress::parse(text, 5201);
  const auto url = http::parse_url(text);
  if (url) require(http::parse_url(url->text()).has_value(), "a URL's text is a URL");
  if (!address) return url.has_value();
  require(address->port() == 5201, "an address keeps its port");
  const auto again = NetAddress::parse(address->host(), 5201);
  require(again && again->text() == address->text(), "an address' text is the address");
  return true;
}

}  // namespace

std::vector<Target> targets_of_networks() {
  return {{"http-request", requests, try_request},
          {"http-response", responses, try_response},
          {"iperf3", iperf3_messages, try_iperf3},
          {"session", session_messages, try_session},
          {"address", addresses, try_address}};
}

}  // namespace vtax::fuzz

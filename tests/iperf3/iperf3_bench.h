#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "workload/http/testing/peer_program.h"
#include "workload/http/testing/stock_server.h"

// Both roles as programs, over loopback: vtax's and the stock iperf3.
namespace vtax::iperf3 {

using Words = std::vector<std::string>;
using http::PeerProgram;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline std::optional<std::string> stock_program() {
  return http::find_program("iperf3");
}

// Another version beside the installed one (scripts/fetch-iperf3).
inline std::optional<std::string> other_stock_program() {
  const std::string path = VTAX_SOURCE_DIR "/build/peers/iperf3/iperf3";
  return access(path.c_str(), X_OK) == 0 ? std::optional(path) : std::nullopt;
}

// Without a connection, which would be a test to the server.
inline bool listens(std::uint16_t port, milliseconds longest = seconds(2)) {
  const std::string wanted = fmt::format("0100007F:{:04X} 00000000:0000 0A", port);
  const auto end = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < end) {
    std::ifstream table("/proc/net/tcp");
    const std::string text((std::istreambuf_iterator<char>(table)), std::istreambuf_iterator<char>());
    if (text.find(wanted) != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

inline Words joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// A program that serves on a free port of 127.0.0.1 until the object goes.
class Serving {
 public:
  explicit Serving(bool stock, const Words& more = {}) : port(http::free_port()) {
    const Words command =
        stock ? Words{*stock_program(), "-s", "-B", "127.0.0.1", "-p", std::to_string(port)}
              : Words{VTAX_PROGRAM, "workload", "iperf3-server", "--port", std::to_string(port)};
    auto started = PeerProgram::start(joined(command, more));
    EXPECT_TRUE(started);
    if (started) program.emplace(std::move(*started));
    for (int i = 0; i < 100 && !stock && !says("istening"); ++i)
      std::this_thread::sleep_for(milliseconds(20));
    // A stock server's words stay in its buffer.
    if (stock) {
      EXPECT_TRUE(listens(port));
    }
  }
  [[nodiscard]] bool says(const std::string& text) const {
    return program->output().find(text) != std::string::npos;
  }
  [[nodiscard]] bool comes_to_say(const std::string& text) const {
    for (int i = 0; i < 250 && !says(text); ++i) std::this_thread::sleep_for(milliseconds(20));
    return says(text);
  }
  // Of a server with --json: how many it has printed, and the last.
  [[nodiscard]] int reports() const {
    int count = 0;
    const std::string text = program->output();
    for (auto at = text.find("\n{"); at != std::string::npos; at = text.find("\n{", at + 1)) ++count;
    return text.ends_with('\n') ? count : count - 1;
  }
  [[nodiscard]] json last_report() const {
    const std::string text = program->output();
    const auto begin = text.rfind("\n{");
    return json::parse(text.substr(begin == std::string::npos ? 0 : begin), nullptr, false);
  }

  std::uint16_t port;
  std::optional<PeerProgram> program;
};

inline PeerProgram::End run_program(const Words& command) {
  auto started = PeerProgram::start(command);
  EXPECT_TRUE(started);
  return started ? started->wait(seconds(20)) : PeerProgram::End{};
}

// Without what a program writes to standard error before its JSON and behind it.
inline json json_in(const std::string& text) {
  const auto found = text.find("\n{"), last = text.rfind("\n}");
  const auto begin = text.starts_with('{') || found == std::string::npos ? 0 : found;
  const auto end = last == std::string::npos || last < begin ? text.size() : last + 2;
  return json::parse(text.substr(begin, end - begin), nullptr, false);
}

inline bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

inline PeerProgram::End stock_client(std::uint16_t port, const Words& more) {
  return run_program(joined({*stock_program(), "-c", "127.0.0.1", "-p", std::to_string(port), "-J"}, more));
}

inline PeerProgram::End vtax_client(std::uint16_t port, const Words& more,
                                    const std::string& format = "json") {
  return run_program(joined({VTAX_PROGRAM, "workload", "iperf3-client", "127.0.0.1", "--port",
                             std::to_string(port), "--format", format},
                            more));
}

}  // namespace vtax::iperf3

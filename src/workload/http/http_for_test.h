#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>

#include "workload/http/server.h"

namespace vtax::http {

// A directory that goes with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vtax-http-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// serve() in a thread of its own, until the end of the test.
class TestServer {
 public:
  TestServer(const Site& site, ServerOptions options) : stop_(eventfd(0, EFD_CLOEXEC)) {
    options.stop_fd = stop_.get();
    std::promise<std::uint16_t> port;
    auto listening = port.get_future();
    thread_ = std::thread([&site, options, this, port = std::move(port)]() mutable {
      report_.emplace(serve(site, options, [&](std::uint16_t at) { port.set_value(at); }));
    });
    port_ = listening.get();
  }
  ~TestServer() { (void)stop(); }

  Result<SideReport> stop() {
    const std::uint64_t one = 1;
    if (thread_.joinable()) {
      EXPECT_EQ(write(stop_.get(), &one, sizeof one), 8);
      thread_.join();
    }
    return *report_;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Descriptor stop_;
  std::optional<Result<SideReport>> report_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

// A blocking connection that gives up after 5 seconds of silence.
inline Descriptor connect_to(std::uint16_t port) {
  Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in at = loopback(port);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  const timeval limit{5, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

inline void put(int fd, std::string_view text) {
  (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

// All that comes up to the end of the connection.
inline std::string all_of(int fd) {
  std::string out;
  char buffer[4096];
  while (true) {
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) {
      EXPECT_TRUE(got == 0 || errno == ECONNRESET) << "waited in vain for the connection's end";
      return out;
    }
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

// A web server that does what the test says: `behave` gets each connection, one after the other.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(int fd)> behave)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), size), 0);
    EXPECT_EQ(listen(listener_.get(), 128), 0);
    EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this, behave = std::move(behave)] {
      while (!over_) {
        pollfd ready{listener_.get(), POLLIN, 0};
        if (poll(&ready, 1, 20) <= 0) continue;
        const Descriptor fd(accept(listener_.get(), nullptr, nullptr));
        const timeval limit{2, 0};
        setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (fd.valid()) behave(fd.get());
      }
    });
  }
  ~ScriptedServer() {
    over_ = true;
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

// One request's head; false at the connection's end.
inline bool take_request(int fd) {
  std::string seen;
  char c = 0;
  while (!seen.ends_with("\r\n\r\n")) {
    if (recv(fd, &c, 1, 0) != 1) return false;
    seen += c;
  }
  return true;
}

}  // namespace vtax::http

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/result.h"
#include "workload/http/testing/peer_program.h"

namespace vtax::http {

// A stock web server on a free port of 127.0.0.1, with a configuration of its own in a temporary directory,
// so that the machine's own is neither read nor changed. It ends with this object.
class StockServer {
 public:
  // nginx with one process, set for static files: no log, sendfile, cached descriptors, endless keep-alive.
  [[nodiscard]] static Result<StockServer> nginx(const std::filesystem::path& root, int cpu = -1);
  // Apache 2.4 with its event module, in one process.
  [[nodiscard]] static Result<StockServer> apache(const std::filesystem::path& root);
  StockServer(StockServer&& other) noexcept;
  StockServer& operator=(StockServer&&) = delete;
  ~StockServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const PeerProgram& program() const { return program_; }

 private:
  StockServer(PeerProgram program, std::filesystem::path folder, std::uint16_t port);
  static Result<StockServer> start(const std::vector<std::string>& arguments,
                                   const std::filesystem::path& folder, std::uint16_t port, int cpu);

  PeerProgram program_;
  std::filesystem::path folder_;
  std::uint16_t port_;
};

// A port of 127.0.0.1 that nobody uses at the moment.
[[nodiscard]] std::uint16_t free_port();

// Whether somebody listens there before `longest` is over.
[[nodiscard]] bool listens(std::uint16_t port, std::chrono::milliseconds longest);

}  // namespace vtax::http

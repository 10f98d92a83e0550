#include "workload/http/testing/stock_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include "core/descriptor.h"

namespace vtax::http {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

std::filesystem::path temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vtax-stock-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  std::filesystem::permissions(folder, std::filesystem::perms(0755));  // servers read it as somebody else
  return folder;
}

constexpr const char* kNginxConfiguration = R"(daemon off;
master_process off;
pid {0}/pid;
error_log {0}/error.log crit;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  open_file_cache max=4000 inactive=1h;
  open_file_cache_valid 1h;
  client_body_temp_path {0}/body;
  proxy_temp_path {0}/proxy;
  fastcgi_temp_path {0}/fastcgi;
  uwsgi_temp_path {0}/uwsgi;
  scgi_temp_path {0}/scgi;
  server {{ listen 127.0.0.1:{1} backlog=4096; root {2}; }}
}}
)";

constexpr const char* kApacheConfiguration = R"(ServerRoot {0}
ServerName 127.0.0.1
PidFile {0}/pid
ErrorLog {0}/error.log
DefaultRuntimeDir {0}
LoadModule mpm_event_module {3}/mod_mpm_event.so
LoadModule authz_core_module {3}/mod_authz_core.so
{4}
Listen 127.0.0.1:{1}
DocumentRoot {2}
KeepAlive On
MaxKeepAliveRequests 0
)";

}  // namespace

std::uint16_t free_port() {
  const Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return 0;
  return ntohs(at.sin_port);
}

bool listens(std::uint16_t port, std::chrono::milliseconds longest) {
  const auto limit = std::chrono::steady_clock::now() + longest;
  const sockaddr_in at = loopback(port);
  while (std::chrono::steady_clock::now() < limit) {
    const Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

StockServer::StockServer(PeerProgram program, std::filesystem::path folder, std::uint16_t port)
    : program_(std::move(program)), folder_(std::move(folder)), port_(port) {}

StockServer::StockServer(StockServer&& other) noexcept
    : program_(std::move(other.program_)), folder_(std::exchange(other.folder_, {})), port_(other.port_) {}

StockServer::~StockServer() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<StockServer> StockServer::start(const std::vector<std::string>& arguments,
                                       const std::filesystem::path& folder, std::uint16_t port, int cpu) {
  auto program = PeerProgram::start(arguments, cpu);
  if (!program) return fail(program.error());
  if (!listens(port, std::chrono::seconds(10))) {
    Error error{"cannot start " + arguments[0], program->output(), "", ExitCode::unavailable};
    std::filesystem::remove_all(folder);
    return fail(error);
  }
  return StockServer(std::move(*program), folder, port);
}

Result<StockServer> StockServer::nginx(const std::filesystem::path& root, int cpu) {
  const auto found = find_program("nginx");
  if (!found)
    return fail(
        {"cannot start nginx", "it is not installed", "apt install nginx-light", ExitCode::unavailable});
  const std::filesystem::path folder = temporary_folder();
  const std::uint16_t port = free_port();
  std::ofstream(folder / "nginx.conf")
      << fmt::format(kNginxConfiguration, folder.string(), port, root.string());
  return start({*found, "-p", folder.string(), "-e", (folder / "error.log").string(), "-c",
                (folder / "nginx.conf").string()},
               folder, port, cpu);
}

Result<StockServer> StockServer::apache(const std::filesystem::path& root) {
  const auto found = find_program("apache2");
  const std::string modules = "/usr/lib/apache2/modules";
  if (!found || !std::filesystem::exists(modules + "/mod_mpm_event.so"))
    return fail(
        {"cannot start Apache", "it is not installed", "apt install apache2-bin", ExitCode::unavailable});
  const std::filesystem::path folder = temporary_folder();
  const std::uint16_t port = free_port();
  std::ofstream(folder / "apache.conf")
      << fmt::format(kApacheConfiguration, folder.string(), port, root.string(), modules,
                     geteuid() == 0 ? "User nobody\nGroup nogroup" : "");
  return start({*found, "-X", "-f", (folder / "apache.conf").string()}, folder, port, -1);
}

}  // namespace vtax::http

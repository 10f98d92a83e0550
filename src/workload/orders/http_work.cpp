#include "workload/orders/http_work.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "core/descriptor.h"
#include "workload/http/client.h"
#include "workload/http/server.h"

namespace vtax {
namespace {

constexpr std::uint64_t kLongestHttpNs = 3'600'000'000'000;
constexpr std::uint64_t kHttpSeed = 1;

http::FileSet http_files() {
  return http::FileSet(kHttpSeed, http::Sizes::table, HttpWork::kSetDirectories);
}

// A web server on a thread of this process, until it is told to end.
class HttpServing {
 public:
  static Result<std::unique_ptr<HttpServing>> start(const HttpWork& work, const std::string& ipv4,
                                                    std::uint16_t port) {
    auto site = work.file_set ? http::Site::of(http_files()) : http::Site::of_one_file(work.file_bytes);
    if (!site) return fail(site.error());
    std::unique_ptr<HttpServing> self(new HttpServing(std::move(*site)));
    if (!self->stop_.valid()) return fail(system_error("cannot start the web server", errno));
    http::ServerOptions options;
    options.address = ipv4;
    options.port = port;
    options.idle = std::chrono::hours(1);  // nobody else's connections come here
    options.stop_fd = self->stop_.get();
    self->thread_ = std::thread([&running = *self, options] { running.serve(options); });
    std::unique_lock lock(self->mutex_);
    self->changed_.wait(lock, [&] { return self->listens_ || self->report_; });
    if (self->report_ && !*self->report_) return fail(self->report_->error());
    return self;
  }

  HttpServing(const HttpServing&) = delete;
  HttpServing& operator=(const HttpServing&) = delete;
  ~HttpServing() { end(); }

  Result<SideReport> finish() {
    end();
    return std::move(*report_);
  }

 private:
  explicit HttpServing(http::Site site) : site_(std::move(site)), stop_(eventfd(0, EFD_CLOEXEC)) {}

  void serve(const http::ServerOptions& options) {
    auto report = http::serve(site_, options, [this](std::uint16_t) {
      const std::lock_guard guard(mutex_);
      listens_ = true;
      changed_.notify_all();
    });
    const std::lock_guard guard(mutex_);
    report_ = std::move(report);
    changed_.notify_all();
  }

  void end() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    static_cast<void>(!write(stop_.get(), &one, sizeof one));
    thread_.join();
  }

  http::Site site_;
  Descriptor stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool listens_ = false;
  std::optional<Result<SideReport>> report_;
  std::thread thread_;
};

// One endpoint is one process.
std::unique_ptr<HttpServing>& http_serving() {
  static std::unique_ptr<HttpServing> one;
  return one;
}

struct HttpPlace {
  HttpWork work;
  std::string ipv4;
  std::uint16_t port = 0;
};

Result<HttpPlace> http_place(const JsonFields& order) {
  const auto fields = order.object("work");
  if (!fields) return fail(fields.error());
  const auto work = HttpWork::from(*fields);
  if (!work) return fail(work.error());
  const auto ipv4 = order.text("ipv4", 16);
  if (!ipv4) return fail(ipv4.error());
  const auto port = order.number("port", 1, 65535);
  if (!port) return fail(port.error());
  return HttpPlace{*work, *ipv4, static_cast<std::uint16_t>(*port)};
}

Result<nlohmann::json> serve_http(const JsonFields& order) {
  const auto place = http_place(order);
  if (!place) return fail(place.error());
  http_serving().reset();
  auto started = HttpServing::start(place->work, place->ipv4, place->port);
  if (!started) return fail(started.error());
  http_serving() = std::move(*started);
  return nlohmann::json{{"state", "done"}};
}

Result<http::Load> load_of(const HttpPlace& place, std::chrono::nanoseconds limit) {
  auto url = http::parse_url(fmt::format("http://{}:{}/", place.ipv4, place.port));
  if (!url) return fail(url.error());
  const HttpWork& work = place.work;
  http::Load load;
  load.url = std::move(*url);
  load.total = work.requests;
  load.connections = work.connections;
  load.requests_per_connection = static_cast<std::uint32_t>(work.requests_per_connection);
  load.keep_alive = work.requests_per_connection > 1;
  load.mode = work.connections_per_second == 0 ? http::Load::Mode::closed : http::Load::Mode::connections;
  load.rate = static_cast<double>(work.connections_per_second);
  load.duration = load.timeout = limit;
  load.seed = kHttpSeed;
  return load;
}

Result<nlohmann::json> ask_http(const JsonFields& order) {
  const auto place = http_place(order);
  if (!place) return fail(place.error());
  const auto window = order.boolean("window");
  if (!window) return fail(window.error());
  const auto lead = order.number("lead_ns", 0, kLongestHttpNs),
             trail = order.number("trail_ns", 0, kLongestHttpNs),
             limit = order.number("limit_ns", 1, kLongestHttpNs);
  for (const auto* number : {&lead, &trail, &limit})
    if (!*number) return fail(number->error());
  const auto load = load_of(*place, std::chrono::nanoseconds(*limit));
  if (!load) return fail(load.error());
  const http::RequestSource source = place->work.file_set
                                         ? http::RequestSource(load->url, load->url.authority(), http_files())
                                         : http::RequestSource(load->url, load->url.authority());
  std::this_thread::sleep_for(std::chrono::nanoseconds(*lead));
  const auto side = http::run_requests(*load, source, *window);
  if (!side) return fail(side.error());
  std::this_thread::sleep_for(std::chrono::nanoseconds(*trail));
  return nlohmann::json{{"state", "done"}, {"side", side->to_json()}};
}

Result<nlohmann::json> end_http(const JsonFields& order) {
  if (!http_serving()) return fail(order.bad("there is no web server to end"));
  auto report = http_serving()->finish();
  http_serving().reset();
  if (!report) return fail(report.error());
  return nlohmann::json{{"state", "done"}, {"side", report->to_json()}};
}

Result<nlohmann::json> cpu_of_http() {
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) != 0) return fail(system_error("cannot read this process's time", errno));
  const auto user =
      std::chrono::seconds(used.ru_utime.tv_sec) + std::chrono::microseconds(used.ru_utime.tv_usec);
  return nlohmann::json{{"state", "done"}, {"user_ns", std::chrono::nanoseconds(user).count()}};
}

}  // namespace

nlohmann::json HttpWork::to_json() const {
  return {{"requests", requests},
          {"connections", connections},
          {"requests_per_connection", requests_per_connection},
          {"file_bytes", file_bytes},
          {"files", file_set ? "set" : "one"},
          {"connections_per_second", connections_per_second}};
}

Result<HttpWork> HttpWork::from(const JsonFields& fields) {
  HttpWork work;
  struct Amount {
    const char* key;
    std::uint64_t least, most;
    std::uint64_t* into;
  };
  for (const Amount& amount :
       {Amount{"requests", 1, kMostRequests, &work.requests},
        Amount{"connections", 1, kMostConnections, &work.connections},
        Amount{"requests_per_connection", 1, kMostPerConnection, &work.requests_per_connection},
        Amount{"file_bytes", 0, kMostFileBytes, &work.file_bytes},
        Amount{"connections_per_second", 0, kMostRate, &work.connections_per_second}}) {
    const auto number = fields.number(amount.key, amount.least, amount.most);
    if (!number) return fail(number.error());
    *amount.into = *number;
  }
  const auto files = fields.text("files", 8);
  if (!files) return fail(files.error());
  if (*files != "one" && *files != "set") return fail(fields.bad("'files' is neither one nor set"));
  work.file_set = *files == "set";
  return work;
}

std::optional<Result<nlohmann::json>> obey_http(const std::string& order, const JsonFields& fields) {
  if (order == "http-serve") return serve_http(fields);
  if (order == "http-ask") return ask_http(fields);
  if (order == "http-end") return end_http(fields);
  if (order == "http-cpu") return cpu_of_http();
  return std::nullopt;
}

}  // namespace vtax

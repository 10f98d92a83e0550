#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <sstream>
#include <utility>

#include "cli/top_sink.h"
#include "core/readable.h"
#include "watch/listen/metrics_listener.h"
#include "watch/show/metrics.h"

namespace vtax {
namespace {

class ListeningMetrics : public TopSink {
 public:
  Result<> open(const std::string& where) {
    const auto address = watch::parse_listen_address(where);
    if (!address) return fail(address.error());
    auto listener = watch::MetricsListener::open(*address, [this] {
      std::ostringstream text;
      metrics_.write(text);
      return text.str();
    });
    if (!listener) return fail(listener.error());
    listener_ = std::make_unique<watch::MetricsListener>(std::move(*listener));
    std::cerr << fmt::format("vtax: metrics on http://{}/metrics\n",
                             host_and_port(address->host(), listener_->port()));
    if (!watch::is_loopback(*address))
      std::cerr
          << "vtax: warning: whoever reaches this address can read which guests run here and what they do\n";
    std::cerr << std::flush;
    return {};
  }

  Result<> take(const watch::Reading& reading) override {
    metrics_.take(reading);
    listener_->changed();
    return {};
  }
  std::vector<pollfd> waits_for() override { return listener_->waits_for(); }
  watch::Wish woken(const std::vector<pollfd>&) override {
    listener_->serve();
    return {};
  }

 private:
  watch::Metrics metrics_;
  std::unique_ptr<watch::MetricsListener> listener_;
};

}  // namespace

Result<std::unique_ptr<TopSink>> listening_metrics(const std::string& where) {
  auto sink = std::make_unique<ListeningMetrics>();
  if (auto opened = sink->open(where); !opened) return fail(opened.error());
  return sink;
}

}  // namespace vtax

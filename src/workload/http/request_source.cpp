#include "workload/http/request_source.h"

#include <fmt/format.h>

namespace vtax::http {
namespace {

RequestSource::Target target(const Url& url, const std::string& host, const std::string& path) {
  const std::string start = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: vtax\r\n", path,
                                        host.empty() ? url.authority() : host);
  return {start + "\r\n", start + "Connection: close\r\n\r\n", std::nullopt};
}

std::vector<double> weights(const FileSet& set) {
  std::vector<double> out;
  for (const File& file : set.files()) out.push_back(file.popularity);
  return out;
}

}  // namespace

RequestSource::RequestSource(const Url& url, const std::string& host)
    : targets_{target(url, host, url.path)}, table_({1}) {}

RequestSource::RequestSource(const Url& url, const std::string& host, const FileSet& set)
    : table_(weights(set)) {
  const std::string root = url.path.ends_with('/') ? url.path.substr(0, url.path.size() - 1) : url.path;
  for (const File& file : set.files()) {
    targets_.push_back(target(url, host, root + file.path));
    targets_.back().size = file.size;
  }
}

}  // namespace vtax::http

#include "cli/workload_http_files.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/http_files_options.h"
#include "core/readable.h"

namespace vtax {
namespace {

constexpr double kKB = 1024, kMB = kKB * kKB;

struct HttpFilesGiven {
  HttpFilesOptions files;
  std::string directory, format = "text";
};

std::string text_of_figures(const http::Figures& figures) {
  std::string out = fmt::format("{:<28}{:>12}{:>16}\n", "", "this set", "dissertation");
  const auto row = [&](std::string_view name, const std::string& ours, std::string_view theirs) {
    out += fmt::format("{:<28}{:>12}{:>16}\n", name, ours, theirs);
  };
  const auto kb = [](double bytes) { return fmt::format("{:.3g} KB", bytes / kKB); };
  row("files", with_thousands(figures.files), "2,196");
  row("total", fmt::format("{:.1f} MB", static_cast<double>(figures.bytes) / kMB), "297 MB");
  row("smallest", kb(static_cast<double>(figures.smallest)), "0 KB");
  row("largest", kb(static_cast<double>(figures.largest)), "900 KB");
  row("mean", fmt::format("{:.3f} KB", figures.mean / kKB), "138.87 KB");
  row("coefficient of variation", fmt::format("{:.2f}", figures.variation), "1.77");
  row("first quartile", kb(static_cast<double>(figures.first_quartile)), "1 KB");
  row("median", kb(static_cast<double>(figures.median)), "20 KB");
  row("third quartile", kb(static_cast<double>(figures.third_quartile)), "100 KB");
  row("mean of a request", fmt::format("{:.2f} KB", figures.requested_mean / kKB), "");
  return out;
}

nlohmann::json json_of_files(const http::FileSet& set, const http::Figures& figures) {
  nlohmann::json files = nlohmann::json::array();
  for (const http::File& file : set.files())
    files.push_back({{"path", file.path}, {"bytes", file.size}, {"popularity", file.popularity}});
  return {{"seed", set.seed()},
          {"files", figures.files},
          {"bytes", figures.bytes},
          {"smallest_bytes", figures.smallest},
          {"largest_bytes", figures.largest},
          {"mean_bytes", figures.mean},
          {"coefficient_of_variation", figures.variation},
          {"first_quartile_bytes", figures.first_quartile},
          {"median_bytes", figures.median},
          {"third_quartile_bytes", figures.third_quartile},
          {"requested_mean_bytes", figures.requested_mean},
          {"list", files}};
}

Result<ExitCode> run_http_files(const HttpFilesGiven& given) {
  const http::FileSet set = given.files.make();
  if (!given.directory.empty())
    if (Result<> written = set.write(given.directory); !written) return fail(written.error());
  if (given.format == "json")
    std::cout
        << json_of_files(set, set.figures()).dump(2, ' ', true, nlohmann::json::error_handler_t::replace)
        << '\n';
  else
    std::cout << printable_lines(text_of_figures(set.figures()));
  if (!std::cout.flush()) return fail({"cannot write to standard output", "", "", ExitCode::io});
  return ExitCode::ok;
}

Verb::Action add_http_files_verb_options(CLI::App& app) {
  auto given = std::make_shared<HttpFilesGiven>();
  add_http_files_options(app, given->files);
  app.add_option("--write", given->directory, "Write the files into this directory, new or empty");
  app.add_option("--format", given->format, "json: with every file and its popularity")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  return [given] { return run_http_files(*given); };
}

}  // namespace

Verb http_files_verb() {
  return {"http-files", "The web server's file set: its figures, and the files themselves for another server",
          "vtax workload http-files --seed 1 --write /srv/www/specweb", add_http_files_verb_options};
}

}  // namespace vtax

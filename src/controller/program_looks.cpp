#include "controller/program_looks.h"

#include <cstdint>
#include <string>

namespace vtax::controller {
namespace {

Result<> add_mapped_of(const JsonFields& answer, const End& end, int cpu, nlohmann::json& all) {
  constexpr std::size_t kMost = 256;
  const auto mapped = answer.array("mapped", kMost);
  if (!mapped) return fail(mapped.error());
  for (nlohmann::json code : *mapped) {
    if (!code.is_object()) return fail(answer.bad("'mapped' has something else than objects"));
    code["domain"] = end.in_guest ? end.name : "";
    code["cpu"] = end.in_guest ? -1 : cpu;
    all.push_back(std::move(code));
  }
  return {};
}

// All programs' together, as a message has them, which may have 1 MiB.
constexpr std::size_t kMostRunTimeBytes = 512 << 10;

Result<> add_run_time_names(const JsonFields& answer, std::size_t most_bytes, const End& end, int cpu,
                            nlohmann::json& all) {
  auto functions = answer.text("functions", most_bytes);
  if (!functions) return fail(functions.error());
  const auto left_out = answer.number("left_out", 0, ~std::uint64_t{0});
  if (!left_out) return fail(left_out.error());
  if (functions->empty() && *left_out == 0) return {};
  all.push_back({{"domain", end.in_guest ? end.name : ""},
                 {"cpu", end.in_guest ? -1 : cpu},
                 {"functions", std::move(*functions)},
                 {"left_out", *left_out}});
  return {};
}

// Whether no other program runs on the end's kernel. Each guest has one of its own.
bool is_alone(const ProgramPairs& pairs, const End& end) {
  if (end.in_guest) return true;
  std::size_t programs = 0;
  for (const ProgramPair& pair : pairs) {
    if (!pair.client->in_guest) ++programs;
    if (pairs.have_servers() && !pair.server->in_guest) ++programs;
  }
  return programs == 1;
}

}  // namespace

Result<> add_mapped(const ProgramPairs& pairs, const ProgramPair& pair, const JsonFields& answer,
                    nlohmann::json& all) {
  Result<> added = add_mapped_of(answer, *pair.client, pair.client_cpu, all);
  if (!added || !pairs.have_servers()) return added;
  const auto serving = pair.server->client->ask({{"do", "program-mapped"}}, pairs.patience());
  if (!serving) return fail(serving.error());
  return add_mapped_of(*serving, *pair.server, pair.server_cpu, all);
}

Result<nlohmann::json> run_time_names_of(const ProgramPairs& pairs) {
  nlohmann::json all = nlohmann::json::array();
  const std::size_t programs = pairs.size() * (pairs.have_servers() ? 2 : 1);
  const std::size_t most_bytes = kMostRunTimeBytes / programs;
  const auto see = [&](const char* whose, const End& end, int cpu) -> Result<> {
    const auto answer = end.client->ask({{"do", "program-run-time"},
                                         {"whose", whose},
                                         {"alone", is_alone(pairs, end)},
                                         {"most_bytes", most_bytes}},
                                        pairs.patience());
    return answer ? add_run_time_names(*answer, most_bytes, end, cpu, all) : Result<>(fail(answer.error()));
  };
  for (const ProgramPair& pair : pairs) {
    Result<> seen = see("client", *pair.client, pair.client_cpu);
    if (seen && pairs.have_servers()) seen = see("server", *pair.server, pair.server_cpu);
    if (!seen) return fail(seen.error());
  }
  return all;
}

}  // namespace vtax::controller

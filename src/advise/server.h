#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.h"
#include "core/result.h"
#include "study/study.h"

// What advice is asked about: a server, what it is to carry, what must hold, what to minimise. docs/advice.md
// has the file's form.
namespace vtax::advise {

inline constexpr double kPercent = 100;  // of a share

struct Application {
  std::string name;                 // unique; a letter, then letters, digits and '-'
  std::string workload;             // of the catalogue
  double rate = 0;                  // Mb/s of payload, or transactions a second; of all its guests together
  std::vector<std::string> guests;  // canonical; on how many systems it may be spread
  FactorValues factors;             // every factor of the workload but amounts: values that may be chosen
  std::optional<double> most_p99_us{};  // of an exchange, of those who ask one after the other
};

enum class Aim {
  cost,         // CPUs of work, at the rates that are asked for
  busiest_cpu,  // share of its time
  p99,          // of the slowest application's exchanges
};

struct Server {
  std::string name;
  int cpus = 1;
  double cpu_mips = 0;                 // million instructions a second, of each CPU
  double link_mbps = 0;                // of the wire, each way; 0: it limits nothing
  std::string card = "eth0";           // for the commands
  std::vector<std::string> platforms;  // at hand; empty: all that the model knows
  FactorValues choices;                // common factors: values that may be chosen
  std::vector<Application> applications;
  double most_busy_percent = 80;   // of each CPU and of the wire
  bool own_kernel = false;         // each application in a guest with a kernel of its own
  double least_share_percent = 0;  // of a CPU, for each guest, whatever the others do
  Aim minimise = Aim::cost;
};

// Common factors that a server may choose; the others say how something is measured, or are the server's own.
[[nodiscard]] const std::vector<std::string_view>& choosable_factors();

// `shown_name` names the text in errors. Errors: usage, with line, column, key and what is allowed; wishes
// that contradict each other.
[[nodiscard]] Result<Server> parse_server(std::string_view text, std::string_view shown_name);

// A file, or the name of one that comes with vtax (folder servers/).
[[nodiscard]] Result<Server> find_server(std::string_view path_or_name);
[[nodiscard]] std::vector<std::string> built_in_servers();

}  // namespace vtax::advise

template <>
inline constexpr auto vtax::enum_names<vtax::advise::Aim> =
    vtax::EnumNames<vtax::advise::Aim, 3>{{{vtax::advise::Aim::cost, "cost"},
                                           {vtax::advise::Aim::busiest_cpu, "busiest-cpu"},
                                           {vtax::advise::Aim::p99, "p99"}}};

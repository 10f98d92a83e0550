#pragma once

#include <map>
#include <set>
#include <string>

namespace vtax {

using Factors = std::map<std::string, std::string>;

// By workload the factors that take more than one value among its cells, without platform and workload.
class VaryingFactors {
 public:
  void add(const Factors& factors);  // of a cell; "workload" is among them
  [[nodiscard]] const std::set<std::string>& of(const std::string& workload) const;

 private:
  struct Seen {
    Factors first;  // the value that was seen first
    std::set<std::string> varying;
  };
  std::map<std::string, Seen> workloads_;
};

}  // namespace vtax

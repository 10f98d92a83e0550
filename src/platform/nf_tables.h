#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

// The few words of nf_tables that are needed, over netlink (linux/netfilter/nf_tables.h): a batch of changes
// takes effect whole or not at all.
namespace vtax::nf_tables {

// One step of a rule, with its attributes.
struct Expression {
  std::string name;
  std::vector<std::uint8_t> attributes;
};

// Steps; those that load or compare use register 1.
[[nodiscard]] Expression incoming_device();  // loads its index
[[nodiscard]] Expression outgoing_device();
[[nodiscard]] Expression destination_port();  // of TCP or UDP
[[nodiscard]] Expression equals(const std::vector<std::uint8_t>& value);
[[nodiscard]] Expression value(const std::vector<std::uint8_t>& value);
[[nodiscard]] Expression masquerade();
[[nodiscard]] Expression new_destination();  // the IPv4 address in the register

class Batch {
 public:
  void add_table(const std::string& table);
  void remove_table(const std::string& table);
  // Of type `nat`, for IPv4. hook: NF_INET_PRE_ROUTING or NF_INET_POST_ROUTING.
  void add_nat_chain(const std::string& table, const std::string& chain, std::uint32_t hook,
                     std::int32_t priority);
  void add_rule(const std::string& table, const std::string& chain, const std::vector<Expression>& steps);

  // Error: the kernel's word for what it refuses.
  [[nodiscard]] Result<> commit();

 private:
  std::vector<std::vector<std::uint8_t>> messages_;
};

}  // namespace vtax::nf_tables

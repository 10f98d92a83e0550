#include "platform/nf_tables.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/descriptor.h"

namespace vtax::nf_tables {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kIpv4Family = 2;  // NFPROTO_IPV4

void append(Bytes& to, const void* data, std::size_t size) {
  const auto* from = static_cast<const std::uint8_t*>(data);
  to.insert(to.end(), from, from + size);
  to.resize(NLMSG_ALIGN(to.size()));
}

void put(Bytes& to, std::uint16_t type, const void* data, std::size_t size) {
  const nlattr header{static_cast<std::uint16_t>(sizeof header + size), type};
  append(to, &header, sizeof header);
  append(to, data, size);
}

void put(Bytes& to, std::uint16_t type, const std::string& text) {
  put(to, type, text.c_str(), text.size() + 1);
}

void put_number(Bytes& to, std::uint16_t type, std::uint32_t number) {
  const std::uint32_t big_endian = htonl(number);
  put(to, type, &big_endian, sizeof big_endian);
}

void put_nested(Bytes& to, std::uint16_t type, const Bytes& inner) {
  put(to, static_cast<std::uint16_t>(type | NLA_F_NESTED), inner.data(), inner.size());
}

Bytes message(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t subsystem,
              const Bytes& attributes) {
  Bytes out;
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + sizeof(nfgenmsg) + attributes.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  append(out, &header, sizeof header);
  const nfgenmsg family_header{family, NFNETLINK_V0, htons(subsystem)};
  append(out, &family_header, sizeof family_header);
  out.insert(out.end(), attributes.begin(), attributes.end());
  return out;
}

Bytes change(int what, std::uint16_t flags, const Bytes& attributes) {
  return message(static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | what),
                 static_cast<std::uint16_t>(flags | NLM_F_ACK), kIpv4Family, 0, attributes);
}

Bytes data_of(const Bytes& value) {
  Bytes out;
  put(out, NFTA_DATA_VALUE, value.data(), value.size());
  return out;
}

Expression load_meta(std::uint32_t key) {
  Expression out{"meta", {}};
  put_number(out.attributes, NFTA_META_DREG, NFT_REG_1);
  put_number(out.attributes, NFTA_META_KEY, key);
  return out;
}

Error refused(int why) {
  Error error = system_error("cannot arrange address translation (nf_tables)", why);
  if (why == ENOENT || why == EOPNOTSUPP || why == EPROTONOSUPPORT)
    error.next = "the kernel needs nf_tables with nft_chain_nat, nft_masq and nft_nat";
  error.code = ExitCode::unavailable;
  return error;
}

}  // namespace

Expression incoming_device() {
  return load_meta(NFT_META_IIF);
}

Expression outgoing_device() {
  return load_meta(NFT_META_OIF);
}

Expression destination_port() {
  Expression out{"payload", {}};
  put_number(out.attributes, NFTA_PAYLOAD_DREG, NFT_REG_1);
  put_number(out.attributes, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
  put_number(out.attributes, NFTA_PAYLOAD_OFFSET, 2);
  put_number(out.attributes, NFTA_PAYLOAD_LEN, 2);
  return out;
}

Expression equals(const Bytes& value) {
  Expression out{"cmp", {}};
  put_number(out.attributes, NFTA_CMP_SREG, NFT_REG_1);
  put_number(out.attributes, NFTA_CMP_OP, NFT_CMP_EQ);
  put_nested(out.attributes, NFTA_CMP_DATA, data_of(value));
  return out;
}

Expression value(const Bytes& value) {
  Expression out{"immediate", {}};
  put_number(out.attributes, NFTA_IMMEDIATE_DREG, NFT_REG_1);
  put_nested(out.attributes, NFTA_IMMEDIATE_DATA, data_of(value));
  return out;
}

Expression masquerade() {
  return {"masq", {}};
}

Expression new_destination() {
  Expression out{"nat", {}};
  put_number(out.attributes, NFTA_NAT_TYPE, NFT_NAT_DNAT);
  put_number(out.attributes, NFTA_NAT_FAMILY, kIpv4Family);
  put_number(out.attributes, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
  return out;
}

void Batch::add_table(const std::string& table) {
  Bytes attributes;
  put(attributes, NFTA_TABLE_NAME, table);
  messages_.push_back(change(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, attributes));
}

void Batch::remove_table(const std::string& table) {
  Bytes attributes;
  put(attributes, NFTA_TABLE_NAME, table);
  messages_.push_back(change(NFT_MSG_DELTABLE, 0, attributes));
}

void Batch::add_nat_chain(const std::string& table, const std::string& chain, std::uint32_t hook,
                          std::int32_t priority) {
  Bytes place, attributes;
  put_number(place, NFTA_HOOK_HOOKNUM, hook);
  put_number(place, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(priority));
  put(attributes, NFTA_CHAIN_TABLE, table);
  put(attributes, NFTA_CHAIN_NAME, chain);
  put_nested(attributes, NFTA_CHAIN_HOOK, place);
  put(attributes, NFTA_CHAIN_TYPE, std::string("nat"));
  messages_.push_back(change(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, attributes));
}

void Batch::add_rule(const std::string& table, const std::string& chain,
                     const std::vector<Expression>& steps) {
  Bytes list, attributes;
  for (const Expression& step : steps) {
    Bytes element;
    put(element, NFTA_EXPR_NAME, step.name);
    put_nested(element, NFTA_EXPR_DATA, step.attributes);
    put_nested(list, NFTA_LIST_ELEM, element);
  }
  put(attributes, NFTA_RULE_TABLE, table);
  put(attributes, NFTA_RULE_CHAIN, chain);
  put_nested(attributes, NFTA_RULE_EXPRESSIONS, list);
  messages_.push_back(change(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, attributes));
}

Result<> Batch::commit() {
  Bytes all = message(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES, {});
  for (const Bytes& one : messages_) append(all, one.data(), one.size());
  const Bytes end = message(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES, {});
  append(all, end.data(), end.size());

  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket.valid()) return fail(refused(errno));
  const timeval patience{5, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (send(socket.get(), all.data(), all.size(), 0) != static_cast<ssize_t>(all.size()))
    return fail(refused(errno));
  // Each change is acknowledged, or the first that is refused names the reason for all.
  std::size_t acknowledged = 0;
  while (acknowledged < messages_.size()) {
    std::array<std::uint8_t, 8192> answers{};
    const ssize_t got = recv(socket.get(), answers.data(), answers.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(refused(got < 0 ? errno : EPIPE));
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } answer{};
    for (std::size_t at = 0; at + sizeof answer <= static_cast<std::size_t>(got);
         at += std::max<std::size_t>(NLMSG_ALIGN(answer.header.nlmsg_len), sizeof answer)) {
      std::memcpy(&answer, answers.data() + at, sizeof answer);
      if (answer.header.nlmsg_type != NLMSG_ERROR) continue;
      if (answer.error.error != 0) return fail(refused(-answer.error.error));
      ++acknowledged;
    }
  }
  messages_.clear();
  return {};
}

}  // namespace vtax::nf_tables

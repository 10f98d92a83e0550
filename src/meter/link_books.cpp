#include "meter/link_books.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/rtnl.h>

#include <array>
#include <cstring>

#include "meter/kernel_text.h"

namespace vtax::meter {
namespace {

Error netlink_trouble(const char* what, int code) {
  return Error{what, nl_geterror(code), "", ExitCode::unavailable};
}

int take_link(nl_msg* message, void* into) {
  auto& links = *static_cast<std::vector<LinkReading>*>(into);
  const nlmsghdr* head = nlmsg_hdr(message);
  if (head->nlmsg_type != RTM_NEWLINK) return NL_OK;
  std::array<nlattr*, IFLA_MAX + 1> attributes{};
  if (nlmsg_parse(nlmsg_hdr(message), sizeof(ifinfomsg), attributes.data(), IFLA_MAX, nullptr) < 0)
    return NL_SKIP;
  LinkReading link;
  link.index = static_cast<std::uint32_t>(static_cast<const ifinfomsg*>(nlmsg_data(head))->ifi_index);
  if (attributes[IFLA_IFNAME] != nullptr) link.name = nla_get_string(attributes[IFLA_IFNAME]);
  if (attributes[IFLA_LINK_NETNSID] != nullptr)
    link.other_end_namespace = static_cast<int>(nla_get_u32(attributes[IFLA_LINK_NETNSID]));
  if (attributes[IFLA_LINKINFO] != nullptr) {
    std::array<nlattr*, IFLA_INFO_MAX + 1> info{};
    if (nla_parse_nested(info.data(), IFLA_INFO_MAX, attributes[IFLA_LINKINFO], nullptr) >= 0 &&
        info[IFLA_INFO_KIND] != nullptr)
      link.kind = nla_get_string(info[IFLA_INFO_KIND]);
  }
  if (const nlattr* stats = attributes[IFLA_STATS64]; stats != nullptr) {
    rtnl_link_stats64 values{};
    std::memcpy(&values, nla_data(stats),
                std::min(sizeof values, static_cast<std::size_t>(std::max(nla_len(stats), 0))));
    link.counters = {values.rx_packets, values.tx_packets, values.rx_bytes, values.tx_bytes,
                     values.rx_dropped + values.tx_dropped};
  }
  links.push_back(std::move(link));
  return NL_OK;
}

int take_namespace(nl_msg* message, void* into) {
  const nlmsghdr* head = nlmsg_hdr(message);
  if (head->nlmsg_type != RTM_NEWNSID) return NL_OK;
  std::array<nlattr*, NETNSA_MAX + 1> attributes{};
  if (nlmsg_parse(nlmsg_hdr(message), sizeof(rtgenmsg), attributes.data(), NETNSA_MAX, nullptr) >= 0 &&
      attributes[NETNSA_NSID] != nullptr)
    *static_cast<int*>(into) = static_cast<int>(nla_get_u32(attributes[NETNSA_NSID]));
  return NL_OK;
}

}  // namespace

void LinkBooks::Close::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Result<LinkBooks> LinkBooks::open() {
  LinkBooks books;
  books.socket_.reset(nl_socket_alloc());
  if (!books.socket_) return fail(Error{"open netlink", "out of memory", "", ExitCode::unavailable});
  if (const int code = nl_connect(books.socket_.get(), NETLINK_ROUTE); code < 0)
    return fail(netlink_trouble("open netlink", code));
  return books;
}

Result<std::vector<LinkReading>> LinkBooks::read() {
  std::vector<LinkReading> links;
  nl_sock* socket = socket_.get();
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take_link, &links);
  int code = nl_rtgen_request(socket, RTM_GETLINK, AF_UNSPEC, NLM_F_DUMP);
  if (code >= 0) code = nl_recvmsgs_default(socket);
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, nullptr, nullptr);
  // A dump during which a device came or went is as good as any.
  if (code < 0 && code != -NLE_DUMP_INTR) return fail(netlink_trouble("read the network devices", code));
  return links;
}

std::optional<int> LinkBooks::number_of_namespace(int process) {
  int number = -1;
  nl_sock* socket = socket_.get();
  nl_msg* message = nlmsg_alloc_simple(RTM_GETNSID, 0);
  if (message == nullptr) return std::nullopt;
  rtgenmsg general{};
  nlmsg_append(message, &general, sizeof general, NLMSG_ALIGNTO);
  nla_put_u32(message, NETNSA_PID, static_cast<std::uint32_t>(process));
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take_namespace, &number);
  int code = nl_send_auto(socket, message);
  nlmsg_free(message);
  if (code >= 0) code = nl_recvmsgs_default(socket);
  if (code >= 0) code = nl_wait_for_ack(socket);
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, nullptr, nullptr);
  return code >= 0 && number >= 0 ? std::optional(number) : std::nullopt;
}

std::optional<PacketCounters> parse_net_dev(std::string_view text) {
  PacketCounters sum;
  bool good = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (Words(line.substr(0, colon)).next() == "lo") continue;
    Words words(line.substr(colon + 1));
    const auto take = [&] { return whole_number<std::uint64_t>(words.next()); };
    const auto received_bytes = take(), received_packets = take();
    words.skip(1);
    const auto received_drops = take();
    words.skip(4);
    const auto sent_bytes = take(), sent_packets = take();
    words.skip(1);
    const auto sent_drops = take();
    if (!received_bytes || !received_packets || !received_drops || !sent_bytes || !sent_packets ||
        !sent_drops)
      continue;
    sum.received_bytes += *received_bytes;
    sum.received_packets += *received_packets;
    sum.sent_bytes += *sent_bytes;
    sum.sent_packets += *sent_packets;
    sum.drops += *received_drops + *sent_drops;
    good = true;
  }
  return good ? std::optional(sum) : std::nullopt;
}

}  // namespace vtax::meter

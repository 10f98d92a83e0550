#include "platform/links.h"

#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvtap.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/route.h>
#include <netlink/route/tc.h>
#include <poll.h>

#include <algorithm>
#include <cstring>

namespace vtax {
namespace {

template <class T, void (*Put)(T*)>
struct Release {
  void operator()(T* object) const { Put(object); }
};
template <class T, void (*Put)(T*)>
using Owned = std::unique_ptr<T, Release<T, Put>>;

using Link = Owned<rtnl_link, rtnl_link_put>;
using Address = Owned<nl_addr, nl_addr_put>;

Error trouble(const std::string& device, const std::string& what, int code) {
  return Error{fmt::format("cannot {} ({})", what, device), nl_geterror(code), "", ExitCode::unavailable};
}

Result<Address> parse_address(const std::string& text, int family) {
  nl_addr* address = nullptr;
  if (const int code = nl_addr_parse(text.c_str(), family, &address); code < 0) {
    return fail(trouble(text, "read the address", code));
  }
  return Address(address);
}

Result<Link> find(nl_sock* socket, const std::string& device, const char* what) {
  rtnl_link* found = nullptr;
  if (const int code = rtnl_link_get_kernel(socket, 0, device.c_str(), &found); code < 0) {
    return fail(trouble(device, what, code));
  }
  return Link(found);
}

}  // namespace

void Links::Close::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Result<Links> Links::open() {
  Socket socket(nl_socket_alloc());
  if (!socket) return fail(Error{"cannot open netlink", "out of memory", "", ExitCode::unavailable});
  if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    return fail(trouble("netlink", "open netlink", code));
  }
  return Links(std::move(socket));
}

Result<> Links::add_veth(const std::string& device, const std::string& partner) {
  const Link link(rtnl_link_veth_alloc());
  rtnl_link_set_name(link.get(), device.c_str());
  const Link peer(rtnl_link_veth_get_peer(link.get()));
  rtnl_link_set_name(peer.get(), partner.c_str());
  const int code = rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code < 0) return fail(trouble(device, "make a veth pair", code));
  return {};
}

// Written out, as libnl before 3.8 has no word for multicast snooping.
Result<> Links::add_bridge(const std::string& device) {
  Owned<nl_msg, nlmsg_free> message(nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL));
  ifinfomsg header{};
  int code = nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  if (code == 0) code = nla_put_string(message.get(), IFLA_IFNAME, device.c_str());
  nlattr* info = nla_nest_start(message.get(), IFLA_LINKINFO);
  if (code == 0) code = nla_put_string(message.get(), IFLA_INFO_KIND, "bridge");
  nlattr* data = nla_nest_start(message.get(), IFLA_INFO_DATA);
  if (code == 0) code = nla_put_u8(message.get(), IFLA_BR_MCAST_SNOOPING, 0);
  nla_nest_end(message.get(), data);
  nla_nest_end(message.get(), info);
  // Consumes the message.
  if (code == 0) code = nl_send_sync(socket_.get(), message.release());
  if (code < 0) return fail(trouble(device, "make a bridge", code));
  return {};
}

Result<> Links::add_macvtap(const std::string& device, const std::string& card, const std::string& mac) {
  const Result<std::uint32_t> index = index_of(card);
  if (!index) return fail(index.error());
  const Result<Address> address = parse_address(mac, AF_LLC);
  if (!address) return fail(address.error());
  const Link link(rtnl_link_macvtap_alloc());
  rtnl_link_set_name(link.get(), device.c_str());
  rtnl_link_set_link(link.get(), static_cast<int>(*index));
  rtnl_link_set_addr(link.get(), address->get());
  int code = rtnl_link_macvtap_set_mode(link.get(),
                                        static_cast<std::uint32_t>(rtnl_link_macvtap_str2mode("bridge")));
  if (code == 0) code = rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code < 0) return fail(trouble(device, "make a macvtap on the card " + card, code));
  return {};
}

Result<> Links::remove(const std::string& device) {
  const Link link(rtnl_link_alloc());
  rtnl_link_set_name(link.get(), device.c_str());
  if (const int code = rtnl_link_delete(socket_.get(), link.get()); code < 0) {
    return fail(trouble(device, "remove the device", code));
  }
  return {};
}

template <class Change>
Result<> Links::change(const std::string& device, const char* what, Change change) {
  const Result<Link> link = find(socket_.get(), device, what);
  if (!link) return fail(link.error());
  const Link wanted(rtnl_link_alloc());
  change(wanted.get());
  if (const int code = rtnl_link_change(socket_.get(), link->get(), wanted.get(), 0); code < 0) {
    return fail(trouble(device, what, code));
  }
  return {};
}

Result<> Links::set_up(const std::string& device, bool up) {
  return change(device, "switch the device on or off", [&](rtnl_link* link) {
    up ? rtnl_link_set_flags(link, IFF_UP) : rtnl_link_unset_flags(link, IFF_UP);
  });
}

Result<> Links::set_mtu(const std::string& device, unsigned mtu) {
  return change(device, "set the MTU", [&](rtnl_link* link) { rtnl_link_set_mtu(link, mtu); });
}

Result<> Links::set_mac(const std::string& device, const std::string& mac) {
  const Result<Address> address = parse_address(mac, AF_LLC);
  if (!address) return fail(address.error());
  return change(device, "set the Ethernet address",
                [&](rtnl_link* link) { rtnl_link_set_addr(link, address->get()); });
}

// Written out, as libnl hands a function's address over only with all its other settings.
Result<> Links::set_function_mac(const std::string& device, unsigned function, const std::string& mac) {
  const char* const what = "set the Ethernet address of a virtual function";
  const Result<Address> address = parse_address(mac, AF_LLC);
  if (!address) return fail(address.error());
  const Result<std::uint32_t> index = index_of(device);
  if (!index) return fail(index.error());
  Owned<nl_msg, nlmsg_free> message(nlmsg_alloc_simple(RTM_SETLINK, 0));
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(*index);
  ifla_vf_mac wanted{};
  wanted.vf = function;
  std::memcpy(wanted.mac, nl_addr_get_binary_addr(address->get()),
              std::min<std::size_t>(nl_addr_get_len(address->get()), sizeof wanted.mac));
  int code = nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  nlattr* list = nla_nest_start(message.get(), IFLA_VFINFO_LIST);
  nlattr* info = nla_nest_start(message.get(), IFLA_VF_INFO);
  if (code == 0) code = nla_put(message.get(), IFLA_VF_MAC, sizeof wanted, &wanted);
  nla_nest_end(message.get(), info);
  nla_nest_end(message.get(), list);
  // Consumes the message.
  if (code == 0) code = nl_send_sync(socket_.get(), message.release());
  if (code < 0) return fail(trouble(device, what, code));
  return {};
}

Result<> Links::set_master(const std::string& device, const std::string& bridge) {
  const Result<Link> master = find(socket_.get(), bridge, "find the bridge");
  if (!master) return fail(master.error());
  return change(device, "put the device into the bridge",
                [&](rtnl_link* link) { rtnl_link_set_master(link, rtnl_link_get_ifindex(master->get())); });
}

Result<> Links::release(const std::string& device) {
  return change(device, "take the device out of its bridge", [](rtnl_link* link) {
    rtnl_link_set_master(link, 0);
    rtnl_link_unset_flags(link, IFF_UP);
  });
}

Result<> Links::move(const std::string& device, int network_namespace) {
  return change(device, "move the device to another namespace",
                [&](rtnl_link* link) { rtnl_link_set_ns_fd(link, network_namespace); });
}

Result<> Links::add_address(const std::string& device, const std::string& ipv4, int prefix_bits) {
  return change_address(device, ipv4, prefix_bits, "add an address", rtnl_addr_add);
}

Result<> Links::remove_address(const std::string& device, const std::string& ipv4, int prefix_bits) {
  return change_address(device, ipv4, prefix_bits, "remove an address", rtnl_addr_delete);
}

Result<> Links::change_address(const std::string& device, const std::string& ipv4, int prefix_bits,
                               const char* what, int (*change)(nl_sock*, rtnl_addr*, int)) {
  const Result<Link> link = find(socket_.get(), device, what);
  if (!link) return fail(link.error());
  const Result<Address> local = parse_address(ipv4, AF_INET);
  if (!local) return fail(local.error());
  nl_addr_set_prefixlen(local->get(), prefix_bits);
  const Owned<rtnl_addr, rtnl_addr_put> address(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(address.get(), rtnl_link_get_ifindex(link->get()));
  rtnl_addr_set_local(address.get(), local->get());
  if (const int code = change(socket_.get(), address.get(), 0); code < 0)
    return fail(trouble(device, what, code));
  return {};
}

Result<> Links::add_route(const std::string& ipv4, int prefix_bits, const std::string& device,
                          const std::string& gateway) {
  const Result<Link> link = find(socket_.get(), device, "add a route");
  if (!link) return fail(link.error());
  const Result<Address> destination = parse_address(ipv4, AF_INET);
  if (!destination) return fail(destination.error());
  nl_addr_set_prefixlen(destination->get(), prefix_bits);
  const Owned<rtnl_route, rtnl_route_put> route(rtnl_route_alloc());
  rtnl_route_set_family(route.get(), AF_INET);
  rtnl_route_set_dst(route.get(), destination->get());
  rtnl_route_set_scope(route.get(), gateway.empty() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, rtnl_link_get_ifindex(link->get()));
  rtnl_route_add_nexthop(route.get(), hop);  // takes it over
  if (!gateway.empty()) {
    const Result<Address> via = parse_address(gateway, AF_INET);
    if (!via) return fail(via.error());
    rtnl_route_nh_set_gateway(hop, via->get());
  }
  if (const int code = rtnl_route_add(socket_.get(), route.get(), NLM_F_CREATE | NLM_F_EXCL); code < 0) {
    return fail(trouble(device, "add a route", code));
  }
  return {};
}

Result<> Links::add_neighbour(const std::string& device, const std::string& ipv4, const std::string& mac) {
  const Result<Link> link = find(socket_.get(), device, "add a neighbour");
  if (!link) return fail(link.error());
  const Result<Address> ip = parse_address(ipv4, AF_INET);
  const Result<Address> ethernet = parse_address(mac, AF_LLC);
  if (!ip) return fail(ip.error());
  if (!ethernet) return fail(ethernet.error());
  const Owned<rtnl_neigh, rtnl_neigh_put> neighbour(rtnl_neigh_alloc());
  rtnl_neigh_set_ifindex(neighbour.get(), rtnl_link_get_ifindex(link->get()));
  rtnl_neigh_set_dst(neighbour.get(), ip->get());
  rtnl_neigh_set_lladdr(neighbour.get(), ethernet->get());
  rtnl_neigh_set_state(neighbour.get(), NUD_PERMANENT);
  const int code = rtnl_neigh_add(socket_.get(), neighbour.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (code < 0) return fail(trouble(device, "add a neighbour", code));
  return {};
}

Result<> Links::shape(const std::string& device, std::uint64_t bits_per_second) {
  constexpr int kBucketBytes = 128 * 1024;
  const Result<Link> link = find(socket_.get(), device, "shape what leaves");
  if (!link) return fail(link.error());
  const Owned<rtnl_qdisc, rtnl_qdisc_put> bucket(rtnl_qdisc_alloc());
  rtnl_tc* tc = TC_CAST(bucket.get());
  rtnl_tc_set_ifindex(tc, rtnl_link_get_ifindex(link->get()));
  rtnl_tc_set_parent(tc, TC_H_ROOT);
  rtnl_tc_set_handle(tc, TC_HANDLE(1, 0));
  const auto bytes_per_second = static_cast<int>(bits_per_second / 8);
  int code = rtnl_tc_set_kind(tc, "tbf");
  if (code == 0) {
    rtnl_qdisc_tbf_set_rate(bucket.get(), bytes_per_second, kBucketBytes, 0);
    rtnl_qdisc_tbf_set_limit(bucket.get(), kBucketBytes + bytes_per_second / 10);
    code = rtnl_qdisc_add(socket_.get(), bucket.get(), NLM_F_CREATE | NLM_F_REPLACE);
  }
  if (code < 0) return fail(trouble(device, "shape what leaves", code));
  return {};
}

Result<std::uint32_t> Links::index_of(const std::string& device) {
  const Result<Link> link = find(socket_.get(), device, "find the device");
  if (!link) return fail(link.error());
  return static_cast<std::uint32_t>(rtnl_link_get_ifindex(link->get()));
}

Result<std::string> Links::find_by_mac(const std::string& mac) {
  const Result<Address> wanted = parse_address(mac, AF_LLC);
  if (!wanted) return fail(wanted.error());
  nl_cache* raw = nullptr;
  if (const int code = rtnl_link_alloc_cache(socket_.get(), AF_UNSPEC, &raw); code < 0) {
    return fail(trouble(mac, "list the devices", code));
  }
  const Owned<nl_cache, nl_cache_free> cache(raw);
  for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object)) {
    auto* link = reinterpret_cast<rtnl_link*>(object);  // the C library's own idiom
    nl_addr* address = rtnl_link_get_addr(link);
    if (address != nullptr && nl_addr_cmp(address, wanted->get()) == 0)
      return std::string(rtnl_link_get_name(link));
  }
  return fail(
      Error{"find the device with Ethernet address " + mac, "no device has it", "", ExitCode::unavailable});
}

Result<> Links::wait_until_running(const std::string& device, std::chrono::nanoseconds limit) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + limit;
  // A socket of its own: notifications must not mix with the answers on the other one. It is joined before
  // the first look, so that no change is missed between looking and waiting.
  const Socket news(nl_socket_alloc());
  if (!news) return fail(Error{"cannot open netlink", "out of memory", "", ExitCode::unavailable});
  nl_socket_disable_seq_check(news.get());
  int code = nl_connect(news.get(), NETLINK_ROUTE);
  if (code >= 0) code = nl_socket_add_memberships(news.get(), RTNLGRP_LINK, 0);
  if (code < 0) return fail(trouble(device, "wait for the carrier", code));
  while (true) {
    const Result<Link> link = find(socket_.get(), device, "wait for the carrier");
    if (!link) return fail(link.error());
    if ((rtnl_link_get_flags(link->get()) & IFF_LOWER_UP) != 0) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) {
      return fail(Error{fmt::format("wait for the carrier of {}", device), "it did not come", "",
                        ExitCode::unavailable});
    }
    pollfd waiting{nl_socket_get_fd(news.get()), POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000))) > 0) {
      nl_recvmsgs_default(news.get());
    }
  }
}

}  // namespace vtax

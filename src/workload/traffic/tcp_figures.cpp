#include "workload/traffic/tcp_figures.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace vtax {

std::optional<TcpFigures> tcp_figures(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return TcpFigures{info.tcpi_total_retrans, std::uint64_t{info.tcpi_snd_cwnd} * info.tcpi_snd_mss,
                    info.tcpi_snd_wnd,       info.tcpi_rtt,
                    info.tcpi_rttvar,        info.tcpi_pmtu};
}

std::optional<std::uint64_t> unconfirmed_bytes(int fd) {
  int bytes = 0;
  if (ioctl(fd, SIOCOUTQ, &bytes) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace vtax

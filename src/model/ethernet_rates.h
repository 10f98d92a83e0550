#pragma once

// The ideal rates of TCP over Ethernet (Primet, Mornard, Gelas, section 2.1), for full frames:
//   R_Eth = (MTU + 14) / (MTU + 38) R_EthB      preamble 8, header 14, checksum 4, gap 12
//   R_IP  = MTU / (MTU + 14) R_Eth
//   R_TP  = (MTU - 52) / MTU R_IP               IP header 20, TCP header 20, timestamps 12
namespace vtax {

struct EthernetRates {
  double ethernet = 0, ip = 0, transport = 0;  // in the unit of `bits_per_second`
};

// MTU in bytes, above 52.
[[nodiscard]] constexpr EthernetRates ideal_rates(double bits_per_second, double mtu = 1500) {
  EthernetRates rates;
  rates.ethernet = (mtu + 14) / (mtu + 38) * bits_per_second;
  rates.ip = mtu / (mtu + 14) * rates.ethernet;
  rates.transport = (mtu - 52) / mtu * rates.ip;
  return rates;
}

}  // namespace vtax

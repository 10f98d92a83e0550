#include "platform/address_translation.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>

#include <cstring>
#include <utility>

#include "platform/links.h"
#include "platform/nf_tables.h"

namespace vtax {
namespace {

constexpr char kTable[] = "vtax", kInward[] = "inward", kOutward[] = "outward";
constexpr std::int32_t kDestinationPriority = -100, kSourcePriority = 100;  // the usual ones

template <class T>
std::vector<std::uint8_t> bytes_of(const T& value) {
  std::vector<std::uint8_t> out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

}  // namespace

Result<AddressTranslation> AddressTranslation::start(const std::vector<std::string>& outward_devices,
                                                     const std::vector<ForwardedPort>& ports) {
  using namespace nf_tables;
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Batch batch;
  batch.add_table(kTable);
  batch.add_nat_chain(kTable, kInward, NF_INET_PRE_ROUTING, kDestinationPriority);
  batch.add_nat_chain(kTable, kOutward, NF_INET_POST_ROUTING, kSourcePriority);
  for (const std::string& device : outward_devices) {
    const auto index = links->index_of(device);
    if (!index) return fail(index.error());
    batch.add_rule(kTable, kOutward, {outgoing_device(), equals(bytes_of(*index)), masquerade()});
    for (const ForwardedPort& port : ports) {
      in_addr address{};
      if (inet_pton(AF_INET, port.ipv4.c_str(), &address) != 1)
        return fail(Error{"cannot arrange address translation", "'" + port.ipv4 + "' is no IPv4 address", "",
                          ExitCode::usage});
      batch.add_rule(kTable, kInward,
                     {incoming_device(), equals(bytes_of(*index)), destination_port(),
                      equals(bytes_of(htons(port.port))), value(bytes_of(address)), new_destination()});
    }
  }
  if (Result<> done = batch.commit(); !done) return fail(done.error());
  AddressTranslation out;
  out.there_ = true;
  return out;
}

AddressTranslation::AddressTranslation(AddressTranslation&& other) noexcept
    : there_(std::exchange(other.there_, false)) {}

AddressTranslation::~AddressTranslation() {
  if (!there_) return;
  nf_tables::Batch batch;
  batch.remove_table(kTable);
  static_cast<void>(batch.commit());  // otherwise it goes with the namespace
}

}  // namespace vtax

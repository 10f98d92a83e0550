#include "watch/show/json.h"

#include "core/json_writer.h"
#include "watch/show/figures.h"

namespace vtax::watch {
namespace {

void optional_field(JsonWriter& json, std::string_view name, const std::optional<std::uint64_t>& value) {
  if (value) json.field(name, *value);
}

void write_other(JsonWriter& json, const OtherTime& other) {
  json.key("other").begin_object();
  json.field("driver_ns", other.driver_ns).field("uncharged_ns", other.uncharged_ns);
  json.field("elsewhere_ns", other.elsewhere_ns).field("vtax_ns", other.vtax_ns);
  json.field("stolen_ns", other.stolen_ns).field("idle_ns", other.idle_ns).end_object();
}

void write_virtual_cpu(JsonWriter& json, const VirtualCpuUse& one) {
  json.begin_object().field("number", static_cast<std::uint64_t>(one.number)).field("own_ns", one.own_ns);
  optional_field(json, "waiting_ns", one.waiting_ns);
  optional_field(json, "blocked_ns", one.blocked_ns);
  if (one.cpu) json.field("cpu", static_cast<std::uint64_t>(*one.cpu));
  json.end_object();
}

void write_inside(JsonWriter& json, const InsideUse& inside) {
  json.key("inside").begin_object();
  if (!inside.missing.empty()) {
    json.field("missing", inside.missing).end_object();
    return;
  }
  json.field("interval_ns", static_cast<std::uint64_t>(inside.interval.count()));
  json.field("runnable", inside.runnable)
      .field("tasks", inside.tasks)
      .field("steal_ns", inside.steal_ns)
      .key("processes")
      .begin_array();
  for (const InsideProcess& process : inside.processes)
    json.begin_object()
        .field("number", static_cast<std::uint64_t>(process.number))
        .field("name", process.name)
        .field("busy_ns", process.busy_ns)
        .field("threads", process.threads)
        .end_object();
  json.end_array().field("other_processes", inside.other_processes).field("others_ns", inside.others_ns);
  json.end_object();
}

void write_guest(JsonWriter& json, const GuestUse& guest) {
  json.begin_object().field("name", guest.name).field("kind", kind_name(guest.kind));
  json.field("id", guest.id).field("found_by", guest.found_by).field("paused", guest.paused);
  json.field("own_ns", guest.own_ns).key("caused").begin_object();
  json.field("threads_ns", guest.caused.threads_ns).field("packets_ns", guest.caused.packets_ns);
  json.field("shared_ns", guest.caused.shared_ns).end_object();
  optional_field(json, "waiting_ns", guest.waiting_ns);
  optional_field(json, "blocked_ns", guest.blocked_ns);
  optional_field(json, "switches", guest.switches);
  optional_field(json, "exits", guest.exits);
  optional_field(json, "busy_so_far_ns", guest.busy_so_far_ns);
  const MemoryUse& memory = guest.memory;
  if (memory.given_bytes || memory.used_bytes || memory.balloon_bytes) {
    json.key("memory").begin_object();
    optional_field(json, "given_bytes", memory.given_bytes);
    optional_field(json, "used_bytes", memory.used_bytes);
    optional_field(json, "balloon_bytes", memory.balloon_bytes);
    json.end_object();
  }
  if (const auto& n = guest.network) {
    json.key("network").begin_object().field("received_packets", n->received_packets);
    json.field("sent_packets", n->sent_packets).field("received_bytes", n->received_bytes);
    json.field("sent_bytes", n->sent_bytes).field("drops", n->drops).end_object();
  }
  if (const auto& d = guest.disk) {
    json.key("disk").begin_object().field("reads", d->reads).field("writes", d->writes);
    json.field("read_bytes", d->read_bytes).field("written_bytes", d->written_bytes).end_object();
  }
  if (!guest.virtual_cpus.empty()) {
    json.key("virtual_cpus").begin_array();
    for (const VirtualCpuUse& one : guest.virtual_cpus) write_virtual_cpu(json, one);
    json.end_array();
  }
  if (guest.inside) write_inside(json, *guest.inside);
  json.end_object();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

}  // namespace

void write_json_line(const Reading& reading, std::ostream& out) {
  JsonWriter json(out, JsonWriter::Lines::one);
  json.begin_object().field("record", "reading").field("number", reading.number);
  json.field("at", utc_text(reading.at));
  json.field("interval_ns", static_cast<std::uint64_t>(reading.interval.count()));
  json.field("driver", reading.driver).field("charge_by", charge_name(reading.charge_by));
  if (!reading.shared_by.empty()) json.field("shared_by", reading.shared_by);
  json.field("all_cpus_ns", reading.all_cpus_ns).key("guests").begin_array();
  for (const GuestUse& guest : reading.guests) write_guest(json, guest);
  json.end_array();
  write_other(json, reading.other);
  json.key("cpus").begin_array();
  for (const CpuUse& cpu : reading.cpus) {
    json.begin_object().field("number", static_cast<std::uint64_t>(cpu.number));
    json.field("guests_ns", cpu.guests_ns).field("caused_ns", cpu.caused_ns);
    write_other(json, cpu.other);
    json.end_object();
  }
  json.end_array();
  write_texts(json, "came", reading.came);
  write_texts(json, "gone", reading.gone);
  write_texts(json, "missing", reading.missing);
  json.end_object().flush();
  out << '\n';
}

}  // namespace vtax::watch

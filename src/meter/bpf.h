#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

// BPF programs of a few dozen instructions, written as such: neither clang nor libbpf is needed to build or
// run them. What is loaded goes with its descriptor.
namespace vtax::meter::bpf {

int call_kernel(bpf_cmd command, bpf_attr& attributes);

// Registers of BPF: r1..r5 arguments, r6..r9 kept over calls, r10 the stack.
class Assembler {
 public:
  using Register = std::uint8_t;

  void load(std::uint8_t size, Register to, Register from, std::int16_t offset) {
    emit(static_cast<std::uint8_t>(BPF_LDX | BPF_MEM | size), to, from, offset, 0);
  }
  void store(std::uint8_t size, Register to, std::int16_t offset, Register from) {
    emit(static_cast<std::uint8_t>(BPF_STX | BPF_MEM | size), to, from, offset, 0);
  }
  void store_constant(std::uint8_t size, Register to, std::int16_t offset, std::int32_t value) {
    emit(static_cast<std::uint8_t>(BPF_ST | BPF_MEM | size), to, 0, offset, value);
  }
  void copy(Register to, Register from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void set(Register to, std::int32_t value) { emit(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
  void add(Register to, std::int32_t value) { emit(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
  void add_register(Register to, Register from) { emit(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0, 0); }
  void subtract_register(Register to, Register from) { emit(BPF_ALU64 | BPF_SUB | BPF_X, to, from, 0, 0); }
  void set_wide(Register to, std::uint64_t value) {
    emit(BPF_LD | BPF_DW | BPF_IMM, to, 0, 0, static_cast<std::int32_t>(value));
    emit(0, 0, 0, 0, static_cast<std::int32_t>(value >> 32));
  }
  void set_map(Register to, int map) {
    emit(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map);
    emit(0, 0, 0, 0, 0);
  }
  void call(std::int32_t helper) { emit(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }

  // Jumps whose place to land comes later: land() with what these gave.
  [[nodiscard]] std::size_t jump_if(std::uint8_t condition, Register left, std::int32_t right) {
    emit(static_cast<std::uint8_t>(BPF_JMP | condition | BPF_K), left, 0, 0, right);
    return code_.size() - 1;
  }
  [[nodiscard]] std::size_t jump_if_same(Register left, Register right) {
    emit(BPF_JMP | BPF_JEQ | BPF_X, left, right, 0, 0);
    return code_.size() - 1;
  }
  [[nodiscard]] std::size_t jump_if_less(Register left, Register right) {
    emit(BPF_JMP | BPF_JLT | BPF_X, left, right, 0, 0);
    return code_.size() - 1;
  }
  [[nodiscard]] std::size_t jump() {
    emit(BPF_JMP | BPF_JA, 0, 0, 0, 0);
    return code_.size() - 1;
  }
  void land(std::initializer_list<std::size_t> jumps) {
    for (const std::size_t from : jumps) code_[from].off = static_cast<std::int16_t>(code_.size() - from - 1);
  }
  // r0 = the value of a map that has one alone, 0 where it has none; stack[key] becomes its key.
  void look_up_only_value(int map, std::int16_t key) {
    store_constant(BPF_W, 10, key, 0);
    set_map(1, map);
    copy(2, 10);
    add(2, key);
    call(BPF_FUNC_map_lookup_elem);
  }

  // r7 is added to the map's sum of the key that begins at stack[key]. A new one begins with it, by way of
  // stack[value]; r0 is then 0 if there was room. The jump is taken where there was a sum. `map_into_r1`
  // writes what sets r1 to the map.
  template <class MapIntoR1>
  [[nodiscard]] std::size_t add_to_sum(const MapIntoR1& map_into_r1, std::int16_t key, std::int16_t value) {
    map_into_r1();
    copy(2, 10);
    add(2, key);
    call(BPF_FUNC_map_lookup_elem);
    const std::size_t is_new = jump_if(BPF_JEQ, 0, 0);
    load(BPF_DW, 1, 0, 0);
    add_register(1, 7);
    store(BPF_DW, 0, 0, 1);
    const std::size_t added = jump();
    land({is_new});
    store(BPF_DW, 10, value, 7);
    map_into_r1();
    copy(2, 10);
    add(2, key);
    copy(3, 10);
    add(3, value);
    set(4, BPF_ANY);
    call(BPF_FUNC_map_update_elem);
    return added;
  }

  std::vector<bpf_insn> end() {
    set(0, 0);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return std::move(code_);
  }

 private:
  void emit(std::uint8_t code, Register to, Register from, std::int16_t offset, std::int32_t value) {
    bpf_insn one{};
    one.code = code;
    one.dst_reg = to & 0xf;
    one.src_reg = from & 0xf;
    one.off = offset;
    one.imm = value;
    code_.push_back(one);
  }

  std::vector<bpf_insn> code_;
};

// Errors, all: unavailable, with `what`.
[[nodiscard]] Result<Descriptor> make_map(const std::string& what, bpf_map_type type, std::uint32_t key,
                                          std::uint32_t value, std::uint32_t entries,
                                          std::uint32_t flags = 0);
[[nodiscard]] Result<Descriptor> load_program(const std::string& what, const std::vector<bpf_insn>& code);
[[nodiscard]] Result<Descriptor> attach(const std::string& what, const char* tracepoint, int program);
[[nodiscard]] Error cannot(const std::string& what, const std::string& why);

// CPUs that could be plugged in: per-CPU maps have a place for each.
[[nodiscard]] std::size_t count_possible_cpus();

}  // namespace vtax::meter::bpf

// The contract between the runtime and a kernel room.
//
// A kernel is one KernelDef. validate() trusts nothing: the program bytes come from outside. prepare() packs constants,
// chooses a row for the ISA and splits the work into tiles. Run() does tiles [begin, end) of one phase; it allocates
// nothing, takes no lock and reads no global state. Results never depend on how tiles are distributed over threads.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/span.h"
#include "base/status.h"
#include "cpu/isa.h"

namespace lowp {

enum class ElementType : uint8_t { kF32 = 0, kU8 = 1, kI8 = 2, kI32 = 3, kI64 = 4, kF16 = 5, kI16 = 6, kBoolean = 7 };

constexpr size_t kElementTypes = 8;

constexpr size_t SizeOf(ElementType type) {
  constexpr size_t sizes[kElementTypes] = {4, 1, 1, 4, 8, 2, 2, 1};
  return sizes[static_cast<size_t>(type)];
}

// One field of a params struct: every field is four bytes wide, in declaration order.
struct ParamField {
  const char* name;
  char kind;  // 'u' uint32_t, 'i' int32_t, 'f' float
};

namespace param_types {
using u32 = uint32_t;
using i32 = int32_t;
using f32 = float;
constexpr char kind_u32 = 'u';
constexpr char kind_i32 = 'i';
constexpr char kind_f32 = 'f';
}  // namespace param_types

#define LOWP_PARAM_MEMBER(type, name) ::lowp::param_types::type name;
#define LOWP_PARAM_FIELD(type, name) ::lowp::ParamField{#name, ::lowp::param_types::kind_##type},

// LIST is a macro that applies its argument to each (type, name), for example
//   #define POOL_PARAMS(F) F(u32, batch) F(f32, scale)
//   LOWP_PARAMS(PoolParams, POOL_PARAMS)
#define LOWP_PARAMS(Struct, LIST)                                            \
  struct Struct {                                                            \
    LIST(LOWP_PARAM_MEMBER)                                                  \
    static ::lowp::Span<const ::lowp::ParamField> Fields() {                 \
      static constexpr ::lowp::ParamField fields[] = {LIST(LOWP_PARAM_FIELD)}; \
      return {fields, sizeof(fields) / sizeof(fields[0])};                   \
    }                                                                        \
  };

// An input or output of a call, without its run-time address.
struct Operand {
  bool present = false;            // optional operands may be absent
  ElementType type = ElementType::kF32;
  uint64_t elements = 0;
  const void* constant = nullptr;  // the data, when the operand is a constant; any alignment

  bool Is(ElementType t, uint64_t count) const { return present && type == t && elements == count; }
};

struct CallView {
  const void* params = nullptr;    // the kernel's struct, 4-byte aligned, of the right size
  Span<const Operand> inputs;
  Span<const Operand> outputs;

  template <class P>
  const P& Params() const {
    return *static_cast<const P*>(params);
  }
  // Absent operand for indices beyond the list.
  Operand Input(size_t i) const { return i < inputs.size() ? inputs[i] : Operand{}; }
  Operand Output(size_t i) const { return i < outputs.size() ? outputs[i] : Operand{}; }
};

struct PrepareContext {
  Isa isa = Isa::kScalar;
  size_t threads = 1;
  size_t l1_bytes = 32 << 10;
  size_t l2_bytes = 1 << 20;
  const char* force_row = nullptr;  // LOWP_FORCE_KERNEL: the row of that name, where it fits

  // Whether values of so many bytes, shared out among the threads, leave the second-level caches before they are read.
  bool BeyondL2(size_t bytes) const { return bytes / threads > l2_bytes / 2; }
};

// What only running shows to be wrong: an index that lies outside of its axis. Tiles report it and go on; the run ends
// behind the call. Of several reports the one with the lowest position counts, whatever the order of tiles.
class Fault {
 public:
  static constexpr uint64_t kNone = UINT64_MAX;

  void Report(uint64_t position) {
    uint64_t known = position_.load(std::memory_order_relaxed);
    while (position < known && !position_.compare_exchange_weak(known, position, std::memory_order_relaxed)) {
    }
  }
  uint64_t position() const { return position_.load(std::memory_order_relaxed); }
  void Reset() { position_.store(kNone, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> position_{kNone};
};

struct RunContext {
  // By operand index; null when absent. Inputs are 64-byte aligned with kReadSlack readable behind, outputs 8-byte
  // aligned with nothing behind.
  const void* const* inputs = nullptr;
  void* const* outputs = nullptr;
  uint8_t* shared = nullptr;            // PreparedCall::shared_bytes, 64-byte aligned, one per call
  uint8_t* scratch = nullptr;           // PreparedCall::scratch_bytes, 64-byte aligned, one per worker
  Fault* fault = nullptr;               // never null for kernels that can report
};

// Indices [begin, end) of elements or tiles.
struct IndexRange {
  size_t begin = 0, end = 0;
};

class PreparedCall {
 public:
  static constexpr size_t kMaxPhases = 3;

  virtual ~PreparedCall() = default;
  // Tiles [begin, end) of a phase. All tiles of a phase end before the next phase begins.
  virtual void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const = 0;

  // Following: the tiles of phase 0 of a call that reads a value may run as soon as the tiles of its producer have
  // stored what they read, while it is in the caches.
  //
  // Elements of output 0 that tiles [begin, end) of the last phase complete. Growing `end` only appends to the range.
  // The default, an empty range, is for kernels that store in another order.
  virtual IndexRange Completes(size_t, size_t) const { return {}; }
  // Tiles of phase 0 that read nothing but these elements of input 0 and of no other input. The default is for kernels
  // that cannot follow.
  virtual IndexRange Readable(IndexRange) const { return {}; }

  // Of a call that accumulates: sets output 0 to what it is before the first run.
  virtual void Reset(const RunContext&) const {}

  // What is wrong at a position that Run reported, for people.
  virtual std::string Describe(const RunContext&, uint64_t) const { return {}; }

  const char* row = "scalar";            // the chosen row, for people and tests
  size_t phases = 1;
  size_t tiles[kMaxPhases] = {1, 1, 1};  // independent units of work; 0 is allowed
  size_t shared_bytes = 0;
  size_t scratch_bytes = 0;
  size_t packed_bytes = 0;               // constants repacked for this object
  size_t found_bytes = 0;                // of them, those that were in memory before (base/shared_array.h)
  uint64_t packed_inputs = 0;            // bit i: constant input i is not read by Run, which then gets null for it
  // Arithmetic operations of one run, for the profile: a multiply-add is two, and those of the plain sum also where a
  // kernel needs fewer.
  double operations = 0;
  int inplace_input = -1;                // this input may share its memory with output 0
  // A run takes no longer than copying input 0, which may be 8-byte aligned only and have nothing behind it.
  bool reads_in_place = false;
  // Every run adds to output 0, which a session keeps from run to run in memory that nothing else gets.
  bool accumulates = false;
};

using PreparedPtr = std::unique_ptr<PreparedCall>;

struct KernelDef {
  const char* name;
  Span<const ParamField> (*fields)();
  Status (*validate)(const CallView& call);
  // Only after validate() succeeded on the same call.
  Result<PreparedPtr> (*prepare)(const CallView& call, const PrepareContext& context);
};

// Every kernel, by the list that scripts/native-sources.cjs generates from the folder names.
Span<const KernelDef* const> AllKernels();
const KernelDef* FindKernel(const char* name);

// a * b for sizes from outside; false on overflow.
inline bool CheckedMul(uint64_t a, uint64_t b, uint64_t* out) { return !__builtin_mul_overflow(a, b, out); }

// Product of any number of sizes; 0 elements are fine, overflow gives false.
template <class... T>
bool CheckedProduct(uint64_t* out, T... sizes) {
  uint64_t product = 1;
  bool ok = true;
  ((ok = ok && CheckedMul(product, static_cast<uint64_t>(sizes), &product)), ...);
  *out = product;
  return ok;
}

}  // namespace lowp

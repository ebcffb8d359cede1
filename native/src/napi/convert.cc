// Typed arrays are matched by kind and length, never copied or cast.
#include "napi/convert.h"

#include <cmath>

namespace lowp::binding {
namespace {

struct ArrayView {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
};

struct TypeEntry {
  const char* name;
  napi_typedarray_type array;
  const char* array_name;
};

constexpr TypeEntry kTypes[kElementTypes] = {
    {"f32", napi_float32_array, "Float32Array"}, {"u8", napi_uint8_array, "Uint8Array"},
    {"i8", napi_int8_array, "Int8Array"},        {"i32", napi_int32_array, "Int32Array"},
    {"i64", napi_bigint64_array, "BigInt64Array"}, {"f16", napi_uint16_array, "Uint16Array"},
    {"i16", napi_int16_array, "Int16Array"},     {"boolean", napi_uint8_array, "Uint8Array"},
};

const TypeEntry& Entry(ElementType type) { return kTypes[static_cast<size_t>(type)]; }

Status View(const Napi::Value& value, const std::string& what, ArrayView* view) {
  LOWP_REQUIRE(value.IsTypedArray(), what + " is not a typed array");
  napi_value buffer = nullptr;
  size_t offset = 0;
  const napi_status got =
      napi_get_typedarray_info(value.Env(), value, &view->type, &view->length, &view->data, &buffer, &offset);
  LOWP_REQUIRE(got == napi_ok, what + " cannot be read");
  bool detached = false;
  napi_is_detached_arraybuffer(value.Env(), buffer, &detached);
  LOWP_REQUIRE(!detached, what + " is detached: its buffer was transferred to somebody else");
  return Status();
}

}  // namespace

const char* TypeName(ElementType type) { return Entry(type).name; }

Result<Span<const uint8_t>> Bytes(const Napi::Value& value, const std::string& what) {
  ArrayView view;
  const Status viewed = View(value, what, &view);
  if (!viewed.ok()) return viewed;
  if (view.type != napi_uint8_array) return Invalid(what + " is not a Uint8Array");
  return Span<const uint8_t>(static_cast<const uint8_t*>(view.data), view.length);
}

Status PortAddresses(const Napi::Value& arrays, const std::vector<Port>& ports, const char* what,
                     std::vector<void*>* addresses, bool accumulates) {
  LOWP_REQUIRE(arrays.IsArray(), std::string(what) + "s must be an array of typed arrays");
  const Napi::Array list = arrays.As<Napi::Array>();
  LOWP_REQUIRE(list.Length() == ports.size(), "the program has " + std::to_string(ports.size()) + " " + what +
                                                  "s, got " + std::to_string(list.Length()));
  addresses->assign(ports.size(), nullptr);
  for (size_t i = 0; i < ports.size(); i++) {
    const Port& port = ports[i];
    if (port.accumulates != accumulates) continue;
    const std::string name = std::string(what) + " " + port.name;
    ArrayView view;
    LOWP_RETURN_IF_ERROR(View(list.Get(static_cast<uint32_t>(i)), name, &view));
    const uint64_t elements = port.bytes / SizeOf(port.type);
    LOWP_REQUIRE(view.type == Entry(port.type).array && view.length == elements,
                 name + ": expected a " + Entry(port.type).array_name + " of " + std::to_string(elements) +
                     " elements (" + TypeName(port.type) + "), got " + std::to_string(view.length) + " elements" +
                     (view.type == Entry(port.type).array ? "" : " of another kind"));
    (*addresses)[i] = view.data;
  }
  return Status();
}

namespace {

// The property, or undefined.
Napi::Value Property(const Napi::Value& options, const char* name) {
  if (!options.IsObject()) return options.Env().Undefined();
  return options.As<Napi::Object>().Get(name);
}

}  // namespace

Result<bool> StringOption(const Napi::Value& options, const char* name, std::string* value) {
  const Napi::Value property = Property(options, name);
  if (property.IsEmpty() || property.IsUndefined()) return false;
  if (!property.IsString()) return Invalid(std::string("option ") + name + " is not a string");
  *value = property.As<Napi::String>().Utf8Value();
  return true;
}

Result<bool> CountOption(const Napi::Value& options, const char* name, size_t* value) {
  const Napi::Value property = Property(options, name);
  if (property.IsEmpty() || property.IsUndefined()) return false;
  const double number = property.IsNumber() ? property.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 1 && number <= 65536) || number != std::floor(number))
    return Invalid(std::string("option ") + name + " is not a whole number from 1 to 65536");
  *value = static_cast<size_t>(number);
  return true;
}

}  // namespace lowp::binding

// JavaScript arguments as memory and numbers, checked; nothing is converted silently.
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "base/span.h"
#include "base/status.h"
#include "program/program.h"

namespace lowp::binding {

// The bytes of a Uint8Array whose buffer is not detached. Valid until JavaScript runs again.
Result<Span<const uint8_t>> Bytes(const Napi::Value& value, const std::string& what);

// The addresses of typed arrays that fit the ports: as many, each of the port's array kind and number of elements.
// `what` is "input" or "output". Ports that accumulate otherwise than asked for get null, whatever stands in their place.
// Valid until JavaScript runs again.
Status PortAddresses(const Napi::Value& arrays, const std::vector<Port>& ports, const char* what,
                     std::vector<void*>* addresses, bool accumulates = false);

// A property of an options object; false when the object or the property is absent.
Result<bool> StringOption(const Napi::Value& options, const char* name, std::string* value);
Result<bool> CountOption(const Napi::Value& options, const char* name, size_t* value);

// The spelling of lib/program: f32, u8, i8, i32, i64, f16, i16, boolean.
const char* TypeName(ElementType type);

}  // namespace lowp::binding

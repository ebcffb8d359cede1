// Reads layers from their text form.
#include "layer.h"

#include <cstdlib>
#include <sstream>

namespace layer_bench {
namespace {

bool ParseNumber(const std::string& text, uint32_t* value) {
  char* end = nullptr;
  const unsigned long parsed = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != 0 || parsed > 1u << 24) return false;
  *value = static_cast<uint32_t>(parsed);
  return true;
}

bool ParseSpace(const std::string& text, uint32_t (&space)[3]) {
  std::istringstream parts(text);
  std::string part;
  for (uint32_t& size : space)
    if (!std::getline(parts, part, 'x') || !ParseNumber(part, &size)) return false;
  return !std::getline(parts, part, 'x');
}

bool ParseType(const std::string& text, Type* type) {
  if (text == "f32") *type = Type::kF32;
  else if (text == "u8s8") *type = Type::kU8S8;
  else if (text == "u8s7") *type = Type::kU8S7;
  else if (text == "trained") *type = Type::kTrained;
  else return false;
  return true;
}

bool SetField(const std::string& key, const std::string& value, Layer* l) {
  if (key == "name") return l->name = value, !value.empty();
  if (key == "type") return ParseType(value, &l->type);
  if (key == "kind") return l->kind = value == "gemm" ? Kind::kGemm : Kind::kConv, value == "gemm" || value == "conv";
  const struct { const char* key; uint32_t* number; } numbers[] = {
      {"times", &l->times}, {"batch", &l->batch}, {"ic", &l->ic}, {"oc", &l->oc},
      {"groups", &l->groups}, {"m", &l->m}, {"n", &l->n}, {"k", &l->k}, {"winograd", &l->winograd}};
  for (const auto& field : numbers)
    if (key == field.key) return ParseNumber(value, field.number) && *field.number > 0;
  const struct { const char* key; uint32_t (&space)[3]; } spaces[] = {
      {"in", l->in}, {"out", l->out}, {"kernel", l->kernel},
      {"stride", l->stride}, {"dilation", l->dilation}, {"pad", l->pad}};
  for (const auto& field : spaces)
    if (key == field.key) return ParseSpace(value, field.space);
  return false;
}

}  // namespace

bool ParseLayer(const std::string& line, Layer* layer, std::string* error) {
  *layer = Layer();
  std::istringstream words(line);
  std::string word;
  while (words >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || !SetField(word.substr(0, equals), word.substr(equals + 1), layer)) {
      *error = "cannot read \"" + word + "\" in the layer \"" + line + "\"";
      return false;
    }
  }
  const bool gemm = layer->kind == Kind::kGemm;
  if (gemm ? layer->m == 0 || layer->n == 0 || layer->k == 0 : layer->ic % layer->groups + layer->oc % layer->groups != 0) {
    *error = "sizes are missing or not divisible by groups in the layer \"" + line + "\"";
    return false;
  }
  return true;
}

}  // namespace layer_bench

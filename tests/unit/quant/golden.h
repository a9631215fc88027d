#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "core/tensor.h"
#include "support/shared.h"

namespace cleave::testing {

inline Json golden(const std::string& file) {
  return read_json(shared_dir() / "golden" / "quant" / file);
}

/// A float32 tensor of the golden set.
inline Tensor golden_tensor(const std::string& name) {
  const Json row = golden("tensors/manifest.json").at(name);
  const std::string bytes = read_file(shared_dir() / "golden/quant/tensors" / row.at("file").get<std::string>());
  Tensor tensor(DType::kFloat32, row.at("shape").get<Shape>());
  if (tensor.bytes() != bytes.size()) throw std::runtime_error(name + ": size differs from the manifest");
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(tensor.mutable_raw().data()));
  return tensor;
}

/// zlib's CRC-32 of little-endian int16 codes, as eight hex digits.
class CodeChecksum {
 public:
  void add(std::int32_t code) {
    add_byte(static_cast<std::uint8_t>(code & 255));
    add_byte(static_cast<std::uint8_t>((code >> 8) & 255));
  }
  std::string hex() const {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", ~state_);
    return text;
  }

 private:
  void add_byte(std::uint8_t byte) {
    state_ ^= byte;
    for (int i = 0; i < 8; ++i) state_ = (state_ >> 1) ^ ((state_ & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  std::uint32_t state_ = 0xFFFFFFFFU;
};

}  // namespace cleave::testing

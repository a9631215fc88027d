#include <algorithm>
#include <array>
#include <cstring>

#include "calibration/images.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace cleave::calibration {

namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};

struct TypeRow {
  std::string_view descr;
  DType dtype;
};

constexpr std::array<TypeRow, 12> kTypes{{{"<f4", DType::kFloat32},
                                          {"<f8", DType::kFloat64},
                                          {"<f2", DType::kFloat16},
                                          {"|u1", DType::kUint8},
                                          {"|i1", DType::kInt8},
                                          {"<u2", DType::kUint16},
                                          {"<i2", DType::kInt16},
                                          {"<u4", DType::kUint32},
                                          {"<i4", DType::kInt32},
                                          {"<u8", DType::kUint64},
                                          {"<i8", DType::kInt64},
                                          {"|b1", DType::kBool}}};

Error bad(const std::string& what, const std::string& hint = {}) {
  return Error(ErrorKind::kInvalidInput, ".npy: " + what, hint);
}

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), } and nothing else.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Header parse() {
    Header header;
    expect('{');
    while (!take('}')) {
      read_entry(header);
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!text_.empty()) throw damaged();
    if (seen_ != 7) throw bad("the header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  static Error damaged() { return bad("the header is damaged"); }

  void read_entry(Header& header) {
    const std::string key = quoted();
    expect(':');
    if (key == "descr") {
      header.descr = quoted();
      mark(1);
    } else if (key == "fortran_order") {
      header.fortran_order = boolean();
      mark(2);
    } else if (key == "shape") {
      header.shape = tuple();
      mark(4);
    } else {
      throw damaged();
    }
  }

  void mark(unsigned bit) {
    if ((seen_ & bit) != 0) throw damaged();
    seen_ |= bit;
  }
  void skip_blanks() {
    const std::size_t first = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(std::min(first, text_.size()));
  }
  bool take(char wanted) {
    skip_blanks();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) throw damaged();
  }
  std::string quoted() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = text_.find(quote);
    if (end == std::string_view::npos) throw damaged();
    std::string value(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return value;
  }
  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(0, word.size()) != word) continue;
      text_.remove_prefix(word.size());
      return word == "True";
    }
    throw damaged();
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      shape.push_back(number());
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }
  std::int64_t number() {
    skip_blanks();
    const std::size_t end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    const auto value = parse_integer(text_.substr(0, end));
    if (!value) throw damaged();
    text_.remove_prefix(end);
    return *value;
  }

  std::string_view text_;
  unsigned seen_ = 0;
};

/// Length of magic, version and length field together, and of the header text behind them.
struct Prologue {
  std::size_t size = 0;
  std::size_t header_size = 0;
};

Prologue read_prologue(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) throw bad("not a numpy array");
  const auto byte = [bytes](std::size_t at) -> std::size_t {
    if (at >= bytes.size()) throw bad("the file is cut short");
    return static_cast<unsigned char>(bytes[at]);
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) throw bad("format version " + std::to_string(version) + " is not known");
  const std::size_t width = version == 1 ? 2 : 4;
  Prologue prologue{8 + width, 0};
  for (std::size_t i = 0; i < width; ++i) prologue.header_size |= byte(8 + i) << (8 * i);
  if (prologue.header_size > bytes.size() - prologue.size) throw bad("the file is cut short");
  return prologue;
}

DType dtype_of_descr(const std::string& descr) {
  for (const TypeRow& row : kTypes) {
    if (row.descr == descr || (row.descr[0] == '|' && descr.size() == 3 && row.descr.substr(1) == descr.substr(1))) {
      return row.dtype;
    }
  }
  throw bad("element type '" + descr + "' is not supported",
            "Save it as little-endian float32 or uint8: numpy.save(file, array.astype('<f4')).");
}

void normalise_booleans(Tensor& tensor) {
  if (tensor.dtype() != DType::kBool) return;
  for (std::byte& byte : tensor.mutable_raw()) byte = byte == std::byte{0} ? std::byte{0} : std::byte{1};
}

std::string header_text(const Tensor& tensor) {
  const auto* const row =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& r) { return r.dtype == tensor.dtype(); });
  if (row == kTypes.end()) {
    throw Error(ErrorKind::kUnsupported,
                "a tensor of type " + std::string(dtype_name(tensor.dtype())) + " cannot be written as .npy");
  }
  std::string text = "{'descr': '" + std::string(row->descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < tensor.shape().size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(tensor.shape()[i]);
  }
  return text + (tensor.shape().size() == 1 ? ",), }" : "), }");
}

}  // namespace

Tensor parse_npy(std::string_view bytes) {
  const Prologue prologue = read_prologue(bytes);
  const Header header = HeaderParser(bytes.substr(prologue.size, prologue.header_size)).parse();
  const DType dtype = dtype_of_descr(header.descr);
  if (header.fortran_order && header.shape.size() > 1) {
    throw bad("the array is in Fortran order", "Save numpy.ascontiguousarray(array).");
  }
  const std::string_view data = bytes.substr(prologue.size + prologue.header_size);
  const auto elements = static_cast<std::size_t>(element_count(header.shape));
  const std::size_t each = dtype_bytes(dtype);
  if (data.size() % each != 0 || data.size() / each != elements) {
    throw bad("shape " + shape_text(header.shape) + " of " + header.descr + " does not fit " +
              std::to_string(data.size()) + " bytes of data");
  }
  Tensor tensor(dtype, header.shape);
  if (!data.empty()) std::memcpy(tensor.mutable_raw().data(), data.data(), data.size());
  normalise_booleans(tensor);
  return tensor;
}

Tensor read_npy(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  try {
    return parse_npy(bytes);
  } catch (const Error& error) {
    throw error.within(file.string());
  }
}

std::string npy_bytes(const Tensor& tensor) {
  constexpr std::size_t kAlignment = 64;  // of the data, as numpy does since version 1.14
  constexpr std::size_t kPrologue = 10;
  std::string text = header_text(tensor);
  text.append(kAlignment - 1 - (kPrologue + text.size()) % kAlignment, ' ');
  text += '\n';
  if (text.size() > 65535) throw Error(ErrorKind::kUnsupported, "a tensor of this many dimensions has no .npy header");
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  bytes += text;
  bytes.append(reinterpret_cast<const char*>(tensor.raw().data()), tensor.bytes());
  return bytes;
}

}  // namespace cleave::calibration

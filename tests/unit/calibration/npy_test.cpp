#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstring>

#include "calibration/images.h"
#include "core/error.h"
#include "core/file.h"
#include "support/temporary_folder.h"

namespace cleave::calibration {
namespace {

using namespace std::string_literals;

/// What numpy.save wrote for numpy.array([[1.5, -2.0, 0.25]], dtype='<f4').
std::string numpy_bytes() {
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }";
  return "\x93NUMPY\x01\0v\0"s + dict + std::string(117 - dict.size(), ' ') + "\n" +
         "\x00\x00\xC0\x3F\x00\x00\x00\xC0\x00\x00\x80\x3E"s;
}

/// A file of version 1 with this header text and these data bytes.
std::string npy_file(std::string header, const std::string& data) {
  header += "\n";
  return "\x93NUMPY\x01\0"s + static_cast<char>(header.size()) + "\0"s + header + data;
}

std::string refusal(const std::string& bytes) {
  try {
    parse_npy(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.what();
  }
  return "";
}

TEST(Npy, WritesWhatNumpyWrites) {
  EXPECT_EQ(npy_bytes(Tensor::from<float>({1, 3}, std::vector<float>{1.5F, -2.0F, 0.25F})), numpy_bytes());
}

TEST(Npy, ReadsWhatNumpyWrites) {
  const Tensor tensor = parse_npy(numpy_bytes());
  EXPECT_EQ(tensor.shape(), (Shape{1, 3}));
  EXPECT_EQ(tensor.data<float>()[1], -2.0F);
}

TEST(Npy, ReadsVersionsTwoAndThree) {
  for (const char version : {'\x02', '\x03'}) {
    std::string bytes = numpy_bytes();
    bytes[6] = version;
    bytes.insert(10, "\0\0"s);
    EXPECT_EQ(parse_npy(bytes).data<float>()[2], 0.25F);
  }
}

TEST(Npy, RoundTripsEveryTypeAndShape) {
  const std::vector<DType> types = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kUint8,
                                    DType::kInt8,    DType::kUint16,  DType::kInt16,   DType::kUint32,
                                    DType::kInt32,   DType::kUint64,  DType::kInt64,   DType::kBool};
  const bool held = rc::check([&] {
    const DType dtype = *rc::gen::elementOf(types);
    const auto shape = *rc::gen::resize(4, rc::gen::container<Shape>(rc::gen::inRange<std::int64_t>(0, 5)));
    Tensor tensor(dtype, shape);
    for (std::byte& byte : tensor.mutable_raw()) byte = static_cast<std::byte>(*rc::gen::inRange(0, 2));
    const Tensor back = parse_npy(npy_bytes(tensor));
    RC_ASSERT(back.dtype() == dtype);
    RC_ASSERT(back.shape() == shape);
    RC_ASSERT(std::equal(back.raw().begin(), back.raw().end(), tensor.raw().begin(), tensor.raw().end()));
  });
  EXPECT_TRUE(held);
}

TEST(Npy, DataBeginsAtAMultipleOf64Bytes) {
  for (std::int64_t size = 1; size < 1'000'000'000; size *= 10) {
    const Tensor tensor(DType::kUint8, {size, 0});
    EXPECT_EQ(npy_bytes(tensor).size() % 64, 0U);
  }
}

TEST(Npy, ReadsScalarsAndOneDimension) {
  EXPECT_EQ(parse_npy(npy_bytes(Tensor::scalar<std::int64_t>(-7))).data<std::int64_t>()[0], -7);
  EXPECT_EQ(parse_npy(npy_bytes(Tensor(DType::kFloat32, {5}))).shape(), (Shape{5}));
}

TEST(Npy, EveryProperPrefixIsRefused) {
  const std::string whole = numpy_bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  EXPECT_NE(refusal(whole + "x"), "");
}

TEST(Npy, SaysWhatIsWrongWithAHeader) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "'>f4' is not supported"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "'|O' is not supported"},
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", "Fortran order"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "does not fit 4 bytes"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "64 bits"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "damaged"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "damaged"},
      {"{'descr': '<f4', 'fortran_order': False, }", "lacks"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "damaged"},
      {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", "damaged"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "damaged"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } import os", "damaged"},
      {"", "damaged"},
  };
  for (const auto& [header, fragment] : cases) {
    const std::string said = refusal(npy_file(header, "\0\0\0\0"s));
    EXPECT_NE(said.find(fragment), std::string::npos) << header << " gives: " << said;
  }
  EXPECT_NE(refusal("\x93NUMPY\x09\0\0\0"s).find("version 9"), std::string::npos);
}

TEST(Npy, BooleansAreZeroOrOne) {
  const Tensor tensor = parse_npy(npy_file("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", "\0\x01\x7F"s));
  EXPECT_EQ(tensor.raw()[2], std::byte{1});
}

TEST(Npy, FilesAreNamedInMessages) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "x.npy", "nonsense");
  try {
    read_npy(folder / "x.npy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("x.npy"), std::string::npos);
  }
}

}  // namespace
}  // namespace cleave::calibration

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "quant/packing.h"
#include "support/property.h"

namespace cleave::quant {
namespace {

using testing::expect_holds;
using Bytes = std::vector<std::uint8_t>;

TEST(Packing, PutsTheFirstElementInTheLowBits) {
  EXPECT_EQ(pack(Bytes{1, 2, 3, 0}, Bits{2}), (Bytes{0b00111001}));
  EXPECT_EQ(pack(Bytes{0xA, 0xB, 0xC}, Bits{4}), (Bytes{0xBA, 0x0C}));
  EXPECT_EQ(pack(Bytes{1, 0, 0, 0, 0, 0, 0, 1, 1}, Bits{1}), (Bytes{0x81, 0x01}));
  EXPECT_EQ(pack(Bytes{7, 255}, Bits{8}), (Bytes{7, 255}));
}

TEST(Packing, SplitsOddWidthsIntoGroupsOneAfterTheOther) {
  // Codes 5 = 101b and 2 = 010b: low two bits 01 and 10, then the top bits 1 and 0.
  EXPECT_EQ(pack(Bytes{5, 2}, Bits{3}), (Bytes{0b1001, 0b01}));
  // 7 bits: 4 + 2 + 1. 0x6D = 1 10 1101b.
  EXPECT_EQ(pack(Bytes{0x6D}, Bits{7}), (Bytes{0xD, 0x2, 0x1}));
}

TEST(Packing, HasTheGroupsOfTheLayout) {
  const std::vector<std::vector<int>> widths = {{1}, {2}, {2, 1}, {4}, {4, 1}, {4, 2}, {4, 2, 1}, {8}};
  for (int bits = 1; bits <= 8; ++bits) {
    int shift = 0;
    std::vector<int> seen;
    for (const BitGroup& group : bit_groups(Bits{bits})) {
      EXPECT_EQ(group.shift, shift) << bits;
      shift += group.width;
      seen.push_back(group.width);
    }
    EXPECT_EQ(seen, widths[static_cast<std::size_t>(bits - 1)]);
    EXPECT_EQ(shift, bits);
  }
}

TEST(Packing, CountsBytesPerGroup) {
  EXPECT_EQ(wire_bytes(8, Bits{3}), 3);
  EXPECT_EQ(wire_bytes(9, Bits{3}), 5);  // ceil(18 / 8) + ceil(9 / 8)
  EXPECT_EQ(wire_bytes(0, Bits{7}), 0);
}

TEST(Packing, IsUndoneByUnpackingForEveryWidthAndSize) {
  expect_holds([] {
    const int bits = *rc::gen::inRange(1, 9);
    const auto size = *rc::gen::inRange<std::size_t>(0, 70);
    const auto code = rc::gen::inRange<std::uint8_t>(0, 255);
    Bytes codes = *rc::gen::container<Bytes>(size, code);
    for (std::uint8_t& value : codes) value = static_cast<std::uint8_t>(value & ((1 << bits) - 1));
    const Bytes packed = pack(codes, Bits{bits});
    RC_ASSERT(static_cast<std::int64_t>(packed.size()) == wire_bytes(static_cast<std::int64_t>(size), Bits{bits}));
    RC_ASSERT(unpack(packed, static_cast<std::int64_t>(size), Bits{bits}) == codes);
  });
}

TEST(Packing, WastesNothingWhenEightDividesTheSize) {
  for (int bits = 1; bits <= 8; ++bits) {
    for (const std::int64_t elements : {8, 64, 1000, 200704}) {
      EXPECT_EQ(wire_bytes(elements, Bits{bits}), packed_bytes(elements, Bits{bits}));
    }
  }
}

TEST(Packing, RefusesAPackedTensorOfTheWrongSize) {
  EXPECT_THROW(unpack(Bytes{1, 2, 3}, 8, Bits{2}), Error);
  EXPECT_THROW(unpack(Bytes{}, 1, Bits{1}), Error);
}

}  // namespace
}  // namespace cleave::quant

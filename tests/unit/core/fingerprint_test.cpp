#include "core/fingerprint.h"

#include <gtest/gtest.h>

namespace cleave {
namespace {

TEST(Sha256, EqualsThePublishedVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hasher, TellsApartTextsThatConcatenateAlike) {
  EXPECT_NE(Hasher().add_text("ab").add_text("c").hex(), Hasher().add_text("a").add_text("bc").hex());
}

TEST(StableHash, IsTheFirstEightBytesOfSha256) {
  EXPECT_EQ(stable_hash("abc"), 0xba7816bf8f01cfeaULL);
}

}  // namespace
}  // namespace cleave

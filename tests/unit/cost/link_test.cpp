#include "cost/link.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace cleave::cost {
namespace {

Json link_file() {
  return Json{{"schema", "cleave.link/1"}, {"name", "l"}, {"bandwidth_mbps", 8}};
}

std::string answer(const std::string& key, const Json& value) {
  Json file = link_file();
  file[key] = value;
  try {
    Link::from_json(file, "l.json");
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return std::string(error.what()) + " | " + error.hint();
  }
}

TEST(LinkFile, CountsMegabitsOfAMillionBits) {
  Json file = link_file();
  file["download_mbps"] = 16;
  file["rtt_ms"] = 60;
  file["header_bytes"] = 100;
  const Link link = Link::from_json(file, "l.json");
  EXPECT_EQ(link.upload_bytes_per_s, 1e6);
  EXPECT_EQ(link.download_bytes_per_s, 2e6);
  EXPECT_EQ(link.rtt_s, 0.06);
  EXPECT_EQ(link.header_bytes, 100);
  EXPECT_EQ(link.fingerprint.size(), 64U);
}

TEST(LinkFile, IsSymmetricWithoutDelayUnlessItSaysOtherwise) {
  const Link link = Link::from_json(link_file(), "l.json");
  EXPECT_EQ(link.download_bytes_per_s, link.upload_bytes_per_s);
  EXPECT_EQ(link.rtt_s, 0);
  EXPECT_EQ(link.header_bytes, 0);
}

TEST(LinkFile, WithNonsenseIsRefusedWithPlaceAndWayOut) {
  const std::string bandwidth = " | Give the upload bandwidth in megabits (10^6 bits) per second, such as 3.";
  EXPECT_EQ(answer("bandwidth_mbps", -3), "l.json: bandwidth_mbps: must be greater than 0, found -3.0" + bandwidth);
  EXPECT_EQ(answer("bandwidth_mbps", 0), "l.json: bandwidth_mbps: must be greater than 0, found 0.0" + bandwidth);
  EXPECT_EQ(
      answer("rtt_ms", -1),
      "l.json: rtt_ms: must be 0 or more, found -1.0 | Give the round trip in milliseconds, or leave the key out.");
  EXPECT_EQ(
      answer("download_mbps", 0),
      "l.json: download_mbps: must be greater than 0, found 0.0 | Give megabits per second, or leave the key out: "
      "as upload.");
  EXPECT_EQ(answer("header_bytes", -1),
            "l.json: header_bytes: must be 0 or more, found -1.0 | Give the bytes that every request adds.");
  EXPECT_EQ(answer("rtt_s", 1), "l.json: unknown key 'rtt_s'; did you mean 'rtt_ms'? | ");
}

TEST(LinkFile, WithAMisspeltBandwidthNamesTheRightKey) {
  Json file = link_file();
  file.erase("bandwidth_mbps");
  file["bandwith_mbps"] = 3;
  try {
    Link::from_json(file, "l.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "l.json: unknown key 'bandwith_mbps'; did you mean 'bandwidth_mbps'?");
  }
}

TEST(LinkText, IsBandwidthAndPerhapsARoundTrip) {
  EXPECT_EQ(parse_link("3mbps").value().upload_bytes_per_s, 375000);
  EXPECT_EQ(parse_link("3mbps").value().rtt_s, 0);
  EXPECT_EQ(parse_link("0.5mbps").value().upload_bytes_per_s, 62500);
  EXPECT_EQ(parse_link("20Mbps/50ms").value().upload_bytes_per_s, 2.5e6);
  EXPECT_EQ(parse_link("20Mbps/50ms").value().download_bytes_per_s, 2.5e6);
  EXPECT_EQ(parse_link("20Mbps/50ms").value().rtt_s, 0.05);
  EXPECT_EQ(parse_link("64kbps").value().upload_bytes_per_s, 8000);
  EXPECT_EQ(parse_link("1gbps/0.5ms").value().upload_bytes_per_s, 1.25e8);
  EXPECT_NE(parse_link("3mbps").value().fingerprint, parse_link("4mbps").value().fingerprint);
}

TEST(LinkText, OfAnotherFormIsNoLink) {
  for (const char* text :
       {"", "wifi", "mbps", "3", "3mb", "x3mbps", "3mbps/", "3mbps/50", "3mbps/50ms/1", "links/wifi.json"}) {
    EXPECT_FALSE(parse_link(text).has_value()) << text;
  }
}

TEST(LinkText, ThatMakesNoLinkIsRefusedWithTheWayOut) {
  for (const char* text : {"0mbps", "-3mbps", "3mbps/-1ms", "1e300mbps", "3mbps/1e300ms"}) {
    try {
      parse_link(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos);
      EXPECT_NE(error.hint().find("3mbps"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace cleave::cost

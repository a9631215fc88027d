#include "core/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace cleave {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.what();
  }
  return "no error";
}

TEST(ParseJson, NamesTheLineThatIsWrong) {
  EXPECT_EQ(message_of([] { parse_json("{\n\"a\": 1,\n}", "f.json"); }), "f.json:3: not JSON");
}

TEST(ParseJson, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(message_of([] { parse_json(R"({"a": 1, "b": {"c": 1, "c": 2}})", "f"); }),
            "f: key 'c' stands twice in one object");
}

TEST(ParseJson, RefusesNestingThatWouldExhaustTheStack) {
  EXPECT_NE(message_of([] { parse_json(std::string(100000, '['), "f"); }), "no error");
}

TEST(ToText, SortsKeysAndWritesShortestNumbers) {
  EXPECT_EQ(to_text(parse_json(R"({"b": 0.1, "a": 1e22})", "f")), "{\n  \"a\": 1e+22,\n  \"b\": 0.1\n}\n");
}

TEST(JsonReader, NamesUnknownKeysAndWhatWasProbablyMeant) {
  const Json json = parse_json(R"({"bandwith_mbps": 3})", "wifi.json");
  JsonReader reader(json, "wifi.json");
  reader.number_or("bandwidth_mbps", 0);
  EXPECT_EQ(message_of([&] { reader.finish(); }),
            "wifi.json: unknown key 'bandwith_mbps'; did you mean 'bandwidth_mbps'?");
}

TEST(JsonReader, RefusesWrongTypesAndMissingKeysByPath) {
  const Json json = parse_json(R"({"n": "3", "list": [1, "x"], "o": {"p": 1.5}})", "f");
  JsonReader reader(json, "f");
  EXPECT_EQ(message_of([&] { reader.number("n"); }), "f: n: expected a number, found string");
  EXPECT_EQ(message_of([&] { reader.numbers("list"); }), "f: list[1]: expected a number, found string");
  EXPECT_EQ(message_of([&] { reader.object("o").integer("p"); }), "f: o: p: expected a whole number, found number");
  EXPECT_EQ(message_of([&] { reader.text("gone"); }), "f: key 'gone' is missing");
}

TEST(JsonReader, RefusesNumbersBeyond64Bits) {
  const Json json = parse_json(R"({"n": 18446744073709551615})", "f");
  JsonReader reader(json, "f");
  EXPECT_EQ(message_of([&] { reader.integer("n"); }), "f: n: does not fit in 64 bits");
}

TEST(JsonReader, KnowsSchemaAndToolInDocumentsOnly) {
  const Json json = parse_json(R"({"schema": "cleave.plan/1", "tool": "1", "inner": {"tool": "1"}})", "f");
  JsonReader reader(json, "f");
  reader.require_schema("plan");
  EXPECT_EQ(message_of([&] { reader.object("inner").finish(); }), "f: inner: unknown key 'tool'");
  reader.finish();
}

TEST(JsonReader, ChecksTheSchema) {
  const Json json = parse_json(R"({"schema": "cleave.plan/1"})", "f");
  JsonReader reader(json, "f");
  EXPECT_EQ(message_of([&] { reader.require_schema("device"); }),
            "f: schema is 'cleave.plan/1', expected 'cleave.device/1'");
}

}  // namespace
}  // namespace cleave

#include "search/problem.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::one_unit_problem;
using testing::residual_problem;

Json valid() {
  return residual_problem().to_json();
}

/// The message of the refusal; empty when the document is taken.
std::string refusal(const Json& json) {
  try {
    Problem::from_json(json, "p.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.what();
  }
  return {};
}

void expect_refused(const Json& json, const std::string& part) {
  const std::string message = refusal(json);
  EXPECT_NE(message.find("p.json"), std::string::npos) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(ProblemFile, ComesBackByteForByte) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string once = to_text(testing::random_problem(seed).to_json());
    EXPECT_EQ(to_text(Problem::from_json(parse_json(once, "p"), "p").to_json()), once) << seed;
  }
}

TEST(ProblemFile, HasTheKeysOfTheContract) {
  Json json = one_unit_problem().to_json();
  json.erase("tool");
  const Json wanted = parse_json(R"({
    "schema": "cleave.problem/1",
    "tensors": {
      "x": {"elements": 10, "activation": [{"bits": 8, "distortion": 0.01}],
            "wire": [{"bits": 8, "bytes": 10, "distortion": 0.01}]},
      "y": {"elements": 4, "activation": [{"bits": 4, "distortion": 0.2}, {"bits": 8, "distortion": 0.02}],
            "wire": [{"bits": 4, "bytes": 2, "distortion": 0.2}, {"bits": 8, "bytes": 4, "distortion": 0.02}]}},
    "units": [{"name": "conv", "inputs": ["x"], "outputs": ["y"],
               "weight": [{"bits": 2, "bytes": 5, "distortion": 0.5}, {"bits": 8, "bytes": 20, "distortion": 0.05}],
               "edge_s": {"2": {"8": 6.0}, "8": {"8": 9.0}}, "cloud_s": 1.0}],
    "inputs": ["x"], "outputs": ["y"], "result_at": "anywhere",
    "link": {"bytes_per_s": 2.0, "rtt_s": 0.5, "header_bytes": 3.0, "download_bytes_per_s": 4.0, "result_bytes": 16.0},
    "limits": {}})",
                                 "wanted");
  EXPECT_EQ(json, wanted);
}

TEST(ProblemFile, PutsTensorsInScheduleOrderWhateverTheirNames) {
  Json json = one_unit_problem().to_json();
  json["tensors"]["z"] = json["tensors"]["x"];
  json["tensors"].erase("x");
  json["units"][0]["inputs"] = {"z"};
  json["inputs"] = {"z"};
  const Problem problem = Problem::from_json(json, "p");
  EXPECT_EQ(problem.tensors[0].name, "z");
  EXPECT_EQ(problem.tensors[1].name, "y");
  EXPECT_EQ(problem.tensors[1].producer, 0);
  EXPECT_EQ(problem.tensors[0].consumers, std::vector<int>{0});
}

TEST(ProblemFile, SortsChoicesByBits) {
  Json json = valid();
  std::swap(json["units"][1]["weight"][0], json["units"][1]["weight"][1]);
  const Problem problem = Problem::from_json(json, "p");
  EXPECT_EQ(problem.units[1].weight.front().bits, 4);
}

TEST(ProblemFile, TakesAUnitThatUsesATensorTwice) {
  Json json = valid();
  json["units"][2]["inputs"] = {"t", "t", "u"};
  const Problem problem = Problem::from_json(json, "p");
  EXPECT_EQ(problem.tensors[1].consumers, (std::vector<int>{1, 2}));
}

TEST(ProblemFile, TakesEmptyChoicesOfTensors) {
  Json json = valid();
  json["tensors"]["t"]["wire"] = Json::array();
  json["tensors"]["u"]["activation"] = Json::array();
  EXPECT_EQ(refusal(json), "");
}

TEST(ProblemFile, NeedsOnlyPairsThatTheChoicesAllow) {
  Json json = valid();
  json["tensors"]["u"]["activation"] = {{{"bits", 8}, {"distortion", 0.0}}};
  json["units"][2]["edge_s"]["0"].erase("4");  // the widest of t (4 or 8) and u (8) is 8
  EXPECT_EQ(refusal(json), "");
}

TEST(ProblemFile, RefusesAMissingPair) {
  Json json = valid();
  json["units"][1]["edge_s"]["4"].erase("8");
  expect_refused(json, "units[1] 'b': edge_s.4: no seconds for 8 activation bits");
  json = valid();
  json["units"][1]["edge_s"].erase("8");
  expect_refused(json, "units[1] 'b': edge_s: no row for 8 weight bits");
}

TEST(ProblemFile, RefusesUnknownKeysEverywhere) {
  for (const char* place : {"", "/link", "/limits", "/units/0", "/units/0/weight/0", "/tensors/t",
                            "/tensors/t/activation/0", "/tensors/t/wire/0"}) {
    Json json = valid();
    json[Json::json_pointer(place)]["elepants"] = 1;
    expect_refused(json, "unknown key 'elepants'");
  }
}

TEST(ProblemFile, RefusesMissingKeys) {
  for (const char* place : {"/tensors",
                            "/units",
                            "/inputs",
                            "/outputs",
                            "/result_at",
                            "/link",
                            "/limits",
                            "/schema",
                            "/link/bytes_per_s",
                            "/link/rtt_s",
                            "/link/header_bytes",
                            "/link/download_bytes_per_s",
                            "/link/result_bytes",
                            "/units/0/name",
                            "/units/0/inputs",
                            "/units/0/outputs",
                            "/units/0/weight",
                            "/tensors/t/elements",
                            "/tensors/t/activation",
                            "/tensors/t/wire"}) {
    Json json = valid();
    const Json::json_pointer pointer(place);
    json[pointer.parent_pointer()].erase(pointer.back());
    expect_refused(json, "'" + pointer.back() + "' is missing");
  }
}

TEST(ProblemFile, RefusesTheSameBitsTwice) {
  for (const char* place : {"/tensors/t/activation", "/tensors/t/wire", "/units/1/weight"}) {
    Json json = valid();
    Json& list = json[Json::json_pointer(place)];
    list.push_back(list[0]);
    expect_refused(json, "bits stand twice");
  }
}

TEST(ProblemFile, RefusesNegativeNumbers) {
  for (const char* place :
       {"/tensors/t/elements", "/tensors/t/activation/0/distortion", "/tensors/t/wire/0/bytes",
        "/tensors/t/wire/0/distortion", "/units/1/weight/0/bytes", "/units/1/weight/0/distortion",
        "/units/1/edge_s/4/4", "/units/1/cloud_s", "/link/bytes_per_s", "/link/rtt_s", "/link/header_bytes",
        "/link/download_bytes_per_s", "/link/result_bytes", "/limits/edge_memory_bytes", "/limits/weight_bytes",
        "/limits/activation_bytes", "/limits/distortion"}) {
    Json json = valid();
    json[Json::json_pointer(place)] = -1;
    expect_refused(json, "negative");
  }
}

TEST(ProblemFile, RefusesInfiniteNumbersInProblemsBuiltInCode) {
  Problem problem = residual_problem();
  problem.units[0].cloud_s = std::numeric_limits<double>::infinity();
  EXPECT_THROW(problem.finish(), Error);
  problem = residual_problem();
  problem.tensors[1].wire[0].distortion = std::nan("");
  EXPECT_THROW(problem.finish(), Error);
}

TEST(ProblemFile, RefusesALinkThatCarriesNothing) {
  Json json = valid();
  json["link"]["bytes_per_s"] = 0;
  expect_refused(json, "link: bytes_per_s: must be above 0");
  json = valid();
  json["link"]["download_bytes_per_s"] = 0;
  EXPECT_EQ(refusal(json), "");
  json["result_at"] = "edge";
  expect_refused(json, "download_bytes_per_s");
}

TEST(ProblemFile, RefusesUnitsOutOfOrder) {
  Json json = valid();
  std::swap(json["units"][0], json["units"][1]);
  expect_refused(json, "units[0] 'b': inputs: tensor 't' is not made yet");
}

TEST(ProblemFile, RefusesATensorMadeTwice) {
  Json json = valid();
  json["units"][1]["outputs"] = {"u", "t"};
  expect_refused(json, "tensor 't' is made twice");
  json = valid();
  json["inputs"] = {"x", "t"};
  expect_refused(json, "tensor 't' is made twice");
}

TEST(ProblemFile, RefusesATensorThatNobodyMakes) {
  Json json = valid();
  json["tensors"]["lost"] = json["tensors"]["t"];
  expect_refused(json, "tensor 'lost': made by no unit and no network input");
}

TEST(ProblemFile, RefusesUnknownTensorsWithASuggestion) {
  Json json = valid();
  json["tensors"]["middle"] = json["tensors"]["t"];
  json["units"][0]["outputs"] = {"t", "midle"};
  expect_refused(json, "units[0]: outputs: unknown tensor 'midle'; did you mean 'middle'?");
  json = valid();
  json["outputs"] = {"nothing"};
  expect_refused(json, "unknown tensor 'nothing'");
}

TEST(ProblemFile, RefusesTwoUnitsOfOneName) {
  Json json = valid();
  json["units"][1]["name"] = "a";
  expect_refused(json, "units[1] 'a': another unit has this name");
}

TEST(ProblemFile, RefusesBitsOutOfRange) {
  Json json = valid();
  json["tensors"]["t"]["wire"][0]["bits"] = 0;
  expect_refused(json, "bits must be 1 to 64");
  json = valid();
  json["units"][1]["weight"][0]["bits"] = 0;
  expect_refused(json, "bits must be 1 to 64");
  json = valid();
  json["units"][2]["weight"][0]["bytes"] = 1;
  expect_refused(json, "0 bits stand for no weights");
  json = valid();
  json["units"][2]["weight"] = Json::array();
  expect_refused(json, "no choice");
}

TEST(ProblemFile, RefusesKeysOfTheTableThatAreNoBits) {
  for (const char* key : {"four", "04", "-4", "4.0", ""}) {
    Json json = valid();
    json["units"][1]["edge_s"][key] = {{"4", 1.0}, {"8", 1.0}};
    expect_refused(json, "is not a bit-width");
  }
}

TEST(ProblemFile, RefusesAnUnknownResultPlace) {
  Json json = valid();
  json["result_at"] = "clod";
  expect_refused(json, "did you mean 'cloud'?");
}

TEST(ProblemFile, RefusesSizesThatOverflow) {
  Json json = valid();
  json["tensors"]["t"]["elements"] = std::int64_t{1} << 61;
  expect_refused(json, "do not fit");
  json = valid();
  json["tensors"]["t"]["elements"] = 1e300;
  expect_refused(json, "elements");
}

TEST(ProblemFile, RefusesAnotherSchema) {
  Json json = valid();
  json["schema"] = "cleave.plan/1";
  expect_refused(json, "cleave.plan/1");
}

}  // namespace
}  // namespace cleave::search

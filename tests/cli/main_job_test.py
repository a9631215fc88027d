#!/usr/bin/env python3
"""The command line as other programs see it: the main job on the embedded example, its JSON, its promises.

    main_job_test.py CLEAVE SOURCE_FOLDER
"""
import filecmp
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

CLEAVE, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
sys.path.insert(0, os.path.join(SOURCE, "tests", "error"))
import make_models  # noqa: E402  (writes ONNX byte by byte)
EXAMPLES = os.path.join(SOURCE, "examples")
MODEL = os.path.join(EXAMPLES, "model", "signs.onnx")
PREPROCESS = ["--preprocess", os.path.join(EXAMPLES, "preprocess.json")]
PHOTOS = os.path.join(EXAMPLES, "images", "calibration")
TEST = ["--images", os.path.join(EXAMPLES, "images", "test")]
LABELS = ["--labels", os.path.join(EXAMPLES, "images", "test_labels.txt")]
SCENARIO = ["--edge", os.path.join(EXAMPLES, "devices", "camera-mcu.json"), "--cloud", "tpu-v1", "--link", "0.1mbps/20ms",
            "--max-distortion", "0.1"]


def run(*arguments, status=0):
    done = subprocess.run([CLEAVE, *arguments], capture_output=True, text=True, timeout=600)
    if done.returncode != status:
        raise AssertionError(f"cleave {' '.join(arguments)}\nexit {done.returncode}, expected {status}\n{done.stderr}")
    return done.stdout


def run_json(*arguments, status=0):
    return json.loads(run(*arguments, "--json", status=status))


def write_two_outputs(path, relu, negated):
    """An ONNX file: x [1, 2] -> Relu and Neg of it, under the names given."""
    nodes = [make_models.node("Relu", ["x"], [relu], "relu"), make_models.node("Neg", ["x"], [negated], "neg")]
    graph = b"".join(make_models.chunk(1, node) for node in nodes) + make_models.chunk(2, "two")
    graph += make_models.chunk(11, make_models.value_info("x", [1, 2]))
    graph += b"".join(make_models.chunk(12, make_models.value_info(name, [1, 2])) for name in (relu, negated))
    opset = make_models.chunk(8, make_models.chunk(1, "") + make_models.integer(2, 13))
    with open(path, "wb") as out:
        out.write(make_models.integer(1, 7) + make_models.chunk(7, graph) + opset)


def write_npy(path, values):
    """float32 of shape [1, n]."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {len(values)}), }}\n".encode()
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values))


def read_floats(path, count):
    """The last `count` float32 of a file."""
    with open(path, "rb") as data:
        return struct.unpack(f"<{count}f", data.read()[-4 * count:])


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="cleave_cli_")
        cls.table = cls.at("calibration.json")
        cls.plan = cls.at("plan.json")
        cls.bundle = cls.at("bundle")
        cls.calibrate(cls.table, "-j", "2")
        cls.found = run_json("search", MODEL, "--calibration", cls.table, *SCENARIO, "-o", cls.plan)
        cls.export(cls.bundle)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    @classmethod
    def at(cls, name):
        return os.path.join(cls.work, name)

    @classmethod
    def calibrate(cls, output, *more):
        return run_json("calibrate", MODEL, "--images", PHOTOS, *PREPROCESS, "--limit", "40", "-o", output, *more)

    @classmethod
    def export(cls, folder, *more):
        return run_json("export", MODEL, "--calibration", cls.table, "--plan", cls.plan, "-o", folder, *more)

    def assert_same_folder(self, a, b):
        names = sorted(os.listdir(a))
        self.assertEqual(names, sorted(os.listdir(b)))
        for name in names:
            self.assertTrue(filecmp.cmp(os.path.join(a, name), os.path.join(b, name), shallow=False), name)

    def test_the_table_is_the_same_for_any_thread_count_and_any_sharding(self):
        self.calibrate(self.at("one.json"), "-j", "1")
        parts = [self.at(f"part{i}.json") for i in range(3)]
        for i, part in enumerate(parts):
            self.calibrate(part, "--shard", f"{i}/3", "-j", str(i + 1))
        run("merge", *reversed(parts), "-o", self.at("merged.json"))
        for name in ("one.json", "merged.json"):
            self.assertTrue(filecmp.cmp(self.table, self.at(name), shallow=False), name)

    def test_an_interrupted_calibration_resumes_to_the_same_table(self):
        output = self.at("resumed.json")
        arguments = [CLEAVE, "calibrate", MODEL, "--images", PHOTOS, *PREPROCESS, "--limit", "40", "-j", "1", "-o", output]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.12)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        if process.returncode == 130:  # else it was done before the signal came
            self.assertFalse(os.path.exists(output))
        self.calibrate(output, "--resume")
        self.assertTrue(filecmp.cmp(self.table, output, shallow=False))
        self.assertFalse(os.path.exists(output + ".partial"))

    def test_the_same_search_and_export_give_the_same_bytes(self):
        run("search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("again.json"))
        self.assertTrue(filecmp.cmp(self.plan, self.at("again.json"), shallow=False))
        self.export(self.at("bundle2"))
        self.assert_same_folder(self.bundle, self.at("bundle2"))

    def sensitivity(self, output, *more):
        return run_json("sensitivity", MODEL, "--calibration", self.table, "--images", PHOTOS, "--samples", "12",
                        "--weight-bits", "2,4,8", "--activation-bits", "4,8", "-o", output, *more)

    def test_sensitivities_are_the_same_for_any_sharding_and_the_search_takes_them(self):
        whole = self.at("sensitivity.json")
        told = self.sensitivity(whole, "-j", "1")
        self.assertEqual(told["schema"], "cleave.sensitivity/1")
        self.assertEqual(len(told["images"]), 12)
        parts = [self.at(f"sensitivity{i}.json") for i in range(2)]
        for i, part in enumerate(parts):
            self.sensitivity(part, "--shard", f"{i}/2", "-j", "2")
        run("merge", *reversed(parts), "-o", self.at("sensitivities.json"))
        self.assertTrue(filecmp.cmp(whole, self.at("sensitivities.json"), shallow=False))

        arguments = ["search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("damage_plan.json"),
                     "--sensitivity", whole, "--weight-bits", "2,4,8", "--activation-bits", "4,8", "--wire-bits", "4,8"]
        plan = run_json(*arguments)
        self.assertEqual(plan["proxy"], "output_damage")
        self.assertIn("sensitivity", plan["made_from"])
        self.assertEqual(self.found["proxy"], "tensor_mse")
        weights = {(row["unit"], row["bits"]): row["damage"] for row in told["weights"]}
        problem = self.at("damage_problem.json")
        run(*arguments, "--dump-problem", problem)
        with open(problem, encoding="utf-8") as text:
            for unit in json.load(text)["units"]:
                for option in unit["weight"]:
                    self.assertEqual(option["distortion"], weights.get((unit["name"], option["bits"]), 0))
        run(*arguments[:-1], "4,5,8", status=3)  # bits that were not measured

    def test_inspect_has_the_promised_keys(self):
        told = run_json("inspect", MODEL)
        self.assertEqual(told["schema"], "cleave.inspect/1")
        self.assertLessEqual({"path", "sha256", "opset", "ir_version"}, told["model"].keys())
        self.assertEqual(told["inputs"], [{"name": "image", "dtype": "float32", "shape": [1, 3, 64, 64]}])
        for unit in told["units"]:
            self.assertLessEqual({"name", "op", "inputs", "outputs", "macs", "weight_elements"}, unit.keys())
            for tensor in unit["outputs"]:
                self.assertIn(tensor, told["tensors"])
        self.assertEqual(told["totals"]["macs"], sum(unit["macs"] for unit in told["units"]))
        made = {tensor for unit in told["units"] for tensor in unit["outputs"]} | {"image"}
        seen = {"image"}
        for unit in told["units"]:  # topological order
            self.assertLessEqual(set(unit["inputs"]) & made, seen)
            seen |= set(unit["outputs"])

    def test_the_plan_has_the_promised_keys_and_adds_up(self):
        plan = self.found
        self.assertEqual(plan["schema"], "cleave.plan/1")
        self.assertIn(plan["status"], ("optimal", "feasible"))
        self.assertAlmostEqual(plan["latency_ms"], sum(plan["parts_ms"].values()), places=9)
        memory = plan["edge_memory_bytes"]
        self.assertEqual(memory["total"], memory["weights"] + memory["activations_peak"])
        edge = [name for name, unit in plan["units"].items() if unit["side"] == "edge"]
        self.assertEqual(sorted(edge), sorted(plan["cut"]["edge_units"]))
        self.assertAlmostEqual(plan["parts_ms"]["edge"], sum(plan["units"][name]["edge_ms"] for name in edge), places=9)
        for crossing in plan["cut"]["crossing"]:
            self.assertLessEqual({"tensor", "bits", "elements", "bytes"}, crossing.keys())
        self.assertEqual({"cloud_only", "cloud_only_jpeg", "edge_only_8bit", "neurosurgeon", "dads", "qdmp", "autosplit"},
                         set(plan["baselines"]))
        self.assertEqual({"model", "calibration", "edge", "cloud", "link"}, set(plan["made_from"]))
        self.assertLessEqual({"mean", "p95"}, plan["wire_bytes"].keys())
        self.assertNotIn("wall_s", plan)

    def test_the_time_of_a_search_is_in_the_log_only(self):
        search = [CLEAVE, "search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("timed.json"), "--json"]
        done = subprocess.run(search, capture_output=True, text=True)
        self.assertRegex(done.stderr, r"solver exact, seed 0, wall_s \d")
        self.assertNotIn("wall_s", done.stdout)
        self.assertEqual(subprocess.run([*search, "--quiet"], capture_output=True, text=True).stderr, "")

    def test_a_dumped_problem_solves_to_the_same_latency(self):
        problem = self.at("problem.json")
        run("search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("p.json"), "--dump-problem", problem)
        outcome = run_json("solve", problem)
        self.assertEqual(outcome["schema"], "cleave.outcome/1")
        self.assertAlmostEqual(1e3 * outcome["latency_s"], self.found["latency_ms"], places=9)

    def test_verify_passes_and_notices_an_exchanged_half(self):
        told = run_json("verify", self.bundle, *TEST, "--limit", "10")
        self.assertTrue(told["pass"])
        self.assertEqual(told["images"], 10)
        self.assertLessEqual({"crossing_codes_differing", "max_abs_error", "max_rel_error", "argmax_agreement"}, told.keys())
        broken = self.at("broken")
        shutil.copytree(self.bundle, broken)
        with open(os.path.join(broken, "edge.onnx"), "r+b") as half:
            half.seek(-40, os.SEEK_END)
            half.write(b"\x55")
        done = subprocess.run([CLEAVE, "verify", broken, *TEST, "--limit", "1"], capture_output=True, text=True)
        self.assertIn(done.returncode, (3, 6))

    def test_accuracy_survives_the_split(self):
        told = run_json("evaluate", self.bundle, *TEST, *LABELS, "--reference", MODEL, "--limit", "200")
        self.assertEqual((told["metric"], told["images"]), ("top1", 200))
        self.assertGreater(told["reference_value"], 0.96)
        self.assertGreater(told["value"], told["reference_value"] - 0.03)

    def test_few_bits_hurt_and_eight_do_not(self):
        def accuracy(bits):
            return run_json("evaluate", MODEL, *TEST, *LABELS, *PREPROCESS, "--calibration", self.table, "--uniform", bits,
                            "--limit", "200")["value"]
        self.assertGreater(accuracy("W8A8"), 0.96)
        self.assertLess(accuracy("W2A2"), 0.5)

    def test_every_precision_is_accurate_and_auto_takes_the_fastest_within_its_tolerance(self):
        def evaluate(name, *more):
            return run_json("evaluate", MODEL, *TEST, *LABELS, *PREPROCESS, "--calibration", self.table, "--precision", name,
                            "--limit", "100", *more)
        modes = ["force_float32", "force_float16", "qint8_mixed_float16", "qint8_mixed_float32", "qint16_mixed_float16",
                 "qint16_mixed_float32"]
        for mode in modes:
            told = evaluate(mode, "--reference", MODEL)
            self.assertEqual(told["precision"], mode)
            self.assertNotIn("precision_choice", told)
            self.assertGreaterEqual(told["agreement"], 0.98, mode)
        for told in (evaluate("auto"), run_json("bench", MODEL, "--precision", "auto", "--calibration", self.table, *TEST,
                                                *PREPROCESS, "--iterations", "2")):
            choice = told["precision_choice"]
            self.assertEqual([row["precision"] for row in choice["measured"]], modes)
            within = [row for row in choice["measured"] if row["error"] <= choice["tolerance"]]
            self.assertEqual(within, [row for row in choice["measured"] if row["within_tolerance"]])
            self.assertEqual(told["precision"], min(within, key=lambda row: row["latency_ms"])["precision"])
        without = run_json("bench", MODEL, "--precision", "auto", "--tolerance", "0", "--iterations", "2")
        self.assertEqual([row["precision"] for row in without["precision_choice"]["measured"]], modes[:2])
        self.assertEqual(without["precision"], "force_float32")

    def test_a_run_in_a_precision_says_so_and_gives_nearly_the_same(self):
        photo = ["--input", "image=" + os.path.join(EXAMPLES, "images", "test", "00000.jpg"), *PREPROCESS]
        run("run", MODEL, *photo, "-o", self.at("plain"))
        told = run_json("run", MODEL, *photo, "--precision", "force_float16", "-o", self.at("halves"))
        self.assertEqual(told["precision"], "force_float16")
        pairs = list(zip(*(read_floats(os.path.join(self.at(folder), "logits.npy"), 16) for folder in ("plain", "halves"))))
        largest = max(abs(a) for a, _ in pairs)
        self.assertNotEqual(*zip(*pairs))
        for a, b in pairs:
            self.assertAlmostEqual(a, b, delta=0.01 * largest)

    def test_a_precision_that_cannot_be_is_a_usage_error(self):
        run("bench", MODEL, "--precision", "qint8_mixed_float32", status=2)  # no ranges
        run("bench", MODEL, "--precision", "force_float17", status=2)
        run("bench", MODEL, "--precision", "force_float16", "--tolerance", "0.1", status=2)
        run("bench", MODEL, "--precision", "force_float16", "--batch", "2", status=2)
        run("bench", self.bundle, "--precision", "force_float16", status=2)
        run("evaluate", MODEL, *TEST, *LABELS, *PREPROCESS, "--precision", "force_float16", "--uniform", "W4A8", status=2)

    def test_an_unquantized_bundle_gives_the_networks_own_result_bit_for_bit(self):
        bundle = self.at("float")
        self.export(bundle, "--no-quantize")
        image = "image=" + os.path.join(EXAMPLES, "images", "test", "00000.jpg")
        for target, out in ((MODEL, "whole"), (bundle, "halves")):
            told = run_json("run", target, "--input", image, *PREPROCESS, "--kernels", "reference", "-o", self.at(out))
            self.assertEqual(told["outputs"][0]["shape"], [1, 16])
        self.assertTrue(filecmp.cmp(self.at("whole/logits.npy"), self.at("halves/logits.npy"), shallow=False))

    def test_bench_has_the_promised_keys(self):
        for target in (MODEL, self.bundle):
            told = run_json("bench", target, "--iterations", "3", "--warmup", "1", "--per-layer")
            self.assertLessEqual({"threads", "batch", "iterations", "latency_ms", "throughput_per_s", "layers"}, told.keys())
            self.assertEqual({"min", "mean", "median", "p90", "p95", "p99", "max", "cv"}, set(told["latency_ms"]))
            self.assertLessEqual({"name", "op", "ms", "macs", "bits", "gflops", "peak_share", "bytes", "kernels"},
                                 told["layers"][0].keys())
            for layer in told["layers"]:
                self.assertEqual(layer["gflops"] is None, layer["macs"] == 0 or layer["ms"] == 0, layer)
            self.assertAlmostEqual(sum(row["ms"] for row in told["operators"]),
                                   sum(layer["ms"] for layer in told["layers"]))
            self.assertGreater(told["peak"]["float32_gflops"], 0)
        self.assertEqual(run_json("bench", MODEL, "--iterations", "2", "--batch", "4")["batch"], 4)

    def test_a_trace_holds_the_steps_of_a_run_in_order(self):
        trace = self.at("trace.json")
        run("bench", self.bundle, "--iterations", "2", "--trace", trace)
        with open(trace, encoding="utf-8") as text:
            events = json.load(text)["traceEvents"]
        units = {event["args"]["unit"] for event in events}
        self.assertLessEqual({"/stem/stem.0/Conv", "/classifier/Gemm"}, units)  # of both halves
        for before, after in zip(events, events[1:]):
            self.assertLessEqual(before["ts"] + before["dur"], after["ts"] + 1e-3)
        self.assertTrue(all(event["ph"] == "X" and event["args"]["kernel"] for event in events))

    def profile(self, device, *more):
        return run_json("profile", MODEL, "--device", "this-box", "--iterations", "5", "-o", device, *more)

    def search_on(self, device, *more):
        return run_json("search", MODEL, "--calibration", self.table, "--edge", device, "--cloud", device, "--link",
                        "0.1mbps/20ms", *more, "-o", self.at("profiled_plan.json"))

    def test_a_profile_is_a_device_that_search_understands(self):
        device = self.at("box.json")
        told = self.profile(device)
        self.assertGreater(told["float32"]["measured_ms"], 0)
        self.assertGreater(told["int8"]["predicted_ms"], 0)
        self.assertIn("Conv", told["error"]["by_op"])
        with open(device, encoding="utf-8") as text:
            written = json.load(text)
        self.assertEqual((written["name"], written["model"]["kind"]), ("this-box", "roofline"))
        self.assertNotIn("20", written["provenance"]["source"].split("threads")[1])  # no date unless given
        self.assertIn(self.search_on(device)["status"], ("optimal", "feasible"))

    def test_a_profile_as_a_table_prices_this_network_as_it_was_measured(self):
        device = self.at("box_table.json")
        told = self.profile(device, "--kind", "table", "--date", "some day")
        with open(device, encoding="utf-8") as text:
            written = json.load(text)
        self.assertIn("some day", written["provenance"]["source"])
        units = [unit["name"] for unit in run_json("inspect", MODEL)["units"]]
        self.assertEqual(sorted(units), sorted(written["model"]["unit_s"]))
        total = sum(row["W32A32"] for row in written["model"]["unit_s"].values())
        self.assertAlmostEqual(1e3 * total, told["float32"]["predicted_ms"])
        plan = self.search_on(device, "--cut", "image")
        self.assertAlmostEqual(plan["parts_ms"]["cloud"], 1e3 * total)

    def test_options_in_force_can_be_dumped_and_read_back(self):
        config = self.at("config.json")
        with open(config, "w", encoding="utf-8") as out:
            out.write(run("search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("c.json"),
                          "--weight-bits", "4,8", "--dump-config"))
        run("search", "--config", config)
        with open(self.at("c.json"), encoding="utf-8") as text:
            plan = json.load(text)
        self.assertLessEqual({unit["weight_bits"] for unit in plan["units"].values()}, {0, 4, 8})
        run("search", "--config", config, "--weight-bits", "8", "-o", self.at("c8.json"))
        with open(self.at("c8.json"), encoding="utf-8") as text:
            plan = json.load(text)
        self.assertLessEqual({unit["weight_bits"] for unit in plan["units"].values()}, {0, 8})

    def test_an_infeasible_search_writes_its_json_and_names_the_tightest_limit(self):
        plan = run_json("search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("no.json"), "--result-at", "edge",
                        "--cut", "logits", "--edge-memory", "1000", status=7)
        self.assertEqual(plan["status"], "infeasible")
        self.assertEqual(plan["infeasible"]["tightest"], "edge_memory_bytes")
        self.assertGreater(plan["infeasible"]["needed"], plan["infeasible"]["allowed"])

    def test_every_verb_has_help_with_an_example(self):
        verbs = [line.split()[0] for line in run("--help").split("Verbs:\n")[1].splitlines() if line.startswith("  ")]
        self.assertEqual(len(verbs), 14)
        for verb in verbs:
            self.assertIn("cleave " + verb + " ", run(verb, "--help"))

    def test_outputs_whose_names_meet_get_files_of_their_own(self):
        model, samples = self.at("names.onnx"), self.at("x.npy")
        write_two_outputs(model, "a/b", "a_b")
        write_npy(samples, [1.0, -2.0])
        told = run_json("run", model, "--input", "x=" + samples, "--save-inputs", "-o", self.at("names"))
        self.assertEqual([(entry["name"], entry["file"]) for entry in told["outputs"]],
                         [("a/b", "a_b.npy"), ("a_b", "a_b_2.npy")])
        self.assertEqual(read_floats(self.at("names/a_b.npy"), 2), (1.0, 0.0))    # Relu
        self.assertEqual(read_floats(self.at("names/a_b_2.npy"), 2), (-1.0, 2.0))  # Neg
        self.assertEqual(read_floats(self.at("names/x.npy"), 2), (1.0, -2.0))

    def test_export_never_replaces_a_folder_of_other_things(self):
        photos = self.at("photos")
        os.mkdir(photos)
        with open(os.path.join(photos, "holiday.jpg"), "w", encoding="utf-8") as photo:
            photo.write("precious")
        run("export", MODEL, "--calibration", self.table, "--plan", self.plan, "-o", photos, status=5)
        self.assertEqual(os.listdir(photos), ["holiday.jpg"])
        self.export(self.at("twice"))
        self.export(self.at("twice"))
        self.assert_same_folder(self.bundle, self.at("twice"))

    def test_numbers_that_no_option_can_hold_are_usage_errors(self):
        run("calibrate", MODEL, "--images", PHOTOS, "--limit", "99999999999999999999", "-o", self.at("n.json"), status=2)
        search = ["search", MODEL, "--calibration", self.table, *SCENARIO, "-o", self.at("n.json")]
        for bytes_ in ("1e300", "0.5", "-1", "nan"):
            run(*search, "--edge-memory", bytes_, status=2)
        run("evaluate", MODEL, *TEST, *LABELS, *PREPROCESS, "--calibration", self.table, "--uniform", "W4A8",
            "--keep-first-last", "99", status=2)
        self.assertFalse(os.path.exists(self.at("n.json")))

    def test_a_misspelt_key_of_a_configuration_is_named_with_the_right_one(self):
        with open(self.at("misspelt.json"), "w", encoding="utf-8") as config:
            config.write('{"schema": "cleave.config/1", "edg": "eyeriss"}')
        done = subprocess.run([CLEAVE, "search", MODEL, "--config", self.at("misspelt.json")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("unknown key 'edg'; did you mean 'edge'?", done.stderr)

    def test_a_full_disk_behind_stdout_is_an_io_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([CLEAVE, "inspect", MODEL], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 5)
        self.assertIn("No space", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

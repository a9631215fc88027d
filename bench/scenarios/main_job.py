#!/usr/bin/env python3
"""The main job on every classifier of the shared data folder: calibrate, search, export, verify, evaluate.

Writes docs/results.md: plan, latency of each baseline, accuracy float and split, seconds of each stage. Calibration and
test images never overlap.

    main_job.py --cleave build/release/bin/cleave --shared ../shared [--only NAME] [--work DIR]
"""
import argparse
import gzip
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "..", "..", "docs", "results.md")
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "scale": 1 / 255}
CROP = {"center_crop_px": [224, 224]}
TF = {**CROP, "scale": 1 / 127.5, "mean": [1.0], "std": [1.0]}
SCENARIO = ["--edge", "eyeriss", "--cloud", "tpu-v1", "--link", "3mbps"]

# model, image set, label file, preprocessing
CLASSIFIERS = [
    ("mobilenet_v2_1.0_224", "imagenet", "test_labels_1001.txt", TF),
    ("mobilenet_v1_1.0_224_qat8", "imagenet", "test_labels_1001.txt", TF),
    ("squeezenet1.1", "imagenet", "test_labels.txt", {**CROP, **IMAGENET}),
    ("resnet20_cifar10", "cifar10", "test_labels.txt", IMAGENET),
    ("resnet56_cifar10", "cifar10", "test_labels.txt", IMAGENET),
    ("resnet8_cifar10_mlperftiny", "cifar10", "test_labels.txt", {}),
    ("vww_mobilenetv1_025_96", "coco", None, {"resize": {"size_px": [96, 96], "interpolation": "linear"}, "scale": 1 / 255}),
    ("lenet_mnist", "mnist", None, {"color": "gray", "scale": 1 / 255}),
    ("mnist_cntk", "mnist", None, {"color": "gray"}),
]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def spread(items, count):
    """`count` items evenly spread over a list, so that every class is met."""
    return items if len(items) <= count else [items[i * len(items) // count] for i in range(count)]


def folder_set(shared, name, labels, work, calibration_count, test_count):
    """Image lists of a folder with a label file."""
    root = os.path.join(shared, "data", "images", name)
    calibration = sorted(os.listdir(os.path.join(root, "calibration")))
    lines = [os.path.join(root, *line.split()[0].split("/")) + " " + line.split()[1]
             for line in open(os.path.join(root, labels), encoding="utf-8") if line.strip()]
    return (write(os.path.join(work, "calibration.txt"), "\n".join(
                os.path.join(root, "calibration", file) for file in spread(calibration, calibration_count)) + "\n"),
            write(os.path.join(work, "test.txt"), "\n".join(spread(lines, test_count)) + "\n"))


def coco_set(shared, work, calibration_count, test_count):
    """Person (1) or not (0), from the boxes."""
    root = os.path.join(shared, "data", "images", "coco")
    lines = []
    for file in sorted(os.listdir(os.path.join(root, "test"))):
        boxes = os.path.join(root, "labels", os.path.splitext(file)[0] + ".txt")
        classes = [line.split()[0] for line in open(boxes, encoding="utf-8")] if os.path.exists(boxes) else []
        lines.append(f"{os.path.join(root, 'test', file)} {int('0' in classes)}")
    calibration = [os.path.join(root, "calibration", file) for file in sorted(os.listdir(os.path.join(root, "calibration")))]
    return (write(os.path.join(work, "calibration.txt"), "\n".join(spread(calibration, calibration_count)) + "\n"),
            write(os.path.join(work, "test.txt"), "\n".join(spread(lines, test_count)) + "\n"))


def mnist_set(shared, work, calibration_count, test_count):
    """The first images calibrate, the next ones test."""
    root = os.path.join(shared, "data", "images", "mnist")
    pixels = gzip.open(os.path.join(root, "t10k-images-idx3-ubyte.gz")).read()[16:]
    labels = gzip.open(os.path.join(root, "t10k-labels-idx1-ubyte.gz")).read()[8:]
    os.makedirs(os.path.join(work, "digits"), exist_ok=True)
    lines = []
    for i in range(calibration_count + test_count):
        path = os.path.join(work, "digits", f"{i:05}.pgm")
        with open(path, "wb") as out:
            out.write(b"P5\n28 28\n255\n" + pixels[784 * i: 784 * (i + 1)])
        lines.append(f"{path} {labels[i]}")
    return (write(os.path.join(work, "calibration.txt"), "\n".join(l.split()[0] for l in lines[:calibration_count]) + "\n"),
            write(os.path.join(work, "test.txt"), "\n".join(lines[calibration_count:]) + "\n"))


def image_lists(shared, image_set, labels, work, calibration_count, test_count):
    if image_set == "mnist":
        return mnist_set(shared, work, calibration_count, test_count)
    if image_set == "coco":
        return coco_set(shared, work, calibration_count, test_count)
    return folder_set(shared, image_set, labels, work, calibration_count, test_count)


def stage(cleave, seconds, name, arguments):
    """Runs one verb, keeps its wall time, returns its JSON."""
    start = time.monotonic()
    done = subprocess.run([cleave, name, *arguments, "--json"], capture_output=True, text=True)
    seconds[name] = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"cleave {name} {' '.join(arguments)}\nexit {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main_job(cleave, shared, entry, work, counts):
    name, image_set, labels, block = entry
    model = os.path.join(shared, "data", "models", name + ".onnx")
    work = os.path.join(work, name)
    preprocess = write(os.path.join(work, "preprocess.json"), json.dumps(
        {"schema": "cleave.preprocess/1", "color": "rgb", "layout": "NCHW", **block}))
    calibration_list, test_list = image_lists(shared, image_set, labels, work, *counts)
    table, plan, bundle = (os.path.join(work, part) for part in ("calibration.json", "plan.json", "bundle"))
    seconds = {}
    calibrated = stage(cleave, seconds, "calibrate",
                       [model, "--images", calibration_list, "--preprocess", preprocess, "-o", table])
    found = stage(cleave, seconds, "search", [model, "--calibration", table, *SCENARIO, "-o", plan])
    stage(cleave, seconds, "export", [model, "--calibration", table, "--plan", plan, "-o", bundle])
    checked = stage(cleave, seconds, "verify", [bundle, "--images", test_list, "--limit", "20", "--model", model])
    accuracy = stage(cleave, seconds, "evaluate", [bundle, "--images", test_list, "--labels", test_list,
                                                   "--reference", model])
    return {"name": name, "images": calibrated["images"], "plan": found, "verify": checked, "accuracy": accuracy,
            "seconds": seconds}


def cut_text(plan):
    crossing = ", ".join(f"{c['bytes'] / 1e3:.1f} kB at {c['bits']} bits" for c in plan["cut"]["crossing"])
    return f"{len(plan['cut']['edge_units'])} of {len(plan['units'])} units on the edge; " + (crossing or "nothing crosses")


def bits_text(plan):
    """'W 4.1 A 6.3': mean bits of the edge units."""
    edge = [unit for unit in plan["units"].values() if unit["side"] == "edge"]
    weights = [unit["weight_bits"] for unit in edge if unit["weight_bits"]]
    activations = [unit["activation_bits"] for unit in edge]
    mean = lambda values: f"{sum(values) / len(values):.1f}" if values else "-"
    return f"W {mean(weights)} A {mean(activations)}"


def baseline(plan, key):
    entry = plan["baselines"].get(key)
    return "-" if entry is None else f"{entry['latency_ms']:.2f}"


def page(results, counts):
    lines = ["# Results", "",
             "Made by `bench/scenarios/main_job.py`; every figure below comes from one run of it. Edge `eyeriss`, cloud `tpu-v1`,",
             f"link `3mbps`; up to {counts[0]} calibration and {counts[1]} labelled test images (COCO has fewer), which never overlap;",
             "default options of every verb. Latencies are modelled, accuracies measured. The ImageNet images are an easy",
             "subset and the CIFAR-10 ones are recompressed: compare float with split, not with published figures.", "",
             "## Plans and their baselines (ms)", "",
             "| network | plan | mean bits on the edge | plan | cloud only | cloud only, JPEG | edge only, 8 bit | autosplit | distortion |",
             "|---|---|---|---|---|---|---|---|---|"]
    for result in results:
        plan = result["plan"]
        lines.append(f"| {result['name']} | {cut_text(plan)} | {bits_text(plan)} | **{plan['latency_ms']:.2f}** | " + " | ".join(
            baseline(plan, key) for key in ("cloud_only", "cloud_only_jpeg", "edge_only_8bit", "autosplit")) +
            f" | {plan['distortion']:.4f} |")
    lines += ["", "## Accuracy (top-1, %)", "",
              "| network | test images | float | split | drop | same answer as float | codes at the cut that differ (verify) |",
              "|---|---|---|---|---|---|---|"]
    for result in results:
        accuracy = result["accuracy"]
        drop = 100 * (accuracy["reference_value"] - accuracy["value"])
        lines.append(f"| {result['name']} | {accuracy['images']} | {100 * accuracy['reference_value']:.1f} | "
                     f"{100 * accuracy['value']:.1f} | {drop:.1f} | {100 * accuracy['agreement']:.1f} | "
                     f"{result['verify']['crossing_codes_differing']} |")
    lines += ["", "## Seconds of each stage (2 cores)", "",
              "| network | calibrate | search | export | verify (20 images) | evaluate (split and float) |",
              "|---|---|---|---|---|---|"]
    for result in results:
        lines.append(f"| {result['name']} | " + " | ".join(
            f"{result['seconds'][key]:.1f}" for key in ("calibrate", "search", "export", "verify", "evaluate")) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cleave", default="build/release/bin/cleave")
    parser.add_argument("--shared", default="../shared")
    parser.add_argument("--work", default="build/main_job")
    parser.add_argument("--only", help="one network; prints its result instead of writing the page")
    parser.add_argument("--calibration-images", type=int, default=200)
    parser.add_argument("--test-images", type=int, default=500)
    options = parser.parse_args()
    counts = (options.calibration_images, options.test_images)
    shared = os.path.abspath(options.shared)
    chosen = [entry for entry in CLASSIFIERS if options.only in (None, entry[0])]
    results = []
    for entry in chosen:
        print(f"{entry[0]} ...", file=sys.stderr, flush=True)
        results.append(main_job(options.cleave, shared, entry, os.path.abspath(options.work), counts))
    if options.only:
        print(page(results, counts))
    else:
        write(os.path.normpath(RESULTS), page(results, counts))


if __name__ == "__main__":
    main()

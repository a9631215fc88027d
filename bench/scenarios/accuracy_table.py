#!/usr/bin/env python3
"""Top-1 of quantized networks: method x network x bits, by the tool itself (calibrate, search, tune, evaluate).

Each cell is measured once and kept in the results file; a later call measures what is missing and writes the tables again:
docs/accuracy.md, and what leaving out single tuning steps costs in docs/quantization.md. Hours for all of it.

    accuracy_table.py --cleave build/release/bin/cleave --shared ../shared --results build/accuracy.json
        [--networks NAME ...] [--bits W4A8 mixed4A8 ...] [--methods mse gptq ...] [--effects] [--write-only] [--again]

For a quick look, --limit takes fewer test images; the table is printed then, not written.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import time

from accuracy_page import table, write_pages

IMAGENET = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
CROP = {"center_crop_px": [224, 224]}
TF = {**CROP, "scale": 1 / 127.5, "mean": [1.0], "std": [1.0]}
# network: image set, label file, preprocessing, calibration images
NETWORKS = {
    "resnet20_cifar10": ("cifar10", "test_labels.txt", IMAGENET, 256),
    "resnet56_cifar10": ("cifar10", "test_labels.txt", IMAGENET, 256),
    "resnet8_cifar10_mlperftiny": ("cifar10", "test_labels.txt", {}, 256),
    "squeezenet1.1": ("imagenet", "test_labels.txt", {**CROP, **IMAGENET}, 200),
    "mobilenet_v2_1.0_224": ("imagenet", "test_labels_1001.txt", TF, 200),
    "mobilenet_v1_1.0_224_qat8": ("imagenet", "test_labels_1001.txt", TF, 200),
}
BITS = ["W8A8", "W6A8", "W4A8", "W4A4", "W3A8", "mixed4A8", "mixed3A8"]
CLIPS = ["aciq-laplace", "mse", "lp-3"]  # rounding to the nearest; the others are lists of tuning steps
METHODS = CLIPS + ["lapq", "gptq", "gptq,bias", "default", "all"]
EFFECTS = [("resnet20_cifar10", "W4A4"), ("mobilenet_v2_1.0_224", "W4A8")]
ON_THE_EDGE = ["--edge", "unit", "--cloud", "unit", "--link", "3mbps", "--result-at", "edge"]


def call(arguments, statuses=(0,)):
    """JSON that the tool prints; None for another of the statuses than 0."""
    done = subprocess.run([*arguments, "--json"], capture_output=True, text=True)
    if done.returncode not in statuses:
        sys.exit(f"{' '.join(arguments)}\nexit {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.returncode == 0 else None


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".partial", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".partial", path)
    return path


def spread(items, count):
    """`count` items evenly spread over a list (0: all), so that every class is met."""
    return items if count in (0, len(items)) else [items[i * len(items) // count] for i in range(min(count, len(items)))]


class Network:
    """One network with its files; what several cells share is made once."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        image_set, labels, block, count = NETWORKS[name]
        root = os.path.join(os.path.abspath(options.shared), "data", "images", image_set)
        self.model = os.path.join(os.path.abspath(options.shared), "data", "models", name + ".onnx")
        self.work = os.path.join(os.path.abspath(options.work), name)
        self.preprocess = self.file("preprocess.json", json.dumps(
            {"schema": "cleave.preprocess/1", "color": "rgb", "layout": "NCHW", **block}))
        photos = sorted(os.listdir(os.path.join(root, "calibration")))[:options.calibration_images or count]
        self.photos = self.file("calibration.txt", "".join(os.path.join(root, "calibration", p) + "\n" for p in photos))
        with open(os.path.join(root, labels), encoding="utf-8") as lines:
            tests = [os.path.join(root, line.strip()) for line in lines if line.strip()]
        self.tests = self.file("test.txt", "\n".join(spread(tests, options.limit)) + "\n")
        self.table = None
        self.plans = {}  # by mean bits: (file, mean bits)

    def file(self, name, text):
        return write(os.path.join(self.work, name), text)

    def cleave(self, verb, *arguments, statuses=(0,)):
        return call([self.options.cleave, verb, self.model, *arguments, "-j", str(self.options.threads)], statuses)

    def calibration(self):
        if self.table is None:
            table = os.path.join(self.work, "calibration.json")
            self.cleave("calibrate", "--images", self.photos, "--preprocess", self.preprocess, "-o", table)
            self.table = table
        return self.table

    def evaluate(self, *how):
        return self.cleave("evaluate", "--images", self.tests, "--labels", self.tests, "--preprocess", self.preprocess,
                           "--reference", self.model, *how)

    def tuned(self, steps, *start):
        out = os.path.join(self.work, "tuned.json")
        self.cleave("tune", "--calibration", self.calibration(), *start, "--images", self.photos, "--samples",
                    str(self.options.samples), "--steps", steps, "-o", out)
        return out

    def mixed_plan(self, target):
        if target not in self.plans:
            self.plans[target] = mixed_plan(self, target)
        return self.plans[target]

    def cell(self, bits, method):
        """Accuracy of one method at these bits."""
        if bits.startswith("mixed"):
            plan, mean = self.mixed_plan(float(bits[len("mixed"):-len("A8")]))
            steps = "none" if method == "mse" else method
            by = "sensitivity" if self.options.sensitivity else "distortion"
            accuracy = self.evaluate("--tuned", self.tuned(steps, "--plan", plan))
            return {**accuracy, "mixed": f"mean {mean:.2f}, by {by}"}
        uniform = ["--uniform", bits, "--keep-first-last", "8"]
        if method in CLIPS:
            return self.evaluate("--calibration", self.calibration(), *uniform, "--clip", method)
        return self.evaluate("--tuned", self.tuned(method, *uniform))


def weighted_layers(network):
    """(unit, weights) of every layer, in schedule order; and the network's outputs."""
    document = call([network.options.cleave, "inspect", network.model])
    return ([(unit["name"], unit["weight_elements"]) for unit in document["units"] if unit["weight_elements"]],
            [tensor["name"] for tensor in document["outputs"]])


def mean_bits(plan, layers):
    """Mean over the weights of all layers but the first and the last."""
    inner = layers[1:-1]
    return sum(plan["units"][name]["weight_bits"] * count for name, count in inner) / sum(count for _, count in inner)


def mixed_plan(network, target):
    """The plan of everything on the edge at 8-bit activations whose weights have `target` bits on average at most: the
    search trades bytes (on the unit device) for distortion, or for measured damage, and the limit of that is bisected. The
    first and the last layer then get 8 bits and the outputs stay float, as with --uniform."""
    layers, outputs = weighted_layers(network)
    path = os.path.join(network.work, f"plan{target:g}.json")
    damages = []
    if network.options.sensitivity:
        damages = ["--sensitivity", os.path.join(network.work, "sensitivity.json")]
        network.cleave("sensitivity", "--calibration", network.calibration(), "--images", network.photos, "-o", damages[1])
    best, low, high = None, math.log(1e-6), math.log(20.0)
    for _ in range(14):
        middle = (low + high) / 2
        plan = call([network.options.cleave, "search", network.model, "--calibration", network.calibration(), *ON_THE_EDGE,
                     "--cut", ",".join(outputs), "--activation-bits", "8", "--weight-bits", "2,3,4,5,6,7,8", *damages,
                     "--max-distortion", repr(math.exp(middle)), "-o", path], statuses=(0, 7))
        if plan is not None and mean_bits(plan, layers) <= target:
            best, high = plan, middle
        else:
            low = middle
    if best is None:
        sys.exit(f"{network.name}: no plan with {target:g} bits on average")
    for name in (layers[0][0], layers[-1][0]):
        best["units"][name]["weight_bits"] = 8
    best["activation_bits"].update({tensor: 32 for tensor in outputs})
    return write(path, json.dumps(best)), mean_bits(best, layers)


def key(options, network, bits, method):
    """What a cell depends on beside the tool."""
    count = options.calibration_images or NETWORKS[network][3]
    samples = 0 if method in CLIPS else options.samples
    by = " by=sensitivity" if options.sensitivity and bits.startswith("mixed") else ""
    return f"{network} {bits}{by} {method} calibration={count} samples={samples} test={options.limit or 'all'}"


def load(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def wanted(options):
    """(network, bits, method) of this call, cheap ones first."""
    for method in options.methods:
        for network in options.networks:
            for bits in options.bits:
                if not (bits.startswith("mixed") and method in CLIPS and method != "mse"):
                    yield network, bits, method
    if options.effects:
        for network, bits in EFFECTS:
            yield network, bits, "default"
            for method in steps_apart(options):
                yield network, bits, method


def steps_apart(options):
    """The default steps without one, or with one that is off: 'default,-lapq', 'default,equalize'."""
    lines = subprocess.run([options.cleave, "tune", "--help"], capture_output=True, text=True).stdout.splitlines()
    for line in lines[next(i for i, line in enumerate(lines) if line.strip().startswith("--steps")) + 1:]:
        name, colon, _ = line.strip().partition(":")
        if not colon or line.strip().startswith("-"):
            return
        if name == "loosen":
            name = "equalize,loosen"  # the one does nothing without the other
        yield "default,-" + name.removesuffix(" (on)") if name.endswith("(on)") else "default," + name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cleave", default="build/release/bin/cleave")
    parser.add_argument("--shared", default="../shared")
    parser.add_argument("--work", default="build/accuracy")
    parser.add_argument("--results", default="build/accuracy/results.json")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--bits", nargs="+", default=BITS, help="WwAa, or mixedBA8: B weight bits on average")
    parser.add_argument("--methods", nargs="+", default=METHODS, help="clips by name, else lists of tuning steps")
    parser.add_argument("--effects", action="store_true", help="also the default steps without each single one")
    parser.add_argument("--calibration-images", type=int, default=0, help="0: 256 of CIFAR-10, 200 of ImageNet")
    parser.add_argument("--samples", type=int, default=256, help="calibration images that tuning takes")
    parser.add_argument("--limit", type=int, default=0, help="test images, evenly spread; 0: all of them")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--sensitivity", action="store_true", help="mixed bits by 'cleave sensitivity'")
    parser.add_argument("--again", action="store_true", help="measure the chosen cells although they are there")
    parser.add_argument("--write-only", action="store_true", help="no measurements: write the pages")
    options = parser.parse_args()
    networks = {}
    for name, bits, method in [] if options.write_only else dict.fromkeys(wanted(options)):
        cell = key(options, name, bits, method)
        if cell in load(options.results) and not options.again:
            continue
        network = networks.setdefault(name, None) or Network(name, options)
        networks[name] = network
        start = time.monotonic()
        result = {**network.cell(bits, method), "seconds": round(time.monotonic() - start, 1)}
        results = {**load(options.results), cell: result}
        write(os.path.abspath(options.results), json.dumps(results, indent=1, sort_keys=True) + "\n")
        print(f"{cell}: {100 * result['value']:.2f} of {100 * result['reference_value']:.2f}, {result['seconds']:.0f} s",
              file=sys.stderr, flush=True)
    results = load(options.results)
    found = lambda *cell: results.get(key(options, *cell))
    if options.limit:
        print("\n".join(table(found, options.networks, options.bits, options.methods)))
    else:
        write_pages(found, list(NETWORKS), BITS, METHODS, EFFECTS, list(steps_apart(options)))


if __name__ == "__main__":
    main()

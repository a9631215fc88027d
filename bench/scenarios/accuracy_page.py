"""Writes the cells of accuracy_table.py into docs/accuracy.md and docs/quantization.md, between their markers."""
import math
import os
import re

DOCS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs"))

NOTHING = "(not measured yet)"

# ONNX Runtime 1.21, quantize_static of all layers (first and last too), QDQ, weights per channel (int8 symmetric) and
# activations (uint8) per tensor; the same calibration and test images, float 81.03, 83.20, 75.48, 69.85, 80.23, 77.69.
# network: top-1 of W8A8 MinMax, W8A8 Percentile 99.999, W4A8 (int4, MinMax); None: not measured.
ONNX_RUNTIME = {
    "resnet20_cifar10": (81.03, 81.19, 81.12, 70.15),
    "resnet56_cifar10": (83.20, 83.24, 83.21, 80.58),
    "resnet8_cifar10_mlperftiny": (75.48, 75.74, 75.54, 43.37),
    "squeezenet1.1": (69.85, 68.85, 69.46, None),
    "mobilenet_v2_1.0_224": (80.23, 80.08, 80.23, None),
    "mobilenet_v1_1.0_224_qat8": (77.69, 77.85, 78.00, None),
}


def drop(cell):
    return 100 * (cell["reference_value"] - cell["value"])


def paired_error(cell):
    """Standard error of the drop, points: of the images, some are right in one network only."""
    apart = cell["value"] + cell["reference_value"] - 2 * cell["both_right"]
    difference = cell["reference_value"] - cell["value"]
    return 100 * math.sqrt(max(apart - difference * difference, 0) / cell["images"])


def cell_text(cell):
    return "-" if cell is None else f"{100 * cell['value']:.2f} ({drop(cell):.2f} ± {paired_error(cell):.2f})"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(found, networks, bits, methods):
    """Rows: network and bits that have a cell; columns: methods that have one; the least drop of a row is bold."""
    methods = [m for m in methods if any(found(n, b, m) for n in networks for b in bits)]
    lines = []
    for network in networks:
        for width in bits:
            cells = [found(network, width, method) for method in methods]
            if not any(cells):
                continue
            best = min(drop(cell) for cell in cells if cell)
            texts = [f"**{cell_text(cell)}**" if cell and drop(cell) == best else cell_text(cell) for cell in cells]
            mixed = next((f" ({cell['mixed']})" for cell in cells if cell and "mixed" in cell), "")
            lines.append(row([network, width + mixed, *texts]))
    if not lines:
        return [NOTHING]
    return [row(["network", "bits", *(f"`{method}`" for method in methods)]), "|" + "---|" * (len(methods) + 2), *lines]


def peer_table():
    lines = [row(["network", "float", "W8A8, MinMax", "W8A8, Percentile 99.999", "W4A8, int4 MinMax"]), "|" + "---|" * 5]
    for network, (floats, *values) in ONNX_RUNTIME.items():
        texts = ["-" if value is None else f"{value:.2f} ({floats - value:.2f})" for value in values]
        lines.append(row([network, f"{floats:.2f}", *texts]))
    return lines


def conditions(found, networks, bits, methods):
    cells = [cell for n in networks for b in bits for m in methods for cell in [found(n, b, m)] if cell]
    images = sorted({cell["images"] for cell in cells})
    seconds = sum(cell["seconds"] for cell in cells)
    return (f"{len(cells)} cells, {seconds / 3600:.1f} hours; "
            f"test images of a network: {', '.join(str(count) for count in images) or 'none'}.")


def effects_table(found, effects, methods):
    lines = []
    for network, bits in effects:
        whole = found(network, bits, "default")
        if whole is None:
            continue
        texts = []
        for method in methods:
            other = found(network, bits, method)
            error = "" if other is None else f" ± {math.hypot(paired_error(whole), paired_error(other)):.2f}"
            texts.append("-" if other is None else f"{drop(other) - drop(whole):+.2f}{error}")
        lines.append(row([network, bits, f"{drop(whole):.2f}", *texts]))
    if not lines:
        return [NOTHING]
    names = [method.removeprefix("default,").replace("-", "without ") for method in methods]
    names = [name if name.startswith("without") else "with " + name for name in names]
    return [row(["network", "bits", "drop, default steps", *names]), "|" + "---|" * (len(names) + 3), *lines]


def replace_between(page, marker, lines):
    path = os.path.join(DOCS, page)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    pattern = re.compile(rf"(<!-- {marker}: begin -->\n).*?(<!-- {marker}: end -->)", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f"{path}: no place for {marker}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(pattern.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], text))


def write_pages(found, networks, bits, methods, effects, steps_apart):
    """found(network, bits, method) gives a cell or None."""
    replace_between("accuracy.md", "cells", [conditions(found, networks, bits, methods), "",
                                             *table(found, networks, bits, methods)])
    replace_between("accuracy.md", "onnx runtime", peer_table())
    replace_between("quantization.md", "effects", effects_table(found, effects, steps_apart))

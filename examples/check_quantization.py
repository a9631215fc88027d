#!/usr/bin/env python3
"""What uniform bit-widths cost the example's network: a simple fake quantization on the committed test images.

    python3 train.py --weights signs.pt
    python3 check_quantization.py signs.pt W8A8 W4A4 W2A2

Weights: per output channel, symmetric. Activations: per tensor; the input, every convolution's output (after its batch
normalization and ReLU), every sum (after its ReLU) and the pooled vector. Each clip is the one of a small grid with the
least squared error. No bias correction, no fine-tuning: a floor that a better quantizer starts from.
"""
import argparse
import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

import make_images
import train

CLIPS = np.linspace(0.1, 1.0, 46)


def fold(conv, norm):
    """Moves the batch normalization into the convolution before it."""
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
    folded.weight.data = conv.weight * gain[:, None, None, None]
    folded.bias.data = norm.bias - norm.running_mean * gain
    return folded


def fold_all(net):
    net.stem[0], net.stem[1] = fold(net.stem[0], net.stem[1]), nn.Identity()
    for block in net.stages:
        block.conv1, block.bn1 = fold(block.conv1, block.bn1), nn.Identity()
        block.conv2, block.bn2 = fold(block.conv2, block.bn2), nn.Identity()
        if block.shortcut is not None:
            block.shortcut = nn.Sequential(fold(*block.shortcut))


def to_grid(x, low, high, bits):
    """x rounded to 2^bits evenly spaced values; zero is one of them."""
    scale = (high - low) / (2 ** bits - 1)
    zero = torch.round(-low / scale)
    return (torch.clamp(torch.round(x / scale) + zero, 0, 2 ** bits - 1) - zero) * scale


def quantized_weight(weight, bits):
    """Per output channel, symmetric grid of 2^bits - 1 values, least squared error over the clips."""
    flat, levels = weight.flatten(1), 2 ** (bits - 1) - 1
    peak = flat.abs().amax(1, keepdim=True)
    best, least = flat.clone(), torch.full_like(peak, float("inf"))
    for clip in CLIPS:
        scale = peak * clip / levels
        rounded = torch.clamp(torch.round(flat / scale), -levels, levels) * scale
        error = ((rounded - flat) ** 2).sum(1, keepdim=True)
        best, least = torch.where(error < least, rounded, best), torch.minimum(error, least)
    return best.reshape(weight.shape)


class Activation(nn.Module):
    """Learns a range from the calibration batch it sees first, quantizes to it afterwards."""

    def __init__(self, bits):
        super().__init__()
        self.bits, self.range = bits, None

    def forward(self, x):
        if self.range is None:
            low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
            ranges = [(torch.tensor(low * clip), torch.tensor(high * clip)) for clip in CLIPS]
            self.range = min(ranges, key=lambda r: float(((to_grid(x, *r, self.bits) - x) ** 2).sum()))
            return x
        return to_grid(x, *self.range, self.bits)


def quantize(net, weight_bits, activation_bits, calibration):
    """Changes net in place."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.weight.data = quantized_weight(module.weight.data, weight_bits)
    net.stem = nn.Sequential(Activation(activation_bits), *net.stem, Activation(activation_bits))
    for block in net.stages:
        block.relu1 = nn.Sequential(block.relu1, Activation(activation_bits))
        block.bn2 = Activation(activation_bits)
        if block.shortcut is not None:
            block.shortcut.append(Activation(activation_bits))
        block.relu2 = nn.Sequential(block.relu2, Activation(activation_bits))
    net.pool = nn.Sequential(net.pool, Activation(activation_bits))
    net(train.to_input(calibration))


def parse_scheme(text):
    """'W4A8' to (4, 8)."""
    match = re.fullmatch(r"W(\d+)A(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form W4A8")
    return tuple(map(int, match.groups()))


def read_images(paths):
    return np.stack([np.asarray(Image.open(path)) for path in paths])


def main():
    here = Path(__file__).parent / "images"
    parser = argparse.ArgumentParser(description="Accuracy of the example's network at uniform bit-widths.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("schemes", type=parse_scheme, nargs="+", metavar="W8A8")
    options = parser.parse_args()

    torch.set_num_threads(1)
    pairs = [line.rsplit(" ", 1) for line in (here / "test_labels.txt").read_text().splitlines()]
    images, labels = read_images(here / path for path, _ in pairs), np.array([int(label) for _, label in pairs])
    calibration = read_images(sorted((here / "calibration").glob("*.jpg")))
    for weight_bits, activation_bits in [(None, None)] + options.schemes:
        net = train.SignNet(len(make_images.CLASSES))
        net.load_state_dict(torch.load(options.weights))
        with torch.no_grad():
            net.eval()
            fold_all(net)
            if weight_bits:
                quantize(net, weight_bits, activation_bits, calibration)
        name = f"W{weight_bits}A{activation_bits}" if weight_bits else "float"
        print(f"{name:6} {100 * train.accuracy(net, images, labels):.1f} %")


if __name__ == "__main__":
    main()

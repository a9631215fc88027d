#!/usr/bin/env python3
"""Trains the small residual sign network of the embedded example and exports it to ONNX.

    python3 train.py                          writes model/signs.onnx and preprocess.json (about 10 minutes, one core)
    python3 train.py --weights signs.pt       also keeps the weights for check_quantization.py

CPU only, one thread, fixed seed: the same machine writes the same bytes. Needs torch, numpy and Pillow.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import make_images

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
WIDTHS = (16, 32, 64, 128)
BLOCKS = (2, 2, 2, 1)
PREPROCESS = {"schema": "cleave.preprocess/1", "color": "rgb", "scale": 1 / 255, "mean": list(MEAN), "std": list(STD),
              "layout": "NCHW"}


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.relu2 = nn.ReLU()
        self.shortcut = None
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                                          nn.BatchNorm2d(channels_out))
            # Both biases of the sum get the same gradient; equal starts would stay equal, and the exporter merges equals.
            nn.init.uniform_(self.shortcut[1].bias, -0.1, 0.1)

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(y + (x if self.shortcut is None else self.shortcut(x)))


class SignNet(nn.Module):
    """ResNet-16: stem to 32x32, four stages of residual blocks (32, 16, 8, 4 px), global average pool, linear."""

    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, WIDTHS[0], 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU())
        self.stages = nn.Sequential()
        channels = WIDTHS[0]
        for stage, (width, blocks) in enumerate(zip(WIDTHS, BLOCKS)):
            for k in range(blocks):
                self.stages.append(Block(channels, width, 2 if stage > 0 and k == 0 else 1))
                channels = width
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(WIDTHS[-1], classes)

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.stages(self.stem(x))), 1))


def to_input(images):
    """uint8 [n, h, w, 3] to the network's float [n, 3, h, w], exactly as preprocess.json says."""
    x = (torch.from_numpy(images).float() * PREPROCESS["scale"] - torch.tensor(MEAN)) / torch.tensor(STD)
    return x.permute(0, 3, 1, 2).contiguous()


def shifted(images, rng, limit_px=4):
    """The batch moved by one random offset; the border repeats."""
    dy, dx = rng.integers(-limit_px, limit_px + 1, 2)
    padded = np.pad(images, ((0, 0), (limit_px, limit_px), (limit_px, limit_px), (0, 0)), mode="edge")
    size_px = images.shape[1]
    return padded[:, limit_px + dy:limit_px + dy + size_px, limit_px + dx:limit_px + dx + size_px]


def train(net, images, labels, options):
    """SGD with one warm-up and cool-down cycle over all epochs."""
    rng = np.random.default_rng(options.seed)
    steps = len(images) // options.batch
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(sgd, max_lr=0.15, total_steps=steps * options.epochs, pct_start=0.2)
    targets = torch.from_numpy(labels)
    for epoch in range(options.epochs):
        net.train()
        order, start_s, loss_sum = rng.permutation(len(images)), time.time(), 0.0
        for step in range(steps):
            chosen = order[step * options.batch:(step + 1) * options.batch]
            loss = functional.cross_entropy(net(to_input(shifted(images[chosen], rng))), targets[chosen])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            cycle.step()
            loss_sum += loss.item()
        print(f"epoch {epoch + 1}/{options.epochs}: loss {loss_sum / steps:.4f}, {time.time() - start_s:.0f} s", flush=True)


@torch.no_grad()
def accuracy(net, images, labels):
    """Share of right answers on uint8 images."""
    net.eval()
    answers = torch.cat([net(to_input(images[k:k + 250])).argmax(1) for k in range(0, len(images), 250)])
    return float((answers.numpy() == labels).mean())


def export(net, path):
    """ONNX with the batch normalizations left in: folding them is cleave's work."""
    net.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    image = torch.zeros(1, 3, make_images.SIZE_PX, make_images.SIZE_PX)
    torch.onnx.export(net, image, str(path), opset_version=13, input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}}, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE)


def main():
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description="Train and export the example's network.")
    parser.add_argument("--out", type=Path, default=here / "model" / "signs.onnx")
    parser.add_argument("--weights", type=Path, help="also save the weights here")
    parser.add_argument("--images", type=int, default=24000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    torch.use_deterministic_algorithms(True)
    images, labels = make_images.make_arrays("training", options.images)
    net = SignNet(len(make_images.CLASSES))
    print(f"{len(images)} images, {sum(p.numel() for p in net.parameters())} parameters", flush=True)
    train(net, images, labels, options)
    print(f"training accuracy   {accuracy(net, images[:4000], labels[:4000]):.4f}")
    print(f"validation accuracy {accuracy(net, *make_images.make_arrays('validation', 2000)):.4f}")
    export(net, options.out)
    (here / "preprocess.json").write_text(json.dumps(PREPROCESS, indent=1) + "\n")
    if options.weights:
        torch.save(net.state_dict(), options.weights)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draws the labelled sign images of the embedded example.

Every image is a pure function of (set seed, index): same seed, same bytes. The sets have different seeds, so
no calibration, test or training image is ever shared.

    python3 make_images.py                    writes images/calibration, images/test, labels and class names
    python3 make_images.py --contact out.png  one sheet of test images to look at

The signs are invented: a plate (shape and colours) and a glyph drawn from polygons; no font, no photograph.
"""
import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE_PX = 64
CANVAS_PX = 256        # the sign is drawn at this size, then warped
SCENE_PX = 128         # the scene is composed at this size, then halved
SET_SEEDS = {"training": 11, "calibration": 22, "test": 33, "validation": 44}

# Outline and colours of a plate: outer shape, rim, face, glyph.
PLATES = {
    "ban": ("disc", (190, 25, 30), (240, 240, 235), (25, 25, 25)),
    "order": ("disc", (225, 230, 235), (25, 70, 165), (240, 240, 240)),
    "danger": ("triangle", (190, 25, 30), (240, 240, 235), (25, 25, 25)),
    "notice": ("diamond", (235, 235, 230), (235, 180, 20), (25, 25, 25)),
}

# Glyphs: polygons in [-1, 1]^2, y down.
ARROW = [[(0, -1), (0.75, -0.1), (0.28, -0.1), (0.28, 1), (-0.28, 1), (-0.28, -0.1), (-0.75, -0.1)]]
FORK = [[(-0.2, 1), (0.2, 1), (0.2, 0.2), (0.9, -0.6), (0.6, -0.9), (0, -0.2), (-0.6, -0.9), (-0.9, -0.6), (-0.2, 0.2)]]
HOOK = [[(-0.6, 1), (-0.6, -0.55), (0.25, -0.55), (0.25, -1), (1, -0.33), (0.25, 0.33), (0.25, -0.1), (-0.15, -0.1),
         (-0.15, 1)]]
BOLT = [[(0.3, -1), (-0.65, 0.15), (-0.05, 0.15), (-0.3, 1), (0.65, -0.2), (0.05, -0.2)]]
CROSS = [[(-0.25, -0.9), (0.25, -0.9), (0.25, -0.25), (0.9, -0.25), (0.9, 0.25), (0.25, 0.25), (0.25, 0.9),
          (-0.25, 0.9), (-0.25, 0.25), (-0.9, 0.25), (-0.9, -0.25), (-0.25, -0.25)]]
BARS = [[(-0.9, -0.75), (0.9, -0.75), (0.9, -0.25), (-0.9, -0.25)], [(-0.9, 0.25), (0.9, 0.25), (0.9, 0.75), (-0.9, 0.75)]]


def turned(glyph, quarters):
    """The glyph turned clockwise by quarters of a full turn."""
    c, s = [(1, 0), (0, 1), (-1, 0), (0, -1)][quarters % 4]
    return [[(x * c - y * s, x * s + y * c) for x, y in polygon] for polygon in glyph]


def mirrored(glyph):
    return [[(-x, y) for x, y in polygon] for polygon in glyph]


CLASSES = [
    ("ban_left", "ban", turned(ARROW, 3)), ("ban_right", "ban", turned(ARROW, 1)),
    ("ban_hook", "ban", HOOK), ("ban_bars", "ban", BARS),
    ("order_left", "order", turned(ARROW, 3)), ("order_right", "order", turned(ARROW, 1)),
    ("order_ahead", "order", ARROW), ("order_fork", "order", FORK),
    ("danger_bolt", "danger", BOLT), ("danger_cross", "danger", CROSS),
    ("danger_fork", "danger", FORK), ("danger_hook", "danger", HOOK),
    ("notice_bolt", "notice", BOLT), ("notice_cross", "notice", CROSS),
    ("notice_hook", "notice", HOOK), ("notice_hook_mirrored", "notice", mirrored(HOOK)),
]


def draw_outline(draw, shape, radius_px, colour):
    c = CANVAS_PX / 2
    if shape == "disc":
        draw.ellipse([c - radius_px, c - radius_px, c + radius_px, c + radius_px], fill=colour)
        return
    corners = {"triangle": [-90, 30, 150], "diamond": [-90, 0, 90, 180]}[shape]
    down_px = 0.12 * CANVAS_PX if shape == "triangle" else 0
    draw.polygon([(c + radius_px * np.cos(np.radians(a)), c + down_px + radius_px * np.sin(np.radians(a)))
                  for a in corners], fill=colour)


def draw_sign(label, rng):
    """The flat sign as an RGBA canvas; paint tints and rim width vary a little."""
    _, plate, glyph = CLASSES[label]
    shape, rim, face, ink = PLATES[plate]
    tint = lambda rgb: tuple(int(v) for v in np.clip(np.array(rgb) + rng.integers(-25, 26, 3), 0, 255))
    image = Image.new("RGBA", (CANVAS_PX, CANVAS_PX), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    outer_px = 0.49 * CANVAS_PX * (1.12 if shape == "triangle" else 1)
    draw_outline(draw, shape, outer_px, tint(rim))
    draw_outline(draw, shape, outer_px * rng.uniform(0.74, 0.84), tint(face))
    half_px = CANVAS_PX * {"disc": 0.25, "triangle": 0.17, "diamond": 0.20}[shape] * rng.uniform(0.9, 1.1)
    centre_y = CANVAS_PX * (0.58 if shape == "triangle" else 0.5)
    for polygon in glyph:
        draw.polygon([(CANVAS_PX / 2 + x * half_px, centre_y + y * half_px) for x, y in polygon], fill=tint(ink))
    return image


def draw_background(rng):
    """Gradient, then random blobs, poles and lines in random colours: what stands behind a sign."""
    low, high = rng.integers(20, 236, (2, 3))
    ramp = np.linspace(0, 1, SCENE_PX)[:, None, None] * np.ones((1, SCENE_PX, 1))
    if rng.random() < 0.5:
        ramp = ramp.transpose(1, 0, 2)
    image = Image.fromarray((low + (high - low) * ramp).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(4, 14)):
        points = [tuple(p) for p in (rng.integers(-20, SCENE_PX + 20, (1, 2)) + rng.integers(-40, 41, (4, 2))).tolist()]
        colour = tuple(rng.integers(10, 246, 3).tolist())
        kind = rng.integers(3)
        if kind == 0:
            draw.polygon(points, fill=colour)
        elif kind == 1:
            draw.line(points[:2], fill=colour, width=int(rng.integers(1, 8)))
        else:
            (x, y), r = points[0], int(rng.integers(3, 22))
            draw.ellipse([x - r, y - r, x + r, y + r], fill=colour)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2.5)))


def perspective_coefficients(target):
    """The eight numbers PIL wants: they map scene points back to canvas points, given the canvas corners' targets."""
    source = [(0, 0), (CANVAS_PX, 0), (CANVAS_PX, CANVAS_PX), (0, CANVAS_PX)]
    rows, right = [], []
    for (x, y), (u, v) in zip(target, source):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(right, float))


def place_sign(sign, rng):
    """The sign turned, scaled, shifted and seen at an angle, on a transparent scene."""
    half_px = SCENE_PX * rng.uniform(0.19, 0.42)
    angle = np.radians(rng.uniform(-14, 14))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half_px
    corners = corners * rng.uniform(0.78, 1.0, 2) + rng.uniform(-0.17, 0.17, (4, 2)) * half_px
    corners = corners @ turn.T + SCENE_PX / 2 + rng.uniform(-1, 1, 2) * 0.13 * SCENE_PX
    sign = sign.filter(ImageFilter.BoxBlur(1))
    return sign.transform((SCENE_PX, SCENE_PX), Image.PERSPECTIVE, perspective_coefficients(corners), Image.BICUBIC)


def occlude(scene, rng):
    """Half of the scenes get a twig, a sticker or a shadow edge over the sign."""
    if rng.random() < 0.5:
        return scene
    layer = Image.new("RGBA", scene.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    x, y = rng.integers(30, 98, 2).tolist()
    kind = rng.integers(3)
    if kind == 0:
        dx, dy = rng.integers(-90, 91, 2).tolist()
        draw.line([x - dx, y - dy, x + dx, y + dy], fill=(*rng.integers(10, 120, 3).tolist(), 255), width=int(rng.integers(3, 9)))
    elif kind == 1:
        r = int(rng.integers(5, 14))
        draw.ellipse([x - r, y - r, x + r, y + r], fill=(*rng.integers(20, 236, 3).tolist(), 255))
    else:
        dx, dy = rng.integers(-60, 61, 2).tolist()
        draw.polygon([(x, y), (x + 4 * dx, y + 4 * dy), (x - 4 * dy, y + 4 * dx)], fill=(0, 0, 0, int(rng.integers(60, 150))))
    return Image.alpha_composite(scene.convert("RGBA"), layer).convert("RGB")


def photograph(scene, rng):
    """Camera: halving, blur, light, colour cast, gamma and noise."""
    image = scene.resize((SIZE_PX, SIZE_PX), Image.BOX).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))
    pixels = np.asarray(image, np.float64) / 255
    cast = rng.uniform(0.82, 1.18, 3)
    pixels = np.clip(pixels * cast, 0, 1) ** np.exp(rng.uniform(-0.45, 0.45))
    contrast, level = rng.uniform(0.22, 1.0), rng.uniform(0.3, 0.7)
    pixels = (pixels - 0.5) * contrast + level
    pixels += rng.normal(0, rng.uniform(0.005, 0.095), pixels.shape)
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def make_jpeg(set_name, index):
    """(JPEG bytes, label) of one image; labels go round, so the classes are balanced."""
    rng = np.random.default_rng([SET_SEEDS[set_name], index])
    label = index % len(CLASSES)
    scene = draw_background(rng)
    sign = place_sign(draw_sign(label, rng), rng)
    scene.paste(sign, (0, 0), sign)
    out = io.BytesIO()
    photograph(occlude(scene, rng), rng).save(out, "JPEG", quality=int(rng.integers(85, 91)))
    return out.getvalue(), label


def make_arrays(set_name, count):
    """Decoded images as uint8 [count, 64, 64, 3] and labels: what a reader of the files would see."""
    pairs = (make_jpeg(set_name, index) for index in range(count))
    images, labels = zip(*((np.asarray(Image.open(io.BytesIO(jpeg))), label) for jpeg, label in pairs))
    return np.stack(images), np.array(labels)


def write_set(folder, set_name, count):
    """Writes the JPEGs; returns the lines of a labels file."""
    target = folder / set_name
    target.mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(count):
        jpeg, label = make_jpeg(set_name, index)
        name = f"{set_name}/{index:05d}.jpg"
        (folder / name).write_bytes(jpeg)
        lines.append(f"{name} {label}\n")
    return lines


def write_contact_sheet(path, columns=16, rows=10):
    images, _ = make_arrays("test", columns * rows)
    sheet = images.reshape(rows, columns, SIZE_PX, SIZE_PX, 3).transpose(0, 2, 1, 3, 4)
    Image.fromarray(sheet.reshape(rows * SIZE_PX, columns * SIZE_PX, 3)).save(path)


def main():
    parser = argparse.ArgumentParser(description="Draw the example's images.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--calibration-count", type=int, default=200)
    parser.add_argument("--test-count", type=int, default=500)
    parser.add_argument("--contact", type=Path, help="write only a contact sheet of test images")
    options = parser.parse_args()
    if options.contact:
        write_contact_sheet(options.contact)
        return
    write_set(options.out, "calibration", options.calibration_count)
    labels = write_set(options.out, "test", options.test_count)
    (options.out / "test_labels.txt").write_text("".join(labels))
    (options.out / "classes.txt").write_text("".join(f"{name}\n" for name, _, _ in CLASSES))


if __name__ == "__main__":
    main()

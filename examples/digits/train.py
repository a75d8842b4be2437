#!/usr/bin/env python3
"""Draws handwritten-looking digits and trains the small network of the digits example.

    python3 train.py               draw, train (some minutes), write the four files below
    python3 train.py --mnist DIR   the same, then classify DIR/0.idx .. DIR/9.idx as well
    python3 train.py --check       no training: draw the held-out set again, compare it byte
                                   for byte with the files here, evaluate the stored weights

Only numpy is needed. The files written, next to this script:

    digits.safetensors    the weights, F32: conv1 (8,1,5,5), conv2 (16,8,3,3), fc1 (48,784)
                          and fc2 (10,48), each as NAME.weight with its NAME.bias
    heldout-images.idx    500 images of 28x28 bytes, 50 of each digit, shuffled (IDX3)
    heldout-labels.idx    their labels (IDX1)
    logits.json           the 10 logits of each of the first 10 held-out images, computed in
                          double precision from the stored float32 weights

The network takes pixel/255 as [1,1,28,28]:
    conv 5x5 padding 2, relu, max pool 2x2, conv 3x3 padding 1, relu, max pool 2x2,
    reshape [1,784], fully connected to 48, relu, fully connected to 10, softmax.

No image is taken from anywhere: every digit is drawn from the strokes listed in STYLES, bent,
slanted, stretched and inked at random. Training and held-out images come from two separate
random streams. The drawing uses only additions, products, quotients and square roots of
doubles and plain uniform random numbers, so its bytes do not depend on the processor; the
trained weights may differ in their last bits where the BLAS library does.
"""
import argparse
import json
import math
import os
import pathlib
import struct
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread: one order of summation
os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SEED, TRAIN_STREAM, HELDOUT_STREAM, WEIGHT_STREAM = 20, 1, 2, 3
SIDE, TRAIN_COUNT, HELDOUT_COUNT = 28, 40000, 500
EPOCHS, BATCH, RATE = 10, 100, 2e-3
HELDOUT_FILES, REQUIRED = ("heldout-images.idx", "heldout-labels.idx"), 0.985
SHAPES = {
    "conv1.weight": (8, 1, 5, 5), "conv1.bias": (8,),
    "conv2.weight": (16, 8, 3, 3), "conv2.bias": (16,),
    "fc1.weight": (48, 784), "fc1.bias": (48,),
    "fc2.weight": (10, 48), "fc2.bias": (10,),
}

# The ways to write each digit: strokes separated by "/", each a smooth curve through points
# "x,y" (y grows downwards, a digit is about 14 wide and 20 high). Strokes that share a point
# keep sharing it after the points are shaken, so a corner is written as two strokes.
STYLES = [
    ["7,0 2,4 0,10 2,17 7,20 12,16 14,10 12,3 7,0", "10,1 5,1 1,7 1,14 5,20 10,18 13,11 12,4 8,0 4,2",
     "8,0 3,5 2,12 4,19 7,20 10,16 11,8 9,1 5,2", "6,0 1,5 0,12 4,19 9,19 13,12 12,5 9,2",
     "12,2 8,1 3,4 0,10 1,16 6,19 12,15 15,8 13,3 9,1"],
    ["7,0 7,20", "9,0 5,20", "12,0 3,20", "8,0 7,7 7,13 6,20", "4,4 8,0 / 8,0 7,20", "2,6 6,3 8,0 / 8,0 8,20",
     "4,4 8,0 / 8,0 8,20 / 3,20 13,20", "8,0 8,20 / 4,20 12,20"],
    ["1,5 4,1 8,0 12,3 12,7 8,13 1,20 / 1,20 13,20", "1,4 6,0 11,2 11,8 7,15 2,19 0,17 3,15 8,18 14,19",
     "2,3 7,0 11,3 10,9 1,19 / 1,19 6,18 13,20", "2,4 8,0 12,4 9,11 3,17 1,20 / 1,20 4,17 10,20 14,18",
     "0,3 5,0 9,3 9,9 6,16 2,20 0,18 2,15 6,17 12,20 17,18", "1,2 6,0 10,4 9,11 5,17 2,18 2,16 5,16 13,18"],
    ["1,3 6,0 11,3 9,8 4,10 / 4,10 10,11 13,15 9,19 4,20 0,17",
     "1,0 12,0 / 12,0 5,9 / 5,9 11,10 13,14 9,19 4,20 0,18",
     "1,2 6,0 11,3 9,8 5,10 4,8 8,9 13,13 10,19 4,20 0,17", "2,2 8,0 11,4 6,9 / 6,9 12,13 9,19 1,20",
     "3,2 8,0 11,3 9,7 5,9 / 5,9 9,10 10,14 7,18 2,20", "1,1 7,0 13,1 10,6 6,9 / 6,9 11,11 12,15 7,19 0,18"],
    ["2,0 1,10 / 1,10 13,10 / 11,1 10,20", "3,1 1,7 3,11 8,11 12,9 / 12,2 10,20",
     "9,0 0,13 / 0,13 14,13 / 9,0 9,20", "1,0 1,8 5,11 11,8 / 12,0 11,8 9,20",
     "3,0 0,11 / 0,11 13,11 / 9,5 8,20", "4,2 0,10 / 0,10 5,11 13,9 / 13,0 10,9 6,20",
     "1,3 1,9 / 1,9 11,10 / 11,0 11,20"],
    ["12,0 3,0 / 3,0 2,9 / 2,9 8,8 12,13 9,19 4,20 0,18", "3,1 3,9 / 3,9 9,8 12,13 10,18 5,20 0,17 / 3,1 13,0",
     "13,0 6,1 3,5 4,9 10,11 11,16 7,20 0,19", "13,1 5,0 / 5,0 3,9 / 3,9 9,9 11,14 7,20 1,18",
     "5,3 3,9 / 3,9 8,10 9,15 6,19 0,19 / 5,3 10,2 16,2",
     "11,1 4,1 / 4,1 3,8 / 3,8 6,8 10,12 10,17 6,20 2,20 1,17"],
    ["10,0 4,5 1,12 3,18 8,20 12,16 10,11 5,11 2,15", "6,0 2,8 1,15 4,20 10,19 11,14 7,11 2,14",
     "9,0 3,10 1,16 5,20 10,18 11,14 7,12 2,16", "3,0 0,8 1,17 6,20 11,17 10,13 5,13 1,17",
     "12,0 6,4 2,11 2,17 5,20 9,18 10,14 7,13 3,18", "11,2 8,0 3,4 0,12 2,19 8,20 12,16 9,11 4,12 1,15"],
    ["0,1 12,0 / 12,0 5,20", "0,1 12,0 / 12,0 5,20 / 3,10 12,10", "0,3 4,1 12,1 / 12,1 8,9 6,20",
     "1,4 1,0 / 1,0 13,1 / 13,1 6,20", "0,3 5,0 11,2 9,9 5,20",
     "0,2 5,3 13,1 / 13,1 8,11 7,20 / 5,12 13,10",
     "0,5 2,1 7,1 13,2 / 13,2 9,8 4,20", "0,0 10,0 / 10,0 10,9 9,20"],
    ["11,3 7,0 3,2 3,6 7,10 11,14 10,19 6,20 2,17 4,12 8,9 12,5 11,2",
     "7,0 3,2 3,7 7,9 11,7 11,2 7,0 / 7,9 2,12 1,17 7,20 12,17 12,12 7,9",
     "12,2 7,0 4,4 7,9 10,14 7,20 3,18 4,13 8,9 13,3",
     "9,1 5,0 2,3 4,8 10,12 11,17 7,20 2,18 3,13 9,8 11,3 8,0",
     "7,9 4,6 5,1 9,0 11,4 7,9 3,14 3,18 6,20 10,17 10,13 7,9",
     "13,3 9,0 5,3 6,8 8,13 6,19 2,20 0,17 4,12 10,8 13,4"],
    ["11,4 7,0 2,3 2,8 7,10 11,5 / 11,1 10,20", "11,4 6,0 2,4 4,9 10,8 12,3 / 12,3 11,13 7,19 2,20",
     "12,2 6,0 1,4 3,9 9,8 12,2 / 12,2 8,20", "10,3 6,0 2,3 3,8 8,8 10,3 / 10,3 11,10 12,20",
     "13,2 8,0 3,5 5,9 10,7 13,2 / 13,2 9,11 5,20", "9,1 4,2 1,7 4,10 9,7 11,1 / 11,1 10,12 7,20",
     "9,2 6,0 3,2 4,6 8,6 9,2 / 9,2 9,12 8,20"],
]


def spread(rng, size, deviation):
    """Bell-shaped random numbers about 0: sums of three uniform ones, never beyond 3 deviations."""
    u = rng.random((3, size))
    return (u[0] + u[1] + u[2] - 1.5) * (2.0 * deviation)


def between(rng, low, high):
    return low + (high - low) * rng.random()


def smooth(points, steps=5):
    """The Catmull-Rom curve through the points, as a denser polyline."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = (np.arange(steps) / steps)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t
                   + (3 * b - 3 * c + d - a) * t * t * t)
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])


def shaken_strokes(rng, style):
    """The strokes of a style as polylines, with every distinct control point moved a little."""
    amount, moved = between(rng, 0.2, 0.9), {}
    for word in style.replace("/", " ").split():
        if word not in moved:
            moved[word] = np.array([float(v) for v in word.split(",")]) + spread(rng, 2, amount)
    return [smooth(np.array([moved[word] for word in stroke.split()])) for stroke in style.split("/")]


def bend(rng, p):
    """A smooth low-order warp of the whole figure."""
    x, y = (p[:, 0] - 7) / 10, (p[:, 1] - 10) / 10
    k = spread(rng, 6, 0.07)
    return np.stack([x + k[0] * y * y + k[1] * x * y + k[2] * y * y * y,
                     y + k[3] * x * x + k[4] * x * y + k[5] * x * x * x], 1)


def slant(rng, p):
    """Rotation by at most about 15 degrees, shear and unequal stretching."""
    t = min(0.13, max(-0.13, spread(rng, 1, 0.06)[0]))  # the tangent of half the angle
    cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    shear = spread(rng, 1, 0.18)[0] - 0.08
    x = p[:, 0] * between(rng, 0.7, 1.25) + shear * p[:, 1]
    return np.stack([cosine * x - sine * p[:, 1], sine * x + cosine * p[:, 1]], 1)


def fit(rng, ends, radius):
    """Scales the figure (starts, then ends of segments) so that its larger side is about 20 pixels
    once inked, and moves its centre of mass near the middle; returns the starts and the ends."""
    scale = (between(rng, 18.5, 20.5) - 2 * radius) / (ends.max(0) - ends.min(0)).max()
    a, b = np.split(ends * scale, 2)
    length = np.sqrt(((b - a) ** 2).sum(1))[:, None]
    centre = ((a + b) * 0.5 * length).sum(0) / length.sum()
    move = (SIDE - 1) / 2 - centre + spread(rng, 2, 0.6)
    return a + move, b + move


def ink(a, b, radius):
    """Coverage 0..1 of every pixel by round-ended segments with the given radii."""
    d = b - a
    squared = np.maximum((d * d).sum(1), 1e-9)
    x = np.arange(SIDE)[None, :, None] - a[:, 0]
    y = np.arange(SIDE)[:, None, None] - a[:, 1]
    t = np.clip((x * d[:, 0] + y * d[:, 1]) / squared, 0, 1)
    x, y = x - t * d[:, 0], y - t * d[:, 1]
    return np.clip((radius - np.sqrt(x * x + y * y)).max(2) + 0.5, 0, 1)


def blur(image, side):
    """One pass of the kernel (side, 1 - 2 side, side) along each axis."""
    for _ in range(2):
        wide = np.pad(image, ((0, 0), (1, 1)))
        image = (wide[:, 1:-1] * (1 - 2 * side) + (wide[:, :-2] + wide[:, 2:]) * side).T
    return image


def draw(rng, digit):
    """One 28x28 image of the digit, bytes, white on black."""
    style = STYLES[digit][int(rng.random() * len(STYLES[digit]))]
    strokes = shaken_strokes(rng, style)
    ends = np.concatenate([s[:-1] for s in strokes] + [s[1:] for s in strokes])
    radius = between(rng, 0.65, 1.9)
    a, b = fit(rng, slant(rng, bend(rng, ends)), radius)
    taper = 1 + between(rng, -0.3, 0.3) * (np.arange(len(a)) / len(a) - 0.5)
    image = blur(ink(a, b, radius * taper), between(rng, 0.02, 0.2))
    image = np.minimum(image * between(rng, 0.85, 1.3), 1) * 255
    grain = between(rng, 0, 16) * max(0, between(rng, -1, 1))  # half of the images have none
    image = image + spread(rng, SIDE * SIDE, grain).reshape(SIDE, SIDE)
    return np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8)


def dataset(stream, count):
    """Equally many images of each digit in random order, with their labels."""
    rng = np.random.default_rng([SEED, stream])
    labels = (np.argsort(rng.random(count), kind="stable") % 10).astype(np.uint8)
    return np.stack([draw(rng, int(digit)) for digit in labels]), labels


def columns(x, k):
    """[c,n,h,w] to [c*k*k, n*h*w]: the k x k neighbourhood of each pixel, zero outside."""
    wide = np.pad(x, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    near = np.lib.stride_tricks.sliding_window_view(wide, (k, k), (2, 3))
    return near.transpose(0, 4, 5, 1, 2, 3).reshape(len(x) * k * k, -1)


def columns_back(cols, shape, k):
    """The adjoint of columns: adds every neighbourhood back to where it came from."""
    (c, n, h, w), p = shape, k // 2
    wide = np.zeros((c, n, h + 2 * p, w + 2 * p), cols.dtype)
    cols = cols.reshape(c, k, k, n, h, w)
    for i, j in np.ndindex(k, k):
        wide[:, :, i:i + h, j:j + w] += cols[:, i, j]
    return wide[:, :, p:p + h, p:p + w]


def conv_relu_pool(x, weight, bias):
    """x [c,n,h,w]; returns the pooled [o,n,h/2,w/2] and what the backward step needs."""
    _, n, h, w = x.shape
    cols = columns(x, weight.shape[2])
    full = (weight.reshape(len(weight), -1) @ cols + bias[:, None]).reshape(-1, n, h // 2, 2, w // 2, 2)
    pooled = np.maximum(full.max((3, 5)), 0)
    return pooled, (x.shape, cols, full, pooled)


def conv_relu_pool_back(grad, weight, kept, inwards=True):
    """Gradients of the weight, the bias and (unless it is the first layer) the input."""
    shape, cols, full, pooled = kept
    won = full == pooled[:, :, :, None, :, None]  # equal winners of a window share its gradient
    share = grad * (pooled > 0) / np.maximum(won.sum((3, 5), dtype=grad.dtype), 1)
    grad = (won * share[:, :, :, None, :, None]).reshape(len(weight), -1)
    flat = weight.reshape(len(weight), -1)
    below = columns_back(flat.T @ grad, shape, weight.shape[2]) if inwards else None
    return (grad @ cols.T).reshape(weight.shape), grad.sum(1), below


def forward(w, images):
    """Logits [n,10] of byte images in the precision of the weights, and the backward state."""
    x = (images.astype(w["fc2.bias"].dtype) / 255)[None]
    x, first = conv_relu_pool(x, w["conv1.weight"], w["conv1.bias"])
    x, second = conv_relu_pool(x, w["conv2.weight"], w["conv2.bias"])
    flat = x.transpose(1, 0, 2, 3).reshape(len(images), -1)
    hidden = np.maximum(flat @ w["fc1.weight"].T + w["fc1.bias"], 0)
    return hidden @ w["fc2.weight"].T + w["fc2.bias"], (first, second, flat, hidden)


def gradients(w, images, labels):
    """Gradients of the mean cross entropy with respect to every weight."""
    logits, (first, second, flat, hidden) = forward(w, images)
    grad = np.exp(logits - logits.max(1, keepdims=True))
    grad /= grad.sum(1, keepdims=True)
    grad[np.arange(len(labels)), labels] -= 1
    grad /= len(labels)
    g = {"fc2.weight": grad.T @ hidden, "fc2.bias": grad.sum(0)}
    grad = (grad @ w["fc2.weight"]) * (hidden > 0)
    g["fc1.weight"], g["fc1.bias"] = grad.T @ flat, grad.sum(0)
    grad = (grad @ w["fc1.weight"]).reshape(len(images), 16, 7, 7).transpose(1, 0, 2, 3)
    g["conv2.weight"], g["conv2.bias"], grad = conv_relu_pool_back(grad, w["conv2.weight"], second)
    g["conv1.weight"], g["conv1.bias"], _ = conv_relu_pool_back(grad, w["conv1.weight"], first, False)
    return g


def train(images, labels):
    """Adam with a rate that falls to zero along a cosine."""
    rng = np.random.default_rng([SEED, WEIGHT_STREAM])
    w = {name: (spread(rng, math.prod(shape), math.sqrt(2 / math.prod(shape[1:]))).reshape(shape)
                if len(shape) > 1 else np.zeros(shape)).astype(np.float32)
         for name, shape in SHAPES.items()}
    mean = {name: np.zeros_like(v) for name, v in w.items()}
    square = {name: np.zeros_like(v) for name, v in w.items()}
    per_epoch = len(images) // BATCH
    for step in range(EPOCHS * per_epoch):
        if step % per_epoch == 0:
            order = np.argsort(rng.random(len(images)), kind="stable")
        some = order[step % per_epoch * BATCH:][:BATCH]
        rate = RATE * 0.5 * (1 + math.cos(math.pi * step / (EPOCHS * per_epoch)))
        rate *= math.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        for name, g in gradients(w, images[some], labels[some]).items():
            mean[name] += np.float32(0.1) * (g - mean[name])
            square[name] += np.float32(0.001) * (g * g - square[name])
            w[name] -= np.float32(rate) * mean[name] / (np.sqrt(square[name]) + np.float32(1e-8))
        if (step + 1) % per_epoch == 0:
            print(f"epoch {(step + 1) // per_epoch} of {EPOCHS}: last batch accuracy "
                  f"{accuracy(w, images[some], labels[some]):.2%}", flush=True)
    return w


def accuracy(w, images, labels):
    parts = [forward(w, images[i:i + 500])[0].argmax(1) for i in range(0, len(images), 500)]
    return float((np.concatenate(parts) == labels).mean())


def idx_bytes(array):
    """IDX: two zeros, 8 for unsigned bytes, the rank, big-endian sizes, the bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def safetensors_bytes(w):
    """A little-endian 64-bit header length, a JSON header padded to 8 bytes, the data."""
    header, data = {}, b""
    for name in SHAPES:
        raw = w[name].astype("<f4").tobytes()
        place = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": SHAPES[name], "data_offsets": place}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def read_safetensors(raw):
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    return {name: np.frombuffer(raw[start:][slice(*e["data_offsets"])], "<f4").reshape(e["shape"])
            for name, e in json.loads(raw[8:start]).items()}


def golden_logits(w, images):
    """The logits of the first ten images in double precision."""
    return forward({name: v.astype(np.float64) for name, v in w.items()}, images[:10])[0].tolist()


def make(heldout):
    """Draws the training set, trains, writes all files; returns the weights."""
    seen, seen_labels = dataset(TRAIN_STREAM, TRAIN_COUNT)
    print(f"drew {TRAIN_COUNT} training images", flush=True)
    w = train(seen, seen_labels)
    rows = ",\n".join(json.dumps(row) for row in golden_logits(w, heldout[0]))
    files = {"digits.safetensors": safetensors_bytes(w), "logits.json": f"[\n{rows}\n]\n".encode(),
             **dict(zip(HELDOUT_FILES, map(idx_bytes, heldout)))}
    for name, data in files.items():
        (HERE / name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")
    print(f"training accuracy {accuracy(w, seen, seen_labels):.2%} of {TRAIN_COUNT} images")
    return w


def check(heldout):
    """Compares the stored files with the held-out set drawn again; returns the stored weights and
    whether all is well."""
    same = [(HERE / name).read_bytes() == idx_bytes(a) for name, a in zip(HELDOUT_FILES, heldout)]
    for name, equal in zip(HELDOUT_FILES, same):
        print(f"{name}: {'the same bytes' if equal else 'DIFFERENT'}")
    w = read_safetensors((HERE / "digits.safetensors").read_bytes())
    golden = np.array(json.loads((HERE / "logits.json").read_bytes()))
    far = np.abs(golden - golden_logits(w, heldout[0])).max()
    print(f"logits.json: at most {far:.1e} from the logits of the stored weights")
    return w, all(same) and far < 1e-9


def read_given(w, folder):
    """Classifies folder/0.idx .. folder/9.idx, one image each behind a 16-byte header."""
    raw = b"".join((pathlib.Path(folder) / f"{digit}.idx").read_bytes()[16:] for digit in range(10))
    guesses = forward(w, np.frombuffer(raw, np.uint8).reshape(10, SIDE, SIDE))[0].argmax(1)
    print(f"given images: {(guesses == np.arange(10)).sum()} of 10 right, read as {guesses}")


def main():
    parser = argparse.ArgumentParser(description="Draws digits and trains the network of the digits example.")
    parser.add_argument("--check", action="store_true", help="verify the stored files, do not train")
    parser.add_argument("--mnist", metavar="DIR", help="also classify DIR/0.idx .. DIR/9.idx")
    options = parser.parse_args()
    heldout = dataset(HELDOUT_STREAM, HELDOUT_COUNT)
    w, good = check(heldout) if options.check else (make(heldout), True)
    share = accuracy(w, *heldout)
    print(f"held-out accuracy {share:.2%} of {HELDOUT_COUNT} images (at least {REQUIRED:.1%} wanted)")
    if options.mnist:
        read_given(w, options.mnist)
    return 0 if good and share >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())

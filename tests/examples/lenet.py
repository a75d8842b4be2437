#!/usr/bin/env python3
"""Runs the lenet example on ten real digits with every policy and on input that it must refuse.

    lenet.py LENET DIR    DIR: lenet.safetensors, 0.idx .. 9.idx, expected_logits.json
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

MOST = 1e-5  # of the largest logit of the same image
ran = 0


def run(*args, status=0):
    """Runs the program; its exit status must be `status`. Returns what it printed and its errors."""
    global ran
    ran += 1
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == status, f"{args}: exit status {done.returncode}, not {status}\n{done.stderr}"
    assert (status == 0) == (done.stderr == ""), f"{args}: stderr is {done.stderr!r}"
    return done.stdout, done.stderr


def policies():
    """The policies that the program knows, out of its own error message."""
    _, words = run("--weights", "none", "--policy", "no such", "none", status=2)
    return words.splitlines()[0].split("known: ")[1].split(", ")


def is_here(policy, weights, image):
    """Whether the policy's device is on this machine; if not, the program says so."""
    done = subprocess.run([program, "--weights", str(weights), "--policy", policy, str(image)],
                          capture_output=True, text=True)
    if done.returncode == 3:
        assert f"{policy}: not on this machine: " in done.stderr and done.stdout == "", done.stderr
        print(f"{policy}: skipped: {done.stderr.strip()}")
    return done.returncode != 3


def check_policy(policy, weights, images, expected):
    lines, _ = run("--weights", weights, "--policy", policy, "--json", *images)
    objects = [json.loads(line) for line in lines.splitlines()]
    assert [o["image"] for o in objects] == [str(i) for i in images], "wrong order"
    assert [o["digit"] for o in objects] == list(range(10)), f"{policy}: read as {[o['digit'] for o in objects]}"
    worst = 0
    for number, o in enumerate(objects):
        exact = expected[str(number)]
        assert len(o["logits"]) == len(o["probabilities"]) == len(exact) == 10
        difference = max(abs(a - b) for a, b in zip(o["logits"], exact))
        worst = max(worst, difference / max(map(abs, exact)))
        assert abs(math.fsum(o["probabilities"]) - 1) < 1e-6 and min(o["probabilities"]) >= 0
    assert worst <= MOST, f"{policy}: a logit is {worst:.1e} of the largest away, more than {MOST}"
    lines, _ = run("--weights", weights, "--policy", policy, *images)
    for number, (line, image) in enumerate(zip(lines.splitlines(), images, strict=True)):
        path, digit, probability = line.rsplit(" ", 2)
        assert (path, int(digit)) == (str(image), number) and len(probability.split(".")[1]) >= 7
        assert 0.999 < float(probability) <= 1
    print(f"{policy}: 10 of 10 right, logits within {worst:.1e} of the largest")


def check_refusals(weights, good, folder):
    """What is wrong is named, the exit status tells, and the good image beside it is still read."""
    pixels = good.read_bytes()
    bad = {
        "empty.idx": b"",
        "short_header.idx": pixels[:15],
        "truncated.idx": pixels[:-1],
        "longer.idx": pixels + b"\0",
        "magic.idx": b"\0\0\x0d\x03" + pixels[4:],
        "labels.idx": b"\0\0\x08\x01\0\0\0\x01\x05" + bytes(20),
        "two_images.idx": pixels[:7] + b"\x02" + pixels[8:] + pixels[16:],
        "flat.idx": pixels[:11] + b"\x0e" + pixels[12:15] + b"\x38" + pixels[16:],
        "huge.idx": pixels[:4] + b"\xff" * 12 + pixels[16:],
    }
    for name, data in bad.items():
        (folder / name).write_bytes(data)
        lines, words = run("--weights", weights, folder / name, good, status=1)
        assert lines.startswith(f"{good} ") and lines.count("\n") == 1, name
        assert str(folder / name) in words, words
    for name in ["missing.idx", "."]:
        run("--weights", weights, folder / name, status=1)
    cut = folder / "cut.safetensors"
    cut.write_bytes(weights.read_bytes()[:-4])
    for file in [cut, folder / "missing.safetensors", good]:
        assert run("--weights", file, good, status=1)[0] == ""
    for usage in [[], ["--weights"], ["--weights", weights], [good], ["--weights", weights, "--nonsense", good]]:
        assert run(*usage, status=2)[0] == ""
    return len(bad)


def check_names(weights, good, folder):
    """An image's name may hold anything that a file's name may."""
    for name in ['a "quoted" \\ name.idx', "line\nbreak.idx", "ziffer-\u00fc.idx"]:
        odd = folder / name
        odd.write_bytes(good.read_bytes())
        assert json.loads(run("--weights", weights, "--json", odd)[0])["image"] == str(odd)
    dashes = folder / "--json"
    dashes.write_bytes(good.read_bytes())
    assert run("--weights", weights, "--", dashes)[0].startswith(f"{dashes} ")


program, data = sys.argv[1], pathlib.Path(sys.argv[2])
needed = [data / f"{n}.idx" for n in range(10)] + [data / "lenet.safetensors", data / "expected_logits.json"]
absent = [str(path) for path in needed if not path.exists()]
if absent:
    print(f"skipped: {absent[0]} is not there")
    sys.exit(77)
logits = json.loads((data / "expected_logits.json").read_text())
known = policies()
assert "reference" in known, known
for each in known:
    if not is_here(each, data / "lenet.safetensors", needed[0]):
        continue
    check_policy(each, data / "lenet.safetensors", needed[:10], logits)
with tempfile.TemporaryDirectory() as place:
    check_refusals(data / "lenet.safetensors", needed[7], pathlib.Path(place))
    check_names(data / "lenet.safetensors", needed[7], pathlib.Path(place))
print(f"{ran} runs of the program behaved")

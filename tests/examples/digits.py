#!/usr/bin/env python3
"""Runs the digits example: its accuracy, its logits, what it prints, what it refuses.

    digits.py DIGITS DATA [MNIST]    DATA: examples/digits, MNIST: folder with 0.idx .. 9.idx
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LEAST, MOST, WIDTH = 0.97, 1e-5, 100  # accuracy; logits to exact ones; columns


def run(*args, status=0, env=None):
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, encoding="utf-8",
                          env={**os.environ, **(env or {})})
    assert done.returncode == status, f"{args}: exit status {done.returncode}, not {status}\n{done.stderr}"
    assert (status == 0) == (done.stderr == ""), f"{args}: stderr is {done.stderr!r}"
    wide = [line for line in done.stdout.splitlines() if len(line) > WIDTH]
    assert not wide, f"wider than {WIDTH} columns: {wide[0]}"
    return done.stdout, done.stderr


def check_output(text):
    last = re.findall(r"^digits: (\d+) of (\d+) held-out right on (\w+)$", text, re.M)
    assert last, "no line `digits: ...`"
    assert text.splitlines()[-len(last):] == [f"digits: {n} of {m} held-out right on {p}" for n, m, p in last]
    assert len({policy for _, _, policy in last}) == len(last)
    table = text[text.index("Agreement"):]
    for right, of, policy in last:
        assert int(of) == 500 and int(right) >= LEAST * int(of), f"{policy}: {right} of {of}"
        exact, other, probability = map(float, re.search(rf"^  {policy} +(\S+) +(\S+) +(\S+)", table, re.M).groups())
        assert max(exact, other, probability) <= MOST, f"{policy}: {exact}, {other}, {probability}"
        print(f"{policy}: {right} of {of} right, logits within {exact:.1e} of the exact ones")
    return [policy for _, _, policy in last]


def check_refusals(data, folder):
    names = ["digits.safetensors", "heldout-images.idx", "heldout-labels.idx", "logits.json"]
    for name in names:
        for spoil in ["missing", "cut"]:
            here = folder / f"{spoil} {name}"
            here.mkdir()
            for other in names:
                shutil.copy(data / other, here)
            if spoil == "missing":
                (here / name).unlink()
            else:
                (here / name).write_bytes((data / name).read_bytes()[:-3])
            out, words = run("--data", here, status=1)
            assert out == "" and name in words, words
    assert "nowhere" in run("--data", folder / "nowhere", status=1)[1]
    run("--data", status=2)
    run("--nonsense", status=2)


program, files = sys.argv[1], pathlib.Path(sys.argv[2])
check_output(run("--data", files)[0])
plain = run("--data", files, "--ascii", "--mnist", files / "nowhere")[0]
known = check_output(plain)
NO_DRIVER = {"VK_ICD_FILENAMES": "/nonexistent", "VK_DRIVER_FILES": "/nonexistent"}
bare = run("--data", files, env=NO_DRIVER)[0]
assert check_output(bare) == [policy for policy in known if policy != "vulkan"]
assert ("vulkan: not on this machine: " in bare) == ("vulkan: " in plain), "it says why there is no Vulkan"
assert plain.isascii() and "mnist: skipped" in plain
mnist = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else files / "nowhere"
if mnist.is_dir():
    said = re.findall(r"^  mnist: (\d+) of 10 right on (\w+)", run("--data", files, "--mnist", mnist)[0], re.M)
    assert [policy for _, policy in said] == known and all(int(n) >= 8 for n, _ in said), said
    print("mnist:", ", ".join(f"{n} of 10 on {policy}" for n, policy in said))
with tempfile.TemporaryDirectory() as place:
    check_refusals(files, pathlib.Path(place))
    run("--data", files, "--mnist", place, status=1)  # the folder is there, its files are not

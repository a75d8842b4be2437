#!/usr/bin/env python3
"""Runs the inspect example on every network and policy; its pictures are well-formed and say what the text says.

    inspect.py INSPECT
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

WIDTH = 120  # columns
SVG = "{http://www.w3.org/2000/svg}"


def run(*args, status=0):
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == status, f"{args}: exit status {done.returncode}, not {status}\n{done.stderr}"
    assert (status == 0) == (done.stderr == ""), f"{args}: stderr is {done.stderr!r}"
    return done.stdout


def names(text, label):
    return re.search(rf"^{label}: (.*)$", text, re.M)[1].split()


def boxes(picture, *classes):
    return [r for r in picture.iter(SVG + "rect") if r.get("class") in classes]


def inside(rectangle, picture):
    x, y, width, height = (float(rectangle.get(k)) for k in ["x", "y", "width", "height"])
    return min(x, y) >= 0 and x + width <= float(picture.get("width")) and y + height <= float(picture.get("height"))


def apart(a, b):
    (ax, ay, aw, ah), (bx, by, bw, bh) = ([float(r.get(k)) for k in ["x", "y", "width", "height"]] for r in [a, b])
    slack = 0.11  # coordinates have one decimal
    return ax + aw <= bx + slack or bx + bw <= ax + slack or ay + ah <= by + slack or by + bh <= ay + slack


def check_picture(picture, drawn):
    texts = list(picture.iter(SVG + "text"))
    assert texts and all(t.text for t in texts)
    for i, a in enumerate(drawn):
        assert inside(a, picture), a.attrib
        assert all(apart(a, b) for b in drawn[:i]), "two boxes overlap"


def check_memory(picture, text):
    """A rectangle for each line of the arena's map, with its hover text."""
    drawn = [r for r in boxes(picture, "buffer", "scratch") if r.find(SVG + "title") is not None]
    arena = text[text.index("\narena      buffer"):].splitlines()[2:] if "\narena      buffer" in text else []
    elsewhere = [i for i, line in enumerate(arena) if "in memory of" in line]  # the picture shows the host's arena
    arena = arena[:elsewhere[0]] if elsewhere else arena
    listed = sorted(re.search(r"([\d,]+) +([\d,]+) \.\. ([\d,]+) +(\d+) \.\. (\d+)", line).groups() for line in arena)
    shown = [re.search(r": ([\d,]+) B at ([\d,]+) \.\. ([\d,]+), groups (\d+) to (\d+)$", r.find(SVG + "title").text).groups()
             for r in drawn]
    assert sorted(shown) == listed, (sorted(shown), listed)
    check_picture(picture, drawn)


def check_graph(picture, text):
    groups = re.findall(r"^group (\d+) +.*: ", text, re.M)
    drawn = boxes(picture, "fused", "single", "border")
    shown = [t.text for t in picture.iter(SVG + "text")]
    for g in groups:
        assert sum(s.startswith(f"group {g}, ") for s in shown) == 1, g
    borders = len(re.findall(r"float32 \[.*\] +[\d.,]+ k?M?B", text.split("\nweights")[0]))
    assert len(drawn) == len(groups) + borders, (len(drawn), len(groups), borders)
    assert len(boxes(picture, "border")) == borders
    arrows = [p for p in picture.iter(SVG + "path") if (p.get("class") or "").startswith("edge")]
    assert len(arrows) >= len(groups), "a group without an arrow"
    check_picture(picture, drawn)


program = sys.argv[1]
help_text = run("--help")
count = 0
for network in names(help_text, "networks"):
    for policy in names(help_text, "policies"):
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work)
            text = run("--policy", policy, network, folder)
            assert text == run("--policy", policy, network), "another text with a folder"
            wide = [line for line in text.splitlines() if len(line) > WIDTH]
            assert not wide, f"wider than {WIDTH} columns: {wide[0]}"
            check_memory(xml.parse(folder / "memory.svg").getroot(), text)
            check_graph(xml.parse(folder / "graph.svg").getroot(), text)
            assert (folder / "graph.dot").read_text(encoding="utf-8").startswith("digraph plan {\n")
            assert (folder / "graph.mmd").read_text(encoding="utf-8").startswith("flowchart TD\n")
            assert len(list(folder.iterdir())) == 4
            count += 1
for usage in [[], ["--policy"], ["no such network"], ["--policy", "none", "lenet"], ["--nonsense"], ["lenet", "a", "b"]]:
    assert run(*usage, status=2) == ""
run("lenet", "/no/such/folder", status=1)
assert count >= 4
print(f"{count} plans shown")

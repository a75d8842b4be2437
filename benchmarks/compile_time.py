# What tenon costs the compiler:  tools/bench compile_time [--only NAME] [--json FILE]
# Each source is compiled to an object three times by g++ and by clang; the least user time counts.
# SPDX-License-Identifier: MIT
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / 'benchmarks' / 'compile_time'


# The networks of examples/networks: header and type of the graph.
NETWORKS = {
    'mobilenetv2': ('mobilenetv2.hpp', 'mobilenetv2::graph<>'),
    'squeezenet11': ('squeezenet11.hpp', 'squeezenet11::graph<>'),
    'resnet50': ('resnet50.hpp', 'resnet50::graph<>'),
    'encoder12': ('encoder.hpp', 'encoder::graph<12>'),
    'encoder48': ('encoder.hpp', 'encoder::graph<48>'),
}


def network(name, kind, gcc, clang):
    source = SOURCES / f'network_{kind}.cpp'
    header, graph = NETWORKS[name]
    options = ['-O2', f'-DHEADER="networks/{header}"', f'-DGRAPH=networks::{graph}',
               f'-I{ROOT / "examples"}']
    return name, kind, source, options, {'g++': gcc, 'clang': clang}


# name, kind, source file or text, options, and for each compiler the most seconds of user time and
# the most megabytes, as far as there are limits
ANY = (None, None)
CASES = [
    ('tenon/tenon.hpp', 'include', '#include <tenon/tenon.hpp>\n', ['-O0'],
     {'g++': (0.5, None), 'clang': (0.5, None)}),
    ('tenon/cpu.hpp', 'include', '#include <tenon/cpu.hpp>\n', ['-O0'],
     {'g++': (1.5, None), 'clang': (1.5, None)}),
    ('lenet5 -O2', 'plan', SOURCES / 'plan.cpp', ['-O2'], {}),
    ('lenet5 -O2', 'kernels', SOURCES / 'kernels.cpp', ['-O2'], {}),
    ('lenet5 -O3', 'kernels', SOURCES / 'kernels.cpp', ['-O3'], {}),
    network('mobilenetv2', 'plan', (2, 250), (5, None)),
    network('squeezenet11', 'plan', (2, 250), (5, None)),
    network('resnet50', 'plan', (2, 250), (5, None)),
    network('encoder12', 'plan', (3, 400), (5, None)),
    network('encoder48', 'plan', (12, 700), ANY),  # 1,392 operators
    network('mobilenetv2', 'kernels', (25, 1200), (40, None)),
    network('squeezenet11', 'kernels', (25, 1200), (40, None)),
    network('resnet50', 'kernels', (25, 1200), (40, None)),
    network('encoder12', 'kernels', (25, 1200), (40, None)),
]


def compilers():
    found = subprocess.run([ROOT / 'tools' / 'clang'], capture_output=True, text=True)
    return ['g++'] + ([found.stdout.strip()] if found.stdout.strip() else [])


def compile_once(command):
    """User seconds and peak megabytes of one compilation."""
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit('compile_time: failed: ' + ' '.join(command))
    # ru_maxrss is that of the largest process below the driver, which is the compiler proper.
    return usage.ru_utime, usage.ru_maxrss / 1024


def measure(compiler, source, options, folder):
    if isinstance(source, str):
        text, source = source, folder / 'include.cpp'
        source.write_text(text)
    command = [compiler, '-std=c++20', '-march=native', *options, f'-I{ROOT / "include"}', '-c',
               str(source), '-o', str(folder / 'out.o')]
    runs = [compile_once(command) for _ in range(3)]
    return min(seconds for seconds, _ in runs), max(megabytes for _, megabytes in runs)


def judge(seconds, megabytes, most_seconds, most_megabytes):
    allowed = [f'{most:g} {unit}' for most, unit in [(most_seconds, 's'), (most_megabytes, 'MB')]
               if most]
    if not allowed:
        return ''
    held = (not most_seconds or seconds <= most_seconds) and (
        not most_megabytes or megabytes <= most_megabytes)
    return f'{", ".join(allowed)} allowed: {"holds" if held else "EXCEEDED"}'


def rows(folder, only):
    for compiler in compilers():
        for name, kind, source, options, limits in CASES:
            if only and only != name:
                continue
            seconds, megabytes = measure(compiler, source, options, folder)
            most = limits.get('g++' if compiler == 'g++' else 'clang', ANY)
            verdict = judge(seconds, megabytes, *most)
            print(f'{name:<20} {kind:<8} {compiler:<12} {seconds:8.2f} {megabytes:8.0f}  {verdict}',
                  flush=True)
            yield {'name': name, 'compiler': compiler, 'kind': kind,
                   'seconds': round(seconds, 3), 'peak_mb': round(megabytes, 1)}


def main():
    words = argparse.ArgumentParser(prog='compile_time')
    words.add_argument('--json', type=pathlib.Path)
    words.add_argument('--only', choices=[case[0] for case in CASES], help='one of the names')
    words.add_argument('--threads', '--peers', help='have no meaning here')
    given = words.parse_args()
    print(f'{"name":<20} {"kind":<8} {"compiler":<12} {"user s":>8} {"peak MB":>8}')
    with tempfile.TemporaryDirectory() as folder:
        result = {'bench': 'compile_time', 'rows': list(rows(pathlib.Path(folder), given.only))}
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + '\n')


main()

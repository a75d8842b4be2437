"""Passes if every header has a test: covered.py INCLUDE TESTS

Header INCLUDE/tenon/a/b.hpp is tested by TESTS/a/b.cpp, or covered.txt names its test:

    a/b.hpp    a/c.cpp    why, in a few words

A line of which the header is gone, or its test, is a fault; so is one whose header has a test of its own name.
"""
# SPDX-License-Identifier: MIT

import doctest
import pathlib
import re
import sys


def read(text):
    """{header: [tests]} of a list. Words that are neither a header nor a test are remarks.

    >>> read('# remark\\n\\na/b.hpp   a/c.cpp a/d.sh  by what it computes\\n')
    {'a/b.hpp': ['a/c.cpp', 'a/d.sh']}
    """
    covered = {}
    for line in text.splitlines():
        words = line.split('#')[0].replace(':', ' ').replace(',', ' ').split()
        if words:
            tests = [word.removeprefix('tests/') for word in words[1:] if re.search(r'\w\.(cpp|py|sh)$', word)]
            covered[words[0].removeprefix('include/').removeprefix('tenon/')] = tests
    return covered


def faults(headers, tests, covered):
    """What is wrong, as sentences.

    >>> faults({'a.hpp', 'b.hpp'}, {'a.cpp', 'c.cpp'}, {'b.hpp': ['c.cpp']})
    []
    >>> faults({'a.hpp', 'b.hpp'}, {'a.cpp'}, {'a.hpp': ['a.cpp'], 'c.hpp': ['a.cpp'], 'b.hpp': ['x.cpp']})
    ['a.hpp: has a test of its own name; strike its line', 'b.hpp: covered by x.cpp, which is not there', \
'c.hpp: in covered.txt, but no such header']
    >>> faults({'b.hpp'}, set(), {})
    ['b.hpp: write b.cpp, or name its test in covered.txt']
    """
    found = []
    for header in sorted(headers | set(covered)):
        own = header.removesuffix('.hpp') + '.cpp'
        if header not in headers:
            found.append(f'{header}: in covered.txt, but no such header')
        elif header in covered and own in tests:
            found.append(f'{header}: has a test of its own name; strike its line')
        elif header in covered and not (covered[header] and set(covered[header]) <= tests):
            found.append(f'{header}: covered by {" ".join(covered[header])}, which is not there')
        elif header not in covered and own not in tests:
            found.append(f'{header}: write {own}, or name its test in covered.txt')
    return found


def main(include, tests):
    root, folder = pathlib.Path(include) / 'tenon', pathlib.Path(tests)
    headers = {path.relative_to(root).as_posix() for path in root.rglob('*.hpp')}
    sources = {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}
    listed = folder / 'covered.txt'
    covered = read(listed.read_text(encoding='utf-8')) if listed.exists() else {}
    wrong = faults(headers, sources, covered)
    failed = bool(wrong) or not headers or doctest.testmod().failed > 0
    for line in wrong:
        print('# ' + line)
    print(f'{"not ok" if failed else "ok"} 1 - {len(headers)} headers have a test\n1..1')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

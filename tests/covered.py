"""Passes if every header has a test: covered.py INCLUDE TESTS

Header INCLUDE/tenon/a/b.hpp is tested by TESTS/a/b.cpp, or a line of covered.txt names its tests:

    a/b.hpp    a/c.cpp d/e.cpp    why there, in a few words

The words are needed where a test lies in another folder than a/, or where it neither includes the header nor names
what the header alone defines: then they say how the test reaches it. A line whose header or test is gone is a fault;
so is a second line for a header, and one whose header has a test of its own name.
"""
# SPDX-License-Identifier: MIT

import doctest
import pathlib
import re
import sys

TYPE = re.compile(r'\b(?:struct|class|union|enum|concept|using)\s+(?:alignas\(\w+\)\s*)?(\w+)'
                  r'(?=\s*(?:final\s*)?[:{;=<])')
# A function or a constant, of a namespace: its line begins in the first column.
FUNCTION = re.compile(r'^(?:template\s*<.*>\s*)?(?:constexpr|consteval|inline|static|\[\[)[\w\s:<>,&*[\]]*?\b(\w+)'
                      r'\s*(?=[(={[;])', re.MULTILINE)


def read(text):
    """{header: (tests, reason)} of a list, and the headers that it has twice.

    >>> read('# remark\\n\\na/b.hpp   a/c.cpp a/d.sh  by what it computes\\na/c.hpp  e.cpp\\na/c.hpp  e.cpp\\n')
    ({'a/b.hpp': (['a/c.cpp', 'a/d.sh'], 'by what it computes'), 'a/c.hpp': (['e.cpp'], '')}, ['a/c.hpp'])
    """
    covered, twice = {}, []
    for line in text.splitlines():
        header, *words = line.split('#')[0].split() or ['']
        if header:
            twice += [header] if header in covered else []
            tests = [word for word in words if re.search(r'\w\.(cpp|py|sh)$', word)]
            covered[header] = tests, ' '.join(words[len(tests):])
    return covered, twice


def bare(text):
    return re.sub(r'//.*', '', text)


def defines(text):
    """What a header defines in a namespace: types, functions, constants.

    >>> sorted(defines('template <class T> struct box {\\n  int f();\\n};\\nconstexpr int size_of();\\n// inline x()'))
    ['box', 'size_of']
    """
    return set(TYPE.findall(bare(text))) | set(FUNCTION.findall(bare(text)))


def text_of(test, folder, known=()):
    """A test, and the files of the tests that it includes."""
    text = test.read_text(encoding='utf-8')
    for name in re.findall(r'#include "([^"]+)"', text):
        for path in (test.parent / name, folder / name):
            if path.is_file() and path not in known:
                text += text_of(path, folder, (*known, path))
                break
    return text


def names(header, own, test):
    """Whether a test's text includes a header or says a word that is the header's own.

    >>> names('a/b.hpp', {'box'}, 'box<int> b;'), names('a/b.hpp', {'box'}, 'boxes b;  // box')
    (True, False)
    >>> names('a/b.hpp', set(), '#include <tenon/a/b.hpp>')
    True
    """
    return f'<tenon/{header}>' in test or not own.isdisjoint(re.findall(r'\w+', bare(test)))


def faults(headers, tests, covered, named):
    """What is wrong, as sentences. `named`: whether a header is named by a test.

    >>> always = lambda header, test: True
    >>> faults({'a.hpp', 'b.hpp'}, {'a.cpp', 'c.cpp'}, {'b.hpp': (['c.cpp'], '')}, always)
    []
    >>> faults({'a.hpp', 'b.hpp'}, {'a.cpp'}, {'a.hpp': (['a.cpp'], ''), 'c.hpp': (['a.cpp'], ''),
    ...        'b.hpp': (['x.cpp'], '')}, always)
    ['a.hpp: has a test of its own name; strike its line', 'b.hpp: covered by x.cpp, which is not there', \
'c.hpp: in covered.txt, but no such header']
    >>> faults({'b.hpp'}, set(), {}, always)
    ['b.hpp: write b.cpp, or name its test in covered.txt']
    >>> faults({'a/b.hpp'}, {'c/d.cpp'}, {'a/b.hpp': (['c/d.cpp'], '')}, always)
    ['a/b.hpp: c/d.cpp lies in another folder; say why']
    >>> faults({'b.hpp'}, {'c.cpp'}, {'b.hpp': (['c.cpp'], '')}, lambda header, test: False)
    ['b.hpp: c.cpp names nothing of it; say how it reaches it']
    >>> faults({'a/b.hpp'}, {'c/d.cpp'}, {'a/b.hpp': (['c/d.cpp'], 'each call of it')}, lambda header, test: False)
    []
    """
    found = []
    for header in sorted(headers | set(covered)):
        own = header.removesuffix('.hpp') + '.cpp'
        if header not in headers:
            found.append(f'{header}: in covered.txt, but no such header')
        elif header in covered and own in tests:
            found.append(f'{header}: has a test of its own name; strike its line')
        elif header not in covered and own not in tests:
            found.append(f'{header}: write {own}, or name its test in covered.txt')
        elif header in covered:
            listed, reason = covered[header]
            if not (listed and set(listed) <= tests):
                found.append(f'{header}: covered by {" ".join(listed)}, which is not there')
            elif not reason:
                mirror = pathlib.PurePath(header).parent
                for test in listed:
                    if pathlib.PurePath(test).parent != mirror:
                        found.append(f'{header}: {test} lies in another folder; say why')
                    elif not named(header, test):
                        found.append(f'{header}: {test} names nothing of it; say how it reaches it')
    return found


def main(include, tests):
    root, folder = pathlib.Path(include) / 'tenon', pathlib.Path(tests)
    headers = {path.relative_to(root).as_posix(): defines(path.read_text(encoding='utf-8'))
               for path in root.rglob('*.hpp')}
    sources = {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}
    covered, twice = read((folder / 'covered.txt').read_text(encoding='utf-8'))

    def named(header, test):
        others = set().union(*(words for other, words in headers.items() if other != header))
        return names(header, headers[header] - others, text_of(folder / test, folder))

    wrong = [f'{header}: has two lines' for header in twice] + faults(set(headers), sources, covered, named)
    failed = doctest.testmod().failed > 0 or bool(wrong) or not headers
    for line in wrong:
        print('# ' + line)
    print(f'{"not ok" if failed else "ok"} 1 - {len(headers)} headers have a test\n1..1')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

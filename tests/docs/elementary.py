"""Passes if a page says of elementary functions what their doc comments say: elementary.py HEADER PAGE

The first number behind `Error:`, in ulp, and the one behind `Cost:` stand in the page's row of the function.
"""
# SPDX-License-Identifier: MIT

import doctest
import pathlib
import re
import sys


def of_header(text):
    """{function: (error, cost)} of the doc comments.

    >>> of_header('/// x\\n/// Error: 1.5 ulp. Cost: 7\\n/// instructions.\\nconstexpr scalar f_of(scalar x) {')
    {'f': ('1.5', '7')}
    """
    found = {}
    for comment, name in re.findall(r'((?:^///.*\n)+)constexpr scalar (\w+)_of\(', text, re.MULTILINE):
        words = re.sub(r'\s*\n?///\s*', ' ', comment)
        error, cost = re.search(r'Error: ([\d.]+) ulp', words), re.search(r'Cost: (\d+)', words)
        if error and cost:
            found[name] = (error.group(1), cost.group(1))
    return found


def of_page(text):
    """{function: (error, cost)} of the table.

    >>> of_page('| `f(a, b)` | 1.5 | 7 | fast |')
    {'f': ('1.5', '7')}
    """
    rows = re.findall(r'^\| `(\w+)\([^`]*\)` \| ([\d.]+) \| (\d+) \|', text, re.MULTILINE)
    return {name: (error, cost) for name, error, cost in rows}


def main(header, page):
    there, here = (read(pathlib.Path(path).read_text(encoding='utf-8'))
                   for read, path in ((of_header, header), (of_page, page)))
    wrong = [f'{name}: {header} says {there.get(name)}, {page} {here.get(name)}'
             for name in sorted(there.keys() | here.keys()) if there.get(name) != here.get(name)]
    print('\n'.join(wrong) or f'ok - {len(here)} functions')
    return 1 if wrong or not here else 0


if __name__ == '__main__':
    doctest.testmod(raise_on_error=True)
    sys.exit(main(*sys.argv[1:]))

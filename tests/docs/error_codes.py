"""Passes if doc comments name errors that exist: error_codes.py INCLUDE

What stands behind `Error:` in a `///` comment is a list of codes, with remarks in parentheses or behind a comma.
Each item is an enumerator of `code` in base/error.hpp or begins with one of the phrases below. Errors of numbers
(`0.87 ulp`) are no list.
"""
# SPDX-License-Identifier: MIT

import doctest
import pathlib
import re
import sys

# What refers to errors that stand elsewhere, and how a remark on the code before it begins.
ELSEWHERE = (
    'a `broken` that carries', 'a message of the compiler', 'as import_fd', 'as submit_and_wait', 'else those of',
    'in the program\'s `fault`', 'mixing symbols of different types', 'see', 'that source\'s own errors',
    'the context\'s fault', 'the driver\'s refusal', 'the first one', 'those of', 'what')
REMARKS = (
    '"regular file" expected', '`finish` returns it', '`operand` being', 'a larger result', 'above', 'below', 'beyond',
    'expected being', 'for', 'if', 'in the body of', 'its shape', 'later calls do nothing', 'matrices of', 'nodes that',
    'nothing is executed', 'on the line of', 'the common shape', 'the program is too long', 'the sizes must', 'when',
    'where', 'with')
PHRASES = tuple(phrase + end for phrase in ELSEWHERE + REMARKS for end in ' \n')
# Labels that may follow on the same line.
NEXT = r'\b(?:Shape|Type|Misuse|Cost|Source|Error|Threads|Example):'


def enumerators(text):
    """The enumerators of `code`.

    >>> sorted(enumerators('enum class code : std::uint8_t {\\n  ok,\\n  // views\\n  size,  ///< a, b\\n};'))
    ['ok', 'size']
    """
    body = re.search(r'enum class code\b.*?\{(.*?)\};', text, re.S).group(1)
    return set(re.findall(r'\w+', re.sub(r'//.*', '', body)))


def comments(text):
    """(line, words) of every run of `///` lines.

    >>> comments('/// One.\\n/// Two.\\nint x;  ///< x\\n  /// Three.')
    [(1, 'One. Two.'), (4, 'Three.')]
    """
    found, words, begin = [], [], 0
    for number, line in enumerate(text.splitlines() + [''], 1):
        comment = re.match(r'\s*///(?!<)(.*)', line)
        if comment:
            begin = begin if words else number
            words.append(comment.group(1).strip())
        elif words:
            found.append((begin, ' '.join(words)))
            words = []
    return found


def items(comment):
    """What the Error labels of a comment list.

    >>> items('Sorts. Error: null (also: not mapped), size; also policy, when no host. Cost: a copy.')
    ['null', 'size', 'policy', 'when no host']
    >>> items('Error: 0.87 ulp, subnormal results included.')
    []
    """
    found = []
    for part in re.split(r'\bError(?: at [\w ]+)?:', comment)[1:]:
        part = re.split(NEXT, part)[0]
        while (flat := re.sub(r'\([^()]*\)', '', part)) != part:
            part = flat
        if re.match(r'\s*\d+(\.\d+)? ulp', part):
            continue
        part = re.split(r'\.(?:\s|$)', part)[0]
        for item in re.split(r'[,;]', part):
            item = re.sub(r'^(?:(?:also|or|and)(?:\s+|$))*', '', ' '.join(item.split()))
            found += re.split(r' or (?=\w+$)', item) if re.fullmatch(r'\w+ or \w+', item) else [item]
    return [item for item in found if item]


def faults(comment, codes):
    """The items that are neither a code nor a phrase.

    >>> faults('Error: also place, when a policy runs on the host.', {'policy'})
    ['place']
    >>> faults('Error: size (0 or less), memory.', {'size', 'memory'})
    []
    """
    return [item for item in items(comment) if item not in codes and not (item + '\n').startswith(PHRASES)]


def main(include):
    root = pathlib.Path(include) / 'tenon'
    codes = enumerators((root / 'base' / 'error.hpp').read_text(encoding='utf-8'))
    listed, wrong = 0, []
    for path in sorted(root.rglob('*.hpp')):
        for line, comment in comments(path.read_text(encoding='utf-8')):
            listed += len(items(comment))
            wrong += [f'{path}:{line}: `{item}` is no code of base/error.hpp' for item in faults(comment, codes)]
    failed = doctest.testmod().failed > 0 or not listed or bool(wrong)
    for line in wrong:
        print('# ' + line)
    print(f'{"not ok" if failed else "ok"} 1 - {listed} items behind "Error:" are codes or phrases\n1..1')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

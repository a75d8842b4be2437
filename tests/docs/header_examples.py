"""Compiles the examples in the doc comments of headers: header_examples.py COMPILER INCLUDE CONTEXT [FLAG...]

An example stands between fences in a /// comment:

    /// ```cpp
    /// builder b;
    /// ```

CONTEXT is C++ that says what an example takes for granted. Its line `// example: language/builder.hpp`
stands for the next example of that header. All are one translation unit, so headers are read once.
Every example has its line; a doc comment with indented code and no fences is a fault.
"""
# SPDX-License-Identifier: MIT

import doctest
import os
import pathlib
import re
import subprocess
import sys

FENCES = re.compile(r'/// ```cpp\n(.*?)/// ```\n', re.DOTALL)
INDENTED = re.compile(r'^ *///     *[\w:]+[^\n]*[;{}]', re.MULTILINE)  # a statement


def examples_of(text):
    """The examples of a header: (line, code).

    >>> examples_of('// A.\\n/// B:\\n/// ```cpp\\n/// b();\\n///\\n/// c();\\n/// ```\\nint b();\\n')
    [(4, 'b();\\n\\nc();\\n')]
    """
    text = re.sub(r'^ +///', '///', text, flags=re.MULTILINE)
    return [(text[:found.start()].count('\n') + 2, re.sub(r'^/// ?', '', found[1], flags=re.MULTILINE))
            for found in FENCES.finditer(text)]


def filled(context, name, examples):
    """The context with examples in it: (source, what is wrong).

    >>> source, wrong = filled('{\\n  // example: a.hpp\\n}\\n', 'c.cpp', {'a.hpp': [('a.hpp', 4, 'b();\\n')]})
    >>> print(source, wrong)
    #line 1 "c.cpp"
    {
    #line 4 "a.hpp"
    b();
    #line 3 "c.cpp"
    }
     []
    >>> filled('', 'c.cpp', {'a.hpp': [('a.hpp', 4, 'b();\\n')]})[1]
    ['a.hpp:4: c.cpp has no line for this example']
    """
    left, wrong, source = {key: list(all) for key, all in examples.items()}, [], f'#line 1 "{name}"\n'
    for number, line in enumerate(context.splitlines(), 1):
        mark = re.match(r' *// example: (\S+)$', line)
        if not mark:
            source += line + '\n'
        elif left.get(mark[1]):
            path, at, code = left[mark[1]].pop(0)
            source += f'#line {at} "{path}"\n{code}#line {number + 1} "{name}"\n'
        else:
            wrong.append(f'{name}:{number}: {mark[1]} has no such example')
    for rest in left.values():
        wrong += [f'{path}:{at}: {name} has no line for this example' for path, at, _ in rest]
    return source, wrong


def main(arguments):
    compiler, include, context, *flags = arguments
    root = pathlib.Path(include) / 'tenon'
    examples, wrong = {}, []
    for header in sorted(root.rglob('*.hpp')):
        text, name = header.read_text(encoding='utf-8'), header.relative_to(root).as_posix()
        found = [(os.path.relpath(header), at, code) for at, code in examples_of(text)]
        if found:
            examples[name] = found
        for bare in INDENTED.finditer(re.sub(r'/// ```cpp.*?/// ```', '', text, flags=re.DOTALL)):
            wrong.append(f'{name}: indented code without ```cpp fences: {bare[0].strip()}')
    with open(context, encoding='utf-8') as file:
        source, missing = filled(file.read(), os.path.relpath(context), examples)
    command = [compiler, '-std=c++20', '-fsyntax-only', '-I', include, *flags, '-x', 'c++', '-']
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    wrong += missing + (done.stderr.splitlines() if done.returncode != 0 else [])
    failed = bool(wrong) or not examples or doctest.testmod().failed > 0
    for line in wrong:
        print('# ' + line)
    count = sum(map(len, examples.values()))
    print(f'{"not ok" if failed else "ok"} 1 - {count} examples of {len(examples)} headers compile\n1..1')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

"""Compiles what the pages show: snippets.py COMPILER INCLUDE PAGE... [-- FLAG...]

Every ```cpp block is checked. It is a translation unit of its own, unless the line before it says
otherwise; the words may be combined:

    <!-- cpp: continues -->  it goes on where the block before it ended, of those that are compiled here
    <!-- cpp: body -->       it stands inside a function
    <!-- cpp: prints -->     the program is also run; it prints the ```text block that follows
    <!-- cpp: refused -->    it does not compile; the compiler says every sentence that the ```text
                             block that follows has behind "static assertion failed: ", and g++
                             what stands there behind "note: the comparison"; a sentence goes on
                             in lines that are indented by seven spaces
    <!-- cpp: of FILE -->    it stands in that file of the repository, whose tests compile it, with
                             the same or other line breaks; a line of // ... stands for any lines
    <!-- cpp: needs HEADER -->  it and what continues it are skipped where that header is not there

What a block needs and no reader wants to see stands before it in a comment of several lines, which
begins with `<!-- cpp: hidden` and is a block like the others.
"""
# SPDX-License-Identifier: MIT

import doctest
import os
import re
import subprocess
import sys
import tempfile

MARK = re.compile(r'<!-- cpp: ([\w./ ]+?)(?: -->)?$')
SAID = 'static assertion failed: '
NOTE = 'note: the comparison'  # of g++ alone


class unit:
    """A translation unit: blocks of one page, one after the other."""

    def __init__(self, page, line):
        self.place = f'{page}:{line}'
        self.source = ''
        self.words = set()
        self.text = None  # of the ```text block that belongs to it

    def add(self, page, line, block, words):
        self.words |= words
        located = f'#line {line} "{page}"\n{block}'
        if 'body' in words:
            located = f'[[maybe_unused]] static void body_{line}() {{\n{located}}}\n'
        self.source += located


def units_of(page, lines):
    """The units of a page.

    >>> lines = ['<!-- cpp: hidden', 'int a;', '-->', '', '<!-- cpp: continues body -->', '```cpp',
    ...          'a = 1;', '```', '```cpp', 'int b;', '```', '```c++', '...', '```']
    >>> [u.place for u in units_of('p.md', lines)]
    ['p.md:2', 'p.md:10']
    >>> print(units_of('p.md', lines)[0].source, end='')
    #line 2 "p.md"
    int a;
    [[maybe_unused]] static void body_7() {
    #line 7 "p.md"
    a = 1;
    }
    """
    units, words, at = [], set(), 0
    while at < len(lines):
        mark, first = MARK.match(lines[at]), at + 1
        end = {'```cpp': '```', '```text': '```'}.get(lines[at])
        if mark and lines[at].endswith('-->'):
            words = set(mark[1].split())
        elif mark:
            words, end = set(mark[1].split()), '-->'
        if end:
            while lines[at + 1] != end:
                at += 1
            block = ''.join(line + '\n' for line in lines[first:at + 1])
            if lines[first - 1] == '```text':
                if units and units[-1].words & {'prints', 'refused'} and units[-1].text is None:
                    units[-1].text = block
            else:
                if 'continues' not in words:
                    units.append(unit(page, first + 1))
                own = 'of' in words or 'continues' not in words
                goes_on = units[-1] if own else [u for u in units if 'of' not in u.words][-1]
                goes_on.add(page, first + 1, block, words)
                words = set()
            at += 1
        at += 1
    return units


def bare(text):
    """A text without what a formatter moves.

    >>> bare('/// A b\\n/// c.\\nint f(\\n    int);') == bare('/// A\\n/// b c.\\nint f(int);')
    True
    """
    return re.sub(r'\s+', '', re.sub(r'^ *//+', '', text, flags=re.MULTILINE))


def cut_from(found, root):
    """What of a unit does not stand in its file, or nothing."""
    name = next(word for word in found.words if '/' in word)
    with open(os.path.join(root, name), encoding='utf-8') as file:
        text = bare(file.read())
    at = 0
    pieces = re.split(r'^ *// \.\.\.\n', re.sub(r'^#line.*\n', '', found.source), flags=re.MULTILINE)
    for piece in pieces:
        here = text.find(bare(piece), at)
        if here < 0:
            return f'{name} does not have, or not in this order:\n{piece}'
        at = here + len(bare(piece))
    return ''


def sentences(text, errors):
    """What the compiler says: (sentences that a page shows, those that are not among the errors).

    >>> shown = "error: static assertion failed: a;\\n       b\\nnote: the comparison reduces to '(1 == 2)'\\n"
    >>> sentences(shown, "g++: error: static assertion failed: a; b\\nnote: the comparison is not shown")
    (['a; b'], ["note: the comparison reduces to '(1 == 2)'"])
    >>> sentences(shown, "clang: error: static assertion failed due to: a; b")
    (['a; b'], [])
    """
    lines = re.sub(r'\n {7}(?=[a-z])', ' ', re.sub('[‘’]', "'", text)).splitlines()
    said = [line.split(SAID)[1] for line in lines if SAID in line]
    notes = [NOTE + line.split(NOTE)[1] for line in lines if NOTE in line and NOTE in errors]
    return said, [sentence for sentence in said + notes if sentence not in errors]


def lacking(found, command):
    """The header that a unit needs and that is not there, or nothing."""
    for word in found.words if 'needs' in found.words else ():
        asks = f'#if !__has_include(<{word}>)\n#error none\n#endif\n'
        if '/' in word and run([*command, '-E', '-xc++', '-'], input=asks).returncode != 0:
            return word
    return ''


def run(command, **how):
    return subprocess.run(command, capture_output=True, text=True, check=False, **how)


def complaint(found, compiler, work):
    """What is wrong with a unit, or nothing."""
    source = os.path.join(work, 'snippet.cpp')
    with open(source, 'w', encoding='utf-8') as file:
        file.write(found.source)
    program = os.path.join(work, 'snippet')
    how = ['-O1', '-pthread', '-o', program] if 'prints' in found.words else ['-fsyntax-only']
    done = run([*compiler, *how, source], env={**os.environ, 'LC_ALL': 'C'})
    if 'refused' in found.words:
        said, missing = sentences(found.text or '', done.stderr)
        if done.returncode == 0 or not said or missing:
            return f'compiled, or did not say {missing or "what was shown"}:\n{done.stderr}'
    elif done.returncode != 0:
        return done.stderr
    if 'prints' in found.words:
        done = run([program])
        if done.returncode != 0 or done.stdout != found.text:
            return f'exit status {done.returncode}, it printed:\n{done.stdout}{done.stderr}'
    return ''


def main(arguments):
    compiler, include, *pages = arguments
    flags = []
    if '--' in pages:
        pages, flags = pages[:pages.index('--')], pages[pages.index('--') + 1:]
    root = os.path.dirname(os.path.abspath(include))
    command = [compiler, '-std=c++20', '-I', include, *flags]
    count = 0
    failures = doctest.testmod().failed
    with tempfile.TemporaryDirectory() as work:
        for page in pages:
            with open(page, encoding='utf-8') as file:
                lines = file.read().splitlines()
            for found in units_of(os.path.relpath(page), lines):
                count += 1
                header = lacking(found, command)
                if header:
                    print(f'ok {count} - {found.place} # SKIP no <{header}>', flush=True)
                    continue
                wrong = cut_from(found, root) if 'of' in found.words else complaint(found, command, work)
                failures += bool(wrong)
                print(f'{"not ok" if wrong else "ok"} {count} - {found.place}', flush=True)
                for line in wrong.splitlines():
                    print('# ' + line)
    print(f'1..{count}')
    return 0 if count > 0 and failures == 0 else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

"""Passes if every relative link of the pages leads to a file, and to a heading where it names one: links.py ROOT

Pages are ROOT/*.md and ROOT/docs/*.md. Each page of docs/ is linked from docs/README.md. What stands as `name.hpp`
on a page is the name, or the end of the path, of a file; the changelog alone names files that are gone. Lines of
prose have at most 112 columns; tables, code and the generated page have as many as they need.
"""
# SPDX-License-Identifier: MIT

import doctest
import pathlib
import re
import sys

LINK = re.compile(r'\]\(([^)\s]+)\)')
NAME = re.compile(r'`((?!\w*/?NAME)[\w/]+\.hpp)`')
FENCED = re.compile(r'^```.*?^```$', re.DOTALL | re.MULTILINE)


def anchor(heading):
    """The name that GitHub gives a heading.

    >>> anchor('One of ours, complete: `exp`')
    'one-of-ours-complete-exp'
    """
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


def anchors_of(page):
    text = FENCED.sub('', page.read_text(encoding='utf-8'))
    return {anchor(heading) for heading in re.findall(r'^#+ +(.+?) *$', text, re.MULTILINE)}


def broken(page, root):
    """What is wrong with the links of a page."""
    text = FENCED.sub('', page.read_text(encoding='utf-8'))
    for link in LINK.findall(text):
        if re.match(r'[a-z]+:', link):
            continue
        path, _, heading = link.partition('#')
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(root):
            yield f'{link}: there is no such file'
        elif heading and heading not in anchors_of(target):
            yield f'{link}: there is no such heading'


def unknown(page, files):
    """The headers that a page names and that are not there."""
    for name in sorted(set(NAME.findall(FENCED.sub('', page.read_text(encoding='utf-8'))))):
        if not any(file.endswith('/' + name) for file in files):
            yield f'{name}: there is no such header'


def wide(page):
    """Lines of prose that an editor would break."""
    text = FENCED.sub(lambda block: '\n' * block.group(0).count('\n'), page.read_text(encoding='utf-8'))
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 112 and not line.startswith(('|', '<!--')):
            yield f'line {number} has {len(line)} columns'


def main(root):
    root = pathlib.Path(root).resolve()
    pages = sorted(root.glob('*.md')) + sorted(root.glob('docs/*.md'))
    wrong = [f'{page.relative_to(root)}: {why}' for page in pages for why in broken(page, root)]
    files = ['/' + path.relative_to(root).as_posix() for path in root.rglob('*.hpp')]
    wrong += [f'{page.relative_to(root)}: {why}' for page in pages if page.name != 'CHANGELOG.md'
              for why in unknown(page, files)]
    wrong += [f'{page.relative_to(root)}: {why}' for page in pages if page.name != 'operators.md'
              for why in wide(page)]
    index = root / 'docs' / 'README.md'
    listed = set(LINK.findall(index.read_text(encoding='utf-8')))
    wrong += [f'docs/README.md does not list {page.name}'
              for page in root.glob('docs/*.md') if page != index and page.name not in listed]
    failed = bool(wrong) or doctest.testmod().failed > 0
    for line in wrong:
        print('# ' + line)
    print(f'{"not ok" if failed else "ok"} 1 - the links of {len(pages)} pages lead somewhere\n1..1')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))

"""Adds up what `meson test` ran: summary.py [--failed NAME]... LOG...

LOG is a testlog.json; one that is not there ran nothing. A Catch2 executable counts by its test
cases, a script by its TAP lines, anything else once, by its result. NAME is something that failed
before any test could run.
"""
# SPDX-License-Identifier: MIT

import argparse
import json
import os
import re

CATCH_ALL = re.compile(r'^All tests passed \(.* in (\d+) test cases?\)$', re.M)
CATCH_SOME = re.compile(r'^test cases: *(\d+) (\|.*)$', re.M)
CATCH_SKIPPED = re.compile(r'^skipped: (.*?): (.*)$', re.M)  # tests/catch.hpp prints these
TAP = re.compile(r'^(not ok|ok)\b(.*)$', re.M)


def count(output, good):
    """The passed, failed and skipped cases of one executable, which itself ended well or not.

    >>> count('All tests passed (3 assertions in 2 test cases)', True)
    (2, 0, 0)
    >>> count('skipped: a: no data\\ntest cases: 1 | 1 passed', True)  # Catch2 2
    (0, 0, 1)
    >>> count('skipped: a: b\\ntest cases: 4 | 1 passed | 2 failed | 1 skipped', False)  # Catch2 3
    (1, 2, 1)
    >>> count('test cases: 2 | 1 passed | 1 failed as expected', True)
    (2, 0, 0)
    >>> count('ok 1 - a\\nnot ok 2 - b\\nok 3 - c # SKIP no data\\n1..3', False)
    (1, 1, 1)
    >>> count('No tests ran', True), count('', True), count('Segmentation fault', False)
    ((0, 1, 0), (1, 0, 0), (0, 1, 0))
    >>> count('All tests passed (1 assertion in 1 test case)\\nLeakSanitizer: 8 bytes', False)
    (1, 1, 0)
    """
    passed, failed, skipped = cases(output, good)
    if not good and failed == 0:  # it died outside of its cases
        failed = 1
    return passed, failed, skipped


def cases(output, good):
    if match := CATCH_ALL.search(output):
        return without_skipped(int(match[1]), 0, output)
    if match := CATCH_SOME.search(output):
        columns = {name: int(n) for n, name in re.findall(r'(\d+) ([a-z ]*[a-z])', match[2])}
        failed = columns.get('failed', 0)
        if 'skipped' in columns:
            return int(match[1]) - failed - columns['skipped'], failed, columns['skipped']
        return without_skipped(int(match[1]) - failed, failed, output)
    if 'No tests ran' in output:
        return 0, 1, 0
    if lines := TAP.findall(output):
        failed = sum(verdict == 'not ok' for verdict, _ in lines)
        skipped = sum(verdict == 'ok' and '# SKIP' in rest for verdict, rest in lines)
        return len(lines) - failed - skipped, failed, skipped
    return int(good), 0, 0


def without_skipped(passed, failed, output):
    """Catch2 2 knows no skipping: there a skipped case ended as a passed one."""
    skipped = min(passed, len({name for name, _ in CATCH_SKIPPED.findall(output)}))
    return passed - skipped, failed, skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--failed', action='append', default=[])
    parser.add_argument('logs', nargs='*')
    arguments = parser.parse_intermixed_args()

    total = [0, len(arguments.failed), 0]
    bad = list(arguments.failed)
    times = []  # of the tests, to name the longest
    for log in filter(os.path.exists, arguments.logs):
        build = log.split('/')[0]
        with open(log, encoding='utf-8') as lines:
            for test in map(json.loads, lines):
                times.append((test.get('duration', 0), f"{build}: {test['name']}"))
                good = test['result'] in ('OK', 'SKIP')
                numbers = count(test.get('stdout', ''), good)
                total = [a + b for a, b in zip(total, numbers)]
                if numbers[1]:
                    bad.append(f"{build}: {test['name']}")
                for name, reason in CATCH_SKIPPED.findall(test.get('stdout', '')):
                    print(f'{build}: skipped: {name}: {reason}')
    times.sort(reverse=True)
    for seconds, name in times[:12]:
        print(f'{seconds:6.0f} s  {name}')
    for name in bad:
        print(f'failed: {name}')
    passed, failed, skipped = total
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or passed == 0 else 0


if __name__ == '__main__':
    raise SystemExit(main())

# Includes point to the own folder or to an earlier one; a policy knows the head of policy/ and itself;
# nobody inside includes a header of the user's: include_order.py INCLUDE
# SPDX-License-Identifier: MIT
import pathlib
import re
import sys

ORDER = ['base', 'graph', 'language', 'load', 'plan', 'policy', 'run', 'trial', 'view']
EXCEPTIONS = {('trial', 'policy/reference')}  # the definition that the others are compared with


def folder(header):
    return header.parts[0] if len(header.parts) > 1 else None


def policy(header):
    inside = len(header.parts) > 2 and header.parts[0] == 'policy'
    return '/'.join(header.parts[:2]) if inside else None


def fault(own, to):
    """Why `own` may not include `to`; None if it may. Both are below include/tenon."""
    if folder(to) is None:
        return 'a header of the user'
    if folder(to) not in ORDER or folder(own) not in ORDER:
        return 'a folder without a place in the order'
    if ORDER.index(folder(to)) > ORDER.index(folder(own)):
        return 'a later folder'
    if policy(to) and policy(to) != policy(own) and (folder(own), policy(to)) not in EXCEPTIONS:
        return 'another policy'
    return None


def main(include):
    root = pathlib.Path(include) / 'tenon'
    headers = sorted(root.rglob('*.hpp'))
    found = 0
    for header in headers:
        own = header.relative_to(root)
        if folder(own) is None:
            continue  # tenon.hpp, cpu.hpp and their like include what they want
        for number, line in enumerate(header.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*[<"](?:tenon/)?([\w/.]+\.hpp)[>"]', line)
            if not match or not (root / match[1]).exists():
                continue
            why = fault(own, pathlib.PurePath(match[1]))
            if why:
                found += 1
                print(f'# {own}:{number}: {match[1]}: {why}')
    for folder_name in sorted(p.name for p in root.iterdir() if p.is_dir()):
        if folder_name not in ORDER:
            found += 1
            print(f'# {folder_name}/ has no place in the order')
    passed = headers and not found
    print(f'{"ok" if passed else "not ok"} 1 - includes of {len(headers)} headers point to earlier folders')
    print('1..1')
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))

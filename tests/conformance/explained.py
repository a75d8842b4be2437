#!/usr/bin/env python3
# Every invalid static graph is explained by one sentence: explained.py COMPILER INCLUDE SOURCE PROGRAM
# Compiles SOURCE (invalid_*.cpp) with TENON_STOP, which makes each line of its tables a graph that stops
# the compiler. A compiler says a sentence once for each operator and error; PROGRAM, the test made of
# SOURCE, knows how many those are.
# SPDX-License-Identifier: MIT
import re
import subprocess
import sys

compiler, include, source, program = sys.argv[1:5]
unlimited = ['-fmax-errors=0'] if 'clang' not in compiler else ['-ferror-limit=0']
said = subprocess.run([compiler, '-std=c++20', '-DTENON_STOP', '-fsyntax-only', *unlimited, '-I', include, source],
                      capture_output=True, text=True, env={'PATH': '/usr/bin:/bin:/usr/local/bin', 'LC_ALL': 'C'})
errors = [line for line in said.stderr.splitlines() if re.search(r'^[^ ].*\berror: ', line)]
sentences = [line for line in errors if 'static assertion failed' in line]
others = [line for line in errors if line not in sentences]
for line in others:
  print('not a sentence:', line)
unclear = [line for line in sentences if not re.search(r'[a-zA-Z0-9, -]+: [a-z].{10,}', line.split('failed', 1)[1])]
for line in unclear:
  print('without operator or remedy:', line)

counted = subprocess.run([program, '[.distinct]'], capture_output=True, text=True)
wanted = int(re.search(r'distinct: (\d+)', counted.stdout).group(1))
print(f'{len(sentences)} sentences for {wanted} errors')
sys.exit(0 if wanted > 0 and len(sentences) == wanted and not others and not unclear else 1)

#!/usr/bin/env bash
# Checks that FILE is refused as it says: run.sh COMPILER INCLUDE FILE [flags]
#   // expect: TEXT   a message of the compiler contains TEXT; several allowed
#   // here           ends the one line that the compiler must name
#   // at most: N bytes   the whole output of the compiler is no longer
# SPDX-License-Identifier: MIT
set -eu
compiler=$1 include=$2 file=$3
shift 3
name=must_not_compile/$(basename "$file" .cpp)

fail() {
  printf 'not ok - %s: %s\n%s\n' "$name" "$1" "${output-}"
  exit 1
}

if output=$(LC_ALL=C "$compiler" -std=c++20 -fsyntax-only "$@" -I "$include" "$file" 2>&1); then
  fail 'it compiles'
fi

expected=$(sed -n 's,^// expect: *,,p' "$file")
[ -n "$expected" ] || fail 'it has no "// expect: TEXT" line'
here=$(grep -nE '// here$' "$file" | cut -d: -f1)
[[ $here =~ ^[0-9]+$ ]] || fail 'exactly one line must end in "// here"'

# Only what the compiler says: the source that it quotes contains the text of every static_assert.
messages=$(grep -E '^[^ ].*:[0-9]+:[0-9]+: ' <<<"$output") || fail 'no message has a place'
while IFS= read -r text; do
  grep -qF -- "$text" <<<"$messages" || fail "no message contains: $text"
done <<<"$expected"
grep -qF -- "$file:$here:" <<<"$messages" || fail "no message names line $here"

limit=$(sed -n 's,^// at most: *\([0-9]*\) bytes$,\1,p' "$file")
if [ -n "$limit" ] && [ "$(printf %s "$output" | wc -c)" -gt "$limit" ]; then
  fail "$(printf %s "$output" | wc -c) bytes of output, at most $limit allowed"
fi

echo "ok - $name"

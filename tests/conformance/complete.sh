#!/usr/bin/env bash
# Every operator has graphs that it refuses: complete.sh FOLDER_OF_EXPR FOLDER_OF_TESTS
# SPDX-License-Identifier: MIT
set -eu
lines=$(cat "$2"/invalid_*.cpp)
missing=0
while IFS= read -r operator; do
  if ! grep -qw -- "$operator" <<<"$lines"; then
    echo "no invalid graph of $operator: add some to $2/invalid_*.cpp"
    missing=1
  fi
done < <(sed -nE 's/^struct ([A-Za-z0-9]+_t)\b.*/\1/p' "$1"/*.hpp)
exit $missing

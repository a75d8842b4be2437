#!/bin/sh
# Compiles one program with two compilers at several levels: all must print the same hashes.
#   same_bits_compilers.sh SOURCE_ROOT CLANG [FLAGS...]
# SPDX-License-Identifier: MIT
set -eu
root=$1 clang=$2
shift 2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
first='' number=0 bad=0

hashes() {  # hashes COMPILER LEVEL FLAGS...
  number=$((number + 1))
  name="$1 $2"
  "$1" -std=c++20 -w "$2" "$3" -I "$root/include" "$root/tests/run/same_bits_print.cpp" -o "$place/print" -pthread
  "$place/print" >"$place/now"
  if [ -z "$first" ]; then
    first=$name
    cp "$place/now" "$place/first"
    cat "$place/now"
    # Twelve hashes that differ from each other, or the comparison means nothing.
    [ "$(grep -c '^bits: ' "$place/first")" -ge 6 ]
    echo "ok $number - $name"
  elif cmp -s "$place/first" "$place/now"; then
    echo "ok $number - $name has the bits of $first"
  else
    bad=1
    echo "not ok $number - $name has not the bits of $first"
    diff "$place/first" "$place/now" || :
  fi
}

native=${1:--march=native}
hashes "${GXX:-g++}" -O3 "$native"
hashes "$clang" -O3 "$native"
hashes "$clang" -O1 "$native"
echo "1..$number"
exit $bad

#!/bin/sh
# Compiles one program with two compilers: both must write the same SPIR-V.
#   same_words_compilers.sh SOURCE_ROOT CLANG
# SPDX-License-Identifier: MIT
set -eu
root=$1 clang=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

hashes() {  # hashes COMPILER FILE
  "$1" -std=c++20 -w -O0 -I "$root/include" "$root/tests/policy/vulkan/spirv/same_words_print.cpp" -o "$place/print"
  "$place/print" >"$place/$2"
}
hashes "${GXX:-g++}" first
hashes "$clang" second

# Enough lines that differ from each other, or the comparison means nothing.
cat "$place/first"
[ "$(sed 's/.* //' "$place/first" | sort -u | wc -l)" -ge 40 ]
if grep '^refused: ' "$place/first"; then exit 1; fi
if cmp -s "$place/first" "$place/second"; then
  echo "ok - $clang writes the words of ${GXX:-g++}"
else
  echo "not ok - $clang writes other words than ${GXX:-g++}"
  diff "$place/first" "$place/second" || :
  exit 1
fi

#!/bin/sh
# Passes if the first C++ block of the README is what stands between the marks [readme] of an example:
# readme.sh README EXAMPLE
# SPDX-License-Identifier: MIT
set -eu
readme=$1 example=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```cpp$/ { inside = 1; next } inside && /^```$/ { exit } inside' "$readme" >"$work/shown"
awk '$0 == "// [/readme]" { exit } inside; $0 == "// [readme]" { inside = 1 }' "$example" >"$work/real"
[ -s "$work/real" ] || { echo "readme: $example has no lines between // [readme] and // [/readme]"; exit 1; }
diff -u "$work/shown" "$work/real" || { echo "readme: $readme shows another program than $example"; exit 1; }
echo "readme: $readme shows $example"

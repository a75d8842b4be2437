#!/bin/sh
# Passes if a page is what its program prints: generated.sh PROGRAM PAGE
# SPDX-License-Identifier: MIT
set -eu
program=$1 page=$2
"$program" | diff -u "$page" - || { echo "generated: write it again with $program > $page"; exit 1; }
echo "generated: $page is up to date"

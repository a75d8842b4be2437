#!/usr/bin/env bash
# Every operator stands in some files: complete.sh FOLDER_OF_LANGUAGE PATTERN FILE...
# PATTERN is a regular expression with NAME where the operator's name stands.
# SPDX-License-Identifier: MIT
set -eu
language=$1 pattern=$2
shift 2
lines=$(cat "$@")
missing=0
while IFS= read -r operator; do
  if ! grep -q -- "${pattern//NAME/$operator}" <<<"$lines"; then
    echo "$operator is missing: add it to one of $*"
    missing=1
  fi
done < <(sed -nE 's/^struct ([A-Za-z0-9]+)_t\b.*/\1/p' "$language"/*.hpp)
exit $missing

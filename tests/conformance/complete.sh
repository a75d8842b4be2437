#!/usr/bin/env bash
# Every operator stands in some files: complete.sh FOLDER_OF_LANGUAGE FILE...
# SPDX-License-Identifier: MIT
set -eu
language=$1
shift
lines=$(cat "$@")
missing=0
while IFS= read -r operator; do
  if ! grep -qw -- "$operator" <<<"$lines"; then
    echo "$operator is missing: add it to one of $*"
    missing=1
  fi
done < <(sed -nE 's/^struct ([A-Za-z0-9]+_t)\b.*/\1/p' "$language"/*.hpp)
exit $missing

#!/usr/bin/env bash
# Compiles every public header alone, and twice in one file: headers.sh COMPILER INCLUDE [flags]
#
# A header that is the first thing that another one includes is compiled with it: nothing stands before
# it there either. Only the heads of these chains are compiled, two at a time.
# SPDX-License-Identifier: MIT
set -eu
compiler=$1 include=$2
shift 2
count=0 failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The one foreign header that a public header may ask for.
foreign() {
  case $1 in
    tenon/comp*_vulkan.hpp) echo vulkan/vulkan.hpp ;;
    tenon/cpu.hpp | tenon/comp*.hpp | tenon/policy/cpu/*) echo xsimd/xsimd.hpp ;;
    tenon/vulkan.hpp | tenon/policy/vulkan/*) echo vulkan/vulkan.hpp ;;
    tenon/view/eigen.hpp) echo Eigen/Core ;;
    tenon/load/safetensors.hpp) echo nlohmann/json.hpp ;;
  esac
}

# The header of ours that is included first, if nothing but comments and #pragma once stands before it.
first_of() {
  sed -nE '/^ *(\/\/.*)?$|^#pragma once/d; s,^#include <(tenon/[^>]*)>.*,\1,p; q' "$include/$1"
}

report() {  # report NAME STATUS OUTPUT
  count=$((count + 1))
  if [ "$2" -eq 0 ]; then
    echo "ok $count - $1"
  else
    failures=$((failures + 1))
    echo "not ok $count - $1"
    printf '%s\n' "$3" | sed 's/^/# /'
  fi
}

flags=("$@")
if eigen=$(pkg-config --cflags eigen3 2>/dev/null); then
  # shellcheck disable=SC2206 # one flag per word
  flags+=(${eigen//-I/-isystem})
fi
command=("$compiler" -std=c++20 -I "$include" "${flags[@]}")

mapfile -t headers < <(cd "$include" && find tenon -name '*.hpp' | LC_ALL=C sort)
declare -A missing head_of
for needs in xsimd/xsimd.hpp vulkan/vulkan.hpp Eigen/Core nlohmann/json.hpp; do
  "${command[@]}" -E -x c++ - <<<"#if !__has_include(<$needs>)
#error
#endif" >/dev/null 2>&1 || missing[$needs]=yes
done
available() {
  local needs
  needs=$(foreign "$1")
  [ -z "$needs" ] || [ -z "${missing[$needs]-}" ]
}
for header in "${headers[@]}"; do
  ! available "$header" || head_of[$header]=$header
done
for header in "${!head_of[@]}"; do
  first=$(first_of "$header")
  [ -z "$first" ] || [ -z "${head_of[$first]-}" ] || head_of[$first]=$header
done
chain() {  # the header that is compiled for this one
  local at=$1
  while [ "${head_of[$at]}" != "$at" ]; do at=${head_of[$at]}; done
  echo "$at"
}

compile() {  # compile HEADER: its messages and its status go to files
  local status=0
  printf '#include <%s>\n' "$1" "$1" |
    "${command[@]}" -fsyntax-only -x c++ - >"$work/${1//\//,}" 2>&1 || status=$?
  echo "$status" >"$work/${1//\//,}.status"
}
for header in "${headers[@]}"; do
  [ "${head_of[$header]-}" = "$header" ] || continue
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || :; done
  compile "$header" &
done
wait

for header in "${headers[@]}"; do
  if [ -z "${head_of[$header]-}" ]; then
    count=$((count + 1))
    echo "ok $count - $header # SKIP <$(foreign "$header")> is not there"
    continue
  fi
  file=$(chain "$header")
  file=$work/${file//\//,}
  once=0
  grep -q '^#pragma once$' "$include/$header" || once=1
  report "$header" $(($(cat "$file.status") + once)) "$(cat "$file")"
done

# Who only writes and plans graphs pays for nothing else.
if [ -f "$include/tenon/tenon.hpp" ]; then
  status=0
  output=$("${command[@]}" -M -x c++ - <<<'#include <tenon/tenon.hpp>' 2>&1) || status=$?
  costly=$(grep -oE '[^ ]*/(xsimd/|Eigen/|vulkan/vulkan|nlohmann/|iostream( |$))[^ ]*' <<<"$output") &&
    status=1 output=$costly
  report 'tenon/tenon.hpp includes no xsimd, Eigen, Vulkan, JSON or <iostream>' "$status" "$output"
fi

echo "1..$count"
[ "$failures" -eq 0 ] && [ "$count" -gt 0 ]

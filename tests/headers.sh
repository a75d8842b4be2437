#!/usr/bin/env bash
# Compiles every public header alone, and twice in one file: headers.sh COMPILER INCLUDE [flags]
# SPDX-License-Identifier: MIT
set -eu
compiler=$1 include=$2
shift 2
count=0 failures=0

compile() {
  "$compiler" -std=c++20 -I "$include" "${flags[@]}" "$mode" -x c++ - 2>&1
}

# The one foreign header that a public header may ask for.
foreign() {
  case $1 in
    tenon/cpu.hpp | tenon/policy/cpu/*) echo xsimd/xsimd.hpp ;;
    tenon/vulkan.hpp | tenon/policy/vulkan/*) echo vulkan/vulkan.hpp ;;
    tenon/view/eigen.hpp) echo Eigen/Core ;;
    tenon/load/safetensors.hpp) echo nlohmann/json.hpp ;;
  esac
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
mode=-fsyntax-only

while IFS= read -r header; do
  needs=$(foreign "$header")
  if [ -n "$needs" ] && ! compile <<<"#include <$needs>" >/dev/null; then
    count=$((count + 1))
    echo "ok $count - $header # SKIP <$needs> is not there"
    continue
  fi
  status=0
  output=$(printf '#include <%s>\n' "$header" "$header" | compile) || status=$?
  report "$header" "$status" "$output"
done < <(cd "$include" && find tenon -name '*.hpp' | LC_ALL=C sort)

# Who only writes and plans graphs pays for nothing else.
if [ -f "$include/tenon/tenon.hpp" ]; then
  mode=-M
  status=0
  output=$(compile <<<'#include <tenon/tenon.hpp>') || status=$?
  costly=$(grep -oE '[^ ]*/(xsimd/|Eigen/|vulkan/vulkan|nlohmann/|iostream( |$))[^ ]*' <<<"$output") &&
    status=1 output=$costly
  report 'tenon/tenon.hpp includes no xsimd, Eigen, Vulkan, JSON or <iostream>' "$status" "$output"
fi

echo "1..$count"
[ "$failures" -eq 0 ] && [ "$count" -gt 0 ]

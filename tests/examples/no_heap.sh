#!/bin/sh
# Passes if an object file or archive refers to no function of the heap or of exceptions, and keeps
# its weights in read-only data: no_heap.sh FILE WEIGHTS
# SPDX-License-Identifier: MIT
set -eu
file=$1 weights=$2
symbols=$(nm -C "$file")
forbidden='operator new|operator delete|malloc|calloc|realloc|free|aligned_alloc|posix_memalign|__cxa_throw|__cxa_allocate_exception|__cxa_atexit|__cxa_guard_acquire'
if printf '%s\n' "$symbols" | grep -E "^ *U ($forbidden)(\\(|@|\$|\\[)"; then
  echo "no_heap: $file refers to the above"
  exit 1
fi
if ! printf '%s\n' "$symbols" | grep -Eq " [rR] $weights\$"; then
  echo "no_heap: $file has no read-only $weights"
  exit 1
fi
# The check itself must be able to fail: the function is there, so the symbols were read.
if ! printf '%s\n' "$symbols" | grep -Eq ' T infer\('; then
  echo "no_heap: $file does not define infer"
  exit 1
fi
echo "no_heap: $file uses no heap, and its weights are read-only"

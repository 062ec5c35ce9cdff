#!/usr/bin/env bash
# The three machines of deploy/three-machines in network namespaces of this one: needs root, and installs what it lacks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ "$(id -u)" -ne 0 ]; then
  echo 'test:machines: needs root: network namespaces, and rules in them' >&2
  exit 1
fi

missing=()
# has PROGRAM PACKAGE
has() { command -v "$1" >/dev/null || missing+=("$2"); }
has ip iproute2
has nft nftables
has ping iputils-ping
has tcpdump tcpdump
has tcpflow tcpflow
has setpriv util-linux
has systemd-analyze systemd
has psql postgresql-client
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

npx vitest run --config test/machines/vitest.config.ts

#!/usr/bin/env bash
# What the bank must survive: processes killed, disks full or failing, clocks off, databases gone. As root, for it mounts
# small disks of its own. MUNIMENT_FAULTS=full runs it in full numbers; arguments go to vitest. docs/faults.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ "$(id -u)" -ne 0 ]; then
  echo "test:faults: run it as root, for it mounts small disks of its own" >&2
  exit 1
fi

packages=()
compgen -G '/usr/lib/postgresql/*/bin/pg_basebackup' >/dev/null || packages+=(postgresql)
command -v gcc >/dev/null || packages+=(gcc libc6-dev)
command -v mkfs.ext4 >/dev/null || packages+=(e2fsprogs)
if [ "${#packages[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# In a mount namespace of its own: whoever makes a namespace meanwhile takes no copy of a mounted disk along, which would
# then live on when it is unmounted here; and whatever becomes of this run, no disk of its is left behind.
trap 'rm -rf test/.faults' EXIT
unshare --mount npx vitest run --config test/faults/vitest.config.ts "$@"

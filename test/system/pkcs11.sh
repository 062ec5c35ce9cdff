#!/usr/bin/env bash
# Keys in a PKCS#11 token, on SoftHSM 2: the adapter, the client, and the demo with the doctor's keys in the token.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# opensc's pkcs11-tool is the independent witness of what the token holds.
if ! command -v softhsm2-util >/dev/null || ! command -v pkcs11-tool >/dev/null; then
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq softhsm2 opensc >/dev/null
fi

# It compiles at install, and is therefore no dependency.
node -e "require('pkcs11js')" 2>/dev/null || npm install --no-save pkcs11js@2.1.7

npx vitest run --config test/system/vitest.config.ts test/system/pkcs11 test/system/token-at-work

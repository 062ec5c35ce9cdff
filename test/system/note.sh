#!/usr/bin/env bash
# Notes, checkpoints and proofs against golang.org/x/mod, an implementation that shares no code with this one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sources=/usr/share/gocode
if ! command -v go >/dev/null || [ ! -d "$sources/src/golang.org/x/mod/sumdb/note" ]; then
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    golang-go golang-golang-x-mod-dev >/dev/null
fi

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
# Debian's packages of Go are sources under one GOPATH; nothing is fetched.
GO111MODULE=off GOFLAGS='' GOPATH=$sources GOCACHE=$temp/cache go build -o "$temp/note" test/system/note/main.go

MUNIMENT_GO_NOTE=$temp/note npx vitest run --config test/system/vitest.config.ts test/system/note

#!/usr/bin/env bash
# Tests that need Debian packages or root.
# spec/behc.xsd, judged by libxml2 instead of by our own parser: the schema must be well-formed and compile, refuse a
# foreign document, and accept every valid envelope vector.
# test/system/pkcs11.sh: keys in a PKCS#11 token.
# test/system/note.sh: notes, checkpoints and proofs against Go's own.
# test/models/run.sh: the models that spin can search.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

schema=spec/behc.xsd
vectors=test/vectors/envelope.json

if ! command -v xmllint >/dev/null; then
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libxml2-utils >/dev/null
fi

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

passed=0
failed=0
# report NAME STATUS: counts one test; on failure shows what the tool said.
report() {
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok   $1"
  else
    failed=$((failed + 1))
    echo "FAIL $1"
    sed 's/^/     /' "$temp/log"
  fi
}

status=0
xmllint --nonet --noout "$schema" >"$temp/log" 2>&1 || status=$?
report "$schema is well-formed XML" "$status"

# xmllint ends with 3 for a document that its schema refuses, and with 5 for a schema that does not compile.
printf '<foreign xmlns="urn:example:foreign"/>' >"$temp/foreign.xml"
status=0
xmllint --nonet --noout --schema "$schema" "$temp/foreign.xml" >"$temp/log" 2>&1 || status=$?
report "$schema compiles and refuses a foreign document" "$((status == 3 ? 0 : 1))"

# One file per valid case, numbered, with its name beside it.
status=0
node --input-type=module - "$vectors" "$temp" >"$temp/log" 2>&1 <<'JS' || status=$?
import { readFileSync, writeFileSync } from 'node:fs';
const [vectors, temp] = process.argv.slice(2);
const valid = JSON.parse(readFileSync(vectors, 'utf8')).cases.filter((c) => c.error === undefined);
if (valid.length === 0) throw new Error(`${vectors} holds no valid case`);
valid.forEach(({ name, xml }, n) => {
  if (typeof xml !== 'string' || typeof name !== 'string') throw new Error(`case ${n} has no name or no xml`);
  const base = `${temp}/case-${String(n).padStart(4, '0')}`;
  writeFileSync(`${base}.xml`, xml);
  writeFileSync(`${base}.name`, name);
});
JS
report "$vectors holds valid cases" "$status"

shopt -s nullglob
for file in "$temp"/case-*.xml; do
  status=0
  xmllint --nonet --noout --schema "$schema" "$file" >"$temp/log" 2>&1 || status=$?
  report "envelope vector: $(<"${file%.xml}.name")" "$status"
done

status=0
bash test/system/pkcs11.sh >"$temp/log" 2>&1 || status=$?
report "keys in a PKCS#11 token: the adapter, the client, the whole demo" "$status"

status=0
bash test/system/note.sh >"$temp/log" 2>&1 || status=$?
report "notes, checkpoints and proofs against golang.org/x/mod" "$status"

status=0
bash test/models/run.sh >"$temp/log" 2>&1 || status=$?
report "models: the handshake before an attacker, the life of a request" "$status"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

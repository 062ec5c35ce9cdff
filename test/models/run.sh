#!/usr/bin/env bash
# The models that spin can search, each to its end within its bounds: no error where there must be none, and where
# something was left out, the attack that this lets in. README.md says what each of them means.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# spin writes the searches as C.
if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq spin gcc libc6-dev >/dev/null
fi

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cp handshake/*.pml session/*.pml "$temp"

passed=0
failed=0
# report NAME STATUS: counts one test; on failure shows what the tools said.
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

# search MODEL DEFINES COMPILE RUN: searches, and leaves spin's and the search's output in log. MEMLIM, the depth and
# the absence of -DBITSTATE and -DHC make the search complete, or complain; NOREDUCE leaves nothing to argue about.
search() {
  (
    cd "$temp"
    rm -f pan* ./*.trail
    # shellcheck disable=SC2086 # lists of options
    {
      spin $2 -a "$1" && gcc -w -DNOREDUCE -DMEMLIM=1800 $3 -o pan pan.c && nice ./pan -m200000 $4
    } >log 2>&1
  )
}

# holds NAME MODEL DEFINES: no error, and the search was a full one.
holds() {
  local status=0
  search "$2" "$3" '-O1 -DSAFETY' '' || status=1
  complete || status=1
  report "$1 ($(states) states)" "$status"
}

# complete: the log is of a search that came to its end and found nothing.
complete() {
  grep -q 'errors: 0$' "$temp/log" &&
    grep -q '^Full statespace search for:' "$temp/log" &&
    ! grep -qiE 'too small|out of memory|reached -DMEMLIM|not completed|warning|aborting|bit statespace|hash-compact' "$temp/log"
}

states() {
  awk '/states, stored/ { print $1 }' "$temp/log"
}

# found NAME MODEL DEFINES WHAT [LINE]...: the shortest way to WHAT, which must exist; its chart is printed and must
# have the lines, in their order.
found() {
  local name=$1 model=$2 defines=$3 what=$4 status=0
  shift 4
  search "$model" "$defines -DFIND=$what" '-O0 -DSAFETY -DBFS' '' || status=1
  grep -q 'errors: 1$' "$temp/log" && grep -qF "assertion violated  !($what)" "$temp/log" || status=1
  # shellcheck disable=SC2086
  (cd "$temp" && spin $defines "-DFIND=$what" -t -T -B "$model") >"$temp/chart.all" 2>>"$temp/log" || true
  grep -E '^(I |[AB]\.|user |bank )' "$temp/chart.all" >"$temp/chart" || status=1
  if [ $# -gt 0 ]; then
    printf '%s\n' "$@" >"$temp/lines"
    # Each line is looked for behind the one before.
    awk 'NR == FNR { want[++n] = $0; next } at < n && $0 == want[at + 1] { at++ } END { exit at < n }' \
      "$temp/lines" "$temp/chart" || status=1
  fi
  [ "$status" -eq 0 ] || cat "$temp/chart" >>"$temp/log"
  report "$name" "$status"
  [ "$status" -ne 0 ] || sed 's/^/       /' "$temp/chart"
}

both_roles='-DUA=1 -DUB=1 -DGA=1 -DGB=1'
two_each='-DUA=2 -DGB=2'
checks='-DCHECK_NONCE -DCHECK_NAME'

echo '# Needham-Schroeder, 1978'
found "Lowe's attack" needham-schroeder.pml '' wrongedBank \
  'A.0 --> I    m1 {N0, A}pk(I)' \
  'I   --> B.1  m1 {N0, A}pk(B)' \
  'B.1 --> I    m2 {N0, N1}pk(A)' \
  'I   --> A.0  m2 {N0, N1}pk(A) from B.1' \
  'A.0 accepts I' \
  'A.0 --> I    m3 {N1}pk(I)' \
  'I   --> B.1  m3 {N1}pk(B)' \
  'B.1 accepts A'
found 'it gives the session away' needham-schroeder.pml '' told 'B.1 accepts A'
holds 'the user is not deceived, sessions two by two' needham-schroeder.pml "$two_each -DFIND=wrongedUser"
holds 'the user is not deceived, both in both roles' needham-schroeder.pml "$both_roles -DFIND=wrongedUser"

echo "# The thesis's form"
found "to the letter: Lowe's attack, though message 2 names the bank" thesis.pml '' wrongedBank \
  'A.0 --> I    m1 {N0, A}pk(I)' \
  'I   --> B.1  m1 {N0, A}pk(B)' \
  'B.1 --> I    m2 {N0, N1, B}pk(A)' \
  'I   --> A.0  m2 {N0, N1, B}pk(A) from B.1' \
  'A.0 accepts I' \
  'A.0 --> I    m3 {N1}pk(I)' \
  'I   --> B.1  m3 {N1}pk(B)' \
  'B.1 accepts A'
found 'it gives the session away' thesis.pml '' told 'B.1 accepts A'
found 'to the letter: the user takes any message for the bank' thesis.pml '' wrongedUser \
  'A.0 --> I    m1 {N0, A}pk(B)' \
  'I   --> A.0  m2 {N2, N2, B}pk(A)' \
  'A.0 accepts B'
found "the user compares its nonce: Lowe's attack" thesis.pml '-DCHECK_NONCE' wrongedBank \
  'I   --> A.0  m2 {N0, N1, B}pk(A) from B.1' 'A.0 accepts I' 'B.1 accepts A'
found 'it gives the session away' thesis.pml '-DCHECK_NONCE' told 'B.1 accepts A'
holds 'the user compares its nonce: the user is not deceived' thesis.pml "$two_each -DCHECK_NONCE -DFIND=wrongedUser"
holds 'the user compares nonce and name: no attack, sessions two by two' thesis.pml "$two_each $checks"
holds 'the user compares nonce and name: no attack, both in both roles' thesis.pml "$both_roles $checks"
found 'the user compares nonce and name: a run completes' thesis.pml "$checks" completed 'A.0 accepts B' 'B.1 accepts A'
found "the same, A's key stolen: others pose as the bank to A" thesis.pml "$checks -DLEAKS" wrongedUser \
  "I has A's key" 'A.0 accepts B'
found 'the same, a key stolen afterwards: the session is given away' thesis.pml "$checks -DLEAKS -DLATE" told \
  'B.1 accepts A' "I has A's key"

echo '# NSL-KEM/1'
found 'a run completes' nsl-kem.pml '' completed \
  'A.0 --> I    m1 to B: A, N0, epk0' 'B.1 --> I    m2 to A: N0, N1, B' 'A.0 accepts B' 'A.0 --> I    m3 to B: N1' 'B.1 accepts A'
holds 'no attack, sessions two by two' nsl-kem.pml "$two_each"
holds 'no attack, both in both roles' nsl-kem.pml "$both_roles"
holds 'no attack, keys stolen at any time, both in both roles' nsl-kem.pml "$both_roles -DLEAKS"
holds 'no attack, keys stolen at any time, two users, one bank' nsl-kem.pml '-DUA=2 -DGB=1 -DLEAKS'
holds 'no attack, keys stolen at any time, one user, two banks' nsl-kem.pml '-DUA=1 -DGB=2 -DLEAKS'
holds 'of the three that name the bank, message 2 alone is enough' nsl-kem.pml "$both_roles -DNO_NAMES_IN_INFO -DNO_TRANSCRIPT"
holds 'the infos alone are' nsl-kem.pml "$both_roles -DNO_NAME_IN_M2 -DNO_TRANSCRIPT"
holds 'the transcript alone is' nsl-kem.pml "$both_roles -DNO_NAME_IN_M2 -DNO_NAMES_IN_INFO"
found "without all three: Lowe's attack" nsl-kem.pml '-DNO_NAME_IN_M2 -DNO_NAMES_IN_INFO -DNO_TRANSCRIPT' wrongedBank \
  'A.0 --> I    m1 to I: A, N0, epk0' \
  'I   --> B.1  m1 to B: A, N0, epk0' \
  'B.1 --> I    m2 to A: N0, N1, B' \
  'I   --> A.0  m2 to A: N0, N1, from B.1' \
  'A.0 accepts I' \
  'A.0 --> I    m3 to I: N1' \
  'I   --> B.1  m3 to B: N1, contents from A.0' \
  'B.1 accepts A'
found 'without the ephemeral secret: keys stolen afterwards give the session away' nsl-kem.pml \
  '-DNO_EPHEMERAL -DLEAKS -DLATE' told 'B.1 accepts A' "I has B's key"
kci='-DNO_EXPORTER -DNO_SECRET_TRANSCRIPT -DEPHEMERAL_KEY_SEEN -DLEAKS'
found "without exporter and secrets in the transcript, ephemeral key seen: A's stolen key lets others pose as the bank to A" \
  nsl-kem.pml "$kci" wrongedUser "I has A's key" 'A.0 accepts B'
holds 'the same with the exporter' nsl-kem.pml '-DNO_SECRET_TRANSCRIPT -DEPHEMERAL_KEY_SEEN -DLEAKS'
holds 'the same with the secrets in the transcript' nsl-kem.pml '-DNO_EXPORTER -DEPHEMERAL_KEY_SEEN -DLEAKS'
holds 'the same, the ephemeral key not seen' nsl-kem.pml '-DNO_EXPORTER -DNO_SECRET_TRANSCRIPT -DLEAKS'

echo '# The life of a request'
holds 'at most one execution, evidence first, no false reply, nobody waits for ever' session.pml '-DSESSIONS=3'
# No label marks progress, so whatever goes round is found.
status=0
search session.pml '-DSESSIONS=2' '-O1 -DNP' -l && complete || status=1
report "nothing goes round: every run ends ($(states) states)" "$status"
found 'a run ends with a reply, after a stop and in the last session' session.pml '' answered \
  'user begins session 2' 'bank executes' 'bank replies in session 2' 'user has its reply in session 2'
found 'sessions that are not used up: one serves twice' session.pml '-DNO_CONSUME' reused \
  'bank serves session 1' 'bank serves session 1'
found 'ids that are not looked up: executed twice' session.pml '-DNO_IDENTITY' doubled 'bank executes' 'bank executes'
found 'executed before archived: executed twice' session.pml '-DEXECUTE_FIRST' doubled 'bank executes' 'bank executes'
found 'executed before archived: no evidence' session.pml '-DEXECUTE_FIRST' unproved 'bank serves session 1' 'bank executes'

echo '# ProVerif, not run here'
# The copies are whole: each result has its model, each model a result and its place in the README.
status=0
: >"$temp/log"
for result in proverif/*/results/*.txt; do
  folder=$(dirname "$(dirname "$result")")
  name=$(basename "$result" .txt)
  name=${name%.full}
  case $name in
    scyther-*) continue ;; # Scyther's own models
    *--*) files=("$folder/${name%%--*}.pvl" "$folder/${name##*--}.pv") ;;
    *) files=("$folder/$name.pv") ;;
  esac
  grep -q '^RESULT' "$result" || { echo "$result holds no result" >>"$temp/log" && status=1; }
  for file in "${files[@]}"; do
    [ -f "$file" ] || { echo "$result: no $file" >>"$temp/log" && status=1; }
    echo "$file" >>"$temp/used"
  done
done
for file in proverif/*/*.pv proverif/*/*.pvl; do
  name=$(basename "${file%.*}")
  grep -qF "\`$name\`" README.md || { echo "README.md does not name $name" >>"$temp/log" && status=1; }
  case $file in
    *.pv) grep -qxF "$file" "$temp/used" || { echo "$file has no result" >>"$temp/log" && status=1; } ;;
  esac
done
report "$(sort -u "$temp/used" | wc -l) files have results, and every file is explained" "$status"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# The colony's port as testssl.sh (Debian's package) sees it, with the colony's root as a trusted authority: no finding
# worse than LOW. It looks for old versions and ciphers, renegotiation, and every attack on TLS that has a name.
source "$(dirname "$0")/colony.sh"
command -v testssl >/dev/null || fail "testssl is missing: apt-get install testssl.sh"
make_colony
start_colony

timeout 240 testssl --quiet --color 0 --warnings off --ip 127.0.0.1 --nodns none --add-ca "$ca" \
  --jsonfile "$scratch/findings.json" "localhost:$port" >"$scratch/testssl.txt" 2>&1 ||
  [ -s "$scratch/findings.json" ] || fail "testssl: $(tail -5 "$scratch/testssl.txt")"

# What does not apply, with the reason:
#   cert_revocation    a private authority's list has an address only where an operator gives it a public one
#   security_headers   nothing here is a page of a browser
accepted='cert_revocation security_headers'
findings=$(tr -d '\n' <"$scratch/findings.json" | tr '{' '\n' | grep -E '"severity" *: *"(MEDIUM|HIGH|CRITICAL|FATAL|WARN)"' || true)
count=$(tr -d '\n' <"$scratch/findings.json" | tr '{' '\n' | grep -c '"severity"')
[ "$count" -gt 80 ] || fail "testssl has looked at $count things only: $(tail -5 "$scratch/testssl.txt")"
bad=0
while IFS= read -r finding; do
  [ -n "$finding" ] || continue
  id=$(sed -E 's/.*"id" *: *"([^"]*)".*/\1/' <<<"$finding")
  if [[ " $accepted " != *" $id "* ]]; then
    echo "  $id: $(sed -E 's/.*"finding" *: *"([^"]*)".*/\1/' <<<"$finding")"
    bad=1
  fi
done <<<"$findings"
[ "$bad" = 0 ] || fail "testssl has found something worse than LOW"
pass "$count findings, none worse than LOW"

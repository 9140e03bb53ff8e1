#!/usr/bin/env bash
# The same clients through a proxy on this host, which needs no certificate from them: plaintext HTTP/1.1 and HTTP/2 on
# loopback, over mTLS to the colony's public port. And a page in Chromium, from another origin.
source "$(dirname "$0")/colony.sh"
source deploy/test/clients.sh
install_clients
make_colony
start_discovery
start_colony

for path in /api/ /api/coral.discovery.v1.DiscoveryService; do
  answer=$(curl -sS --fail -k "$discovery$path") || fail "discovery's $path: $answer"
  [[ $answer == *DiscoveryService* ]] || fail "discovery's $path: $(head -c 200 <<<"$answer")"
done
pass "discovery has pages about its API, too"

page=$(free_port)
listen=$(free_port)
CORAL_DEVICE_MODE=user-space "${coral[@]}" proxy start "$colony" --listen "127.0.0.1:$listen" \
  --allow-origin "http://127.0.0.1:$page" --daemon >"$scratch/proxy.txt" 2>&1 || fail "the proxy: $(cat "$scratch/proxy.txt")"
grep -q 'Proxy started (PID: [0-9]*)' "$scratch/proxy.txt" || fail "the proxy said: $(cat "$scratch/proxy.txt")"
also_stop+=("$(sed -nE 's/.*\(PID: ([0-9]+)\).*/\1/p' "$scratch/proxy.txt")")
pass "coral proxy start --daemon: $(head -1 "$scratch/proxy.txt")"

export CORAL_URL=http://127.0.0.1:$listen CORAL_COLONY=$colony PAGE_PORT=$page
with_curl
with_buf
node "$clients/connect.mjs"
node "$clients/grpc.mjs"
node "$clients/browser.mjs"

# Another site's page reaches nothing: neither by a name of its own for this host, nor by its origin.
rpc=$CORAL_URL/coral.colony.v1.ColonyService/GetStatus
code=$(curl -s -o "$scratch/answer" -w '%{http_code}' -H 'Host: evil.example' --json '{}' "$rpc")
[ "$code" -ge 400 ] && ! grep -q colonyId "$scratch/answer" || fail "a host name of somebody else's: $code"
code=$(curl -s -o "$scratch/answer" -w '%{http_code}' -H 'Origin: http://evil.example' --json '{}' "$rpc")
[ "$code" -ge 400 ] && ! grep -q colonyId "$scratch/answer" || fail "an origin of somebody else's: $code"
pass "a page of another site is refused"

# What only an operator may do, a proxy may not.
answer=$(curl -sS --json '{"agentId":"a","reason":"none"}' "$CORAL_URL/coral.colony.v1.ColonyService/RevokeCertificate")
[[ $answer == *'"permission_denied"'* ]] || fail "a caller has more than the proxy: $answer"
pass "a caller has no more rights than the proxy"

# The colony goes away and comes back.
stop_colony
for _ in $(seq 100); do
  code=$(curl -s -m 2 -o "$scratch/answer" -w '%{http_code}' --json '{}' "$rpc" || true)
  [ "$code" != 503 ] || break
  sleep 0.1
done
[ "$code" = 503 ] && grep -q '"unavailable"' "$scratch/answer" || fail "without the colony: $code $(cat "$scratch/answer")"
pass "without the colony: 503, $(sed -E 's/.*"message":"([^"]*)".*/\1/' "$scratch/answer")"
start_colony
for _ in $(seq 300); do
  code=$(curl -s -m 5 -o "$scratch/answer" -w '%{http_code}' --json '{}' "$rpc" || true)
  [ "$code" != 200 ] || break
  sleep 0.1
done
[ "$code" = 200 ] || fail "the colony is back, and the proxy answers $code $(cat "$scratch/answer")"
pass "the proxy finds the colony again by itself"

"${coral[@]}" proxy stop "$colony" >"$scratch/stop.txt" 2>&1 || fail "stop: $(cat "$scratch/stop.txt")"
! curl -s -o /dev/null "$CORAL_URL/" || fail "the proxy still listens"
[ ! -e "$CORAL_HOME/proxies/$colony/state.json" ] || fail "its state is left behind"
answer=$(json='{}' call coral.colony.v1.ColonyService/ListAllocations $(as "$admin"))
[[ $answer == *'"allocations":[]'* || $answer != *'"agentId"'* ]] || fail "its address is left behind: $answer"
pass "coral proxy stop leaves nothing behind"

# For other hosts only over TLS, and for those who show a token.
listen=$(free_port)
remote=(proxy start "$colony" --device user-space --listen "0.0.0.0:$listen")
if timeout 60 "${coral[@]}" "${remote[@]}" --daemon >"$scratch/open.txt" 2>&1; then fail "it listens to everybody"; fi
grep -q -- --token-file "$scratch/open.txt" || fail "it does not say what it needs: $(cat "$scratch/open.txt")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$scratch/tls-key.pem" \
  -out "$scratch/tls-cert.pem" -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2 2>/dev/null
openssl rand -hex 32 >"$scratch/token"
chmod 600 "$scratch/token" "$scratch/tls-key.pem"
"${coral[@]}" "${remote[@]}" --tls-cert "$scratch/tls-cert.pem" --tls-key "$scratch/tls-key.pem" \
  --token-file "$scratch/token" --daemon >"$scratch/proxy.txt" 2>&1 || fail "the proxy: $(cat "$scratch/proxy.txt")"
also_stop+=("$(sed -nE 's/.*\(PID: ([0-9]+)\).*/\1/p' "$scratch/proxy.txt")")
rpc=https://localhost:$listen/coral.colony.v1.ColonyService/GetStatus
answer=$(curl -sS --cacert "$scratch/tls-cert.pem" -w ' %{http_code}' --json '{}' "$rpc")
[[ $answer == *' 401' && $answer != *colonyId* ]] || fail "without a token: $answer"
answer=$(curl -sS --cacert "$scratch/tls-cert.pem" -w ' %{http_code}' --oauth2-bearer wrong --json '{}' "$rpc")
[[ $answer == *' 401' && $answer != *colonyId* ]] || fail "with a wrong token: $answer"
answer=$(curl -sS --cacert "$scratch/tls-cert.pem" -w ' %{http_code}' --oauth2-bearer "$(cat "$scratch/token")" --json '{}' "$rpc")
[[ $answer == *"\"$colony\""*' 200' ]] || fail "with the token: $answer"
! curl -s -m 5 -o /dev/null --json '{}' "http://localhost:$listen/coral.colony.v1.ColonyService/GetStatus" || fail "it speaks without TLS"
! grep -rqF "$(cat "$scratch/token")" "$CORAL_HOME/proxies" || fail "the token stands in a log or a state"
pass "beyond loopback: TLS and a bearer token, and nothing without them"

# Or for those who show a certificate of the colony, until the colony revokes it.
invitation=$("${coral[@]}" invite --role viewer --agent ada -o json | sed -E 's/.*"invitation": ?"([^"]+)".*/\1/')
CORAL_HOME=$scratch/ada "${coral[@]}" context import "$invitation" >"$scratch/import.txt" 2>&1 ||
  fail "context import: $(cat "$scratch/import.txt")"
ada=$(dirname "$(find "$scratch/ada" -name key.pem)")
"${coral[@]}" proxy stop "$colony" >/dev/null
"${coral[@]}" "${remote[@]}" --tls-cert "$scratch/tls-cert.pem" --tls-key "$scratch/tls-key.pem" --client-certs \
  --daemon >"$scratch/proxy.txt" 2>&1 || fail "the proxy: $(cat "$scratch/proxy.txt")"
also_stop+=("$(sed -nE 's/.*\(PID: ([0-9]+)\).*/\1/p' "$scratch/proxy.txt")")
shown=(curl -sS --cacert "$scratch/tls-cert.pem" -w ' %{http_code}' --json '{}')
answer=$("${shown[@]}" "$rpc")
[[ $answer == *'"unauthenticated"'*' 401' ]] || fail "without a certificate: $answer"
answer=$("${shown[@]}" --cert "$ada/cert.pem" --key "$ada/key.pem" "$rpc")
[[ $answer == *"\"$colony\""*' 200' ]] || fail "with a certificate of the colony: $answer"
answer=$("${shown[@]}" --cert "$ada/cert.pem" --key "$ada/key.pem" -H 'Coral-Caller: admin/root' -H 'Client-Cert: :AAAA:' "$rpc")
[[ $answer == *' 200' ]] || fail "what a caller says of itself is not the proxy's: $answer"
answer=$("${shown[@]}" --cert "$scratch/tls-cert.pem" --key "$scratch/tls-key.pem" "$rpc" 2>&1 || true)
[[ $answer != *colonyId* && $answer == *000 ]] || fail "with a certificate of nobody's: $answer"
"${coral[@]}" revoke-agent ada --reason "left the company" >/dev/null
answer=$("${shown[@]}" --cert "$ada/cert.pem" --key "$ada/key.pem" "$rpc")
[[ $answer == *'no longer accepted'*' 401' ]] || fail "with a certificate that is revoked: $answer"
pass "beyond loopback: certificates of the colony, and none that it has revoked"

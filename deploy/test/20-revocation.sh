#!/usr/bin/env bash
# A revoked agent is out at once, by every door:
#
#   a new handshake ------------------------------> alert
#   its session of before (-sess_in) -------------> alert
#   the connection that it still has open --------> no further answer
#   after a restart of the colony ----------------> alert
source "$(dirname "$0")/colony.sh"
make_colony
start_colony
register=coral.mesh.v1.MeshService/Register
enrol web-1
json="{\"wireguardPubkey\":\"$(openssl rand -base64 32)\",\"requestId\":\"join-1\"}"

answer=$(call $register $(as "$scratch/web-1") -sess_out "$scratch/session.pem")
[[ $answer == *"HTTP/1.1 200"*"assignedIp"* ]] || fail "the agent was not let in: $answer"
pass "the agent is a member: $(field assignedIp "$answer")"

# A session that was kept is no way around the handshake, not even for an agent in good standing.
if [ -s "$scratch/session.pem" ]; then
  answer=$(call $register $(as "$scratch/web-1") -sess_in "$scratch/session.pem" -msg)
  [[ $answer == *"HTTP/1.1 200"* ]] || fail "a second connection of a good agent: $answer"
  [[ $answer == *"CertificateVerify"* ]] || fail "the session was resumed: no certificate was asked for"
  pass "a session is never resumed: the certificate is shown again"
else
  pass "no session is handed out that somebody could come back with"
fi

# A connection that stays open.
mkfifo "$scratch/to" "$scratch/from"
timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$ca" -quiet $(as "$scratch/web-1") \
  <"$scratch/to" >"$scratch/from" 2>/dev/null &
exec 4>"$scratch/to" 5<"$scratch/from"
request $register "$json" keep-alive >&4
IFS= read -r -t 20 line <&5 || fail "no answer on the open connection"
[[ $line == *" 200 "* ]] || fail "the open connection: $line"
while IFS= read -r -t 1 line <&5; do :; done # the rest of the answer
pass "a connection stays open"

before=$(date +%s%N)
answer=$(json='{"agentId":"web-1","reason":"lost laptop"}' call coral.colony.v1.ColonyService/RevokeCertificate $(as "$admin"))
[[ $answer == *"HTTP/1.1 200"*'"success":true'* ]] || fail "the agent was not revoked: $answer"

request $register "$json" keep-alive >&4 2>/dev/null || true
line=
IFS= read -r -t 10 line <&5 || true
[[ $line != *" 200 "* ]] || fail "the open connection still works after the revocation"
exec 4>&- 5<&-
pass "the open connection is of no use $((($(date +%s%N) - before) / 1000000)) ms after the revocation was asked for"

for again in "" restarted; do
  answer=$(call $register $(as "$scratch/web-1"))
  [[ $answer == *"alert"* && $answer != *"HTTP/1.1"* ]] || fail "a revoked agent was let in ${again}: $answer"
  if [ -s "$scratch/session.pem" ]; then
    answer=$(call $register $(as "$scratch/web-1") -sess_in "$scratch/session.pem")
    [[ $answer != *"HTTP/1.1 200"* ]] || fail "a revoked agent came back with its old session ${again}: $answer"
  fi
  pass "a revoked agent is refused in the handshake ${again}"
  if [ -z "$again" ]; then
    stop_colony
    start_colony
  fi
done

#!/usr/bin/env bash
# What the colony publishes about revoked certificates, over plain HTTP as RFC 5280 has it, believed by openssl:
#
#   GET /crl.der              signed by the intermediate of the agents
#   GET /crl.pem              that one, and the list of every other authority
#   POST /ocsp                signed by a responder of that intermediate
source "$(dirname "$0")/colony.sh"
make_colony
lists=$(free_port)
printf 'coral.colony.revocation { enabled = true, host = "127.0.0.1", port = %s }\n' "$lists" >>"$folder/colony.conf"
start_colony
enrol good-1
enrol lost-1
for agent in good-1 lost-1; do
  awk '/BEGIN CERT/ { n++ } n == 1' "$scratch/$agent/cert.pem" >"$scratch/$agent/leaf.pem"
  awk '/BEGIN CERT/ { n++ } n == 2' "$scratch/$agent/cert.pem" >"$scratch/agent-ca.pem"
done

# get PATH FILE: over HTTP/1.0, so that the answer ends with the connection.
get() {
  exec 3<>"/dev/tcp/127.0.0.1/$lists"
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  timeout 10 cat <&3 >"$scratch/answer" || fail "no answer to GET $1"
  exec 3>&-
  head -1 "$scratch/answer" | grep -aq ' 200 ' || fail "GET $1: $(head -1 "$scratch/answer")"
  sed '1,/^\r$/d' "$scratch/answer" >"$2"
}

number() {
  openssl crl -in "$1" -noout -crlnumber | sed 's/.*0x0*//'
}

# members FILE: the agents' list, as PEM.
members() {
  get /crl.der "$scratch/crl.der"
  openssl crl -inform DER -in "$scratch/crl.der" -out "$1" || fail "the list in DER"
}

members "$scratch/before.pem"
answer=$(json='{"agentId":"lost-1","reason":"lost laptop"}' call coral.colony.v1.ColonyService/RevokeCertificate $(as "$admin"))
[[ $answer == *'"success":true'* ]] || fail "not revoked: $answer"
members "$scratch/crl.pem"
get /crl.pem "$scratch/all.pem"
grep -qF "$(sed -n 2p "$scratch/crl.pem")" "$scratch/all.pem" || fail "the agents' list is not among all"

openssl crl -in "$scratch/crl.pem" -CAfile "$scratch/agent-ca.pem" -noout -verify 2>&1 | grep -q "verify OK" ||
  fail "the list's signature: $(openssl crl -in "$scratch/crl.pem" -CAfile "$scratch/agent-ca.pem" -noout -verify 2>&1)"
[ $((16#$(number "$scratch/crl.pem"))) -gt $((16#$(number "$scratch/before.pem"))) ] || fail "the list's number did not grow"
pass "the list is signed, and its number grows: 0x$(number "$scratch/before.pem"), 0x$(number "$scratch/crl.pem")"

verdict() {
  openssl verify -crl_check -CAfile "$ca" -untrusted "$scratch/agent-ca.pem" -CRLfile "$scratch/crl.pem" \
    "$scratch/$1/leaf.pem" 2>&1 || true
}
[[ $(verdict good-1) == *": OK"* ]] || fail "the good one by the list: $(verdict good-1)"
[[ $(verdict lost-1) == *"certificate revoked"* ]] || fail "the revoked one by the list: $(verdict lost-1)"
pass "openssl verify -crl_check tells them apart"

ocsp() {
  openssl ocsp -issuer "$scratch/agent-ca.pem" -cert "$1" -url "http://127.0.0.1:$lists/ocsp" -CAfile "$ca" \
    -verify_other "$scratch/agent-ca.pem" 2>&1 || true
}
answer=$(ocsp "$scratch/good-1/leaf.pem")
[[ $answer == *"verify OK"*": good"* ]] || fail "the good one by OCSP: $answer"
answer=$(ocsp "$scratch/lost-1/leaf.pem")
[[ $answer == *"verify OK"*": revoked"* ]] || fail "the revoked one by OCSP: $answer"
pass "openssl ocsp: good and revoked, signed, each for its own question (nonce)"

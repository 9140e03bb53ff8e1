#!/usr/bin/env bash
# Who is let in at the colony's port, asked by openssl:
#
#   administrator's certificate ---- TLS 1.3 ----> 200
#   no certificate -------------------------------> the handshake succeeds, the rpc does not: 401
#   the same names, signed by another authority --> alert
#   signed by the colony's own, but expired ------> alert
#   signed by the colony's own, never journaled --> alert
#   TLS 1.2, plaintext ---------------------------> nothing
source "$(dirname "$0")/colony.sh"
make_colony
start_colony
status=coral.colony.v1.ColonyService/GetStatus

answer=$(call $status $(as "$admin"))
[[ $answer == *"HTTP/1.1 200"*"$colony"* ]] || fail "the administrator was not let in: $answer"
pass "an administrator is let in"

answer=$(call $status)
[[ $answer == *"HTTP/1.1 401"* ]] || fail "a caller without certificate was not answered with 401: $answer"
pass "without a certificate: 401"

answer=$(call coral.colony.v1.ColonyService/GetCACertificate)
[[ $answer == *"HTTP/1.1 200"* ]] || fail "anybody may ask for the authority's certificate: $answer"
pass "without a certificate: what anybody may ask"

# Whoever copies every name still lacks the authority's key.
names=$(openssl x509 -in "$admin/cert.pem" -noout -ext subjectAltName | tail -1 | tr -d ' ')
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$scratch/other-ca.key" -out "$scratch/other-ca.pem" -days 1 \
  -subj "$(openssl x509 -in "$ca" -noout -subject -nameopt compat | sed 's/^subject=//')" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout "$scratch/forged.key" -out "$scratch/forged.csr" \
  -subj "$(openssl x509 -in "$admin/cert.pem" -noout -subject -nameopt compat | sed 's/^subject=//')" 2>/dev/null
printf 'subjectAltName=%s\nextendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\n' "$names" >"$scratch/ext"
openssl x509 -req -in "$scratch/forged.csr" -CA "$scratch/other-ca.pem" -CAkey "$scratch/other-ca.key" -days 1 \
  -extfile "$scratch/ext" -out "$scratch/forged.pem" 2>/dev/null
answer=$(call $status -cert "$scratch/forged.pem" -key "$scratch/forged.key")
[[ $answer == *"alert"* && $answer != *"HTTP/1.1"* ]] || fail "another authority's certificate was let in: $answer"
pass "another authority's certificate: alert"

# Signed by the authority's own key, and over since 2020.
mkdir "$scratch/expired" "$scratch/ca"
touch "$scratch/ca/index.txt"
cat >"$scratch/ca/ca.conf" <<CONF
[ca]
default_ca = own
[own]
database = $scratch/ca/index.txt
new_certs_dir = $scratch/ca
rand_serial = yes
default_md = sha256
policy = any
[any]
organizationName = supplied
commonName = supplied
CONF
printf 'authorityKeyIdentifier=keyid\n' >>"$scratch/ext"
awk '/BEGIN CERT/ { n++ } n == 2' "$admin/cert.pem" >"$scratch/agent-ca.pem"
openssl ca -batch -config "$scratch/ca/ca.conf" -cert "$scratch/agent-ca.pem" -keyfile "$folder"/ca-agent-*-key.pem \
  -startdate 20200101000000Z -enddate 20200102000000Z -in "$scratch/forged.csr" -extfile "$scratch/ext" -notext \
  -out "$scratch/expired/leaf.pem" 2>"$scratch/ca/log" || fail "openssl ca: $(cat "$scratch/ca/log")"
cat "$scratch/expired/leaf.pem" "$scratch/agent-ca.pem" >"$scratch/expired/cert.pem"
cp "$scratch/forged.key" "$scratch/expired/key.pem"
answer=$(call $status $(as "$scratch/expired"))
[[ $answer == *"alert"* && $answer != *"HTTP/1.1"* ]] || fail "an expired certificate was let in: $answer"
pass "an expired certificate: alert"

# The same with good dates: only the journal of what was issued can tell that it was not.
openssl ca -batch -config "$scratch/ca/ca.conf" -cert "$scratch/agent-ca.pem" -keyfile "$folder"/ca-agent-*-key.pem \
  -days 1 -in "$scratch/forged.csr" -extfile <(sed "s|URI:.*|URI:spiffe://$colony/agent/web-1|" "$scratch/ext") -notext \
  -subj "/O=$colony/CN=web-1" -out "$scratch/expired/leaf.pem" 2>"$scratch/ca/log" || fail "openssl ca: $(cat "$scratch/ca/log")"
cat "$scratch/expired/leaf.pem" "$scratch/agent-ca.pem" >"$scratch/expired/cert.pem"
answer=$(call $status $(as "$scratch/expired"))
[[ $answer == *"alert"* && $answer != *"HTTP/1.1"* ]] || fail "a certificate that was never issued was let in: $answer"
pass "an agent's certificate that was signed with a stolen key and never journaled: alert"

for version in -tls1 -tls1_1 -tls1_2; do
  answer=$(call $status "$version" $(as "$admin"))
  [[ $answer != *"HTTP/1.1"* ]] || fail "$version was let in: $answer"
done
pass "TLS before 1.3: nothing"

exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
answer=$(timeout 5 cat <&3 | tr -d '\0' || true)
exec 3>&-
[[ $answer != *"HTTP/1"* ]] || fail "plaintext was answered: $answer"
pass "plaintext: nothing"

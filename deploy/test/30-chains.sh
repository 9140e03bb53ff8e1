#!/usr/bin/env bash
# What `coral init` has issued, verified by openssl to the letter of RFC 5280:
#
#   root (ca-cert.pem) -- server intermediate -- the colony's port
#                      \- agent intermediate --- the administrator
source "$(dirname "$0")/colony.sh"
make_colony

# verified FOLDER-OR-PREFIX PURPOSE: a file of leaf and intermediate ends in the root, in every strictness.
verified() {
  awk 'BEGIN { n = 0 } /BEGIN CERT/ { n++ } n == 1' "$1" >"$scratch/leaf.pem"
  awk 'BEGIN { n = 0 } /BEGIN CERT/ { n++ } n > 1' "$1" >"$scratch/between.pem"
  openssl verify -x509_strict -purpose "$2" -CAfile "$ca" -untrusted "$scratch/between.pem" "$scratch/leaf.pem" \
    >"$scratch/verdict" 2>&1
}

verified "$folder/tls-cert.pem" sslserver || fail "the port's chain: $(cat "$scratch/verdict")"
pass "the port's chain is that of a TLS server"
verified "$admin/cert.pem" sslclient || fail "the administrator's chain: $(cat "$scratch/verdict")"
pass "the administrator's chain is that of a TLS client"
! verified "$admin/cert.pem" sslserver || fail "a client's certificate passes for a server's"
pass "a client's certificate does not pass for a server's"
! verified "$folder/tls-cert.pem" sslclient || fail "the server's certificate passes for a client's"
pass "the server's certificate does not pass for a client's"

# Whoever steals the key of the agents' intermediate cannot make a server of this colony with it, nor another authority.
awk '/BEGIN CERT/ { n++ } n == 2' "$admin/cert.pem" >"$scratch/agent-ca.pem"
key=$(ls "$folder"/ca-agent-*-key.pem)
openssl req -newkey rsa:2048 -nodes -keyout "$scratch/forged.key" -out "$scratch/forged.csr" -subj "/O=$colony/CN=$colony" \
  2>/dev/null
sign() {
  printf 'keyUsage=critical,%s\nbasicConstraints=critical,CA:%s\nsubjectAltName=URI:spiffe://%s/colony,DNS:localhost\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n%s\n' \
    "$1" "$2" "$colony" "$3" >"$scratch/ext"
  openssl x509 -req -in "$scratch/forged.csr" -CA "$scratch/agent-ca.pem" -CAkey "$key" -days 1 -extfile "$scratch/ext" \
    -out "$scratch/forged.pem" 2>/dev/null
  cat "$scratch/forged.pem" "$scratch/agent-ca.pem" >"$scratch/chain.pem"
}
sign digitalSignature FALSE "extendedKeyUsage=serverAuth"
! verified "$scratch/chain.pem" sslserver || fail "the agents' intermediate can make servers"
pass "the agents' intermediate makes no servers"
sign keyCertSign TRUE ""
cp "$scratch/forged.pem" "$scratch/sub-ca.pem"
printf 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' >"$scratch/ext"
openssl x509 -req -in "$scratch/forged.csr" -CA "$scratch/sub-ca.pem" -CAkey "$scratch/forged.key" -days 1 \
  -extfile "$scratch/ext" -out "$scratch/leaf-below.pem" 2>/dev/null
cat "$scratch/leaf-below.pem" "$scratch/sub-ca.pem" "$scratch/agent-ca.pem" >"$scratch/chain.pem"
! verified "$scratch/chain.pem" sslclient || fail "the agents' intermediate can make authorities"
pass "the agents' intermediate makes no authorities"

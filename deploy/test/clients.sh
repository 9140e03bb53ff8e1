# Sourced by the scripts that bring clients of others: what they call is $CORAL_URL, of the colony $CORAL_COLONY.

clients=$PWD/deploy/test/clients

# With the versions of the lock file. Not by "npm ci", which wants the binaries of every other platform, too.
install_clients() {
  if [ ! -e "$clients/node_modules/.package-lock.json" ] ||
    [ "$clients/package-lock.json" -nt "$clients/node_modules/.package-lock.json" ]; then
    (cd "$clients" && npm install --no-save --ignore-scripts --silent) || fail "the clients cannot be installed"
  fi
  (cd "$clients" && PATH="$clients/node_modules/.bin:$PATH" buf generate) || fail "the clients' code cannot be generated"
}

# with_curl [option...]
with_curl() {
  local rpc=$CORAL_URL/coral.colony.v1.ColonyService answer
  for version in --http1.1 --http2; do
    [[ $CORAL_URL == https:* ]] || [ "$version" = --http1.1 ] || version=--http2-prior-knowledge
    answer=$(curl -sS --fail-with-body "$version" "$@" --json '{}' "$rpc/GetStatus") || fail "curl $version: $answer"
    [[ $answer == *"\"colonyId\":\"$CORAL_COLONY\""* ]] || fail "curl $version: $answer"
    answer=$(curl -sS --fail-with-body "$version" "$@" -G "$rpc/ListAllocations" --data-urlencode 'connect=v1' \
      --data-urlencode 'encoding=json' --data-urlencode 'message={"pageSize":1}') || fail "curl GET: $answer"
    [[ $answer == *'"capacity":'* ]] || fail "curl GET: $answer"
    pass "curl $version: JSON by POST and by GET"
  done
  answer=$(curl -sS "$@" -w ' %{http_code}' --json '{"pageSize":-1}' "$rpc/ListAgents")
  [[ $answer == *'"code":"invalid_argument"'*'page_size'*'google.rpc.ErrorInfo'*' 400' ]] || fail "curl, a refusal: $answer"
  answer=$(curl -sS "$@" -w ' %{http_code}' -G "$rpc/ReserveAddress" --data 'connect=v1&encoding=json&message={}')
  [[ $answer == *' 405' ]] || fail "curl, what has effects by GET: $answer"
  # An enveloped {}: flags, four octets of length, the message.
  answer=$(printf '\0\0\0\0\002{}' | curl -sS -N "$@" -H 'Content-Type: application/connect+json' \
    -H 'Connect-Timeout-Ms: 1500' --data-binary @- "$rpc/WatchAgents" | tr '\0' ' ')
  [[ $answer == *'"complete":true'*'"deadline_exceeded"'* ]] || fail "curl, a stream: $answer"
  head -c 41943040 /dev/zero | gzip -9 >"$scratch/bomb.gz"
  answer=$(curl -sS "$@" -w ' %{http_code}' -H 'Content-Type: application/proto' -H 'Content-Encoding: gzip' \
    --data-binary "@$scratch/bomb.gz" "$rpc/ListAgents")
  [[ $answer == *'"resource_exhausted"'*' 429' ]] || fail "curl, 40 MiB in $(stat -c %s "$scratch/bomb.gz") octets: $answer"
  answer=$(curl -sS --fail "$@" "$CORAL_URL/api/coral.colony.v1.ColonyService" || curl -sS --fail -L "$@" "$CORAL_URL/api/") || fail "curl, the pages"
  [[ $answer == *'<html'* ]] || fail "curl, the pages: $(head -c 200 <<<"$answer")"
  pass "curl: a refusal with its details, a stream with its deadline, a bomb, the pages"
}

# with_buf [option...]
with_buf() {
  local protocol answer
  [[ $CORAL_URL == https:* ]] || set -- "$@" --http2-prior-knowledge
  for protocol in grpc grpcweb connect; do
    answer=$("$clients/node_modules/.bin/buf" curl --protocol "$protocol" "$@" \
      "$CORAL_URL/coral.colony.v1.ColonyService/GetStatus" 2>&1) || fail "buf curl --protocol $protocol: $answer"
    [[ $answer == *"\"colonyId\":"*"\"$CORAL_COLONY\""* ]] || fail "buf curl --protocol $protocol: $answer"
  done
  answer=$("$clients/node_modules/.bin/buf" curl "$@" --list-services "$CORAL_URL" 2>&1) || fail "buf curl --list-services: $answer"
  [[ $answer == *coral.colony.v1.ColonyService* && $answer == *coral.mesh.v1.MeshService* ]] || fail "buf curl: $answer"
  pass "buf curl: by reflection, over gRPC, gRPC-Web and Connect"
}

# Sourced by the scripts of this folder: one colony on loopback, with all of its state in a temporary folder that is
# removed at the end, whatever happens.
#
#   CORAL   what runs Coral, ./coral unless set          $ca      the root that every chain ends in
#   $port   the colony's gRPC port                       $admin   the folder of an administrator's cert.pem and key.pem
#   $folder the colony's folder                          $scratch a place for files

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
read -r -a coral <<<"${CORAL:-./coral}"

scratch=$(mktemp -d)
export CORAL_HOME=$scratch/home
colony_pid=
discovery_pid=
also_stop=()
cleanup() {
  local pid
  for pid in "${also_stop[@]}"; do kill "$pid" 2>/dev/null || true; done
  stop_colony
  [ -z "$discovery_pid" ] || kill "$discovery_pid" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

pass() {
  echo "  ok  $*"
}

free_port() {
  local candidate
  for _ in $(seq 50); do
    candidate=$((20000 + RANDOM % 10000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  fail "no free port"
}

# make_colony [APP]
make_colony() {
  "${coral[@]}" init "${1:-shop}" --environment test >"$scratch/init.txt"
  colony=$(ls "$CORAL_HOME/colonies" | grep "^${1:-shop}-")
  folder=$CORAL_HOME/colonies/$colony
  ca=$folder/ca-cert.pem
  admin=$folder/admin
  port=$(free_port)
  cat >>"$folder/colony.conf" <<CONF
coral.colony {
  listen { host = "127.0.0.1", port = $port }
  wireguard { port = 0, device = user-space }
  management.port = 0
}
CONF
}

# announce: the colony that was made last tells discovery of itself when it starts.
announce() {
  local wireguard_port
  wireguard_port=$(free_port)
  cat >>"$folder/colony.conf" <<CONF
coral.colony {
  wireguard.port = $wireguard_port
  public-endpoints = ["127.0.0.1:$wireguard_port"]
  discovery {
    url = "$discovery"
    fingerprint = "$(grep -oE 'sha256:[0-9a-f]{64}' "$scratch/discovery.log" | head -1)"
  }
}
CONF
}

# start_discovery: and has the colony that was made announce itself there.
start_discovery() {
  local discovery_port log=$scratch/discovery.log
  discovery_port=$(free_port)
  CORAL_DISCOVERY_HOST=127.0.0.1 CORAL_DISCOVERY_PORT=$discovery_port "${coral[@]}" discovery start >"$log" 2>&1 &
  discovery_pid=$!
  for _ in $(seq 600); do
    if grep -qE 'sha256:[0-9a-f]{64}' "$log" && (exec 3<>"/dev/tcp/127.0.0.1/$discovery_port") 2>/dev/null; then
      discovery=https://127.0.0.1:$discovery_port
      announce
      return
    fi
    kill -0 "$discovery_pid" 2>/dev/null || fail "discovery did not start: $(tail -5 "$log")"
    sleep 0.1
  done
  fail "discovery was not ready within a minute"
}

start_colony() {
  local log=$scratch/$colony.log
  : >"$log"
  "${coral[@]}" colony start --colony "$colony" >"$log" 2>&1 &
  colony_pid=$!
  for _ in $(seq 600); do
    if grep -q "is ready after" "$log"; then
      return
    fi
    kill -0 "$colony_pid" 2>/dev/null || fail "the colony did not start: $(tail -5 "$log")"
    sleep 0.1
  done
  fail "the colony was not ready within a minute"
}

stop_colony() {
  if [ -n "$colony_pid" ]; then
    kill "$colony_pid" 2>/dev/null || true
    wait "$colony_pid" 2>/dev/null || true
    colony_pid=
  fi
}

# request SERVICE/RPC JSON CONNECTION: an RPC as HTTP/1.1 has it; CONNECTION is close or keep-alive.
request() {
  printf 'POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s' \
    "$1" "${#2}" "$3" "$2"
}

# call SERVICE/RPC [s_client option...]: an RPC through openssl, with ${json} as its message; prints what came back, the
# protocol's errors included.
call() {
  local rpc=$1 message=${json-}
  shift
  request "$rpc" "${message:-"{}"}" close |
    timeout 20 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$ca" -verify_return_error \
      -quiet "$@" 2>&1 || true
}

# as FOLDER: the s_client options that show the cert.pem of a folder, with the intermediate behind it.
as() {
  awk 'BEGIN { n = 0 } /BEGIN CERT/ { n++ } n > 1' "$1/cert.pem" >"$1/chain-behind.pem"
  echo "-cert $1/cert.pem -key $1/key.pem $([ -s "$1/chain-behind.pem" ] && echo "-cert_chain $1/chain-behind.pem")"
}

# field NAME JSON: the value of a field that is a text.
field() {
  sed -nE 's/.*"'"$1"'" *: *"([^"]*)".*/\1/p' <<<"$2" | head -1
}

# enrol NAME: invites an agent and buys its certificate, with what is at hand everywhere; leaves FOLDER NAME in $scratch.
enrol() {
  local answer line secret
  answer=$(json="{\"agentId\":\"$1\"}" call coral.colony.v1.InvitationService/CreateInvitation $(as "$admin"))
  line=$(field text "$answer")
  [ -n "$line" ] || fail "no invitation: $answer"
  # Four bytes of checksum, then a field a line; the secret is the last.
  line=$(tr '_-' '/+' <<<"${line#coral-invite:}")
  while [ $((${#line} % 4)) != 0 ]; do line="$line="; done
  secret=$(base64 -d <<<"$line" | tail -n 1)
  mkdir -p "$scratch/$1"
  openssl req -newkey rsa:2048 -nodes -keyout "$scratch/$1/key.pem" -out "$scratch/$1/request.pem" -subj "/CN=$1" 2>/dev/null
  answer=$(json="{\"agentId\":\"$1\",\"invitation\":\"$secret\",\"requestId\":\"$1-1\",\"csr\":\"$(base64 -w 0 "$scratch/$1/request.pem")\"}" \
    call coral.colony.v1.ColonyService/RequestCertificate)
  field certificate "$answer" | base64 -d >"$scratch/$1/cert.pem"
  [ -s "$scratch/$1/cert.pem" ] || fail "no certificate for $1: $answer"
}

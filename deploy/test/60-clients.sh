#!/usr/bin/env bash
# Clients that nobody here wrote, against the colony's own port over mTLS:
#
#   curl                  Connect: JSON, GET, a stream; the pages about the API
#   buf curl              the protocol by server reflection alone, by gRPC, gRPC-Web and Connect
#   connect-node          Connect, gRPC and gRPC-Web; JSON and binary; HTTP/1.1 and 2; streams, deadlines, details
#   grpc-js               gRPC; streams, deadlines, details, compression
source "$(dirname "$0")/colony.sh"
source deploy/test/clients.sh
install_clients
make_colony
start_colony

export CORAL_URL=https://localhost:$port CORAL_CA=$ca CORAL_CERT=$admin/cert.pem CORAL_KEY=$admin/key.pem CORAL_COLONY=$colony
with_curl --cacert "$ca" --cert "$admin/cert.pem" --key "$admin/key.pem"
with_buf --cacert "$ca" --cert "$admin/cert.pem" --key "$admin/key.pem"
node "$clients/connect.mjs"
node "$clients/grpc.mjs"

#!/usr/bin/env bash
# The commands' way to a colony (RFD 005, "E2E Tests"): through a proxy, without one, and through one again; two colonies
# with a proxy each; and what a command says when no way is left.
source "$(dirname "$0")/colony.sh"
make_colony shop
start_discovery
start_colony
shop=$colony shop_pid=$colony_pid colony_pid=
also_stop+=("$shop_pid")
make_colony blog
printf 'coral.colony.subnet { ipv4 = "10.43.0.0/16", ipv6 = "fd43::/64" }\n' >>"$folder/colony.conf"
announce
start_colony
blog=$colony

# start_proxy COLONY PORT
start_proxy() {
  CORAL_DEVICE_MODE=user-space "${coral[@]}" proxy start "$1" --listen "127.0.0.1:$2" --daemon >"$scratch/proxy.txt" 2>&1 ||
    fail "the proxy of $1: $(cat "$scratch/proxy.txt")"
  also_stop+=("$(sed -nE 's/.*\(PID: ([0-9]+)\).*/\1/p' "$scratch/proxy.txt")")
}

# ask ARGUMENT...: a command's answer in $answer, what it says of its way in $way.
ask() {
  answer=$("${coral[@]}" "$@" -v 2>"$scratch/way.txt") || fail "coral $*: $(cat "$scratch/way.txt")"
  way=$(cat "$scratch/way.txt")
}

shop_port=$(free_port)
blog_port=$(free_port)
start_proxy "$shop" "$shop_port"
start_proxy "$blog" "$blog_port"

ask status
[[ $answer == *"$shop [ONLINE via proxy]"* && $answer == *"$blog [ONLINE via proxy]"* ]] || fail "status: $answer"
[[ $answer == *Online* ]] || fail "status knows nothing of discovery: $answer"
[[ $(curl -sS --json '{}' "http://127.0.0.1:$shop_port/coral.colony.v1.ColonyService/GetStatus") == *"\"$shop\""* ]] || fail "$shop"
[[ $(curl -sS --json '{}' "http://127.0.0.1:$blog_port/coral.colony.v1.ColonyService/GetStatus") == *"\"$blog\""* ]] || fail "$blog"
pass "two colonies, two proxies: each leads to its own"

ask allocations --colony "$blog" -o json
[[ $way == *"127.0.0.1:$blog_port"* && $answer == *"proxy-"* ]] || fail "allocations of $blog: $way $answer"
"${coral[@]}" context use "$shop" >/dev/null
ask allocations -o json
[[ $way == *"127.0.0.1:$shop_port"* ]] || fail "after context use $shop: $way"
CORAL_COLONY_ID=$blog ask allocations -o json
[[ $way == *"127.0.0.1:$blog_port"* ]] || fail "with CORAL_COLONY_ID=$blog: $way"
pass "the colony of --colony, else CORAL_COLONY_ID, else 'context use'"

"${coral[@]}" proxy list >"$scratch/list.txt"
[ "$(grep -c connected "$scratch/list.txt")" = 2 ] || fail "proxy list: $(cat "$scratch/list.txt")"
"${coral[@]}" proxy stop "$shop" >/dev/null
ask status --colony "$shop"
[[ $way != *"http://127.0.0.1:$shop_port"*taken* && $answer == *"$shop"* ]] || fail "without its proxy: $way $answer"
ask status
[[ $answer == *"$shop [ONLINE via public port]"* && $answer == *"$blog [ONLINE via proxy]"* ]] || fail "status: $answer"
pass "without its proxy a colony is asked at its port"

start_proxy "$shop" "$shop_port"
ask status
[[ $answer == *"$shop [ONLINE via proxy]"* ]] || fail "with its proxy again: $answer"
kill -9 "${also_stop[-1]}"
ask status
[[ $answer == *"$shop [ONLINE via public port]"* ]] || fail "with a proxy that was killed: $answer"
start_proxy "$shop" "$shop_port"
ask status
[[ $answer == *"$shop [ONLINE via proxy]"* ]] || fail "after a kill: $answer"
pass "a proxy that comes again is used again, also after kill -9"

kill "$shop_pid"
wait "$shop_pid" 2>/dev/null || true
if "${coral[@]}" agents --colony "$shop" >"$scratch/out.txt" 2>"$scratch/err.txt"; then fail "nobody answers, and all is well"; fi
grep -q "$shop_port" "$scratch/err.txt" && grep -qi "start" "$scratch/err.txt" || fail "nothing to go on with: $(cat "$scratch/err.txt")"
if "${coral[@]}" status >"$scratch/out.txt" 2>&1; then fail "status says that all answered"; fi
grep -q "$shop \[OFFLINE" "$scratch/out.txt" && grep -q "$blog \[ONLINE via proxy\]" "$scratch/out.txt" || fail "$(cat "$scratch/out.txt")"
pass "when no way is left: $(head -1 "$scratch/err.txt")"

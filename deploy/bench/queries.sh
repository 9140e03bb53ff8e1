#!/bin/sh
# How long a query takes as a person waits for it, beside a Java program that only says hello: medians, and each as a
# multiple of the program's. Needs hyperfine, and a colony that runs (CORAL_HOME says where, as for any command).
#
#   ./coral quickstart                                    in one terminal
#   CORAL_HOME=... CORAL_COLONY_PORT=... deploy/bench/queries.sh [RUNS]
set -eu
runs=${1:-20}
root=$(cd "$(dirname "$0")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
command -v hyperfine >/dev/null || { echo "hyperfine is missing; on Debian: apt install hyperfine" >&2; exit 1; }

cat >"$work/Hello.java" <<'JAVA'
final class Hello {
  public static void main(String[] arguments) {
    System.out.println("hello");
  }
}
JAVA
javac -d "$work" "$work/Hello.java"
"$root/coral" --version >/dev/null # builds, if there is something to build
export CORAL_NO_BUILD=1

# What the colony refuses or nobody answers would be measured as fast.
"$root/coral" agents --via public >/dev/null
set -- "$root/coral --version" "$root/coral agents --via public"
# With a proxy neither TLS nor a certificate is loaded.
if "$root/coral" agents --via proxy >/dev/null 2>&1; then
  set -- "$@" "$root/coral agents --via proxy"
fi
hyperfine -N --warmup 3 --runs "$runs" --export-csv "$work/times.csv" \
  "java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp $work Hello" "$@" >/dev/null 2>"$work/errors" || {
  cat "$work/errors" >&2
  exit 1
}
# command,mean,stddev,median,user,system,min,max
awk -F, -v root="$root/" '
  NR == 2 { hello = $4; $1 = "hello world" }
  NR >= 2 { sub(root, "", $1); printf "%-30s %6.0f ms  %5.1f x  (processor %4.0f ms)\n", $1, $4 * 1000, $4 / hello, ($5 + $6) * 1000 }
' "$work/times.csv"

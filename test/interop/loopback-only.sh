#!/bin/sh
# Runs a command where loopback is the only network there is, so that real peers cannot reach anything else.
# Needs unshare and ip, and either root or user namespaces that anybody may make. Without them it runs the command on
# the machine's own network. One line on standard error says which.
# Usage: loopback-only.sh COMMAND [ARGUMENT...]
set -eu

for namespace in "--net" "--map-root-user --net"; do
  # Unquoted: two words are two options.
  # shellcheck disable=SC2086
  if unshare $namespace ip link set lo up 2>/dev/null; then
    echo "interop: own network namespace, loopback only" >&2
    # shellcheck disable=SC2016,SC2086
    exec unshare $namespace sh -c 'ip link set lo up && exec "$@"' loopback-only "$@"
  fi
done

echo "interop: no network namespace to be had (needs unshare, ip, and root or user namespaces)," \
  "using the machine's own network" >&2
exec "$@"

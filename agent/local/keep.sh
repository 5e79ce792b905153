#!/bin/sh
# Keeps the control plane running until it is told to stop. `skerry up --no-agent` becomes this when all is prepared: where
# a Node.js process takes 45 MB to wait, a shell takes one.
#
#   keep.sh HOME WORKERD COMMAND…
#
# WORKERD is workerd's program. COMMAND runs beside its first start and says when it answers; with SIGUSR1 it says that it
# does not.
home=$1 workerd=$2
shift 2
log=$home/log/workerd.log
max_log_bytes=10485760 # then it becomes the one older file
delays="0.1 0.2 0.4 0.8 1.6 3.2 5" # s, from an end to the next start
steady=30 # s: whoever ran so long starts its delays anew
grace=30 # tenths of a second between SIGTERM and SIGKILL

say() { echo "skerry: $*" >&2; }

# The kernel ends workerd when this process dies, however that happens, so the port is never held by an orphan.
start() {
  setpriv --pdeathsig KILL "$workerd" serve "$home/workerd.capnp" >>"$log" 2>&1 &
  child=$!
}

# An open client stream keeps workerd from obeying SIGTERM.
stop() {
  trap '' INT TERM HUP USR1
  kill "$child" 2>/dev/null
  while [ $grace -gt 0 ] && kill -0 "$child" 2>/dev/null; do
    sleep 0.1
    grace=$((grace - 1))
  done
  kill -KILL "$child" 2>/dev/null
  rm -f "$home/supervisor.pid"
  exit "$1"
}
for signal in INT TERM HUP; do trap "say 'SIG$signal: stopping; containers keep running'; stop 0" $signal; done
trap 'stop 1' USR1

start
# Out of the way of workerd's start. The kernel ends it with this process: its id may be another's by then.
setpriv --pdeathsig TERM nice "$@" &
set -- $delays
while :; do
  began=$(date +%s)
  wait "$child"
  code=$?
  [ $code -gt 128 ] && why="killed by SIG$(kill -l $((code - 128)))" || why="exit code $code"
  say "the control plane ended ($why) and is started again; see $log"
  [ $(($(date +%s) - began)) -gt $steady ] && set -- $delays
  sleep "$1" &
  wait $!
  [ $# -gt 1 ] && shift
  [ "$(stat -c %s "$log")" -gt $max_log_bytes ] && mv "$log" "$log.1"
  start
done

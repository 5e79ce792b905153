#!/bin/sh
# Runs an agent that came as an update, under the program that was installed.
#
#   run.sh FOLDER SECONDS NODE PROGRAM BASE…
#
# FOLDER holds the versions; while it has a trial.json, the agent has so many SECONDS to be heard by the cluster. BASE… is
# the installed agent: it is what this shell becomes again when the agent asks for it (75), or did not stand its trial.
folder=$1 seconds=$2 node=$3 program=$4
shift 4
again=75

# Whatever ends this shell ends the agent, too; containers are no children of either.
setpriv --pdeathsig TERM "$node" "$program" agent &
child=$!
watch=
if [ -e "$folder/trial.json" ]; then
  setpriv --pdeathsig KILL sh -c 'sleep "$1" && [ -e "$2/trial.json" ] && : >"$2/late" && kill -KILL "$3"' \
    watch "$seconds" "$folder" "$child" &
  watch=$!
fi

stopping=
for signal in INT TERM HUP; do trap "stopping=1; kill -$signal $child 2>/dev/null" $signal; done

while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break # else it was this shell that a signal woke
done
[ -n "$watch" ] && kill "$watch" 2>/dev/null
[ -n "$stopping" ] && exit "$code"
[ "$code" -eq "$again" ] && exec "$@"
[ -e "$folder/trial.json" ] && sleep 1 && exec "$@"
exit "$code"

#!/bin/sh
# planned-move.sh VM NVE COMMAND [ARGUMENT...]
#
# Runs a command that moves a VM between `migrate prepare` and `migrate commit`: the VM's firewall state is behind the other firewall
# before it moves. VM is an address or a MAC, NVE where it goes. STATEFERRY_API and STATEFERRY_TOKEN name the controller; STATEFERRY is
# the program, DEADLINE how many seconds the move may wait for the verdict.
#
#   planned-move.sh 52:54:00:12:34:56 nve2 virsh migrate --live guest qemu+ssh://server2/system
#
# Ends as the command does. A move that could not be prepared takes place all the same: it is then like any other.
set -u

if [ $# -lt 3 ]; then
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
vm=$1
nve=$2
shift 2
stateferry=${STATEFERRY:-stateferry}

$stateferry migrate prepare --vm "$vm" --to "$nve" --deadline "${DEADLINE:-10}"
prepared=$?
# 3: DEGRADED, and why is said. Anything else: the controller was not reached, or knows no such VM.
[ $prepared -eq 0 ] || [ $prepared -eq 3 ] || echo "planned-move: not prepared, moving all the same" >&2

"$@"
moved=$?

if [ $prepared -eq 0 ]; then
  if [ $moved -eq 0 ]; then
    $stateferry migrate commit "$vm"
  else
    $stateferry migrate abort "$vm"
  fi
fi
exit $moved

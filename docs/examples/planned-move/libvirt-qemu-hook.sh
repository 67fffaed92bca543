#!/bin/sh
# A libvirt hook for planned moves: copy it to /etc/libvirt/hooks/qemu on every server (mode 755) and restart libvirtd.
#
# libvirt calls it on the destination before a guest's memory comes (`migrate begin`): the firewall state of its interfaces is copied
# behind the firewall of this server, and the migration waits for that at most DEADLINE seconds. On the source it is called when the
# guest has left (`stopped end migrated`), on the destination when it did not come after all (`stopped end failed`).
#
# /etc/stateferry/hook.conf says where the controller is and which NVE this server's guests are attached to:
#
#   export STATEFERRY_API=http://controller:8080
#   export STATEFERRY_TOKEN=...
#   NVE=nve2
#   STATEFERRY=/usr/local/bin/stateferry
#   DEADLINE=10
#
# It never stops a migration: what cannot be prepared takes place like a move that nobody has planned. What it says goes to syslog;
# libvirt would take what a `migrate` hook prints for the guest's XML.
set -u

conf=${STATEFERRY_HOOK_CONF:-/etc/stateferry/hook.conf}
[ -r "$conf" ] || exit 0
# shellcheck source=/dev/null
. "$conf"
stateferry=${STATEFERRY:-stateferry}

guest=$1
operation=$2
sub=$3
extra=${4:-}

log() { logger -t "stateferry-hook[$guest]"; }

# The domain's XML is on standard input.
macs() { sed -n "s/.*<mac address=['\"]\([0-9a-fA-F:]*\)['\"].*/\1/p"; }

case "$operation $sub $extra" in
  'migrate begin '*)
    for mac in $(macs); do
      $stateferry migrate prepare --vm "$mac" --to "$NVE" --deadline "${DEADLINE:-10}" 2>&1 | log
    done
    ;;
  'stopped end migrated')
    for mac in $(macs); do
      $stateferry migrate commit "$mac" --wait 0 2>&1 | log
    done
    ;;
  'stopped end failed')
    for mac in $(macs); do
      $stateferry migrate abort "$mac" 2>&1 | log
    done
    ;;
esac
exit 0

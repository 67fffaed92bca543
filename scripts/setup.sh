#!/bin/sh
# Prepares a Debian 12+ or Ubuntu 24.04+ machine for the tests and the demo: system packages, Open vSwitch, a Node that
# is new enough, npm packages. Says each thing before doing it, asks nothing, and does nothing that is already done.
# It needs a POSIX shell and npm, nothing else. What cannot be had here is named, and the tests that need it skip.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
exec </dev/null

# package:what shows that it is there (a command, or a file)
PACKAGES='
openvswitch-switch:ovs-vswitchd mininet:mn nftables:nft conntrack:conntrack iperf3:iperf3 tcpdump:tcpdump tshark:tshark
ethtool:ethtool openssl:openssl iproute2:ip iputils-ping:ping procps:sysctl kmod:modprobe python3:/usr/bin/python3 gcc:gcc
libc6-dev:/usr/include/stdio.h ca-certificates:/etc/ssl/certs/ca-certificates.crt protobuf-compiler:protoc
python3-grpcio:/usr/lib/python3/dist-packages/grpc/__init__.py
python3-protobuf:/usr/lib/python3/dist-packages/google/protobuf/message.py
'
NODE_AT_LEAST='22.18'

log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() { echo "setup: $*"; }

# Runs quietly; what it printed is shown only if it fails.
quietly() {
  "$@" >"$log" 2>&1 || {
    status=$?
    cat "$log" >&2
    return "$status"
  }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

missing_packages() {
  for entry in $PACKAGES; do
    proof=${entry#*:}
    case $proof in
      /*) [ -e "$proof" ] || echo "${entry%%:*}" ;;
      *) command -v "$proof" >/dev/null || echo "${entry%%:*}" ;;
    esac
  done
}

apt_install() {
  quietly as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -y -q -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold install --no-install-recommends "$@"
}

install_packages() {
  wanted=$(missing_packages | tr '\n' ' ')
  [ -n "$wanted" ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "missing: $wanted(no apt-get here: install them by hand; tests that need them skip)"
  elif ! can_be_root; then
    say "missing: $wanted(neither root nor password-less sudo: tests that need them skip)"
  else
    say "installing system packages: $wanted"
    # Whether ordinary users may capture: tshark's only question.
    echo 'wireshark-common wireshark-common/install-setuid boolean false' | as_root debconf-set-selections 2>/dev/null || :
    # shellcheck disable=SC2086 # a list of words
    if ! apt_install $wanted 2>/dev/null; then
      say 'refreshing the package lists'
      quietly as_root apt-get -q -o DPkg::Lock::Timeout=300 update || :
      apt_install $wanted || for package in $wanted; do apt_install "$package" || say "could not install $package"; done
    fi
  fi
}

# A container, or a kernel that has these built in, has nothing to load; nf_tables and the rest load by themselves.
load_modules() {
  for entry in br_netfilter:/proc/sys/net/bridge nf_conntrack:/proc/sys/net/netfilter/nf_conntrack_max; do
    [ -e "${entry#*:}" ] && continue
    can_be_root || continue
    say "loading kernel module ${entry%%:*}"
    as_root modprobe "${entry%%:*}" 2>/dev/null || say "no kernel module ${entry%%:*} here"
  done
}

open_vswitch_answers() { as_root ovs-appctl --timeout=5 -t ovs-vswitchd version >/dev/null 2>&1; }

start_open_vswitch() {
  command -v ovs-vswitchd >/dev/null && can_be_root || return 0
  open_vswitch_answers && return 0
  say 'starting Open vSwitch'
  if [ -d /run/systemd/system ]; then
    quietly as_root systemctl start openvswitch-switch || :
  else
    quietly as_root service openvswitch-switch start || :
  fi
  open_vswitch_answers || say 'Open vSwitch does not start: tests that need it skip'
}

# True if the Node given is new enough to run TypeScript.
new_enough() {
  version=$("$1" --version 2>/dev/null) || return 1
  [ "$(printf '%s\n' "${version#v}" "$NODE_AT_LEAST" | sort -V | head -n 1)" = "$NODE_AT_LEAST" ]
}

install_npm_packages() {
  stamp=$(cksum <package-lock.json)
  [ "$(cat node_modules/.installed-lock 2>/dev/null)" = "$stamp" ] && return 0
  say 'installing npm packages, Node 24 among them'
  # Not npm ci: npm 11 refuses a lock file made where a registry had no packages for other platforms than this one.
  quietly npm install --no-save --include=dev --include=optional --no-audit --no-fund --loglevel=error
  echo "$stamp" >node_modules/.installed-lock
  # Under sudo the checkout stays its owner's.
  [ "$(id -u)" != 0 ] || chown -R --reference=. node_modules
}

# npm 9 removes .bin/node together with the package of the architecture that is not ours.
link_node() {
  [ ! -x node_modules/.bin/node ] || return 0
  for runtime in node_modules/node-linux-*/bin/node; do
    [ ! -x "$runtime" ] || ln -sf "../${runtime#node_modules/}" node_modules/.bin/node
  done
}

check_node() {
  new_enough node_modules/.bin/node || new_enough node || {
    say "no Node $NODE_AT_LEAST or later for $(uname -m), and npm brought none: install one"
    exit 1
  }
}

install_packages
load_modules
start_open_vswitch
install_npm_packages
link_node
check_node

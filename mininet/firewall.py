"""FW1 and FW2: network namespaces that bridge two fabric links, through netfilter (mode "firewall") or not (mode "wire")."""

import json
import os
import re

from mininet.node import Host

from command import attempt, ip_batch, run
from interfaces import write_sysctls
from network_namespace import give_name, path_of
from testbed_error import TestbedError

BRIDGE = "br0"

# Before any traffic: events cannot be had for entries that exist already, and the conntrack counters neither.
CONNTRACK_SYSCTLS = {
    "nf_conntrack_events": 1,
    "nf_conntrack_acct": 1,
    "nf_conntrack_timestamp": 1,
    "nf_conntrack_tcp_loose": 0,
    "nf_conntrack_tcp_be_liberal": 0,
}


def load_netfilter():
    """Built in or as modules: the sysctls are there afterwards, or the machine cannot do it."""
    attempt(["modprobe", "-qa", "br_netfilter", "nf_conntrack", "nf_tables"])
    if not os.path.isdir("/proc/sys/net/bridge") or not os.path.isdir("/proc/sys/net/netfilter"):
        raise TestbedError("tool-missing", "this kernel has no br_netfilter or no nf_conntrack")


def ruleset_text(path, zones, vlan_of_port=None):
    """The operator's ruleset with the two maps of the tenants at hand. vlan_of_port: where frames carry no VLAN id, its port says it."""
    with open(path, encoding="utf8") as file:
        text = file.read()
    marks = ", ".join(f"{vlan} : {vlan}" for vlan in zones)
    zoned = ", ".join(f"{vlan} : {zone}" for vlan, zone in zones.items())
    if vlan_of_port:
        marks = ", ".join(f'"{port}" : {vlan}' for port, vlan in vlan_of_port.items())
        text = re.sub(r"vlan id map (\{[^{}]*\} # map: VLAN -> mark)", r"iifname map \1", text)
    text = re.sub(r"\{[^{}]*\} # map: VLAN -> mark", lambda _: f"{{ {marks} }}", text)
    return re.sub(r"\{[^{}]*\} # map: mark -> zone", lambda _: f"{{ {zoned} }}", text)


class Firewall(Host):
    """plan: the FirewallPlan; management: the ManagementNetwork, or None."""

    def __init__(self, name, plan=None, management=None, **params):
        super().__init__(name, **params)
        self.plan = plan
        self.management = management
        self.netns_path = path_of(plan.netns)
        give_name(plan.netns, self.pid)

    def config(self, **_params):
        netns = self.netns_path
        data_ports = [interface.name for interface in self.intfs.values() if interface.name != "lo"]
        self.set_up_netfilter()
        if self.plan.filters:
            self.load_ruleset()
        make_bridge(BRIDGE, data_ports, netns)
        ip_batch(["link set dev lo up"], netns)
        if self.management:
            self.management.attach(self.plan, netns)
        return {}

    def set_up_netfilter(self):
        on = 1 if self.plan.filters else 0
        load_netfilter()
        write_sysctls(
            {
                "net/ipv6/conf/default/disable_ipv6": 1,
                "net/bridge/bridge-nf-call-iptables": on,
                "net/bridge/bridge-nf-call-ip6tables": on,
                "net/bridge/bridge-nf-call-arptables": 0,
                "net/bridge/bridge-nf-filter-vlan-tagged": on,
                **{f"net/netfilter/{name}": value for name, value in CONNTRACK_SYSCTLS.items()},
            },
            self.netns_path,
        )

    def load_ruleset(self, vlan_of_port=None):
        text = ruleset_text(self.plan.ruleset, self.plan.zones, vlan_of_port)
        run(["nsenter", f"--net={self.netns_path}", "--", "nft", "-f", "-"], stdin=text)

    def terminate(self):
        if self.management:
            self.management.detach(self.plan)
        super().terminate()


def make_bridge(name, ports, netns):
    ip_batch(
        [
            f"link add name {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set dev {name} arp off",
            *(f"link set dev {port} master {name}" for port in ports),
            f"link set dev {name} up",
        ],
        netns,
    )
    # One table of addresses for all VNs would be wrong as soon as a VM moves: flood instead of learning.
    for port in ports:
        run(["nsenter", f"--net={netns}", "--", "bridge", "link", "set", "dev", port, "learning", "off", "flood", "on"])


def named_counters(netns):
    """The ruleset's counters: { name: { packets, bytes } }."""
    listing = json.loads(run(["nsenter", f"--net={netns}", "--", "nft", "-j", "list", "counters"]))
    counters = [entry["counter"] for entry in listing["nftables"] if "counter" in entry]
    return {counter["name"]: {"packets": counter["packets"], "bytes": counter["bytes"]} for counter in counters}

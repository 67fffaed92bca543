"""A VM: a network namespace whose NIC, eth0, is a bridge, so that it can be plugged into one cable or another as a hypervisor
would, without the guest seeing its carrier go (which would flush its neighbours)."""

from mininet.link import Intf
from mininet.node import Host

from command import ip_batch, run
from fabric_link import make_veth
from interfaces import no_ipv6, offloads_off, write_sysctls
from network_namespace import give_name, path_of
from testbed_error import TestbedError

NIC = "eth0"
MAX_CABLES = 8


class Vm(Host):
    """plan: the VmPlan."""

    def __init__(self, name, plan=None, **params):
        super().__init__(name, **params)
        self.plan = plan
        self.netns_path = path_of(plan.netns)
        self.cables = [plan.cable(0)]  # OVS sides; the inner side of number n is cab<n>
        self.cable_on = {}  # behind hypervisor firewalls: NVE -> the OVS side of the VM's cable there
        give_name(plan.netns, self.pid)

    def config(self, **_params):
        plan, netns = self.plan, self.netns_path
        write_sysctls({"net/ipv6/conf/default/disable_ipv6": 1}, netns)
        ip_batch(
            [
                f"link add name {NIC} address {plan.mac} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                # A port that is always up keeps the carrier when the cable is unplugged.
                "link add name bal0 type veth peer name bal1",
                f"link set dev bal0 master {NIC} up",
                "link set dev bal1 up",
                f"link set dev cab0 arp on master {NIC}",
                f"link set dev {NIC} mtu 1500",
                "link set dev lo up",
            ],
            netns,
        )
        for name in ("bal0", "bal1", NIC):
            offloads_off(name, netns)
        inside = ["nsenter", f"--net={netns}", "--"]
        run([*inside, "bridge", "link", "set", "dev", "bal0", "flood", "off", "mcast_flood", "off", "bcast_flood", "off"])
        write_sysctls(
            {
                "net/ipv4/conf/all/forwarding": 0,
                f"net/ipv6/conf/{NIC}/disable_ipv6": 0,
                f"net/ipv6/conf/{NIC}/accept_dad": 0,
                f"net/ipv6/conf/{NIC}/accept_ra": 0,
                f"net/ipv6/conf/{NIC}/router_solicitations": 0,
            },
            netns,
        )
        ip_batch([f"link set dev {NIC} up"], netns)
        ip_batch([f"addr add {plan.ipv4}/24 dev {NIC}"], netns)
        ip_batch([f"addr add {plan.ipv6}/64 dev {NIC} nodad"], netns)
        if plan.rate_mbit:
            rate = f"{plan.rate_mbit:g}mbit"
            run([*inside, "tc", "qdisc", "add", "dev", NIC, "root", "tbf", "rate", rate, "burst", "64kb", "latency", "200ms"])
        nic = Intf(NIC, node=self, port=0, moveIntfFn=lambda *_args, **_kwargs: None)
        nic.ip, nic.prefixLen, nic.mac = plan.ipv4, 24, plan.mac  # for Mininet's own commands (pingall ...)
        return {}

    def add_cable(self, record, make=None):
        """A spare cable, plugged in nowhere; gives the name of its OVS side. make(inner, outer): makes the two ends."""
        place = len(self.cables)
        if place >= MAX_CABLES:
            raise TestbedError("command-failed", f"{self.name} has {MAX_CABLES} cables already")
        outer = self.plan.cable(place)
        record.add_link(outer)
        inner = f"cab{place}"
        if make:
            make(inner, outer)
        else:
            make_veth(inner, outer, self.netns_path, None)
        self.cables.append(outer)
        return outer

    def inner_side(self, cable):
        return f"cab{self.cables.index(cable)}"

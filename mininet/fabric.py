"""A built testbed: makes the network of a plan through Mininet and says what it is made of. Used by the lab and by hand."""

from functools import partial
import json
import os

import figure1
import single
from mininet.net import Mininet
from mininet.topo import Topo

from command import attempt, run
from delay_line import make_namespace, start_delay_line
from fabric_link import FabricLink, VmCable
from firewall import BRIDGE, Firewall
from hypervisor_firewall import HypervisorFirewall, make_guarded_cable
from management import ManagementNetwork
from network_namespace import path_of
from nve import Nve, datapath_of
from ovsdb import OvsdbClient
from pause import open_pauser
from plan import MANAGEMENT_ADDRESS, MANAGEMENT_BRIDGE
from run_record import RunRecord
from testbed_error import TestbedError
from vm import NIC, Vm
from vm_move import Mover

PLANS = {"figure1": figure1.plan_of, "single": single.plan_of}
TOOLS = ("ip", "bridge", "tc", "ethtool", "nft", "nsenter", "ovs-vsctl", "mnexec")
PORT_SOCKET_BYTES = 4 << 20


class PlanTopo(Topo):
    """A plan in Mininet's words."""

    def build(self, plan=None):  # pylint: disable=arguments-differ
        management = ManagementNetwork()
        for nve in plan.nves:
            self.addSwitch(nve.name, cls=Nve, plan=nve, setting=plan)
        for firewall in plan.firewalls:
            self.addHost(firewall.name, cls=Firewall, plan=firewall, management=management)
        for firewall in plan.hypervisor_firewalls:
            self.addHost(firewall.name, cls=HypervisorFirewall, plan=firewall, management=management, vms=plan.vms)
        for vm in plan.vms:
            self.addHost(vm.name, cls=Vm, plan=vm)
        for link in plan.links:
            (left, _), (right, _) = link.ends
            self.addLink(left, right, cls=FabricLink, plan=link)
        for vm in plan.vms:
            make = cable_maker(plan, vm, vm.server_number)
            self.addLink(vm.name, f"NVE{vm.server_number}", cls=VmCable, vm_plan=vm, make=make, port1=1)


def cable_maker(plan, vm, server_number):
    """Makes the two ends of a VM's cable on a server with a firewall; None where there is none. vm: the VmPlan."""
    firewall = plan.hypervisor_firewall_of(server_number)
    return partial(make_guarded_cable, vm=vm, firewall=firewall) if firewall else None


def plan_of(options):
    topology = options.get("topology", "figure1")
    if topology not in PLANS:
        raise TestbedError("bad-options", f"topology is one of {', '.join(PLANS)}")
    return PLANS[topology](options)


def check_tools():
    missing = [tool for tool in TOOLS if attempt(["sh", "-c", f"command -v {tool}"])[0] != 0]
    if missing:
        raise TestbedError("tool-missing", f"not installed: {', '.join(missing)}")
    # Mininet would wait for ever for the prompt of a shell that could not be started.
    status, _, err = attempt(["mnexec", "-n", "true"])
    if status != 0:
        raise TestbedError("tool-missing", f"mnexec cannot make a namespace ({err.strip()}); in a chroot, / must be a mount point")
    OvsdbClient().close()
    if attempt(["ovs-appctl", "-t", "ovs-vswitchd", "version"])[0] != 0:
        raise TestbedError("ovs-not-running", "ovs-vswitchd does not answer: service openvswitch-switch start")


class Fabric:
    """say(kind, **content): where progress and events go."""

    def __init__(self, plan, say):
        self.plan = plan
        self._say = say
        self.record = None
        self.net = None
        self.delay_kind, self.delay_line = "none", None
        self.ovsdb = None
        self.mover = None

    def build(self):
        """Everything, from the lock to the switches. Whatever fails, close() removes what there is."""
        self.prepare()
        Mininet.inited = True  # or it would raise host-wide limits that nobody puts back
        self._progress("making namespaces and links")
        self.net = Mininet(topo=PlanTopo(plan=self.plan), controller=None, build=False)
        self.net.build()
        self._progress("starting the switches")
        self.net.start()
        self.adopt_network(self.net)

    def prepare(self):
        """Before Mininet makes anything."""
        check_tools()
        self._progress("waiting for the machine")
        self.record = RunRecord.open(float(self.plan.options.get("lockWaitMs", 0)) / 1000)
        self.record.plan(self.plan)
        if any(link.delayed for link in self.plan.links):
            make_namespace()
        if self.plan.ssl:
            self._set_ssl(self.plan.ssl)
        # Open vSwitch's userspace datapath reads its ports by sockets of default size: 4 TCP streams at full speed then cost a
        # ping 5 % of its packets. With room for a few thousand frames: none.
        if datapath_of(self.plan.datapath) == "user":
            self.record.set_sysctl("net.core.rmem_default", PORT_SOCKET_BYTES)

    def adopt_network(self, net):
        """After Mininet has made and started the nodes."""
        self.net = net
        for node in [*net.hosts, *net.switches]:
            self.record.add_process(node.pid)
        self.delay_kind, self.delay_line = start_delay_line(self.plan.links, self.record)
        self.ovsdb = OvsdbClient()
        pauser = open_pauser(self.record.cgroup)
        vms = [net.get(vm.name) for vm in self.plan.vms]
        for vm in vms:
            self._add_cables(vm)
        self.mover = Mover(self.plan, vms, self.ovsdb, pauser, self.record, self._event)

    def _add_cables(self, vm):
        """Behind hypervisor firewalls a VM cannot take its cable along: it has one on each server."""
        for firewall in self.plan.hypervisor_firewalls:
            vm.cable_on[f"NVE{firewall.number}"] = (
                vm.cables[0]
                if firewall.number == vm.plan.server_number
                else vm.add_cable(self.record, cable_maker(self.plan, vm.plan, firewall.number))
            )

    def close(self):
        for closing in (self.mover, self.ovsdb):
            if closing:
                closing.close()
        if self.record:
            self.record.close()

    def node(self, name):
        """A VM or a firewall."""
        for host in self.net.hosts:
            if host.name == name:
                return host
        raise TestbedError("unknown-node", f"there is no VM or firewall {name}")

    def firewalls(self):
        return [self.net.get(firewall.name) for firewall in self.plan.all_firewalls]

    def info(self):
        ports = self._ports()
        ofports = {port["name"]: port["ofport"] for port in ports}
        return {
            "run": self.record.run,
            "pid": os.getpid(),
            "topology": self.plan.topology,
            "mode": self.plan.mode,
            "datapath": self.net.get(self.plan.nves[0].name).datapath,
            "pause": self.mover.pauser.kind,
            "delayLine": self.delay_kind,
            "delayFrames": self.delay_line.counters() if self.delay_line else None,
            "nves": [
                {"name": nve.name, "dpid": nve.number, "server": nve.server, "bridge": nve.name} for nve in self.plan.nves
            ],
            "ports": ports,
            "links": [
                {
                    "name": link.name,
                    "ends": [{"node": node, "port": port} for node, port in link.ends],
                    "delayMs": link.delay_ms,
                }
                for link in self.plan.links
            ],
            "firewalls": [self._firewall_info(firewall) for firewall in self.plan.firewalls],
            "hypervisorFirewalls": [self._hypervisor_firewall_info(firewall) for firewall in self.plan.hypervisor_firewalls],
            "management": {"bridge": MANAGEMENT_BRIDGE, "address": MANAGEMENT_ADDRESS} if self.plan.all_firewalls else None,
            "vms": [self._vm_info(vm, ofports) for vm in self.plan.vms],
        }

    def _firewall_info(self, firewall):
        data_ports = [(link.name, port) for link in self.plan.links for node, port in link.ends if node == firewall.name]
        host = self.net.get(firewall.name)
        return {
            **self._place_info(firewall),
            "bridge": BRIDGE,
            "dataPorts": [{"name": port, "mac": mac_of(host, port), "link": link} for link, port in data_ports],
        }

    def _hypervisor_firewall_info(self, firewall):
        guards = [(vm, *vm.guard) for vm in self.plan.vms]
        return {
            **self._place_info(firewall),
            "server": f"Server{firewall.number}",
            "guards": [
                {"vm": vm.name, "vlan": vm.vlan, "bridge": bridge, "vmPort": vm_port, "nvePort": nve_port}
                for vm, bridge, vm_port, nve_port in guards
            ],
        }

    def _place_info(self, firewall):
        return {
            "name": firewall.name,
            "pid": self.net.get(firewall.name).pid,
            "netns": path_of(firewall.netns),
            "managementAddress": firewall.management_address,
            "managementPort": firewall.management_port,
            "zones": {str(vlan): zone for vlan, zone in firewall.zones.items()},
            "rulesetFile": firewall.ruleset,
        }

    def _vm_info(self, vm, ofports):
        place = self.mover.place_of(vm.name)
        return {
            "name": vm.name,
            "vm": vm.number,
            "tenant": vm.tenant,
            "vlan": vm.vlan,
            "pid": self.net.get(vm.name).pid,
            "netns": path_of(vm.netns),
            "nic": NIC,
            "mac": vm.mac,
            "ipv4": vm.ipv4,
            "ipv6": vm.ipv6,
            "server": place.server,
            "nve": place.nve,
            "vap": place.vap,
            "ofport": ofports.get(place.vap),
        }

    def _ports(self):
        """Ports of the NVEs with what they are for."""
        fabric = {port: (node, link.name) for link in self.plan.links for node, port in link.ends}
        vaps = self.mover.vaps()
        rows = self.ovsdb.select("Interface", [], ["name", "ofport"])
        ofports = {row["name"]: row["ofport"] for row in rows if isinstance(row["ofport"], int)}
        switches = {nve.name for nve in self.plan.nves}
        found = [
            {"nve": node, "name": port, "ofport": ofports[port], "role": "fabric", "link": link}
            for port, (node, link) in fabric.items()
            if node in switches and port in ofports
        ]
        return found + [
            {"nve": nve, "name": port, "ofport": ofports[port], "role": "vap", "vm": vm}
            for port, (nve, vm) in vaps.items()
            if port in ofports
        ]

    def _set_ssl(self, ssl):
        self.record.note_ssl(read_ssl())
        words = [ssl["privateKey"], ssl["certificate"], ssl["caCert"]]
        status, _, err = attempt(["ovs-vsctl", "--timeout=10", "set-ssl", *words])
        if status != 0:
            raise TestbedError("bad-options", f"ssl: {err.strip()}")

    def _progress(self, text):
        self._say("progress", text=text)

    def _event(self, event, **content):
        self._say("event", event=event, **content)


def read_ssl():
    """The Open vSwitch's own TLS setting, {} if there is none."""
    client = OvsdbClient()
    rows = client.select("SSL", [], ["private_key", "certificate", "ca_cert"])
    client.close()
    if not rows:
        return {}
    return {"privateKey": rows[0]["private_key"], "certificate": rows[0]["certificate"], "caCert": rows[0]["ca_cert"]}


def mac_of(host, interface):
    shown = run(["nsenter", f"--net={host.netns_path}", "--", "ip", "-json", "link", "show", "dev", interface])
    return json.loads(shown)[0]["address"]


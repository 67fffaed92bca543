"""The links of the testbed as Mininet knows them: fabric links, with the delay line's two ends between theirs when they have a
delay, and the first cable of a VM."""

import time

from mininet.link import Intf, Link

from command import ip_batch
from interfaces import no_ipv6, offloads_off, quiet_port_commands
from network_namespace import path_of
from plan import DELAY_NETNS
from rtnetlink import LinkSocket
from testbed_error import TestbedError


def _interface(name, node, link, port):
    return Intf(name, node=node, link=link, port=port, moveIntfFn=lambda *_args, **_kwargs: None)


def make_veth(left, right, left_netns=None, right_netns=None):
    """A veth pair, each end quiet, without offloads and up. Namespaces are given by path, None is the root namespace."""
    # Made in the root namespace under its final names, then moved: no name is taken twice on the way.
    ip_batch([f"link add name {left} type veth peer name {right}"])
    ends = ((left, left_netns), (right, right_netns))
    for name, netns in ends:
        if netns:
            ip_batch([f"link set dev {name} netns {netns}"])
    for name, netns in ends:
        no_ipv6(name, netns)
        offloads_off(name, netns)
        ip_batch(quiet_port_commands(name), netns)


class FabricLink(Link):
    """plan: the LinkPlan."""

    def __init__(self, node1, node2, port1=None, port2=None, plan=None, **_params):
        # pylint: disable=super-init-not-called
        self.plan = plan
        self.node1, self.node2 = node1, node2
        nodes = {node1.name: node1, node2.name: node2}
        (name1, port_name1), (name2, port_name2) = plan.ends
        netns1, netns2 = (getattr(nodes[name], "netns_path", None) for name in (name1, name2))
        if plan.delayed:
            delay_netns = path_of(DELAY_NETNS)
            make_veth(port_name1, plan.middle_of(port_name1), netns1, delay_netns)
            make_veth(port_name2, plan.middle_of(port_name2), netns2, delay_netns)
        else:
            make_veth(port_name1, port_name2, netns1, netns2)
        ports = {node1.name: port1, node2.name: port2}
        names = dict(plan.ends)
        self.intf1 = _interface(names[node1.name], node1, self, ports[node1.name])
        self.intf2 = _interface(names[node2.name], node2, self, ports[node2.name])

    def status(self):
        return "OK"


class VmCable(Link):
    """From the VM's first cable to its NVE. vm_plan: the VmPlan; make(inner, outer): makes the two ends."""

    def __init__(self, node1, node2, port1=None, port2=None, vm_plan=None, make=None, **_params):
        # pylint: disable=super-init-not-called
        self.vm_plan = vm_plan
        vm, nve, nve_port = (node1, node2, port2) if node1.name == vm_plan.name else (node2, node1, port1)
        outer = vm_plan.cable(0)
        if make:
            make("cab0", outer)
        else:
            make_veth("cab0", outer, vm.netns_path, None)
        inside = _interface("cab0", vm, self, 1)
        outside = _interface(outer, nve, self, nve_port)
        self.intf1, self.intf2 = (inside, outside) if vm is node1 else (outside, inside)

    def status(self):
        return "OK"


def set_link(fabric, name, up):
    """Both ends lose or get their carrier: with a delay line by its ends in the middle, without by the ends themselves."""
    link = next((link for link in fabric.plan.links if link.name == name), None)
    if link is None:
        raise TestbedError("unknown-link", f"there is no link {name}")
    for node, port in link.ends:
        if link.delayed:
            netns, interface = path_of(DELAY_NETNS), link.middle_of(port)
        else:
            netns, interface = getattr(fabric.net.get(node), "netns_path", None), port
        socket = LinkSocket(netns)
        try:
            socket.set_up(interface, up)
        finally:
            socket.close()
    return {"at": round(time.time() * 1000, 3)}

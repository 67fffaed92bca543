"""VFW1 ...: the virtual firewall in a server's hypervisor, between its VMs and its NVE. A network namespace with a bridge for each VM,
through netfilter, as OpenStack's hybrid plug has them: the same ports and rules on every server, whichever VMs are there."""

from command import ip_batch
from fabric_link import make_veth
from firewall import Firewall, make_bridge
from network_namespace import path_of


class HypervisorFirewall(Firewall):
    """vms: the VmPlans of all VMs."""

    def __init__(self, name, plan=None, management=None, vms=(), **params):
        super().__init__(name, plan=plan, management=management, **params)
        self._vms = vms
        self.set_up_netfilter()  # before the first bridge: cables are made before nodes are configured

    def config(self, **_params):
        self.load_ruleset({port: vm.vlan for vm in self._vms for port in vm.guard[1:]})
        ip_batch(["link set dev lo up"], self.netns_path)
        if self.management:
            self.management.attach(self.plan, self.netns_path)
        return {}


def make_guarded_cable(inner, outer, vm, firewall):
    """From a VM's interface through a server's firewall to the VAP. vm, firewall: their plans."""
    bridge, vm_port, nve_port = vm.guard
    netns = path_of(firewall.netns)
    make_veth(inner, vm_port, path_of(vm.netns), netns)
    make_veth(nve_port, outer, netns, None)
    make_bridge(bridge, [vm_port, nve_port], netns)

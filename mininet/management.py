"""The management network of the agents: a Linux bridge in the root namespace, apart from the fabric."""

from command import attempt, ip_batch, interface_exists
from interfaces import no_ipv6
from plan import MANAGEMENT_ADDRESS, MANAGEMENT_BRIDGE, MANAGEMENT_PREFIX


class ManagementNetwork:
    def __init__(self):
        self._attached = set()

    def attach(self, firewall, netns):
        """firewall: the FirewallPlan."""
        if not self._attached:
            ip_batch([f"link add name {MANAGEMENT_BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"])
            no_ipv6(MANAGEMENT_BRIDGE)
            ip_batch(
                [
                    f"addr add {MANAGEMENT_ADDRESS}/{MANAGEMENT_PREFIX} dev {MANAGEMENT_BRIDGE}",
                    f"link set dev {MANAGEMENT_BRIDGE} up",
                ]
            )
        self._attached.add(firewall.name)
        outer, inner = firewall.management_peer, firewall.management_port
        ip_batch([f"link add name {outer} type veth peer name {inner}", f"link set dev {inner} netns {netns}"])
        no_ipv6(outer)
        ip_batch([f"link set dev {outer} master {MANAGEMENT_BRIDGE} up"])
        address = f"{firewall.management_address}/{MANAGEMENT_PREFIX}"
        ip_batch([f"addr add {address} dev {inner}", f"link set dev {inner} up"], netns)

    def detach(self, firewall):
        self._attached.discard(firewall.name)
        if interface_exists(firewall.management_peer):
            attempt(["ip", "link", "delete", firewall.management_peer])
        if not self._attached and interface_exists(MANAGEMENT_BRIDGE):
            attempt(["ip", "link", "delete", MANAGEMENT_BRIDGE])

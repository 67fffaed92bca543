"""What a testbed consists of, as data: names, addresses, numbers. Makes nothing and asks the machine nothing."""

from dataclasses import dataclass, field
import re

from testbed_error import TestbedError

DEFAULT_TENANTS = ({"name": "a", "vlan": 101}, {"name": "b", "vlan": 102})
DEFAULT_PROTOCOLS = ("OpenFlow13", "OpenFlow14", "OpenFlow15")
MANAGEMENT_BRIDGE = "sf-mgmt"
MANAGEMENT_ADDRESS = "10.255.0.1"
MANAGEMENT_PREFIX = 24
DELAY_NETNS = "sf-delay"


@dataclass(frozen=True)
class NvePlan:
    number: int

    @property
    def name(self):
        return f"NVE{self.number}"

    @property
    def server(self):
        return f"Server{self.number}"


@dataclass(frozen=True)
class FirewallPlan:
    number: int
    zones: dict  # VLAN -> conntrack zone
    filters: bool  # False: bridges without netfilter (mode "wire")
    ruleset: str
    in_hypervisor: bool = False  # between the VMs of server `number` and its NVE, instead of between NVEs

    @property
    def name(self):
        return f"{'VFW' if self.in_hypervisor else 'FW'}{self.number}"

    @property
    def netns(self):
        return f"sf-{self.name.lower()}"

    @property
    def management_port(self):
        return f"{self.name.lower()}-mgmt"

    @property
    def management_peer(self):
        return f"sf-{self.name.lower()}-mgmt"

    @property
    def management_address(self):
        return f"10.255.0.{(20 if self.in_hypervisor else 10) + self.number}"


@dataclass(frozen=True)
class LinkPlan:
    """A fabric link. ends: (node name, its interface) twice."""

    name: str
    ends: tuple
    delay_ms: float = 0.0

    @property
    def delayed(self):
        return self.delay_ms > 0

    def middle_of(self, interface):
        """The delay line's own end opposite to an interface."""
        return f"dl-{interface}"


@dataclass(frozen=True)
class VmPlan:
    number: int
    tenant: str
    tenant_place: int  # counted from 1
    vlan: int
    server_number: int
    rate_mbit: float | None = None

    @property
    def name(self):
        return f"vm{self.number}-{self.tenant}"

    @property
    def netns(self):
        return f"sf-{self.name}"

    @property
    def mac(self):
        return f"02:53:46:00:{self.tenant_place:02x}:{self.number:02x}"

    @property
    def ipv4(self):
        return f"10.0.0.{self.number}"

    @property
    def ipv6(self):
        return f"fd00::{self.number}"

    @property
    def guard(self):
        """Where the VM passes the firewall of its server: (bridge, port towards the VM, port towards the NVE)."""
        return f"br-{self.name}", f"in-{self.name}", f"out-{self.name}"

    def cable(self, place):
        """OVS side of the VM's cable: the first has the VM's name, spare ones a number before the tenant."""
        return self.name if place == 0 else f"vm{self.number}.{place}-{self.tenant}"


@dataclass(frozen=True)
class Plan:
    topology: str
    mode: str
    nves: tuple
    firewalls: tuple
    links: tuple
    vms: tuple
    controllers: tuple | None  # None: whatever Mininet was given
    hypervisor_firewalls: tuple = ()  # one for every server, or none
    protocols: tuple = DEFAULT_PROTOCOLS
    fail_mode: str = "secure"
    datapath: str = "auto"
    ssl: dict | None = None
    options: dict = field(default_factory=dict)

    def root_interfaces(self):
        """Names this plan takes in the root namespace (without the bridges)."""
        switches = {nve.name for nve in self.nves}
        names = [port for link in self.links for node, port in link.ends if node in switches]
        # Behind hypervisor firewalls every VM has a cable on every server.
        cables = max(1, len(self.hypervisor_firewalls))
        names += [vm.cable(place) for vm in self.vms for place in range(cables)]
        if self.all_firewalls:
            names += [MANAGEMENT_BRIDGE, *(firewall.management_peer for firewall in self.all_firewalls)]
        return names

    @property
    def all_firewalls(self):
        return self.firewalls + self.hypervisor_firewalls

    def hypervisor_firewall_of(self, server_number):
        return next((firewall for firewall in self.hypervisor_firewalls if firewall.number == server_number), None)

    def namespaces(self):
        names = [firewall.netns for firewall in self.all_firewalls] + [vm.netns for vm in self.vms]
        return names + ([DELAY_NETNS] if any(link.delayed for link in self.links) else [])


def tenants_of(options):
    tenants = options.get("tenants") or DEFAULT_TENANTS
    names = [tenant.get("name") for tenant in tenants]
    vlans = [tenant.get("vlan") for tenant in tenants]
    if any(not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]{1,3}", name) for name in names):
        raise TestbedError("bad-options", "a tenant's name is 1 to 3 lower-case letters or digits")
    if any(not isinstance(vlan, int) or not 1 <= vlan <= 4094 for vlan in vlans):
        raise TestbedError("bad-options", "a tenant's vlan is a number from 1 to 4094")
    if len(set(names)) != len(names) or len(set(vlans)) != len(vlans):
        raise TestbedError("bad-options", "tenants need different names and different vlans")
    return [(place, tenant["name"], tenant["vlan"]) for place, tenant in enumerate(tenants, start=1)]


def delays_of(options, link_names):
    """Delay of each link, from one number or a table by link name."""
    given = options.get("delayMs", 0) or 0
    if isinstance(given, dict):
        unknown = set(given) - set(link_names)
        if unknown:
            raise TestbedError("bad-options", f"delayMs: there is no link {', '.join(sorted(unknown))}")
        delays = {name: given.get(name, 0) for name in link_names}
    else:
        delays = {name: given for name in link_names}
    if any(not isinstance(delay, (int, float)) or not 0 <= delay <= 1000 for delay in delays.values()):
        raise TestbedError("bad-options", "delayMs is from 0 to 1000")
    return delays


def controllers_of(options):
    given = options.get("controller", "tcp:127.0.0.1:6653")
    if given is None:
        return ()
    targets = tuple(given) if isinstance(given, list) else (given,)
    if any(not isinstance(target, str) or not re.fullmatch(r"(tcp|ssl):\S+", target) for target in targets):
        raise TestbedError("bad-options", "controller is tcp:HOST:PORT or ssl:HOST:PORT, a list of them, or null")
    return targets


def vm_plans(options, numbers_on_servers, tenants=None):
    """Every tenant, or the first `tenants`, has the same VMs with the same addresses. numbers_on_servers: (VM number, server number)."""
    rate = options.get("rateMbit")
    if rate is not None and (not isinstance(rate, (int, float)) or rate <= 0):
        raise TestbedError("bad-options", "rateMbit is a number above 0")
    return tuple(
        VmPlan(number, name, place, vlan, server, rate)
        for place, name, vlan in tenants_of(options)[:tenants]
        for number, server in numbers_on_servers
    )


def common_of(options):
    """The options every topology has in common."""
    if options.get("datapath", "auto") not in ("auto", "kernel", "user"):
        raise TestbedError("bad-options", "datapath is auto, kernel or user")
    return {
        "controllers": controllers_of(options),
        "protocols": tuple(options.get("protocols") or DEFAULT_PROTOCOLS),
        "datapath": options.get("datapath", "auto"),
        "ssl": options.get("ssl"),
        "options": options,
    }

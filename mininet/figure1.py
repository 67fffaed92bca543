"""The draft's Figure 1: NVE1-FW1-NVE3, NVE2-FW2-NVE3, NVE1-NVE2. For the testbed, and by hand:

  sudo mn --custom mininet/figure1.py --topo figure1[,delayMs=5][,vm2=1][,mode=wire][,hypervisorFirewalls=1] --controller remote
"""

import os
import sys

# mn runs this file as text: its folder is not on the path, and its own name is only in the code object.
_HERE = os.path.dirname(os.path.abspath(sys._getframe().f_code.co_filename))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from plan import FirewallPlan, LinkPlan, NvePlan, Plan, common_of, delays_of, tenants_of, vm_plans  # noqa: E402
from testbed_error import TestbedError  # noqa: E402

FIRST_GUEST = 101
MOST_GUESTS = 100
ENDS = (
    (("NVE1", "n1-fw1"), ("FW1", "fw1-n1")),
    (("NVE3", "n3-fw1"), ("FW1", "fw1-n3")),
    (("NVE2", "n2-fw2"), ("FW2", "fw2-n2")),
    (("NVE3", "n3-fw2"), ("FW2", "fw2-n3")),
    (("NVE1", "n1-n2"), ("NVE2", "n2-n1")),
)


def plan_of(options):
    mode = options.get("mode", "firewall")
    if mode not in ("firewall", "wire"):
        raise TestbedError("bad-options", "mode of topology figure1 is firewall or wire")
    names = ["-".join(node for node, _ in ends) for ends in ENDS]
    delays = delays_of(options, names)
    servers = [(1, 1), (3, 3)] + ([(2, 2)] if options.get("vm2") else [])
    ruleset = os.path.abspath(options.get("ruleset") or os.path.join(_HERE, "firewall.nft"))
    if not os.path.isfile(ruleset):
        raise TestbedError("bad-options", f"ruleset: there is no file {ruleset}")
    if options.get("hypervisorFirewalls") and mode != "firewall":
        raise TestbedError("bad-options", "hypervisorFirewalls needs mode firewall")
    in_servers = (1, 2, 3) if options.get("hypervisorFirewalls") else ()
    return Plan(
        topology="figure1",
        mode=mode,
        nves=tuple(NvePlan(number) for number in (1, 2, 3)),
        firewalls=tuple(
            FirewallPlan(number, zones_of(options, f"FW{number}"), mode == "firewall", ruleset) for number in (1, 2)
        ),
        hypervisor_firewalls=tuple(
            FirewallPlan(number, zones_of(options, f"VFW{number}"), True, ruleset, in_hypervisor=True)
            for number in in_servers
        ),
        links=tuple(LinkPlan(name, ends, delays[name]) for name, ends in zip(names, ENDS)),
        vms=vm_plans(options, servers) + guests_of(options),
        **common_of(options),
    )


def guests_of(options):
    """More VMs of the first tenant on Server1, from number 101 on."""
    count = options.get("guests", 0)
    if not isinstance(count, int) or not 0 <= count <= MOST_GUESTS:
        raise TestbedError("bad-options", f"guests is a number from 0 to {MOST_GUESTS}")
    if count and options.get("hypervisorFirewalls"):
        raise TestbedError("bad-options", "guests and hypervisorFirewalls do not go together")
    return vm_plans(options, [(FIRST_GUEST + place, 1) for place in range(count)], tenants=1)


def zones_of(options, firewall):
    """Conntrack zone of every tenant's VLAN at one firewall; the same number unless something else is asked for."""
    given = (options.get("zones") or {}).get(firewall, {})
    zones = {vlan: int(given.get(str(vlan), vlan)) for _, _, vlan in tenants_of(options)}
    if any(not 1 <= zone <= 65535 for zone in zones.values()):
        raise TestbedError("bad-options", f"zones of {firewall}: a conntrack zone is from 1 to 65535")
    return zones


def _by_hand(**options):
    from console import topology_by_hand  # pylint: disable=import-outside-toplevel

    return topology_by_hand(plan_of({**options, "controller": None}))


topos = {"figure1": _by_hand}

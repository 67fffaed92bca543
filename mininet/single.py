"""Two NVEs and the link between them, no firewall: how soon a VM is reached at its new place (scenario `lab move`). Mode
"normal" runs the same on Open vSwitch's own learning (NORMAL, no controller), for comparison. By hand:

  sudo mn --custom mininet/single.py --topo move --controller remote
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(sys._getframe().f_code.co_filename))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from plan import LinkPlan, NvePlan, Plan, common_of, delays_of, vm_plans  # noqa: E402
from testbed_error import TestbedError  # noqa: E402

LINK = "NVE1-NVE2"


def plan_of(options):
    mode = options.get("mode", "wire")
    if mode not in ("wire", "normal"):
        raise TestbedError("bad-options", "mode of topology single is wire (the default) or normal")
    peer_server = options.get("peerServer", 1)
    if peer_server not in (1, 2):
        raise TestbedError("bad-options", "peerServer is 1 or 2")
    delays = delays_of(options, [LINK])
    common = common_of(options)
    if mode == "normal":
        common["controllers"] = ()
    return Plan(
        topology="single",
        mode=mode,
        nves=(NvePlan(1), NvePlan(2)),
        firewalls=(),
        links=(LinkPlan(LINK, (("NVE1", "n1-n2"), ("NVE2", "n2-n1")), delays[LINK]),),
        vms=vm_plans(options, [(1, 1), (3, peer_server)]),
        fail_mode="standalone" if mode == "normal" else "secure",
        **common,
    )


def _by_hand(**options):
    from console import topology_by_hand  # pylint: disable=import-outside-toplevel

    return topology_by_hand(plan_of({**options, "controller": None}))


topos = {"move": _by_hand}

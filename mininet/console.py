"""Mininet's own `mn` with this testbed: the same record, delay line and moves as under the lab, and `move`, `cut` and `heal` commands."""

import atexit
import cmd
from dataclasses import replace
import shlex
import sys

from mininet.cli import CLI
from mininet.log import info, output
from mininet.net import Mininet

from fabric import Fabric, PlanTopo
from fabric_link import set_link
from testbed_error import TestbedError
from vm_move import ANNOUNCEMENTS

USAGE = "usage: move VM SERVER [BLACKOUT_MS] [rarp|garp|none] [up|down]"


def topology_by_hand(plan):
    """What `--topo` makes. mn's controllers are used, so that --controller works as everywhere."""

    def say(kind, /, text="", **content):
        if kind == "progress":
            info(f"*** {text}\n")
        elif content.get("event") == "announced":
            info(f"*** {content['vm']} has announced itself {len(content['at'])} times\n")

    fabric = Fabric(replace(plan, controllers=None), say)
    atexit.register(fabric.close)  # whatever mn does
    try:
        fabric.prepare()
    except TestbedError as error:
        sys.exit(f"figure1: {error.message}")
    start = Mininet.start

    def start_and_adopt(net):
        start(net)
        fabric.adopt_network(net)

    Mininet.start = start_and_adopt
    CLI.identchars = cmd.IDENTCHARS + "-."  # names like vm1-a at the start of a line
    CLI.do_move = lambda _cli, line: move_by_hand(fabric, line)
    CLI.do_move.__doc__ = "Move a VM to another server. " + USAGE
    CLI.do_cut = lambda _cli, line: set_by_hand(fabric, line.strip(), False)
    CLI.do_cut.__doc__ = "Take the carrier of a fabric link away: cut LINK"
    CLI.do_heal = lambda _cli, line: set_by_hand(fabric, line.strip(), True)
    CLI.do_heal.__doc__ = "Give a fabric link its carrier back: heal LINK"
    return PlanTopo(plan=fabric.plan)


def move_by_hand(fabric, line):
    words = shlex.split(line)
    if len(words) < 2:
        output(USAGE + "\n")
        return
    options = {"announce": "rarp", "old_port": "down", "blackout_ms": 100.0}
    try:
        for word in words[2:]:
            if word in ANNOUNCEMENTS:
                options["announce"] = word
            elif word in ("up", "down"):
                options["old_port"] = word
            else:
                options["blackout_ms"] = float(word)
        moved = fabric.mover.move(words[0], words[1], **options)
    except ValueError:
        output(USAGE + "\n")
    except TestbedError as error:
        output(f"{error.message}\n")
    else:
        places = [f"{moved[end]['vap']} at {moved[end]['nve']} port {moved[end]['ofport']}" for end in ("from", "to")]
        output(f"{moved['vm']}: {places[0]} -> {places[1]}, away for {moved['pluggedAt'] - moved['unpluggedAt']:.1f} ms\n")


def set_by_hand(fabric, name, up):
    try:
        set_link(fabric, name, up)
    except TestbedError as error:
        links = ", ".join(link.name for link in fabric.plan.links)
        output(f"{error.message}; there are {links}\n")
    else:
        output(f"{name} is {'up' if up else 'down'}\n")

"""Gives fabric links their delay, in a namespace of its own (sf-delay): by netem where the kernel has it, else by delay_line.c."""

import json
import os
import shutil
import subprocess
import tempfile
import threading

from command import attempt, ip_batch, run
from interfaces import write_sysctls
from network_namespace import path_of
from plan import DELAY_NETNS
from testbed_error import TestbedError

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "delay_line.c")
COMPILERS = ("cc", "gcc", "clang")
NETEM_LIMIT = 200000  # frames under way: never the reason of a loss


def make_namespace():
    run(["ip", "netns", "add", DELAY_NETNS])
    settings = {"net/ipv6/conf/default/disable_ipv6": 1}
    if os.path.isdir("/proc/sys/net/bridge"):
        settings["net/bridge/bridge-nf-call-iptables"] = 0
        settings["net/bridge/bridge-nf-call-ip6tables"] = 0
    write_sysctls(settings, path_of(DELAY_NETNS))


def start_delay_line(links, record):
    """links: the LinkPlans; those without a delay are left alone. Gives the kind: none, netem or userspace, and the line."""
    delayed = [link for link in links if link.delayed]
    if not delayed:
        return "none", None
    if netem_available(delayed[0]):
        for place, link in enumerate(delayed):
            bridge_with_netem(place, link)
        return "netem", None
    line = UserspaceDelayLine(delayed)
    record.add_process(line.pid)
    return "userspace", line


def _middles(link):
    return [link.middle_of(port) for _, port in link.ends]


def netem_available(link):
    attempt(["modprobe", "-q", "sch_netem"])
    inside = ["nsenter", f"--net={path_of(DELAY_NETNS)}", "--"]
    end = _middles(link)[0]
    status, _, _ = attempt([*inside, "tc", "qdisc", "add", "dev", end, "root", "netem", "delay", "1ms"])
    if status == 0:
        run([*inside, "tc", "qdisc", "delete", "dev", end, "root"])
    return status == 0


def bridge_with_netem(place, link):
    """A bridge between the two middle ends, netem on the way out of each: Open vSwitch, which sets the queueing discipline of its
    own ports, cannot disturb it."""
    netns = path_of(DELAY_NETNS)
    bridge = f"lk{place}"
    ip_batch(
        [
            # 0xfff8: everything a bridge may forward of 01:80:c2:00:00:0x, so that LLDP passes.
            f"link add name {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0 group_fwd_mask 0xfff8",
            f"link set dev {bridge} arp off up",
        ],
        netns,
    )
    for end in _middles(link):
        ip_batch([f"link set dev {end} master {bridge}"], netns)
        inside = ["nsenter", f"--net={netns}", "--"]
        run([*inside, "bridge", "link", "set", "dev", end, "learning", "off", "flood", "on"])
        delay = [f"{link.delay_ms * 1000:.0f}us", "limit", str(NETEM_LIMIT)]
        run([*inside, "tc", "qdisc", "add", "dev", end, "root", "netem", "delay", *delay])


class UserspaceDelayLine:
    """The compiled program, alive until its standard input is closed."""

    def __init__(self, links):
        arguments = []
        for link in links:
            arguments += [f"{link.delay_ms * 1000:.0f}", *_middles(link)]
        directory = tempfile.mkdtemp(prefix="sf-delay-")
        try:
            program = compile_delay_line(directory)
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["nsenter", f"--net={path_of(DELAY_NETNS)}", "--", program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            if self._process.stdout.readline() != "ready\n":
                raise TestbedError("command-failed", "the delay line did not start")
        finally:
            shutil.rmtree(directory)  # a running program needs its file no more
        self._lock = threading.Lock()

    @property
    def pid(self):
        return self._process.pid

    def counters(self):
        """{ forwarded, linkDown, oversize, overrun }: frames since the start."""
        with self._lock:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


def compile_delay_line(directory):
    compiler = next((found for found in map(shutil.which, COMPILERS) if found), None)
    if compiler is None:
        raise TestbedError("tool-missing", "link delays need netem in the kernel or a C compiler (package gcc, libc6-dev)")
    program = os.path.join(directory, "delay_line")
    run([compiler, "-O2", "-o", program, SOURCE], timeout_s=60)
    return program

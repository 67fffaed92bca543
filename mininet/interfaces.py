"""How every interface of the testbed is set: what a capture shows is what was on the wire, and the machine's own network stack
keeps out of the fabric."""

from command import run
from network_namespace import call_inside

OFFLOADS = ("tx", "sg", "tso", "gso", "gro")


def offloads_off(name, netns=None):
    """Without this, frames pass Open vSwitch's userspace datapath with unfinished checksums, and captures show segments of 64 kB."""
    inside = ["nsenter", f"--net={netns}", "--"] if netns else []
    settings = [word for offload in OFFLOADS for word in (offload, "off")]
    run([*inside, "ethtool", "-K", name, *settings])


def write_sysctls(settings, netns=None):
    """/proc/sys/net shows the settings of the namespace of the thread that looks."""

    def write():
        for name, value in settings.items():
            with open(f"/proc/sys/{name}", "w", encoding="ascii") as setting:
                setting.write(str(value))

    if netns:
        call_inside(netns, write)
    else:
        write()


def quiet_port_commands(name):
    """`ip` commands for the switch's side of a cable: no ARP answers, and up."""
    return [f"link set dev {name} arp off", f"link set dev {name} up"]


def no_ipv6(name, netns=None):
    """Before the interface comes up: or the kernel's own link-local address talks in the fabric."""
    write_sysctls({f"net/ipv6/conf/{name}/disable_ipv6": 1}, netns)

"""Moves a VM: freezes it, unplugs it, waits the blackout, plugs it in elsewhere, thaws it and lets it announce itself. Everything
that costs time (tools, connections, cables) is made beforehand; a move itself is two transactions or two netlink requests."""

from dataclasses import dataclass
import threading
import time

from announce import Announcer
from nve import vm_identity
from rtnetlink import LinkSocket
from testbed_error import TestbedError
from vm import NIC

ANNOUNCEMENTS = ("rarp", "garp", "none")
CARRIER_TIMEOUT_S = 5


@dataclass(frozen=True)
class Place:
    server: str
    nve: str
    vap: str

    def as_json(self, ofport):
        return {"server": self.server, "nve": self.nve, "vap": self.vap, "ofport": ofport}


class Attachment:
    """One VM and where its cables are."""

    def __init__(self, vm):
        self.vm = vm
        self.plan = vm.plan
        self.cable = vm.plan.cable(0)  # the one eth0 is plugged into
        self.plugged = {self.cable: f"NVE{vm.plan.server_number}"}  # cable -> NVE that has its VAP
        self.busy = threading.Lock()
        self.links = LinkSocket(vm.netns_path)
        self.announcer = Announcer(vm.netns_path, NIC, vm.plan.mac, vm.plan.ipv4, vm.plan.ipv6)

    def close(self):
        self.links.close()
        self.announcer.close()


def ms(seconds):
    return round(seconds * 1000, 3)


class Mover:
    """event(name, **content): where announcements are reported."""

    def __init__(self, plan, vms, ovsdb, pauser, record, event):
        self.pauser = pauser
        self._plan = plan
        self._ovsdb = ovsdb
        self._record = record
        self._event = event
        self._servers = {nve.server.lower(): nve for nve in plan.nves}
        self._attachments = {vm.name: Attachment(vm) for vm in vms}
        ports = ovsdb.select("Port", [], ["name", "_uuid"])
        self._port_uuids = {row["name"]: row["_uuid"][1] for row in ports}

    def close(self):
        for attachment in self._attachments.values():
            attachment.close()

    def place_of(self, vm):
        attachment = self._attachment(vm)
        nve = attachment.plugged.get(attachment.cable)
        return Place(nve.replace("NVE", "Server") if nve else None, nve, attachment.cable)

    def vaps(self):
        """VAP -> (NVE, VM)."""
        return {
            cable: (nve, name)
            for name, attachment in self._attachments.items()
            for cable, nve in dict(attachment.plugged).items()
        }

    def adopt(self, vm, pid):
        self.pauser.adopt(self._attachment(vm).plan.name, pid)

    def freeze(self, vm):
        self.pauser.freeze(self._attachment(vm).plan.name)
        return ms(time.time())

    def thaw(self, vm):
        self.pauser.thaw(self._attachment(vm).plan.name)
        return ms(time.time())

    def announce(self, vm, kind):
        if kind not in ANNOUNCEMENTS:
            raise TestbedError("bad-request", f"announce is one of {', '.join(ANNOUNCEMENTS)}")
        attachment = self._attachment(vm)
        if kind == "none":
            return None
        name = attachment.plan.name

        def report(times):
            self._event("announced", vm=name, kind=kind, at=[ms(at) for at in times])

        return ms(attachment.announcer.announce(kind, report))

    def move(self, vm, server, blackout_ms=100.0, announce="rarp", old_port="down"):
        attachment = self._attachment(vm)
        nve = self._servers.get(str(server).lower())
        if nve is None:
            raise TestbedError("unknown-server", f"there is no {server}")
        if announce not in ANNOUNCEMENTS or old_port not in ("up", "down"):
            raise TestbedError("bad-request", f"announce is one of {', '.join(ANNOUNCEMENTS)}, oldPort up or down")
        if not isinstance(blackout_ms, (int, float)) or not 0 <= blackout_ms <= 60000:
            raise TestbedError("bad-request", "blackoutMs is from 0 to 60000")
        if not attachment.busy.acquire(blocking=False):
            raise TestbedError("vm-busy", f"{vm} is moving already")
        try:
            carry = self._carry_port_up if old_port == "up" else self._carry_port_down
            return self._move(attachment, nve, blackout_ms / 1000, announce, carry)
        finally:
            attachment.busy.release()

    def _move(self, attachment, nve, blackout_s, announce, carry):
        name = attachment.plan.name
        old_place = self.place_of(name)
        old_ofport = self._ofport(old_place.vap)
        unplug, plug = carry(attachment, nve.name)
        times = {"freezeRequestedAt": ms(time.time())}
        self.pauser.freeze(name)
        try:
            times["frozenAt"] = ms(time.time())
            requested, unplugged = unplug()
            times.update(unplugRequestedAt=ms(requested), unpluggedAt=ms(unplugged))
            time.sleep(max(0.0, unplugged + blackout_s - time.time()))
            requested, plugged = plug()
            times.update(plugRequestedAt=ms(requested), pluggedAt=ms(plugged))
        finally:
            self.pauser.thaw(name)
        times["thawedAt"] = ms(time.time())
        times["announcedAt"] = self.announce(name, announce)
        new_place = self.place_of(name)
        return {
            "vm": name,
            "from": old_place.as_json(old_ofport),
            "to": new_place.as_json(self._ofport(new_place.vap)),
            **times,
        }

    def _carry_port_down(self, attachment, nve):
        """The VAP itself goes: from the old bridge, and from any other where an earlier move left one; then to the new one. Behind
        hypervisor firewalls the VM goes on at its cable on the new server."""
        old, vm, links = attachment.cable, attachment.vm, attachment.links
        new = vm.cable_on.get(nve, old)

        def unplug():
            gone = dict(attachment.plugged)
            if new != old:
                links.set_master(vm.inner_side(old), None)
            times = self._ovsdb.commit(*(self._delete_port(bridge, port) for port, bridge in gone.items()))
            attachment.plugged.clear()
            return times

        def plug():
            if new != old:
                links.set_master(vm.inner_side(new), NIC)
                attachment.cable = new
            return self._plug(attachment, new, nve)

        return unplug, plug

    def _carry_port_up(self, attachment, nve):
        """The old VAP stays as it is; the VM goes on at another cable, whose VAP is in place before it begins."""
        old, new = attachment.cable, self._ready_cable(attachment, nve)
        vm, links = attachment.vm, attachment.links

        def unplug():
            requested = time.time()
            links.set_master(vm.inner_side(old), None)
            return requested, time.time()

        def plug():
            requested = time.time()
            links.set_master(vm.inner_side(new), NIC)
            attachment.cable = new
            return requested, time.time()

        return unplug, plug

    def _ready_cable(self, attachment, nve):
        """Another cable of the VM with a VAP at this NVE that is up."""
        vm = attachment.vm
        others = [cable for cable in vm.cables if cable != attachment.cable]
        if vm.cable_on:
            others = [cable for cable in others if cable == vm.cable_on[nve]]
        cable = next((cable for cable in others if attachment.plugged.get(cable) == nve), None)
        if cable is None:
            cable = next((cable for cable in others if cable not in attachment.plugged), None) or vm.add_cable(self._record)
            self._plug(attachment, cable, nve)
        end = time.monotonic() + CARRIER_TIMEOUT_S
        while not attachment.links.is_running(vm.inner_side(cable)):
            if time.monotonic() > end:
                raise TestbedError("command-failed", f"{cable} got no carrier")
            time.sleep(0.005)
        return cable

    def _plug(self, attachment, cable, nve):
        interface = {"name": cable, "external_ids": ["map", list(vm_identity(attachment.plan).items())]}
        port = {"name": cable, "interfaces": ["named-uuid", "interface"]}
        if self._plan.mode == "normal":
            port["tag"] = attachment.plan.vlan
        times = self._ovsdb.commit(
            {"op": "insert", "table": "Interface", "uuid-name": "interface", "row": interface},
            {"op": "insert", "table": "Port", "uuid-name": "port", "row": port},
            self._mutate_ports(nve, "insert", ["set", [["named-uuid", "port"]]]),
        )
        attachment.plugged[cable] = nve
        (row,) = self._ovsdb.select("Port", [["name", "==", cable]], ["_uuid"])
        self._port_uuids[cable] = row["_uuid"][1]
        return times

    def _delete_port(self, nve, cable):
        return self._mutate_ports(nve, "delete", ["set", [["uuid", self._port_uuids[cable]]]])

    @staticmethod
    def _mutate_ports(nve, mutator, ports):
        return {"op": "mutate", "table": "Bridge", "where": [["name", "==", nve]], "mutations": [["ports", mutator, ports]]}

    def _ofport(self, vap):
        rows = self._ovsdb.select("Interface", [["name", "==", vap]], ["ofport"])
        return rows[0]["ofport"] if rows and isinstance(rows[0]["ofport"], int) else None

    def _attachment(self, vm):
        found = self._attachments.get(vm) or self._attachments.get(str(vm).lower())
        if found is None:
            raise TestbedError("unknown-vm", f"there is no VM {vm}")
        return found

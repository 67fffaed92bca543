"""One testbed at a time on a machine, and a record of everything it makes, written before it is made: what a killed testbed
leaves can be found and removed, and nothing else is ever touched."""

import errno
import json
import os
import secrets
import socket
import time

from command import attempt, interface_exists, start_time, write_sysctl
from network_namespace import drop_name, end_processes, path_of, processes_inside
from pause import adopted_processes, freezer_root, remove_groups, thaw_all
from testbed_error import TestbedError

DIRECTORY = "/run/stateferry-lab"
RECORD = os.path.join(DIRECTORY, "RUN.json")
LOCK = "\0stateferry-lab"


class RunRecord:
    """Holds the lock from open() to close()."""

    def __init__(self, lock):
        self._lock = lock
        self._content = {
            "run": f"{int(time.time())}-{secrets.token_hex(2)}",
            "pid": os.getpid(),
            "startTime": start_time(os.getpid()),
            "bridges": [],
            "links": [],
            "namespaces": [],
            "processes": [],
            "sysctls": {},
            "ssl": None,
            "cgroup": None,
        }

    @classmethod
    def open(cls, lock_wait_s=0.0):
        lock = take_lock(lock_wait_s)
        clean_up_after_the_dead()
        return cls(lock)

    @property
    def run(self):
        return self._content["run"]

    @property
    def cgroup(self):
        return self._content["cgroup"]

    def plan(self, plan):
        """Notes all that a plan will make. Refuses names that somebody else uses."""
        taken = [name for name in plan.root_interfaces() if interface_exists(name)]
        taken += [nve.name for nve in plan.nves if attempt(["ovs-vsctl", "br-exists", nve.name])[0] == 0]
        taken += [name for name in plan.namespaces() if os.path.exists(path_of(name))]
        if taken:
            raise TestbedError("bad-options", f"names in use by something else: {', '.join(taken)}")
        root = freezer_root()
        self._content["cgroup"] = os.path.join(root, "stateferry-lab", self.run) if root else None
        self._content["bridges"] = [nve.name for nve in plan.nves]
        self._content["links"] = plan.root_interfaces()
        self._content["namespaces"] = plan.namespaces()
        self._write()

    def add_link(self, name):
        self._content["links"].append(name)
        self._write()

    def add_process(self, pid):
        self._content["processes"].append([pid, start_time(pid)])
        self._write()

    def set_sysctl(self, name, value):
        """Changes a host-wide setting until the run ends."""
        path = "/proc/sys/" + name.replace(".", "/")
        with open(path, encoding="ascii") as setting:
            self._content["sysctls"].setdefault(name, setting.read().strip())
        self._write()
        write_sysctl(name, value)

    def note_ssl(self, before):
        self._content["ssl"] = before
        self._write()

    def close(self):
        remove_leavings(self._content)
        self._lock.close()

    def _write(self):
        os.makedirs(DIRECTORY, exist_ok=True)
        temporary = RECORD + ".new"
        with open(temporary, "w", encoding="utf8") as file:
            json.dump(self._content, file, indent=1)
        os.replace(temporary, RECORD)


def take_lock(wait_s):
    """The lock is an abstract socket name: it belongs to the root network namespace, as the names do that it protects (also across
    chroots), and goes with the process that holds it."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end = time.monotonic() + wait_s
    while True:
        try:
            lock.bind(LOCK)
            return lock
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        if time.monotonic() >= end:
            lock.close()
            record = read_record()
            who = f" (process {record['pid']}, run {record['run']})" if record else ""
            raise TestbedError("locked", f"another testbed is running on this machine{who}")
        time.sleep(0.1)


def read_record():
    try:
        with open(RECORD, encoding="utf8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def clean_up_after_the_dead():
    """With the lock held: whoever wrote the record is gone. True if there was anything."""
    record = read_record()
    if record is None:
        return False
    if record["pid"] != os.getpid() and start_time(record["pid"]) == record["startTime"]:
        raise TestbedError("locked", f"another testbed is running on this machine (process {record['pid']}, run {record['run']})")
    remove_leavings(record)
    return True


def remove_leavings(record):
    """Ends the run's processes and removes what it made. Nothing in here minds things that are gone already."""
    shells = {pid for pid, started in record["processes"] if start_time(pid) == started}
    thaw_all(record["cgroup"])
    inside = {pid for name in record["namespaces"] for pid in processes_inside(path_of(name))}
    end_processes((inside | set(adopted_processes(record["cgroup"]))) - shells)
    end_processes(shells, grace_s=0.0)  # Mininet's shells are interactive: they ignore SIGTERM
    if record["bridges"]:
        deletions = " -- ".join(f"--if-exists del-br {name}" for name in record["bridges"])
        attempt(["ovs-vsctl", "--timeout=10", *deletions.split()])
    for name in record["links"]:
        if interface_exists(name):
            attempt(["ip", "link", "delete", name])
    for name in record["namespaces"]:
        drop_name(name)
    if record["cgroup"]:
        remove_groups(record["cgroup"])
    for name, value in record["sysctls"].items():
        write_sysctl(name, value)
    if record["ssl"] is not None:
        restore_ssl(record["ssl"])
    try:
        os.unlink(RECORD)
        os.rmdir(DIRECTORY)
    except OSError:
        pass  # gone already, or somebody keeps something there


def restore_ssl(before):
    if before:
        attempt(["ovs-vsctl", "--timeout=10", "set-ssl", before["privateKey"], before["certificate"], before["caCert"]])
    else:
        attempt(["ovs-vsctl", "--timeout=10", "del-ssl"])

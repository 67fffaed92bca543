"""Pauses a VM's processes while it moves: the cgroup v2 freezer where the machine has one (children are caught too, and one
write stops all), SIGSTOP to the adopted processes and their descendants elsewhere."""

import os
import signal
import time

from command import start_time
from testbed_error import TestbedError

FREEZE_TIMEOUT_S = 2


def freezer_root():
    """Mount point of a writable cgroup v2 hierarchy, None if there is none."""
    with open("/proc/mounts", encoding="utf8") as mounts:
        for line in mounts:
            _, point, kind, options = line.split()[:4]
            if kind == "cgroup2" and "rw" in options.split(",") and os.access(point, os.W_OK):
                return point
    return None


def open_pauser(directory):
    """directory: our own place below the freezer's root, None without a freezer."""
    return CgroupPauser(directory) if directory else SignalPauser()


class CgroupPauser:
    kind = "cgroup"

    def __init__(self, directory):
        self._directory = directory
        os.makedirs(directory, exist_ok=True)

    def adopt(self, vm, pid):
        group = os.path.join(self._directory, vm)
        os.makedirs(group, exist_ok=True)
        procs = os.path.join(group, "cgroup.procs")
        try:
            _write(procs, str(pid))
        except OSError as error:
            raise TestbedError("no-such-process", f"process {pid} cannot be adopted: {error.strerror}") from error
        # Children born from now on are in the group; those that were there before are brought in, parents first.
        todo = _children(pid)
        while todo:
            child = todo.pop()
            try:
                _write(procs, str(child))
            except OSError:
                continue  # it has ended
            todo.extend(_children(child))

    def freeze(self, vm):
        self._set(vm, "1")

    def thaw(self, vm):
        self._set(vm, "0")

    def _set(self, vm, value):
        group = os.path.join(self._directory, vm)
        if not os.path.isdir(group):
            return  # nothing was adopted
        _write(os.path.join(group, "cgroup.freeze"), value)
        end = time.monotonic() + FREEZE_TIMEOUT_S
        while f"frozen {value}" not in _read(os.path.join(group, "cgroup.events")):
            if time.monotonic() > end:
                raise TestbedError("command-failed", f"the processes of {vm} did not stop within {FREEZE_TIMEOUT_S} s")
            time.sleep(0.0002)


class SignalPauser:
    kind = "signal"

    def __init__(self):
        self._adopted = {}

    def adopt(self, vm, pid):
        started = start_time(pid)
        if started is None:
            raise TestbedError("no-such-process", f"there is no process {pid}")
        self._adopted.setdefault(vm, set()).add((pid, started))

    def freeze(self, vm):
        self._signal(vm, signal.SIGSTOP)

    def thaw(self, vm):
        self._signal(vm, signal.SIGCONT)

    def _signal(self, vm, number):
        alive = {(pid, started) for pid, started in self._adopted.get(vm, ()) if start_time(pid) == started}
        self._adopted[vm] = alive
        todo = [pid for pid, _ in alive]
        while todo:
            pid = todo.pop()
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
            todo.extend(_children(pid))


def _children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found.extend(int(child) for child in _read(f"/proc/{pid}/task/{task}/children").split())
    except OSError:
        pass
    return found


def remove_groups(directory):
    """Takes the cgroups of a run away. Their processes have ended or are on their way."""
    if not os.path.isdir(directory):
        return
    groups = [os.path.join(directory, name) for name in os.listdir(directory)]
    for group in [path for path in groups if os.path.isdir(path)] + [directory, os.path.dirname(directory)]:
        end = time.monotonic() + FREEZE_TIMEOUT_S
        while True:
            try:
                os.rmdir(group)
                break
            except FileNotFoundError:
                break
            except OSError:
                if time.monotonic() > end or group == os.path.dirname(directory):
                    break
                time.sleep(0.01)


def adopted_processes(directory):
    """Pids in all cgroups of a run."""
    found = []
    if directory and os.path.isdir(directory):
        for name in os.listdir(directory):
            procs = os.path.join(directory, name, "cgroup.procs")
            if os.path.exists(procs):
                found.extend(int(pid) for pid in _read(procs).split())
    return found


def thaw_all(directory):
    """A frozen process does not act on SIGTERM."""
    if directory and os.path.isdir(directory):
        for name in os.listdir(directory):
            freeze = os.path.join(directory, name, "cgroup.freeze")
            if os.path.exists(freeze):
                _write(freeze, "0")


def _read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)

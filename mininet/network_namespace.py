"""Network namespaces: names for them, sockets inside them, the processes in them. A named namespace is a mount, so that its
inode cannot be given to somebody else's namespace while the name exists: what is found inside it is ours to end."""

import ctypes
import os
import signal
import threading
import time

from command import attempt, run, start_time

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def path_of(name):
    return f"/run/netns/{name}"


def give_name(name, pid):
    run(["ip", "netns", "attach", name, str(pid)])


def drop_name(name):
    if os.path.exists(path_of(name)):
        attempt(["ip", "netns", "delete", name])


def call_inside(path, function):
    """Result of function() run by a thread that has entered the namespace. Sockets it opens stay in there for good, so that
    nothing has to be forked later when time counts. setns(2) acts on that thread only, and the thread ends here."""
    outcome = {}

    def enter_and_call():
        try:
            with open(path, "rb") as namespace:
                if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, f"setns {path}: {os.strerror(number)}")
            outcome["value"] = function()
        except BaseException as error:  # handed to the caller's thread
            outcome["error"] = error

    thread = threading.Thread(target=enter_and_call)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def processes_inside(path):
    """Pids of the processes in a named namespace."""
    try:
        wanted = os.stat(path)
    except OSError:
        return []
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            namespace = os.stat(f"/proc/{entry}/ns/net")
        except OSError:
            continue
        if (namespace.st_dev, namespace.st_ino) == (wanted.st_dev, wanted.st_ino):
            found.append(int(entry))
    return found


def end_processes(pids, grace_s=1.0):
    """SIGTERM, and SIGKILL for those that are still there after the grace. A process is named by pid and start time."""
    alive = {(pid, start_time(pid)) for pid in pids if pid not in (1, os.getpid())}
    for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 2.0)):
        for pid, _ in alive:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            alive = {(pid, started) for pid, started in alive if started is not None and start_time(pid) == started}
            if not alive:
                return
            time.sleep(0.01)

"""Runs the system's tools and looks at /proc. Knows nothing of topologies."""

import os
import subprocess

from testbed_error import TestbedError

TIMEOUT_S = 20


def run(argv, stdin=None, timeout_s=TIMEOUT_S):
    """Standard output of a tool that must succeed."""
    status, out, err = attempt(argv, stdin, timeout_s)
    if status != 0:
        raise TestbedError("command-failed", f"{' '.join(argv)}: {(err or out).strip() or f'status {status}'}")
    return out


def attempt(argv, stdin=None, timeout_s=TIMEOUT_S):
    """(status, standard output, standard error) of a tool that may fail."""
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise TestbedError("tool-missing", f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise TestbedError("command-failed", f"{' '.join(argv)}: no end after {timeout_s} s") from error
    return done.returncode, done.stdout, done.stderr


def ip_batch(lines, netns=None):
    """Several `ip` commands in one process, optionally inside a namespace given by its path."""
    inside = ["nsenter", f"--net={netns}", "--"] if netns else []
    run([*inside, "ip", "-batch", "-"], stdin="\n".join(lines) + "\n")


def start_time(pid):
    """Start of a process in clock ticks since boot, None if it is gone. With the pid it names one process for good."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def write_sysctl(name, value):
    """Host-wide (root namespace) sysctl; gives back what it was."""
    path = "/proc/sys/" + name.replace(".", "/")
    with open(path, encoding="ascii") as setting:
        before = setting.read().strip()
    with open(path, "w", encoding="ascii") as setting:
        setting.write(str(value))
    return before


def interface_exists(name):
    return os.path.exists(f"/sys/class/net/{name}")

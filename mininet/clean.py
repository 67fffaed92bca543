#!/usr/bin/python3
"""Removes what a killed testbed left behind, by its record in /run/stateferry-lab. With --force also ends a live one."""

import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from command import start_time  # noqa: E402
from network_namespace import end_processes  # noqa: E402
from run_record import DIRECTORY, clean_up_after_the_dead, read_record, take_lock  # noqa: E402
from testbed_error import TestbedError  # noqa: E402

FORCED_GRACE_S = 15


def main():
    if os.geteuid() != 0:
        print("clean: needs root", file=sys.stderr)
        return 1
    if not os.path.isdir(DIRECTORY):
        print("clean: nothing to remove")
        return 0
    if "--force" in sys.argv[1:]:
        end_live_testbed()
    try:
        _lock = take_lock(wait_s=1.0)  # until this function returns
        record = read_record()
        if clean_up_after_the_dead():
            print(f"clean: removed what run {record['run']} left")
        else:
            print("clean: nothing to remove")
    except TestbedError as error:
        print(f"clean: {error.message}; --force ends it", file=sys.stderr)
        return 1
    return 0


def end_live_testbed():
    """SIGTERM first: a living testbed cleans up after itself."""
    record = read_record()
    if record and start_time(record["pid"]) == record["startTime"]:
        started = time.monotonic()
        end_processes([record["pid"]], grace_s=FORCED_GRACE_S)
        print(f"clean: run {record['run']} ended after {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    sys.exit(main())

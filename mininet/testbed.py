#!/usr/bin/python3
"""The testbed as a program: JSON lines in, JSON lines out (README.md). Reads requests, answers them, and takes everything down
when its input ends. What is built and how a VM moves stands elsewhere."""

import json
import os
import signal
import sys
import threading
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from testbed_error import TestbedError  # noqa: E402


class Stopped(Exception):
    """Raised by a signal, wherever the main thread is."""


class Conversation:
    """One line at a time, whole, whichever thread writes it."""

    def __init__(self):
        # Mininet and its children print where they like: our own lines get a descriptor of their own.
        self._out = os.fdopen(os.dup(1), "w", encoding="utf8")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def say(self, kind, /, **content):
        with self._lock:
            try:
                self._out.write(json.dumps({"type": kind, **content}) + "\n")
                self._out.flush()
            except (BrokenPipeError, ValueError):
                pass  # nobody listens any more; the end of the input will tell us

    def answer(self, request_id, function):
        try:
            self.say("reply", id=request_id, ok=True, result=function())
        except Stopped:
            raise
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.say("reply", id=request_id, ok=False, error=as_json(error))


def as_json(error):
    if isinstance(error, TestbedError):
        return {"code": error.code, "message": error.message}
    traceback.print_exception(error, file=sys.stderr)
    return {"code": "internal", "message": f"{type(error).__name__}: {error}"}


def parse(line):
    try:
        request = json.loads(line)
    except ValueError as error:
        raise TestbedError("bad-request", f"not JSON: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("cmd"), str) or "id" not in request:
        raise TestbedError("bad-request", 'a request is an object with "id" and "cmd"')
    return request


def on_signal(_number, _frame):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # once is enough: the way down must not be cut short
    raise Stopped


def serve(conversation, lines):
    """Until the input ends or `stop`. Gives the id of the stop request."""
    start = parse(next(lines, "") or '{"id":null,"cmd":"stop"}')
    if start["cmd"] == "stop":
        return start["id"]
    if start["cmd"] != "start":
        raise TestbedError("bad-request", "the first request is start")
    from fabric import Fabric, plan_of  # pylint: disable=import-outside-toplevel
    from requests_of_lab import COMMANDS  # pylint: disable=import-outside-toplevel

    fabric = Fabric(plan_of(start.get("options") or {}), conversation.say)
    try:
        fabric.build()
        conversation.answer(start["id"], fabric.info)
        for line in lines:
            request_id = None
            try:
                request = parse(line)
                request_id = request["id"]
                if request["cmd"] == "stop":
                    return request_id
                command = COMMANDS.get(request["cmd"])
                if command is None:
                    raise TestbedError("bad-request", f"unknown command {request['cmd']}")
            except TestbedError as error:
                conversation.say("reply", id=request_id, ok=False, error=as_json(error))
                continue
            call = (lambda command, request: lambda: command(fabric, request))(command, request)
            threading.Thread(target=conversation.answer, args=(request_id, call), daemon=True).start()
        return None
    finally:
        fabric.close()


def main():
    conversation = Conversation()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        if os.geteuid() != 0:
            raise TestbedError("not-root", "the testbed makes network namespaces and bridges: it needs root")
        stop_id = serve(conversation, iter(sys.stdin.readline, ""))
        if stop_id is not None:
            conversation.say("reply", id=stop_id, ok=True, result={})
    except Stopped:
        pass
    except BaseException as error:  # pylint: disable=broad-exception-caught
        conversation.say("fatal", error=as_json(error))
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    # Daemon threads may still be asleep in an announcement; nothing is left for them to do.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

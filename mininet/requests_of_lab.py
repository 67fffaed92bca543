"""What the lab may ask for while the testbed runs: command name -> function(fabric, request)."""

from command import attempt
from fabric_link import set_link
from firewall import named_counters
from testbed_error import TestbedError


def required(request, key, kind):
    value = request.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TestbedError("bad-request", f'"{request["cmd"]}" needs "{key}"')
    return value


def adopt(fabric, request):
    fabric.mover.adopt(required(request, "vm", str), required(request, "pid", int))
    return {}


def move(fabric, request):
    return fabric.mover.move(
        required(request, "vm", str),
        required(request, "server", str),
        request.get("blackoutMs", 100),
        request.get("announce", "rarp"),
        request.get("oldPort", "down"),
    )


def freeze(fabric, request):
    return {"frozenAt": fabric.mover.freeze(required(request, "vm", str))}


def thaw(fabric, request):
    return {"thawedAt": fabric.mover.thaw(required(request, "vm", str))}


def announce(fabric, request):
    return {"announcedAt": fabric.mover.announce(required(request, "vm", str), request.get("announce", "rarp"))}


def counters(fabric, _request):
    return {host.name: named_counters(host.netns_path) if host.plan.filters else {} for host in fabric.firewalls()}


def linkdown(fabric, request):
    return set_link(fabric, required(request, "link", str), False)


def linkup(fabric, request):
    return set_link(fabric, required(request, "link", str), True)


def execute(fabric, request):
    argv = required(request, "argv", list)
    if not argv or not all(isinstance(word, str) for word in argv):
        raise TestbedError("bad-request", "argv is a list of words")
    node = fabric.node(required(request, "node", str))
    timeout_s = request.get("timeoutMs", 10000) / 1000
    status, out, err = attempt(["nsenter", f"--net={node.netns_path}", "--", *argv], timeout_s=timeout_s)
    return {"status": status, "stdout": out, "stderr": err}


def info(fabric, _request):
    return fabric.info()


COMMANDS = {
    "adopt": adopt,
    "announce": announce,
    "counters": counters,
    "exec": execute,
    "freeze": freeze,
    "info": info,
    "linkdown": linkdown,
    "linkup": linkup,
    "move": move,
    "thaw": thaw,
}

"""What this State Host knows: for every source, whom it has tried to reach. A counter over many flows, which no flow's own state
has: who moves to another place in the middle of a scan must not begin anew there.

The state is opaque to the SOM. Kind "portscan", schema version 1: a record is a line of JSON, [source, destination, port]."""

import hashlib
import json
import threading

KIND = "portscan"
SCHEMA_VERSION = 1


class Scope:
    """A selector of IF(M,A): what its VM and its peers (empty: anybody) have to do with each other."""

    def __init__(self, vnid, vm, peers):
        self.vnid, self._vm, self._peers = vnid, frozenset(vm), frozenset(peers)

    def covers(self, vnid, attempt):
        source, destination, _port = attempt
        return vnid == self.vnid and (self._pair(source, destination) or self._pair(destination, source))

    def _pair(self, one, other):
        return one in self._vm and (not self._peers or other in self._peers)


class PortScans:
    """Attempts by VNID; on_count(vnid, source, count) when a source has tried one target more."""

    def __init__(self, on_count=lambda vnid, source, count: None):
        self.lock = threading.RLock()
        self._attempts = {}  # VNID -> set of (source, destination, port)
        self._on_count = on_count

    def add(self, vnid, attempt):
        """True when it is new."""
        with self.lock:
            known = self._attempts.setdefault(vnid, set())
            if attempt in known:
                return False
            known.add(attempt)
            self._on_count(vnid, attempt[0], sum(1 for source, _, _ in known if source == attempt[0]))
            return True

    def has(self, vnid, attempt):
        return attempt in self._attempts.get(vnid, ())

    def remove(self, vnid, attempts):
        """How many of them were there."""
        with self.lock:
            known = self._attempts.get(vnid, set())
            gone = known & set(attempts)
            known -= gone
            return len(gone)

    def select(self, scope):
        with self.lock:
            return {attempt for attempt in self._attempts.get(scope.vnid, ()) if scope.covers(scope.vnid, attempt)}

    def size(self):
        with self.lock:
            return sum(len(known) for known in self._attempts.values())


def pack(attempts):
    return "".join(json.dumps(attempt) + "\n" for attempt in sorted(attempts)).encode()


def unpack(records):
    """Raises ValueError when it is no such record."""
    attempts = []
    for line in records.decode().splitlines():
        attempt = json.loads(line)
        if not isinstance(attempt, list) or [type(part) for part in attempt] != [str, str, int]:
            raise ValueError(f"no record: {line[:80]}")
        attempts.append(tuple(attempt))
    return attempts


def digest_of(vnid, attempts):
    """Both sides compute it and the SOM compares: what it is made of is between State Hosts of this kind."""
    return hashlib.sha256(json.dumps([vnid, sorted(attempts)]).encode()).digest()

"""The State Host's side of migrations: answers each request of IF(M,A), as source and as destination. Knows nothing of gRPC."""

import hashlib
import threading
import time

import stateferry_pb2 as pb
from portscan import KIND, Scope, digest_of, pack, unpack


class Refused(Exception):
    """A request answered by Refused; reason is one of docs/protocol.md's list."""

    def __init__(self, migration, reason, detail):
        super().__init__(f"{reason}: {detail}")
        self.message = pb.Refused(migration=migration, reason=reason, detail=detail)


class Source:
    """State of one selector on its way from here."""

    def __init__(self, migration, scope, emit):
        self.scope, self.handed_over = scope, set()
        self.phase = pb.PHASE_SNAPSHOT
        self._migration, self._emit, self._sequence = migration, emit, 0

    def send(self, attempts, final=False):
        records = pack(attempts)
        self._emit(
            pb.StateChunk(
                migration=self._migration,
                sequence=self._sequence,
                phase=self.phase,
                final=final,
                count=len(attempts),
                records=records,
                digest=hashlib.sha256(records).digest(),
                kind=KIND,
            )
        )
        self.handed_over |= set(attempts)
        self._sequence += 1
        return self._sequence - 1


class Destination:
    """State of one selector on its way to here."""

    def __init__(self, scope):
        self.scope, self.arrived, self.made = scope, set(), set()


class Migrations:
    """scans: the PortScans; rules: digest of what this State Host judges by; vnids: the VNs it serves; emit(chunk)."""

    def __init__(self, scans, rules, vnids, emit):
        self._scans, self._rules, self._vnids, self._emit = scans, rules, vnids, emit
        self._sources, self._destinations = {}, {}
        self._markers, self._marked = set(), threading.Condition()

    def seen(self, vnid, attempt):
        """An opener passed. What is new of a migration that is followed goes after it."""
        with self._scans.lock:
            if self._scans.add(vnid, attempt):
                for source in self._sources.values():
                    if source.scope.covers(vnid, attempt):
                        source.send([attempt])

    def marker(self, nonce):
        with self._marked:
            self._markers.add(nonce)
            self._marked.notify_all()

    def upload(self, request):
        migration, scope = request.migration, self._scope(request.migration, request.selector)
        self._check_kinds(migration, request.kinds)
        with self._scans.lock:
            attempts = self._scans.select(scope)
            if len(attempts) > request.limit:
                raise Refused(migration, "over-limit", f"{len(attempts)} records, limit {request.limit}")
            source = Source(migration, scope, self._emit)
            source.send(attempts, final=True)
            source.phase = pb.PHASE_DELTA
            if request.follow:
                self._sources[migration] = source
        return {"upload_state": pb.UploadState(migration=migration, manifest=self._manifest(scope.vnid, attempts))}

    def get_ready(self, request):
        migration, scope = request.migration, self._scope(request.migration, request.selector)
        self._check_kinds(migration, request.manifest.kinds)
        if request.manifest.ruleset_digest != self._rules:
            raise Refused(migration, "ruleset-differs", "the source counts by another threshold")
        with self._scans.lock:
            # What comes back here is not to be retired any more.
            for source in self._sources.values():
                source.handed_over = {a for a in source.handed_over if not scope.covers(source.scope.vnid, a)}
            self._destinations[migration] = Destination(scope)
        return {"ready": pb.Ready(migration=migration)}

    def download(self, chunk):
        """None for a chunk that is not final."""
        destination = self._destinations.get(chunk.migration)
        if destination is None:
            raise Refused(chunk.migration, "unknown-migration", "no Get ready came before")
        if hashlib.sha256(chunk.records).digest() != chunk.digest:
            raise Refused(chunk.migration, "bad-chunk", "the digest is not that of its records")
        try:
            attempts = unpack(chunk.records)
        except ValueError as error:
            raise Refused(chunk.migration, "bad-chunk", str(error)) from error
        vnid = destination.scope.vnid
        outside = next((a for a in attempts if not destination.scope.covers(vnid, a)), None)
        if outside:
            raise Refused(chunk.migration, "bad-record", f"{outside} is not of the selector")
        with self._scans.lock:
            for attempt in attempts:
                if self._scans.add(vnid, attempt):
                    destination.made.add(attempt)
                destination.arrived.add(attempt)
            # What is here now, not what was sent.
            here = {a for a in destination.arrived if self._scans.has(vnid, a)}
        if not chunk.final:
            return None
        installed = pb.Installed(migration=chunk.migration, sequence=chunk.sequence, records=len(here))
        installed.digest = digest_of(vnid, here)
        return {"installed": installed}

    def quiesce(self, request):
        end = time.monotonic() + request.bound_ms / 1000
        with self._marked:
            self._marked.wait_for(lambda: set(request.markers) <= self._markers, max(0.0, end - time.monotonic()))
            missing = len(set(request.markers) - self._markers)
            self._markers.clear()
        return {"quiesced": pb.Quiesced(migration=request.migration, handshakes=0, markers_missing=missing)}

    def gate(self, request):
        """It listens beside the traffic and refuses nothing: the switches hold what is new. Here only the deltas end."""
        source = self._source(request.migration)
        with self._scans.lock:
            source.phase = pb.PHASE_DRAIN
            sequence = source.send([], final=True)
            source.phase = pb.PHASE_LATE
            records, digest = len(source.handed_over), digest_of(source.scope.vnid, source.handed_over)
        return {"drained": pb.Drained(migration=request.migration, sequence=sequence, records=records, digest=digest)}

    def commit(self, request):
        return self._done(request.migration, 0)

    def abort(self, request):
        with self._scans.lock:
            self._sources.pop(request.migration, None)
            destination = self._destinations.pop(request.migration, None)
            gone = self._scans.remove(destination.scope.vnid, destination.made) if destination else 0
        return self._done(request.migration, gone)

    def retire(self, request):
        with self._scans.lock:
            source = self._sources.pop(request.migration, None)
            if source is None:
                raise Refused(request.migration, "unknown-migration", "not known here")
            gone = self._scans.remove(source.scope.vnid, source.handed_over)
        return self._done(request.migration, gone)

    def _scope(self, migration, selector):
        if selector.vnid not in self._vnids:
            raise Refused(migration, "unknown-vn", f"VNID {selector.vnid} is not served here")
        if not selector.vm:
            raise Refused(migration, "bad-selector", "the selector names no VM")
        return Scope(selector.vnid, selector.vm, selector.peers)

    def _check_kinds(self, migration, kinds):
        other = [kind for kind in kinds if kind != KIND]
        if other:
            raise Refused(migration, "unsupported-kind", ", ".join(other))

    def _manifest(self, vnid, attempts):
        return pb.Manifest(
            records=len(attempts), digest=digest_of(vnid, attempts), ruleset_digest=self._rules, kinds=[KIND]
        )

    def _source(self, migration):
        if migration not in self._sources:
            raise Refused(migration, "unknown-migration", "not known here")
        return self._sources[migration]

    @staticmethod
    def _done(migration, records):
        return {"done": pb.Done(migration=migration, records=records)}

#!/usr/bin/python3
"""A small intrusion detection system as a State Host: it counts whom each source tries to reach, raises an alarm at a threshold,
and takes what it has counted of a VM along when the VM moves. It shares no code with stateferry; it speaks IF(M,A) as
src/protocol/stateferry.proto defines it (README.md). One JSON object per line on standard output: counts and alarms.

  ids.py CONFIG.json"""

import hashlib
import json
import os
import queue
import sys
import threading
import time

import grpc
import stateferry_pb2 as pb
from frames import DataPort, announcement
from migrations import Migrations, Refused
from portscan import KIND, SCHEMA_VERSION, PortScans

METHOD = "/stateferry.v1.StateOrchestration/Session"
ANNOUNCE_S = 1.0
RETRY_S = 1.0
REQUESTS = {
    "upload_request": "upload",
    "get_ready": "get_ready",
    "state_chunk": "download",
    "quiesce": "quiesce",
    "gate": "gate",
    "commit": "commit",
    "abort": "abort",
    "retire": "retire",
}


def say(**what):
    print(json.dumps(what), flush=True)


class Ids:
    def __init__(self, config):
        self._config = config
        self._vnids = {vn["vlan"]: vn["vnid"] for vn in config["vns"]}
        self._outbox = queue.Queue()
        self.scans = PortScans(self._counted)
        self._rules = hashlib.sha256(f"threshold {config['threshold']}".encode()).hexdigest()
        self._migrations = Migrations(self.scans, self._rules, set(self._vnids.values()), self._emit)
        self._ports = [DataPort(name, self._opener, self._migrations.marker) for name in config["dataPorts"]]

    def run(self):
        """A session after the other; what was counted outlives them."""
        while True:
            try:
                self._session()
            except grpc.RpcError as error:
                say(event="session", lost=str(error.code()))
            time.sleep(RETRY_S)

    def _session(self):
        self._outbox = queue.Queue()
        nonce = os.urandom(16)
        over = threading.Event()
        self._send(
            aa_request=pb.AaRequest(
                identity=self._config["identity"],
                protocol_versions=[1],
                boot_id=os.urandom(8).hex(),
                nonce=nonce,
                wall_ms=time.time() * 1000,
                software="ids example",
            )
        )
        try:
            with self._channel() as channel:
                stream = channel.stream_stream(METHOD, pb.FromSoa.SerializeToString, pb.ToSoa.FromString)
                for message in stream(iter(self._outbox.get, None)):
                    self._take(message, nonce, over)
        finally:
            over.set()
            self._outbox.put(None)

    def _channel(self):
        som, tls = self._config["som"], self._config["tls"]
        read = lambda name: open(tls[name], "rb").read()  # pylint: disable=consider-using-with
        credentials = grpc.ssl_channel_credentials(read("ca"), read("key"), read("cert"))
        # The certificate names the SOM, not its address.
        return grpc.secure_channel(som["address"], credentials, [("grpc.ssl_target_name_override", som["serverName"])])

    def _take(self, message, nonce, over):
        body = message.WhichOneof("body")
        value = getattr(message, body)
        if body == "aa_reply":
            if value.nonce != nonce:
                raise SystemExit("the SOM answered another request")
            offset_ms = value.wall_ms - time.time() * 1000
            self._every(ANNOUNCE_S, over, lambda: self._announce(value.lldp_key, offset_ms))
            self._send(registration=self._registration())
        elif body == "registration_reply":
            self._every(value.heartbeat_ms / 1000, over, lambda: self._send(heartbeat=self._heartbeat()))
            say(event="session", registered=True)
        elif body == "refused":
            say(event="refused", reason=value.reason, detail=value.detail)
        elif body == "quiesce":  # waits; the others are answered meanwhile
            threading.Thread(target=self._answer, args=(message.request, body, value), daemon=True).start()
        else:
            self._answer(message.request, body, value)

    def _answer(self, request, body, value):
        try:
            if body not in REQUESTS:
                raise Refused("", "unsupported-kind", f"{body} is not known here")
            answer = getattr(self._migrations, REQUESTS[body])(value)
        except Refused as refused:
            answer = {"refused": refused.message}
        if answer:
            self._send(request, **answer)

    def _registration(self):
        return pb.StateHostRegistration(
            kind="ids",
            kinds_of_state=[pb.StateKind(name=KIND, schema_version=SCHEMA_VERSION)],
            functions=["upload", "download", "delta", "retire"],
            table_size=1_000_000,
            table_used=self.scans.size(),
            ruleset_digest=self._rules,
            zones=[pb.ZoneMapping(vnid=vnid, zone=vlan) for vlan, vnid in self._vnids.items()],
            data_ports=[pb.DataPort(name=port.name, mac=port.mac.hex(":")) for port in self._ports],
            role="ids",
        )

    def _heartbeat(self):
        return pb.Heartbeat(wall_ms=time.time() * 1000, table_used=self.scans.size(), ruleset_digest=self._rules)

    def _announce(self, key, offset_ms):
        for port in self._ports:
            port.send(announcement(self._config["identity"], port, key, int(time.time() * 1000 + offset_ms)))

    def _opener(self, vlan, attempt):
        if vlan in self._vnids:
            self._migrations.seen(self._vnids[vlan], attempt)

    def _counted(self, vnid, source, count):
        say(event="count", vnid=vnid, source=source, count=count)
        if count == self._config["threshold"]:
            say(event="alarm", vnid=vnid, source=source, count=count)

    def _emit(self, chunk):
        self._send(state_chunk=chunk)

    def _send(self, in_reply_to=0, **body):
        self._outbox.put(pb.FromSoa(in_reply_to=in_reply_to, **body))

    @staticmethod
    def _every(seconds, over, work):
        def loop():
            while not over.is_set():
                work()
                over.wait(seconds)

        threading.Thread(target=loop, daemon=True).start()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf8") as file:
        Ids(json.load(file)).run()

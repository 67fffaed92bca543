"""A small OVSDB client (RFC 7047) on the local unix socket. A move adds and deletes a port by one prepared transaction on a
connection that is open already, and knows when ovs-vswitchd has acted on it (cur_cfg has reached next_cfg, as ovs-vsctl waits)."""

import json
import os
import socket
import threading
import time

from testbed_error import TestbedError

REPLY_TIMEOUT_S = 10
DATABASE = "Open_vSwitch"


def socket_path():
    return os.path.join(os.environ.get("OVS_RUNDIR", "/var/run/openvswitch"), "db.sock")


class OvsdbClient:
    def __init__(self, path=None):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path or socket_path())
        except OSError as error:
            raise TestbedError("ovs-not-running", f"ovsdb-server does not answer on {path or socket_path()}") from error
        self._changed = threading.Condition()
        self._send_lock = threading.Lock()
        self._next_id = 0
        self._replies = {}
        self._current_config = -1
        self._closed = False
        threading.Thread(target=self._read, daemon=True).start()
        initial = self._call("monitor", [DATABASE, None, {"Open_vSwitch": {"columns": ["cur_cfg"]}}])
        self._note_update(initial)

    def close(self):
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def transact(self, *operations):
        results = self._call("transact", [DATABASE, *operations])
        for result in results:
            if result and result.get("error"):
                raise TestbedError("command-failed", f"OVSDB: {result['error']}: {result.get('details', '')}")
        return results

    def commit(self, *operations):
        """Changes the database and waits until ovs-vswitchd has done it. Gives both times, in s since the epoch."""
        requested_at = time.time()
        results = self.transact(
            *operations,
            {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]]},
            {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["next_cfg"]},
        )
        wanted = results[len(operations) + 1]["rows"][0]["next_cfg"]
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._current_config >= wanted, REPLY_TIMEOUT_S):
                raise TestbedError("command-failed", "ovs-vswitchd did not act on a change within 10 s")
        return requested_at, time.time()

    def select(self, table, where, columns):
        return self.transact({"op": "select", "table": table, "where": where, "columns": columns})[0]["rows"]

    def _call(self, method, params):
        with self._send_lock:
            self._next_id += 1
            request_id = self._next_id
            self._socket.sendall(json.dumps({"method": method, "params": params, "id": request_id}).encode())
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or request_id in self._replies, REPLY_TIMEOUT_S):
                raise TestbedError("ovs-not-running", "ovsdb-server did not answer within 10 s")
            if request_id not in self._replies:
                raise TestbedError("ovs-not-running", "the connection to ovsdb-server is closed")
            reply = self._replies.pop(request_id)
        if reply.get("error"):
            raise TestbedError("command-failed", f"OVSDB: {reply['error']}")
        return reply["result"]

    def _read(self):
        decoder = json.JSONDecoder()
        text = ""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                with self._changed:
                    self._closed = True
                    self._changed.notify_all()
                return
            text += data.decode()
            while text:
                try:
                    message, end = decoder.raw_decode(text)
                except json.JSONDecodeError:
                    break  # the rest has not arrived yet
                text = text[end:].lstrip()
                self._accept(message)

    def _accept(self, message):
        if message.get("method") == "echo":
            with self._send_lock:
                answer = {"id": message["id"], "result": message["params"], "error": None}
                self._socket.sendall(json.dumps(answer).encode())
        elif message.get("method") == "update":
            self._note_update(message["params"][1])
        elif "result" in message:
            with self._changed:
                self._replies[message["id"]] = message
                self._changed.notify_all()

    def _note_update(self, updates):
        for row in updates.get("Open_vSwitch", {}).values():
            current = row.get("new", {}).get("cur_cfg")
            if current is not None:
                with self._changed:
                    self._current_config = max(self._current_config, current)
                    self._changed.notify_all()

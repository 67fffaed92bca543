// What a watching controller says to a switch, as a machine without I/O: it agrees on a version, asks for features and ports,
// has every change of the flow tables told, and keeps the connection alive. It changes nothing of the switch.

import { OFPTT_ALL } from '../../openflow/constants.ts';
import { negotiate } from '../../openflow/handshake.ts';
import { HEADER_LENGTH, decodeHello, decodeMessage } from '../../openflow/message.ts';
import type { Message } from '../../openflow/message.ts';
import { OFPFMF } from '../../openflow/multipart/flow-monitor.ts';
import type { Match } from '../../openflow/model.ts';
import { NXFMF } from '../../openflow/nicira/flow-monitor.ts';
import { versionName } from '../../openflow/wire-version.ts';
import type { WireVersion } from '../../openflow/wire-version.ts';
import { WireError } from '../../base/errors.ts';

export interface WatchRequest {
  readonly versions: readonly WireVersion[];
  /** Bytes of packets that miss or are sent to controllers; 0 for none of these. */
  readonly packetBytes: number;
  /** Which flows to tell of. */
  readonly table: number | null;
  readonly match: Match;
}

export interface Sent {
  readonly version: WireVersion;
  readonly xid: number;
  readonly message: Message;
}

export interface WatchStep {
  readonly send: readonly Sent[];
  /** Whether the message is worth telling: not what only keeps the session. */
  readonly tell: boolean;
  /** Why the connection cannot go on. */
  readonly failure?: string;
}

const QUIET: ReadonlySet<Message['type']> = new Set(['echo_request', 'echo_reply', 'barrier_reply']);

export class Watcher {
  readonly #request: WatchRequest;
  #version: WireVersion | null = null;

  constructor(request: WatchRequest) {
    this.#request = request;
  }

  get version(): WireVersion | null {
    return this.#version;
  }

  begin(): readonly Sent[] {
    const { versions } = this.#request;
    const bitmap = versions.reduce<number>((bits, version) => bits | (1 << version), 0);
    const version = versions.toSorted((a, b) => b - a)[0] ?? 4;
    // A bitmap is an element that 1.0 alone does not have.
    const elements = version === 1 ? [] : [{ type: 'version_bitmap', bitmaps: [bitmap] } as const];
    return [{ version, xid: 1, message: { type: 'hello', elements } }];
  }

  onFrame(bytes: Buffer): WatchStep {
    if (this.#version === null) return this.#onFirst(bytes);
    if (bytes.length < HEADER_LENGTH) return { send: [], tell: true };
    try {
      const { version, xid, message } = decodeMessage(bytes);
      if (message.type === 'echo_request') {
        return { send: [{ version, xid, message: { type: 'echo_reply', data: message.data } }], tell: false };
      }
      return { send: [], tell: !QUIET.has(message.type) };
    } catch (error) {
      // The reader of sightings says what is wrong.
      if (!(error instanceof WireError)) throw error;
      return { send: [], tell: true };
    }
  }

  #onFirst(bytes: Buffer): WatchStep {
    const hello = decodeHello(bytes);
    if (hello === null) return { send: [], tell: true };
    const { versions } = this.#request;
    const agreed = negotiate(
      versions.toSorted((a, b) => a - b),
      hello.version,
      hello.hello,
    );
    if (agreed === null) {
      const failure = `no version in common: it speaks up to ${versionName(hello.version)}, this offers ${versions.map(versionName).join(', ')}`;
      return { send: [], tell: true, failure };
    }
    this.#version = agreed;
    return { send: this.#requests(agreed).map((message, i) => ({ version: agreed, xid: i + 2, message })), tell: true };
  }

  #requests(version: WireVersion): readonly Message[] {
    const { packetBytes } = this.#request;
    // On a management connection Open vSwitch tells of nothing by itself until miss_send_len is set.
    const missSendLen = packetBytes === 0 ? 128 : packetBytes;
    return [
      { type: 'features_request' },
      ...this.#asyncConfig(version),
      { type: 'set_config', flags: 0, missSendLen },
      { type: 'multipart_request', more: false, body: { part: 'port_desc' } },
      this.#flowMonitor(version),
    ];
  }

  /** Without packets where none are wanted: the switch then need not send them. */
  #asyncConfig(version: WireVersion): readonly Message[] {
    if (this.#request.packetBytes > 0) return [];
    const every = 0x3f;
    if (version === 1) {
      return [{ type: 'nx_set_async_config', packetIn: [0, 0], portStatus: [7, 7], flowRemoved: [every, every] }];
    }
    const properties = [
      { type: 'packet_in_master', mask: 0 },
      { type: 'packet_in_slave', mask: 0 },
      { type: 'port_status_master', mask: 7 },
      { type: 'port_status_slave', mask: 7 },
      { type: 'flow_removed_master', mask: version === 4 ? 0xf : every },
      { type: 'flow_removed_slave', mask: version === 4 ? 0xf : every },
    ] as const;
    return [{ type: 'set_async', properties }];
  }

  #flowMonitor(version: WireVersion): Message {
    const { table, match } = this.#request;
    const which = { table: table ?? OFPTT_ALL, match };
    if (version >= 5) {
      const flags = OFPFMF.INITIAL | OFPFMF.ADD | OFPFMF.REMOVED | OFPFMF.MODIFY | OFPFMF.INSTRUCTIONS;
      const body = { part: 'flow_monitor', monitors: [{ monitorId: 1, flags, ...which }] } as const;
      return { type: 'multipart_request', more: false, body };
    }
    const flags = NXFMF.INITIAL | NXFMF.ADD | NXFMF.DELETE | NXFMF.MODIFY | NXFMF.ACTIONS;
    return {
      type: 'multipart_request',
      more: false,
      body: { part: 'nx_flow_monitor', monitors: [{ id: 1, flags, ...which }] },
    };
  }
}

// A switch after its handshake, as the rest of the house sees it: commands, requests, ports, bundles. It turns what
// arrives into answers and events; it does not know the socket beyond the outbox.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { dpid } from '../base/ids.ts';
import type { Dpid, PortNo } from '../base/ids.ts';
import { prepareBundle } from './bundle-transaction.ts';
import type { BundleLine } from './bundle-transaction.ts';
import { HANDSHAKE_XIDS } from './handshake.ts';
import type { Session } from './handshake.ts';
import type { Message } from './message.ts';
import type { BundleControl } from './messages/bundle.ts';
import type { ReplyBody, RequestBody } from './messages/multipart.ts';
import type * as session from './messages/session.ts';
import type { Command, FlowMod, FlowStats, PortDesc, PreparedBundle, Switch, SwitchEvent } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { Outbox } from './outbox.ts';
import type { PortDescription } from './ports.ts';
import { RequestTable } from './request-table.ts';
import type { WireVersion } from './wire-version.ts';

/** Which message answers which. */
interface ReplyTo {
  readonly echo_request: session.EchoReply;
  readonly features_request: session.FeaturesReply;
  readonly get_config_request: session.GetConfigReply;
  readonly barrier_request: session.BarrierReply;
  readonly role_request: session.RoleReply;
  readonly bundle_control: BundleControl;
}
type Request = Extract<Message, { type: keyof ReplyTo }>;

const REPLY_TYPE: { readonly [K in keyof ReplyTo]: ReplyTo[K]['type'] } = {
  echo_request: 'echo_reply',
  features_request: 'features_reply',
  get_config_request: 'get_config_reply',
  barrier_request: 'barrier_reply',
  role_request: 'role_reply',
  bundle_control: 'bundle_control',
};

/** What has happened on a channel so far. */
export interface ChannelStats {
  readonly received: number;
  readonly malformed: number;
  /** Messages of a kind this library does not act on. */
  readonly ignored: number;
  /** Packet-outs given up because the switch read too slowly. */
  readonly droppedPacketOuts: number;
  /** Packet-ins given up because they came in numbers before the handshake was over. */
  readonly droppedEarly: number;
  /** Exceptions of the event handler. */
  readonly handlerErrors: number;
  readonly queuedBytes: number;
  readonly pendingRequests: number;
}

export interface SwitchChannelOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly requestTimeoutMs: number;
  readonly remote: string;
  readonly outbox: Outbox;
  readonly closed: AbortSignal;
  readonly onEvent: (channel: SwitchChannel, event: SwitchEvent) => void;
}

export class SwitchChannel implements Switch {
  readonly dpid: Dpid;
  readonly version: WireVersion;
  readonly remote: string;
  readonly closed: AbortSignal;
  readonly features: session.FeaturesReply;
  readonly #options: SwitchChannelOptions;
  readonly #outbox: Outbox;
  readonly #requests: RequestTable;
  readonly #ports: Map<PortNo, PortDescription>;
  readonly #bundles: BundleLine;
  readonly #counts: { -readonly [K in keyof ChannelStats]: ChannelStats[K] };
  #lastBundleId = 0;

  constructor(found: Session, options: SwitchChannelOptions) {
    this.version = found.version;
    this.features = found.features;
    this.dpid = dpid(found.features.datapathId.toString(16));
    this.remote = options.remote;
    this.closed = options.closed;
    this.#options = options;
    this.#outbox = options.outbox;
    this.#requests = new RequestTable(options.clock, options.requestTimeoutMs, HANDSHAKE_XIDS.first);
    this.#ports = new Map(found.ports.map((port) => [port.portNo, port]));
    this.#bundles = this.#bundleLine();
    this.#counts = {
      received: 0,
      malformed: 0,
      ignored: 0,
      droppedPacketOuts: 0,
      droppedEarly: found.dropped,
      handlerErrors: 0,
      queuedBytes: 0,
      pendingRequests: 0,
    };
    options.closed.addEventListener('abort', () => {
      this.#requests.rejectAll(closedError(options.closed));
    });
  }

  /** As the handshake found them and port-status has changed them since, up to the last event handed out. */
  ports(): Promise<readonly PortDesc[]> {
    return Promise.resolve([...this.#ports.values()]);
  }

  /**
   * Queues commands; errors the switch answers come as events of type `error`. When the queue is full a packet-out is
   * dropped and counted, anything else raises OpenFlowError QUEUE_FULL. On a closed channel nothing happens.
   */
  send(...commands: readonly Command[]): void {
    if (this.closed.aborted) return;
    for (const command of commands) {
      if (command.type === 'packet_out' && this.#outbox.full) this.#counts.droppedPacketOuts += 1;
      else this.#outbox.append(this.version, this.#requests.takeXids(), command);
    }
  }

  async barrier(): Promise<void> {
    await this.request({ type: 'barrier_request' });
  }

  /** The flows of all tables. */
  async flows(): Promise<readonly FlowStats[]> {
    const parts = await this.multipart({ part: 'flow', match: [] });
    return parts.flatMap((part) => (part.part === 'flow' ? part.flows : []));
  }

  /** What the switch says of itself (OFPMP_DESC). */
  async description(): Promise<Extract<ReplyBody, { part: 'desc' }>> {
    const [part] = await this.multipart({ part: 'desc' });
    if (part?.part !== 'desc') throw new OpenFlowError('UNEXPECTED_REPLY', 'no description in answer to desc');
    return part;
  }

  prepareBundle(mods: readonly FlowMod[]): Promise<PreparedBundle> {
    return prepareBundle(this.#bundles, mods);
  }

  /** One message and its answer. */
  async request<R extends Request>(request: R): Promise<ReplyTo[R['type']]> {
    const { message } = await this.#ask(request, REPLY_TYPE[request.type]);
    return message as ReplyTo[R['type']];
  }

  /** All parts of a multipart reply. */
  async multipart(body: RequestBody): Promise<readonly ReplyBody[]> {
    const { parts } = await this.#ask({ type: 'multipart_request', more: false, body }, 'multipart_reply');
    return parts;
  }

  /** Resolves when the switch has read what waited for it. For bulk work between calls of `send`. */
  drained(): Promise<void> {
    return this.#outbox.drained(this.closed);
  }

  stats(): ChannelStats {
    return { ...this.#counts, queuedBytes: this.#outbox.queuedBytes, pendingRequests: this.#requests.size };
  }

  /** For the connection: one more message has arrived. */
  receive(xid: number, message: Message): void {
    this.#counts.received += 1;
    if (message.type === 'packet_in' || message.type === 'flow_removed') {
      this.#emit(message);
    } else if (message.type === 'port_status') {
      if (message.reason === 'delete') this.#ports.delete(message.port.portNo);
      else this.#ports.set(message.port.portNo, message.port);
      this.#emit(message);
    } else if (this.#requests.accept(xid, message)) {
      return;
    } else if (message.type === 'error') {
      if (!this.#requests.acceptWatched(xid, message)) this.#emit({ ...message, xid });
    } else if (message.type !== 'echo_reply') {
      this.#counts.ignored += 1;
    }
  }

  /** For the connection: a message that could not be read. */
  countMalformed(): void {
    this.#counts.malformed += 1;
  }

  async #ask(message: Message, replyType: Message['type']): Promise<{ message: Message; parts: readonly ReplyBody[] }> {
    if (this.closed.aborted) throw closedError(this.closed);
    const xid = this.#requests.takeXids();
    this.#outbox.append(this.version, xid, message);
    return this.#requests.expect(xid, message.type, replyType);
  }

  #emit(event: SwitchEvent): void {
    try {
      this.#options.onEvent(this, event);
    } catch (error) {
      // A handler that throws must not take the connection, or other switches, with it.
      this.#counts.handlerErrors += 1;
      this.#options.log.error('OpenFlow event handler threw', { dpid: this.dpid, event: event.type, error });
    }
  }

  #bundleLine(): BundleLine {
    return {
      requests: this.#requests,
      nextBundleId: () => (this.#lastBundleId = (this.#lastBundleId % 0xffff_fffe) + 1),
      ask: (request) => this.request(request),
      append: (xid, message) => {
        if (this.closed.aborted) throw closedError(this.closed);
        this.#outbox.append(this.version, xid, message);
      },
      congested: () => this.#outbox.congested,
      drained: () => this.drained(),
    };
  }
}

function closedError(closed: AbortSignal): OpenFlowError {
  return new OpenFlowError('CLOSED', 'the channel is closed', { cause: closed.reason });
}

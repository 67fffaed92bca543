// A switch after its handshake, as the rest of the house sees it: commands, requests, ports, bundles, roles, events. It turns
// what arrives into answers and events; it does not know the socket beyond the outbox.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { dpid } from '../base/ids.ts';
import type { Dpid, PortNo } from '../base/ids.ts';
import { prepareBundle } from './bundle-transaction.ts';
import type { BundleOptions } from './bundle-transaction.ts';
import { ChannelEvents } from './channel-events.ts';
import type { ChannelEvent, UnaskedMessage } from './channel-events.ts';
import { channelStats } from './channel-stats.ts';
import type { ChannelStats, ConnectionFigures } from './channel-stats.ts';
import { confirm } from './confirmation.ts';
import type { EventStream, EventStreamOptions } from './event-stream.ts';
import { HANDSHAKE_XIDS } from './handshake.ts';
import type { Session } from './handshake.ts';
import type { EtherTypeTable } from './lanes.ts';
import { Line, MAIN } from './line.ts';
import type { RequestOptions } from './line.ts';
import type { Message } from './message.ts';
import type { ReplyBody, RequestBody } from './messages/multipart.ts';
import type { FeaturesReply } from './messages/session.ts';
import type { FlowMod, FlowStats, PortDesc, PreparedBundle, Switch, SwitchEvent } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { Outbox } from './outbox.ts';
import type { PortDescription } from './ports.ts';
import type { PartsOf, ReplyTo, Request } from './replies.ts';
import { changeRole, currentRole } from './roles.ts';
import type { Role, RoleOutcome, RoleState } from './roles.ts';
import type { WireVersion } from './wire-version.ts';

export interface SwitchChannelOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly requestTimeoutMs: number;
  readonly maxReplyBytes?: number;
  readonly remote: string;
  readonly outbox: Outbox;
  readonly closed: AbortSignal;
  readonly etherTypes: EtherTypeTable;
  readonly figures: () => ConnectionFigures;
  readonly onEvent?: (channel: SwitchChannel, event: SwitchEvent) => void;
  readonly onMessage?: (channel: SwitchChannel, xid: number, message: UnaskedMessage) => void;
}

export class SwitchChannel implements Switch {
  readonly dpid: Dpid;
  readonly version: WireVersion;
  readonly remote: string;
  readonly closed: AbortSignal;
  readonly features: FeaturesReply;
  readonly #line: Line;
  readonly #events: ChannelEvents;
  readonly #ports: Map<PortNo, PortDescription>;
  /** Of the connections, by auxiliary id. */
  readonly #figures = new Map<number, () => ConnectionFigures>();
  readonly #droppedEarly: number;
  #received = 0;
  #malformed = 0;
  #lastBundleId = 0;

  constructor(found: Session, options: SwitchChannelOptions) {
    const { clock, requestTimeoutMs, outbox, closed, onEvent, onMessage, maxReplyBytes } = options;
    this.version = found.version;
    this.features = found.features;
    this.dpid = dpid(found.features.datapathId.toString(16));
    this.remote = options.remote;
    this.closed = closed;
    this.#line = new Line(found.version, outbox, closed, {
      clock,
      timeoutMs: requestTimeoutMs,
      firstXid: HANDSHAKE_XIDS.first,
      ...(maxReplyBytes === undefined ? {} : { maxReplyBytes }),
    });
    this.#events = new ChannelEvents({
      etherTypes: options.etherTypes,
      onEvent:
        onEvent &&
        ((event) => {
          onEvent(this, event);
        }),
      onMessage:
        onMessage &&
        ((xid, message) => {
          onMessage(this, xid, message);
        }),
      onThrow: (event, error, count) => {
        // One line for each doubling: a handler that always throws must not fill the disk.
        if ((count & (count - 1)) !== 0) return;
        options.log.error('OpenFlow event handler threw', { dpid: this.dpid, event, error, count });
      },
    });
    this.#ports = new Map(found.ports.map((port) => [port.portNo, port]));
    this.#figures.set(MAIN, options.figures);
    this.#droppedEarly = found.dropped;
  }

  /** As the handshake found them and port-status has changed them since, up to the last event handed out. */
  ports(): Promise<readonly PortDesc[]> {
    return Promise.resolve([...this.#ports.values()]);
  }

  /**
   * Queues messages; errors the switch answers come as events of type `error`. When the queue is full a packet-out is
   * dropped and counted, anything else raises OpenFlowError QUEUE_FULL. On a closed channel nothing happens.
   */
  send(...messages: readonly Message[]): void {
    this.#line.send(messages);
  }

  /** As `send`, over an auxiliary connection. */
  sendVia(auxiliary: number, ...messages: readonly Message[]): void {
    this.#line.send(messages, auxiliary);
  }

  /** As `send`, and resolves when the switch has carried them out; rejects with its first refusal. */
  confirm(messages: readonly Message[], options?: Omit<RequestOptions, 'auxiliary'>): Promise<void> {
    return confirm(this.#line, messages, options);
  }

  /** One message and its answer: what that is follows from the message. Of a multipart request: the bodies of all parts. */
  async request<const R extends Request>(request: R, options?: RequestOptions): Promise<ReplyTo<R>> {
    const { message, parts } = await this.#line.ask(request, options);
    return (request.type === 'multipart_request' ? parts : message) as ReplyTo<R>;
  }

  /** All parts of a multipart reply. */
  async multipart<const B extends RequestBody>(body: B, options?: RequestOptions): Promise<PartsOf<B['part']>> {
    const { parts } = await this.#line.ask({ type: 'multipart_request', more: false, body }, options);
    return parts as PartsOf<B['part']>;
  }

  async barrier(options?: RequestOptions): Promise<void> {
    await this.request({ type: 'barrier_request' }, options);
  }

  /** The flows of all tables. */
  async flows(options?: RequestOptions): Promise<readonly FlowStats[]> {
    const parts = await this.multipart({ part: 'flow', match: [] }, options);
    return parts.flatMap(({ flows }) => flows);
  }

  /** What the switch says of itself (OFPMP_DESC). */
  async description(options?: RequestOptions): Promise<Extract<ReplyBody, { part: 'desc' }>> {
    const [part] = await this.multipart({ part: 'desc' }, options);
    if (part === undefined) throw new OpenFlowError('UNEXPECTED_REPLY', 'no description in answer to desc');
    return part;
  }

  prepareBundle(mods: readonly FlowMod[], options?: BundleOptions): Promise<PreparedBundle> {
    return prepareBundle(this.#line, this.#nextBundleId(), mods, options);
  }

  /** A bundle as one call: resolves when it has taken effect; nothing has when it rejects, unless atomic is false. */
  async bundle(messages: readonly Message[], options?: BundleOptions): Promise<void> {
    const prepared = await prepareBundle(this.#line, this.#nextBundleId(), messages, options);
    await prepared.commit();
  }

  role(options?: RequestOptions): Promise<RoleState> {
    return currentRole(this.#line, options);
  }

  /** `generationId`: of the election that made this controller master or slave; it does not count for `equal`. */
  setRole(role: Role, generationId: bigint, options?: RequestOptions): Promise<RoleOutcome> {
    return changeRole(this.#line, role, generationId, options);
  }

  /** What the switch says from now on, until the channel closes. A slow reader loses packet-ins first (`dropped`). */
  events(options: EventStreamOptions = {}): EventStream<ChannelEvent> {
    return this.#events.open(options, this.closed);
  }

  /** Ids of the auxiliary connections: `sendVia` and requests may name one. */
  get auxiliaries(): readonly number[] {
    return this.#line.auxiliaries;
  }

  /** Resolves when the switch has read what waited for it. For bulk work between calls of `send`. */
  drained(signal?: AbortSignal): Promise<void> {
    return this.#line.drained(signal);
  }

  stats(): ChannelStats {
    return channelStats(
      [...this.#figures.values()].map((figures) => figures()),
      this.#line,
      this.#events,
      { received: this.#received, malformed: this.#malformed, droppedEarly: this.#droppedEarly },
    );
  }

  /** For the server: an auxiliary connection of this switch, until `closed` aborts. */
  join(auxiliary: number, outbox: Outbox, closed: AbortSignal, figures: () => ConnectionFigures): void {
    this.#line.join(auxiliary, outbox, closed);
    this.#figures.set(auxiliary, figures);
    closed.addEventListener('abort', () => {
      if (this.#figures.get(auxiliary) === figures) this.#figures.delete(auxiliary);
    });
  }

  /** For the connections: one more message has arrived, in so many bytes. */
  receive(xid: number, message: Message, bytes: number): void {
    this.#received += 1;
    if (message.type === 'packet_in' || message.type === 'flow_removed') {
      this.#events.emit(message);
    } else if (message.type === 'port_status') {
      if (message.reason === 'delete') this.#ports.delete(message.port.portNo);
      else this.#ports.set(message.port.portNo, message.port);
      this.#events.emit(message);
    } else if (this.#line.requests.accept(xid, message, bytes)) {
      return;
    } else if (message.type === 'error') {
      if (!this.#line.requests.acceptWatched(xid, message)) this.#events.emit({ ...message, xid });
    } else if (message.type !== 'echo_reply') {
      this.#events.emitMessage(xid, message);
    }
  }

  /** For the connections: a message that could not be read. */
  countMalformed(): void {
    this.#malformed += 1;
  }

  #nextBundleId(): number {
    this.#lastBundleId = (this.#lastBundleId % 0xffff_fffe) + 1;
    return this.#lastBundleId;
  }
}

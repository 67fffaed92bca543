// What a switch says unasked, on its way to those who listen: the server's handlers in the tick it arrives, and any number of
// async iterations. A listener that throws takes nobody else with it.

import { EventStream } from './event-stream.ts';
import type { EventStreamOptions } from './event-stream.ts';
import { laneOfPacket } from './lanes.ts';
import type { EtherTypeTable, Lane } from './lanes.ts';
import type { Message } from './message.ts';
import type { PacketInMessage } from './messages/packet.ts';
import type { PortStatusMessage } from './messages/port-status.ts';
import type { FlowRemoved } from './messages/flow.ts';
import type { SwitchEvent } from './model.ts';

/** Messages that are no events of the model: role-status, table-status, flow updates, experimenters' ... */
export type UnaskedMessage = Exclude<Message, { type: SwitchEvent['type'] }>;

/** What the async iteration yields: the events whole, and all else the switch says unasked. */
export type ChannelEvent =
  PacketInMessage | PortStatusMessage | FlowRemoved | Extract<SwitchEvent, { type: 'error' }> | UnaskedMessage;

export interface ChannelEventsOptions {
  readonly etherTypes: EtherTypeTable;
  readonly onEvent: ((event: SwitchEvent) => void) | undefined;
  readonly onMessage: ((xid: number, message: UnaskedMessage) => void) | undefined;
  readonly onThrow: (event: string, error: unknown, count: number) => void;
}

export class ChannelEvents {
  readonly #options: ChannelEventsOptions;
  readonly #streams = new Set<EventStream<ChannelEvent>>();
  /** Of streams that have ended. */
  readonly #dropped: Record<Lane, number> = { control: 0, discovery: 0, packet: 0 };
  #handlerErrors = 0;
  #ignored = 0;

  constructor(options: ChannelEventsOptions) {
    this.#options = options;
  }

  get handlerErrors(): number {
    return this.#handlerErrors;
  }

  /** Messages of a kind nobody listens for. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Events that iterations were too slow for. */
  get dropped(): Readonly<Record<Lane, number>> {
    const sum = { ...this.#dropped };
    for (const { dropped } of this.#streams) addTo(sum, dropped);
    return sum;
  }

  open(options: EventStreamOptions, closed: AbortSignal): EventStream<ChannelEvent> {
    const end = (): void => {
      stream.end();
    };
    const stream: EventStream<ChannelEvent> = new EventStream<ChannelEvent>(options, (ended) => {
      this.#streams.delete(ended);
      addTo(this.#dropped, ended.dropped);
      closed.removeEventListener('abort', end);
    });
    if (options.signal?.aborted === true) return stream;
    this.#streams.add(stream);
    if (closed.aborted) end();
    else closed.addEventListener('abort', end, { once: true });
    return stream;
  }

  emit(event: Exclude<ChannelEvent, UnaskedMessage>): void {
    const { onEvent } = this.#options;
    if (onEvent !== undefined) {
      try {
        onEvent(event);
      } catch (error) {
        this.#onThrow(event.type, error);
      }
    }
    if (this.#streams.size > 0) this.#push(event);
  }

  emitMessage(xid: number, message: UnaskedMessage): void {
    const { onMessage } = this.#options;
    if (onMessage !== undefined) {
      try {
        onMessage(xid, message);
      } catch (error) {
        this.#onThrow(message.type, error);
      }
    }
    if (this.#streams.size > 0) this.#push(message);
    else if (onMessage === undefined) this.#ignored += 1;
  }

  #push(event: ChannelEvent): void {
    const lane = this.#laneOf(event);
    for (const stream of this.#streams) stream.push(lane, event, withOwnBytes);
  }

  #laneOf(event: ChannelEvent): Lane {
    if (event.type === 'packet_in' || event.type === 'nx_packet_in') {
      return laneOfPacket(event.data, this.#options.etherTypes);
    }
    return event.type === 'nx_packet_in2' ? 'packet' : 'control';
  }

  #onThrow(event: string, error: unknown): void {
    this.#handlerErrors += 1;
    this.#options.onThrow(event, error, this.#handlerErrors);
  }
}

/** Packet data is a view of what was read; what waits must not keep all of that alive. */
function withOwnBytes(event: ChannelEvent): ChannelEvent {
  return 'data' in event ? { ...event, data: Buffer.from(event.data) } : event;
}

function addTo(sum: Record<Lane, number>, more: Readonly<Record<Lane, number>>): void {
  sum.control += more.control;
  sum.discovery += more.discovery;
  sum.packet += more.packet;
}

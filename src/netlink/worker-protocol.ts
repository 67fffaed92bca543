// What the thread that owns the sockets and the thread that uses them say to each other.

export interface WorkerOptions {
  /** Wakes the worker; the main thread writes to it after each command. */
  readonly eventFd: number;
  /** Multicast groups (NFNLGRP_*) to listen to. */
  readonly groups: readonly number[];
  readonly receiveBufferBytes: number;
  /** Interfaces on which raw frames are sent and frames of `frameEtherType` received. */
  readonly ports: readonly string[];
  readonly frameEtherType: number;
  /** Messages that subscribe a socket of its own to logged packets, the last one numbered `seq`; null: none. */
  readonly log: { readonly messages: Uint8Array; readonly seq: number } | null;
}

export type WorkerCommand =
  /** Sends netlink messages and collects answers up to the acknowledgement, error or end of dump of message `seq`. */
  | { readonly kind: 'query'; readonly id: number; readonly seq: number; readonly messages: Uint8Array }
  | { readonly kind: 'frame'; readonly port: string; readonly frame: Uint8Array }
  | { readonly kind: 'close' };

export type WorkerReport =
  | { readonly kind: 'ready'; readonly queryPortId: number }
  | { readonly kind: 'failed'; readonly call: string; readonly errno: number; readonly name: string }
  | { readonly kind: 'port'; readonly port: PortReport }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly messages: readonly Uint8Array[];
      readonly failure: string | null;
    }
  | { readonly kind: 'events'; readonly messages: Uint8Array }
  | { readonly kind: 'overrun' }
  /** Answers to `log`, then what is logged. */
  | { readonly kind: 'logged'; readonly messages: Uint8Array }
  | { readonly kind: 'received'; readonly port: string; readonly frame: Uint8Array };

export interface PortReport {
  readonly name: string;
  /** 0: the interface does not exist now. */
  readonly index: number;
  readonly mac: string;
}

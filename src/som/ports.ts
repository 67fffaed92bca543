// What the saga needs from the world, as narrow as it can be said: agents and flows. The controller gives the real ones
// (agents/, fabric.ts), the simulator its own.

import type { Dpid, Mac, StateHostId, Vnid } from '../base/ids.ts';
import type { Route } from '../base/route.ts';
import type { Selector } from '../base/selector.ts';
import type { StateHostRegistration } from '../protocol/generated/stateferry.ts';
import type { StateRequests } from '../protocol/state-requests.ts';

/** One registered State Host. Rejects with AgentError (agents/agent-error.ts). */
export interface Agent extends StateRequests {
  readonly id: StateHostId;
  /** What it registered. */
  readonly profile: Pick<StateHostRegistration, 'kindsOfState' | 'functions'>;
}

/** A State Host that is dead, as a source: answers from what is known that it had. */
export interface StandIn extends Agent {
  /** When that was last all of it. */
  readonly levelWallMs: number;
  /** Connections that these frames belong to, openers left out, and that were not uploaded: as text, each once. */
  missing(migration: string, frames: readonly Buffer[]): readonly string[];
}

export interface StandIns {
  /** Only for one that is not there, and of which something is known. */
  standIn(id: StateHostId): StandIn | undefined;
}

export interface Agents {
  get(id: StateHostId): Agent | undefined;
}

/** Which flows a pin keeps: those of a VM with the VMs of its VN behind one peer NVE. */
export interface PinRequest {
  /** Unique per transfer; the same for its gate. */
  readonly key: string;
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly peerNve: Dpid;
  /** From the VM's present NVE, through the State Host that has the state, to `peerNve`. */
  readonly route: Route;
}

/** Which flows wait where no pin is possible: those of a VM with the VMs of its VN behind one peer NVE (Use Case 2). */
export interface HaltRequest {
  /** Unique per transfer. */
  readonly key: string;
  readonly vnid: Vnid;
  readonly vm: Mac;
  /** The VM's present NVE. */
  readonly nve: Dpid;
  readonly peerNve: Dpid;
}

/** A VM's port at a State Host that stands between it and its NVE: held while the VM's state is not there. */
export interface VmPort {
  /** Resolves when the State Host lets the VM's packets pass, rejects when it cannot be told. */
  admitted(): Promise<void>;
}

/** State Hosts that stand between VMs and their NVE. */
export interface VmPorts {
  of(stateHost: StateHostId): VmPort;
  /** A VM's packets need not wait for its state any more. */
  update(): void;
}

/** A VM is at another NVE. */
export interface Relocation {
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly oldNve: Dpid;
  readonly newNve: Dpid;
  readonly pins: readonly PinRequest[];
  /** Until `lift` or `forget` their packets are held, or dropped, by policy. */
  readonly halts?: readonly HaltRequest[];
  /** Keys of earlier transfers of this VM whose pins, gates and late-packet rules these take the place of. */
  readonly replaces: readonly string[];
}

/** What was held for a VM while it was between two places and while it was learnt. */
export interface HeldCounts {
  readonly limbo: number;
  readonly punted: number;
  readonly dropped: number;
}

/** Packets that waited for the lift, and those that the bounds of the queue did not let wait (to the end). */
export interface LiftCounts {
  readonly held: number;
  readonly dropped: number;
}

/** Every method resolves when all switches concerned have confirmed, and rejects when one did not. */
export interface FlowControl {
  /** Distributes the VM's new location to every NVE that has its VN, with its pins; what waited for the VM goes its way. */
  relocate(relocation: Relocation): Promise<HeldCounts>;
  /**
   * Holds openers (TCP SYN), or openers and all packets that are not TCP, at the NVEs at both ends. For some milliseconds more the
   * switches' caches let some through: `cachesFollow` waits for them.
   */
  closeGate(key: string, holds: 'openers' | 'all'): Promise<void>;
  /** Opens the gate; what was held goes its way in order. Does nothing when none is closed. */
  openGate(key: string): Promise<void>;
  /**
   * A packet that the source's gate refused: waits for the lift with what the NVEs hold, or goes on at once where that has gone.
   * One that is not of the selector, or not between VMs of the VN, is dropped and counted.
   */
  keepRefused(key: string, selector: Selector, packet: Buffer): void;
  /** The frames that wait for the lift, as they are now. */
  held(key: string): readonly Buffer[];
  /** Sends marker frames behind the last packets that took the pinned path; returns their nonces. */
  sendMarkers(key: string): readonly bigint[];
  /** Learning frames for bridging State Hosts on the new path. */
  teachNewPath(key: string): void;
  /**
   * Both directions leave the pin in one step, and the gate opens behind it. `onConfirmed` is called when all switches have
   * confirmed the step: the flows are at the destination. Resolves with what the gate or halt had held and dropped; rejects when a switch
   * did not confirm, or a newer move took the pin's place before, and then only when nothing leads to the destination any
   * more: its state may be deleted.
   */
  lift(key: string, onConfirmed?: () => void): Promise<LiftCounts>;
  /** After the grace: the rules for late packets go as well. */
  forget(key: string): Promise<void>;
  /**
   * After a restart, before anything is sent to a switch: this pin (or, when `lifted`, only its rules for late packets) is
   * part of the desired world.
   */
  adopt(relocation: Relocation, lifted: boolean): void;
  /** On which of the NVEs at both ends the pin is still in force: what a restarted controller finds. */
  pinInstalled(key: string, ends: readonly Dpid[]): 'all' | 'some' | 'none';
  /**
   * Resolves when the switches' caches follow what the switches have confirmed by now (hard case 1). `sentMs`: when that was sent
   * to them; the longer they took the busier they are.
   */
  cachesFollow(sentMs?: number): Promise<void>;
  route(from: Dpid, to: Dpid): Route | null;
}

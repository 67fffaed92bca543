// FlowControl that keeps what it is told and shows where flows would run.

import type { Dpid } from '../../src/base/ids.ts';
import type { Route } from '../../src/base/route.ts';
import type { Selector } from '../../src/base/selector.ts';
import type { FlowControl, HeldCounts, LiftCounts, Relocation } from '../../src/som/ports.ts';

export class FakeFlowControl implements FlowControl {
  readonly log: string[] = [];
  readonly pinned = new Map<string, Route>();
  readonly late = new Set<string>();
  readonly gates = new Map<string, 'openers' | 'all'>();
  readonly routes = new Map<string, Route>();
  /** What a lift says that the gate has held. */
  gated: LiftCounts = { held: 0, dropped: 0 };
  /** Frames that wait for the lift. */
  waiting: readonly Buffer[] = [];
  /** Calls that reject, by name. */
  readonly failing = new Set<string>();

  async relocate(move: Relocation): Promise<HeldCounts> {
    await this.#enter(`relocate ${move.newNve}`);
    for (const key of move.replaces) {
      this.pinned.delete(key);
      this.late.delete(key);
      this.gates.delete(key);
    }
    for (const pin of move.pins) this.pinned.set(pin.key, pin.route);
    return { limbo: 0, punted: 0, dropped: 0 };
  }

  async closeGate(key: string, holds: 'openers' | 'all'): Promise<void> {
    await this.#enter(`gate ${holds}`);
    this.gates.set(key, holds);
  }

  async openGate(key: string): Promise<void> {
    await this.#enter('open');
    this.gates.delete(key);
  }

  keepRefused(key: string, { vnid }: Selector, packet: Buffer): void {
    this.log.push(`refused ${key} ${vnid} ${packet.toString('hex')}`);
  }

  held(): readonly Buffer[] {
    return this.waiting;
  }

  sendMarkers(): readonly bigint[] {
    this.log.push('markers');
    return [1n, 2n];
  }

  teachNewPath(): void {
    this.log.push('teach');
  }

  async lift(key: string): Promise<LiftCounts> {
    await this.#enter('lift');
    if (this.pinned.delete(key)) this.late.add(key);
    this.gates.delete(key);
    return this.gated;
  }

  async forget(key: string): Promise<void> {
    await this.#enter('forget');
    this.late.delete(key);
  }

  adopt(move: Relocation, lifted: boolean): void {
    this.log.push('adopt');
    this.pinned.clear();
    this.late.clear();
    for (const pin of move.pins) {
      if (lifted) this.late.add(pin.key);
      else this.pinned.set(pin.key, pin.route);
    }
  }

  pinInstalled(key: string): 'all' | 'some' | 'none' {
    return this.pinned.has(key) ? 'all' : 'none';
  }

  cachesFollow(): Promise<void> {
    return Promise.resolve();
  }

  route(from: Dpid, to: Dpid): Route | null {
    return this.routes.get(`${from} ${to}`) ?? null;
  }

  async #enter(call: string): Promise<void> {
    this.log.push(call);
    await Promise.resolve();
    if (this.failing.has(call)) throw new Error(`${call} was not confirmed`);
  }
}

// Collects the effects of one call of the machine: changes merged into one, alarms limited in rate, everything counted.

import type { Place } from './place.ts';
import type { AlarmCode, AlarmContext, ChangeReason, CounterName, TdeEffect } from './tde-effect.ts';
import type { AnnouncementRefusal } from './announcement.ts';
import type { Notification } from './notification.ts';

const MAX_REMEMBERED_ALARMS = 4096;

export class Outbox {
  readonly #alarmPeriodMs: number;
  readonly #counters = new Map<CounterName, number>();
  /** Alarm and its subject -> when it was raised last. Insertion order is age. */
  readonly #raised = new Map<string, number>();
  #effects: TdeEffect[] = [];
  #changes = new Set<ChangeReason>();
  #now = 0;

  constructor(alarmPeriodMs: number) {
    this.#alarmPeriodMs = alarmPeriodMs;
  }

  begin(now: number): void {
    this.#now = now;
  }

  /** The effects since `begin`. A change comes before the notification it belongs to, so that queries are looked at first. */
  finish(): TdeEffect[] {
    const effects = this.#effects;
    if (this.#changes.size > 0) effects.unshift({ kind: 'changed', reasons: [...this.#changes] });
    this.#effects = [];
    this.#changes = new Set();
    return effects;
  }

  packetOut(at: Place, frame: Buffer): void {
    this.#effects.push({ kind: 'packetOut', dpid: at.nve, port: at.port, frame });
  }

  changed(reason: ChangeReason): void {
    this.#changes.add(reason);
  }

  hasChanged(): boolean {
    return this.#changes.size > 0;
  }

  notify(notification: Notification): void {
    this.#effects.push({ kind: 'notify', notification });
  }

  answer(refusal: AnnouncementRefusal | null): void {
    this.count(refusal === null ? 'announced' : 'announcement-refused');
    this.#effects.push({ kind: 'answer', refusal });
  }

  count(name: CounterName): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + 1);
  }

  /** Counted always; raised once a period for the same code and subject. */
  alarm(code: AlarmCode, subject: string, text: string, context: AlarmContext = {}): void {
    this.count(code);
    const key = `${code} ${subject}`;
    const last = this.#raised.get(key);
    if (last !== undefined && this.#now - last < this.#alarmPeriodMs) return;
    this.#raised.delete(key);
    this.#raised.set(key, this.#now);
    if (this.#raised.size > MAX_REMEMBERED_ALARMS) {
      for (const oldest of this.#raised.keys()) {
        this.#raised.delete(oldest);
        break;
      }
    }
    this.#effects.push({ kind: 'alarm', code, text, context });
  }

  counters(): Readonly<Partial<Record<CounterName, number>>> {
    return Object.fromEntries(this.#counters);
  }
}

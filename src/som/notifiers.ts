// IF(M,T) as a network interface: who may tell of moves, and what of it is looked at before the TDE judges it.

import type { Clock } from '../base/clock.ts';
import { type Dpid, type IpAddress, mac, type Mac, stateHostId, type StateHostId, type Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { formatIpv4, formatIpv6, parseIp } from '../packet/fields.ts';
import type { Notified, StateMigrationNotification } from '../protocol/generated/stateferry.ts';
import { NONCE_BYTES } from '../protocol/limits.ts';
import { NotificationRefusal } from '../protocol/notification-refusal.ts';
import type { Decoded } from '../protocol/session-service.ts';
import type { Announcement, AnnouncementRefusal } from '../../topology/announcement.ts';
import { Nonces } from './nonces.ts';
import type { MigrationRecord } from './record.ts';

/** What it made of an announcement: the migration that came of it, if any. */
export interface Announced {
  readonly refusal: AnnouncementRefusal | null;
  readonly migration: MigrationRecord | null;
}

export interface NotifiersOptions {
  /** Names in the certificates of those who may. */
  readonly allow: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly vnidOf: (vnName: string) => Vnid | null;
  readonly nveOf: (nameOrDpid: string) => Dpid | null;
  /** Resolves when the VM's new place is in the switches; null: nothing can be told yet. */
  readonly announce: (announcement: Announcement, by: string) => Promise<Announced> | null;
}

export interface Notifier {
  /** DNS names that its certificate proves. */
  readonly names: readonly string[];
  readonly remote: string;
}

/** Clocks may differ by this much. */
const STALE_MS = 30_000;
const MAX_ADDRESSES = 64;
const MAX_PAIRS = 64;

export class Notifiers {
  readonly #options: NotifiersOptions;
  readonly #nonces = new Nonces();
  readonly #refused = new Map<string, number>();
  #accepted = 0;

  constructor(options: NotifiersOptions) {
    this.#options = options;
  }

  get stats(): { readonly accepted: number; readonly refused: Readonly<Record<string, number>> } {
    return { accepted: this.#accepted, refused: Object.fromEntries(this.#refused) };
  }

  /** Rejects with NotificationRefusal. */
  async notify(from: Notifier, decoded: Decoded<StateMigrationNotification>): Promise<Notified> {
    const { log } = this.#options;
    try {
      const by = this.#admit(from);
      const message = messageOf(decoded);
      this.#checkFresh(message);
      const announcement = this.#read(message);
      const migration = await this.#announce(announcement, by);
      this.#accepted += 1;
      log.info('notified of a move', {
        by,
        vm: announcement.mac,
        nve: announcement.nve,
        migration: migration?.id ?? null,
      });
      return { migration: migration?.id ?? '', state: migration?.state ?? '' };
    } catch (cause) {
      const refusal = cause instanceof NotificationRefusal ? cause : null;
      const reason = refusal?.reason ?? 'internal';
      this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
      log.warn('refused a notification', { remote: from.remote, names: from.names.join(', '), reason, cause });
      throw cause;
    }
  }

  #admit({ names }: Notifier): string {
    const by = names.find((name) => this.#options.allow.has(name));
    if (by !== undefined) return by;
    throw new NotificationRefusal('not-allowed', `${names.join(', ') || 'nobody'} is not on the list of notifiers`);
  }

  #checkFresh({ nonce, wallMs }: StateMigrationNotification): void {
    if (nonce.length !== NONCE_BYTES) {
      throw new NotificationRefusal('malformed', `a nonce of ${nonce.length} bytes, not ${NONCE_BYTES}`);
    }
    const ageMs = this.#options.clock.wallMs() - wallMs;
    if (!(Math.abs(ageMs) <= STALE_MS)) {
      const what = ageMs > 0 ? 'old' : 'in the future';
      throw new NotificationRefusal('stale', `${Math.round(Math.abs(ageMs))} ms ${what}, at most ${STALE_MS}`);
    }
    if (!this.#nonces.take(nonce)) throw new NotificationRefusal('nonce-replayed', 'this notification came before');
  }

  #read(message: StateMigrationNotification): Announcement {
    const { nveOf } = this.#options;
    const { addresses, stateHosts, port: portName } = message;
    if (addresses.length > MAX_ADDRESSES || stateHosts.length > MAX_PAIRS) {
      throw new NotificationRefusal('malformed', `more than ${MAX_ADDRESSES} addresses or ${MAX_PAIRS} State Hosts`);
    }
    const nve = (text: string): Dpid => {
      const dpid = nveOf(text);
      if (dpid === null) throw new NotificationRefusal('refused', `there is no NVE ${quoted(text)}`, 'unknown-nve');
      return dpid;
    };
    return {
      vnid: this.#vnidOf(message.vn),
      mac: macOf(message.mac),
      addresses: addresses.map(addressOf),
      nve: nve(message.nve),
      portName,
      ...(message.oldNve === '' ? {} : { oldNve: nve(message.oldNve) }),
      ...(stateHosts.length === 0
        ? {}
        : { stateHosts: stateHosts.map((p) => [stateHostOf(p.source), stateHostOf(p.destination)] as const) }),
    };
  }

  #vnidOf(vn: string): Vnid {
    const vnid = this.#options.vnidOf(vn);
    if (vnid === null) throw new NotificationRefusal('refused', `there is no VN ${quoted(vn)}`, 'unknown-vn');
    return vnid;
  }

  async #announce(announcement: Announcement, by: string): Promise<MigrationRecord | null> {
    const announced = this.#options.announce(announcement, by);
    if (announced === null) throw new NotificationRefusal('not-ready', 'the controller does not act yet');
    const { refusal, migration } = await announced;
    if (refusal === null) return migration;
    const { mac: vm, nve, portName } = announcement;
    throw new NotificationRefusal('refused', `${vm} at port ${quoted(portName)} of ${nve}`, refusal);
  }
}

function messageOf(decoded: Decoded<StateMigrationNotification>): StateMigrationNotification {
  if (decoded.kind === 'message') return decoded.message;
  if (decoded.kind === 'oversized') throw new NotificationRefusal('oversized', `${decoded.bytes} bytes`);
  throw new NotificationRefusal('malformed', decoded.detail);
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
/** As in a certificate. */
const IDENTITY = /^[a-z0-9.-]{1,253}$/;

function macOf(text: string): Mac {
  if (!MAC.test(text)) throw new NotificationRefusal('malformed', `mac: ${quoted(text)} is none`);
  return mac(text.toLowerCase());
}

/** In the form in which frames show it. */
function addressOf(text: string): IpAddress {
  try {
    const bytes = parseIp(text);
    return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
  } catch (cause) {
    throw new NotificationRefusal('malformed', `addresses: ${quoted(text)} is none (${String(cause)})`);
  }
}

function stateHostOf(text: string): StateHostId {
  if (!IDENTITY.test(text)) throw new NotificationRefusal('malformed', `state_hosts: ${quoted(text)} is no identity`);
  return stateHostId(text);
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 64));

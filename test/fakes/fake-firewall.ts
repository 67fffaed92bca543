// A State Host on a fake kernel: the agent's real core, with everything outside it in the test's hands.

import type { Clock } from '../../src/base/clock.ts';
import { type Mac, vnid } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { PROTO, type Tuple } from '../../src/netlink/conntrack-entry.ts';
import { parseAddress } from '../../src/netlink/tuple.ts';
import type { Installed, StateChunk, UploadState } from '../../src/protocol/generated/stateferry.ts';
import { MarkerLog } from '../../src/soa/marker-log.ts';
import { natPools } from '../../src/soa/nat-pools.ts';
import { RefusedError } from '../../src/soa/state-host.ts';
import { StateHostCore } from '../../src/soa/state-host-core.ts';
import { SynCounters } from '../../src/soa/syn-counters.ts';
import type { StateHostCoreConfig } from '../../src/soa/state-host-parts.ts';
import type { FakeCounters } from './fake-counters.ts';
import { FakeGate, FakeKernel } from './fake-kernel.ts';

export const VM = '10.0.0.1';
export const PEER = '10.0.0.3';
export const VNID = 5001;

export const tcp = (srcPort: number, src = VM, dst = PEER, dstPort = 80): Tuple => ({
  ip: { v4Src: parseAddress(src), v4Dst: parseAddress(dst) },
  proto: { num: PROTO.TCP, srcPort, dstPort },
});
export const udp = (srcPort: number, src = VM, dst = PEER): Tuple => ({
  ip: { v4Src: parseAddress(src), v4Dst: parseAddress(dst) },
  proto: { num: PROTO.UDP, srcPort, dstPort: 53 },
});

export class FakeFirewall {
  readonly zone: number;
  readonly kernel: FakeKernel;
  readonly gate: FakeGate;
  readonly markers = new MarkerLog();
  readonly counters: FakeCounters | null;
  readonly host: StateHostCore;
  readonly sent: { port: string; frame: Uint8Array }[] = [];
  ruleset = 'same';

  constructor(
    name: string,
    zone: number,
    clock: Clock,
    config: Partial<StateHostCoreConfig> = {},
    counters: FakeCounters | null = null,
  ) {
    this.zone = zone;
    this.counters = counters;
    this.kernel = new FakeKernel(clock);
    this.gate = new FakeGate(this.kernel);
    const zones = new Map([
      [vnid(VNID), zone],
      [vnid(VNID + 1), zone + 1],
    ]);
    this.host = new StateHostCore(
      {
        identity: name,
        role: 'firewall',
        zones,
        natPools: [],
        maxRecords: 1000,
        rulesetCheck: 'enforce',
        settleMs: 0,
        kernel: 'fake',
        ...config,
      },
      {
        table: this.kernel,
        gate: this.gate,
        ...(counters !== null && {
          counters: new SynCounters(name, counters, { now: () => clock.now(), onlyVn: false }),
        }),
        frames: {
          list: () => [{ name: 'left', mac: '02:00:00:00:00:01' as Mac }],
          send: (port, frame) => this.sent.push({ port, frame }),
        },
        markers: this.markers,
        policy: { protocols: new Set(Object.values(PROTO)), ownsNatAddress: natPools(config.natPools ?? []) },
        ruleset: { current: () => Promise.resolve(this.ruleset), latest: () => this.ruleset },
        closeSockets: () => Promise.resolve(),
      },
      { clock, log: silentLog },
    );
  }
}

export const selector = (vm = [VM], peers: string[] = []): { vnid: number; vm: string[]; peers: string[] } => ({
  vnid: VNID,
  vm,
  peers,
});

/** Carries one migration from one State Host to another, as the SOM would. */
export class Ferry {
  readonly chunks: StateChunk[] = [];
  readonly installed: Installed[] = [];
  readonly #from: FakeFirewall;
  readonly #to: FakeFirewall;
  readonly #id: string;
  readonly #selector: ReturnType<typeof selector>;
  #downloads: Promise<unknown> = Promise.resolve();
  #ready = false;

  constructor(id: string, from: FakeFirewall, to: FakeFirewall, of = selector()) {
    this.#id = id;
    this.#from = from;
    this.#to = to;
    this.#selector = of;
  }

  async upload(): Promise<UploadState> {
    const counting = this.#from.counters !== null && this.#to.counters !== null;
    const kinds = ['conntrack', ...(counting ? ['syn-counters'] : [])];
    return this.#from.host.upload(
      { migration: this.#id, selector: this.#selector, kinds, follow: true, limit: 0n },
      (chunk) => {
        this.chunks.push(chunk);
        if (this.#ready) this.#carry(chunk);
      },
    );
  }

  async ready(uploaded: UploadState, epoch = 1n): Promise<void> {
    const { manifest } = uploaded;
    await this.#to.host.getReady({ migration: this.#id, selector: this.#selector, manifest, epoch });
    this.#ready = true;
    for (const chunk of this.chunks) this.#carry(chunk);
  }

  /** Upload, ready and download up to the end of the snapshot. */
  async begin(): Promise<UploadState> {
    const uploaded = await this.upload();
    await this.ready(uploaded);
    await this.settle();
    return uploaded;
  }

  async settle(): Promise<Installed | undefined> {
    await this.#downloads;
    return this.installed.at(-1);
  }

  #carry(chunk: StateChunk): void {
    const download = this.#to.host.download(chunk);
    this.#downloads = Promise.all([this.#downloads, download]).then(([, installed]) => {
      if (installed !== null) this.installed.push(installed);
    });
    this.#downloads.catch(() => undefined);
  }
}

/** The reason a request is refused with. */
export async function refusedReason(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
  return 'not refused';
}

// What a connection costs our learning switch in memory, how long echoes take while some of the switches come and go, and how
// long it takes until all are back after they were lost at once.

import { setTimeout as sleep } from 'node:timers/promises';
import { EchoingSwitch } from './echoing-switch.ts';
import { PEERS, startPeer } from './peers.ts';

export interface ManyConnections {
  readonly switches: number;
  readonly flapping: number;
  /** Resident memory of the controller before the first switch, and for each of them once all echo. */
  readonly emptyMb: number;
  readonly perSwitchKb: number;
  readonly worstEchoMs: number;
  readonly echoesPerSecond: number;
  /** Connections that ended against the switch's will. */
  readonly losses: number;
  readonly stormMs: number;
}

const PAUSE_MS = 100;
const FLAP_EVERY_MS = 250;
const RUN_MS = 5000;
const DEADLINE_MS = 20_000;

export async function manyConnections(switches = 1000, flapping = 100): Promise<ManyConnections> {
  const [ours] = PEERS;
  if (ours === undefined) throw new Error('no controller');
  const peer = await startPeer(ours.command);
  const all = Array.from(
    { length: switches },
    (_, i) => new EchoingSwitch({ version: 4, port: peer.port, datapathId: i + 1, pauseMs: PAUSE_MS }),
  );
  const allReady = async (): Promise<void> => {
    const deadlineMs = performance.now() + DEADLINE_MS;
    while (!all.every((each) => each.ready)) {
      if (performance.now() > deadlineMs) throw new Error('not every switch finds its way back');
      await sleep(5);
    }
  };
  const timer = setInterval(() => {
    for (const each of all.slice(0, flapping)) {
      if (!each.ready) continue;
      each.drop();
      each.connect();
    }
  }, FLAP_EVERY_MS);
  try {
    const emptyMb = peer.residentMb();
    for (const each of all) each.connect();
    await allReady();
    const before = sum(all, (each) => each.echoes);
    await sleep(RUN_MS);
    const echoes = sum(all, (each) => each.echoes) - before;
    const fullMb = peer.residentMb();
    clearInterval(timer);
    const worstEchoMs = Math.max(...all.slice(flapping).map((each) => Math.max(each.longestEchoMs, each.waitingMs())));
    const startedMs = performance.now();
    for (const each of all) each.drop();
    for (const each of all) each.connect();
    await allReady();
    return {
      switches,
      flapping,
      emptyMb,
      perSwitchKb: Math.round(((fullMb - emptyMb) * 1024) / switches),
      worstEchoMs: Math.round(worstEchoMs),
      echoesPerSecond: Math.round((echoes * 1000) / RUN_MS),
      losses: sum(all, (each) => each.losses),
      stormMs: Math.round(performance.now() - startedMs),
    };
  } finally {
    clearInterval(timer);
    for (const each of all) each.drop();
    await peer.stop();
  }
}

const sum = (all: readonly EchoingSwitch[], of: (each: EchoingSwitch) => number): number =>
  all.reduce((total, each) => total + of(each), 0);

export const connectionsLine = (result: ManyConnections): string =>
  [
    `${result.switches} switches, ${result.flapping} of them coming and going every ${FLAP_EVERY_MS} ms:`,
    `${result.perSwitchKb} KB a switch (over ${result.emptyMb} MB), ${result.echoesPerSecond} echoes/s,`,
    `the longest took ${result.worstEchoMs} ms; after all were lost at once they were back in ${result.stormMs} ms;`,
    `${result.losses} lost against their will`,
  ].join(' ');

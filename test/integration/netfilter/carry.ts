// Carries one migration between two agent processes, as the SOM would.

import type {
  Drained,
  Installed,
  Manifest,
  StateChunk,
  UploadState,
} from '../../../src/protocol/generated/stateferry.ts';
import type { Child } from './child.ts';

export class Carry {
  readonly chunks: StateChunk[] = [];
  readonly #from: Child;
  readonly #to: Child;
  readonly #migration: string;
  readonly #kinds: readonly string[];
  readonly #selector: { vnid: number; vm: string[]; peers: string[] };
  readonly #downloads: Promise<Installed | null>[] = [];
  #ready = false;
  #withheld: StateChunk[] | null = null;

  constructor(
    migration: string,
    from: Child,
    to: Child,
    selector: { vnid: number; vm: string[]; peers: string[] },
    kinds: readonly string[] = ['conntrack'],
  ) {
    this.#migration = migration;
    this.#kinds = kinds;
    this.#from = from;
    this.#to = to;
    this.#selector = selector;
    from.onChunk = (chunk) => {
      this.chunks.push(chunk as StateChunk);
      if (this.#withheld !== null) this.#withheld.push(chunk as StateChunk);
      else if (this.#ready) this.#download(chunk as StateChunk);
    };
  }

  /** Upload, Get ready as soon as it is known what is to come, download. */
  async copy(): Promise<Manifest> {
    const begun = new Promise<Manifest>((resolve) => (this.#from.onBegun = resolve));
    const uploaded = this.#from.call<UploadState>('upload', {
      migration: this.#migration,
      selector: this.#selector,
      kinds: this.#kinds,
      follow: true,
      limit: 0n,
    });
    uploaded.catch(() => undefined);
    const manifest = await Promise.race([begun, uploaded.then((state) => state.manifest)]);
    await this.#to.call('getReady', { migration: this.#migration, selector: this.#selector, manifest, epoch: 1n });
    this.#ready = true;
    for (const chunk of this.chunks) this.#download(chunk);
    const { manifest: sent } = await uploaded;
    if (sent === undefined) throw new Error('no manifest');
    await this.installed();
    return sent;
  }

  /** Quiesce, gate, the last download: both digests. */
  async drain(boundMs = 100): Promise<{ drained: Drained; installed: Installed }> {
    await this.#from.call('quiesce', { migration: this.#migration, boundMs, markers: [] });
    const drained = await this.#from.call<Drained>('gate', { migration: this.#migration });
    const installed = (await this.installed()).at(-1);
    if (installed === undefined) throw new Error('nothing installed');
    return { drained, installed };
  }

  /** What the source sends from now on waits for `release`. */
  withhold(): void {
    this.#withheld = [];
  }

  async release(): Promise<void> {
    const chunks = this.#withheld ?? [];
    this.#withheld = null;
    for (const chunk of chunks) this.#download(chunk);
    await this.installed();
  }

  /** What the destination said to final chunks so far. */
  async installed(): Promise<Installed[]> {
    return (await Promise.all(this.#downloads)).filter((i) => i !== null);
  }

  #download(chunk: StateChunk): void {
    const download = this.#to.call<Installed | null>('download', chunk);
    download.catch(() => undefined);
    this.#downloads.push(download);
  }
}

// What the fuzzer begins with: messages other implementations made, and those it has found itself so far (one a line, hex).

import { readFileSync, writeFileSync } from 'node:fs';

const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);
const FOUND = fixture('fuzz/openflow.hex');
const VECTORS = ['openflow/vectors/ryu_packet_data.jsonl', 'openflow/vectors/pio_fixtures.jsonl'];

export function vectorCorpus(): readonly Buffer[] {
  return VECTORS.flatMap((name) =>
    readFileSync(fixture(name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => Buffer.from((JSON.parse(line) as { hex: string }).hex, 'hex'))
      .map((bytes) => bytes.subarray(0, bytes.readUInt16BE(2))),
  );
}

export function foundCorpus(): readonly Buffer[] {
  return readFileSync(FOUND, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'hex'));
}

export function keepFound(all: readonly Buffer[]): void {
  writeFileSync(FOUND, all.map((bytes) => `${bytes.toString('hex')}\n`).join(''));
}

// The nft command: for what is done once (our table, listing the ruleset), never on the way of a packet or a migration.

import { spawn } from 'node:child_process';
import { StateferryError } from '../base/errors.ts';

export class NftError extends StateferryError<'NFT_FAILED'> {}

/** Runs `nft` with `input` on its standard input; resolves with what it printed, rejects with NftError. */
export function nft(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (b: Buffer) => out.push(b));
    child.stderr.on('data', (b: Buffer) => err.push(b));
    child.on('error', (cause) => {
      reject(new NftError('NFT_FAILED', `nft: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else reject(new NftError('NFT_FAILED', `nft ${args.join(' ')}: ${Buffer.concat(err).toString('utf8').trim()}`));
    });
    child.stdin.on('error', () => undefined); // it died: 'close' tells why
    child.stdin.end(input);
  });
}

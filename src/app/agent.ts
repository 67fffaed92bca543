// The agent (SOA): constructs the State Host on this machine's kernel and its session with the SOM. What they do is theirs.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { VERSION } from '../base/version.ts';
import { watchTlsMaterial } from '../protocol/tls-material.ts';
import { createNetfilterStateHost } from '../soa/netfilter-state-host.ts';
import { runSession } from '../soa/session.ts';
import type { AgentConfig } from './agent-config.ts';
import { keepHeapQuiet } from './quiet-heap.ts';

const SOFTWARE = `stateferry ${VERSION}`;

/**
 * Resolves when `signal` is aborted, the SOM was told, gates are open and sockets closed. Rejects when a file cannot be used
 * (PkiError), when the kernel refuses (privileges), or when the kernel sockets are lost while it runs.
 */
export async function runAgent(
  config: AgentConfig,
  deps: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  const { clock, signal } = deps;
  const log = deps.log.with({ agent: config.identity });
  const lost = new AbortController();
  const tls = await watchTlsMaterial(config.tls, { clock, log, onChange: () => undefined });
  try {
    const host = await createNetfilterStateHost(config, { clock, log, onFailure: (error) => lost.abort(error) });
    const endQuiet = keepHeapQuiet({ clock, isBusy: () => host.busy });
    try {
      await runSession(host, {
        identity: config.identity,
        software: SOFTWARE,
        address: config.som.address,
        serverName: config.som.serverName,
        material: () => tls.current(),
        clock,
        log,
        signal: AbortSignal.any([signal, lost.signal]),
      });
    } finally {
      endQuiet();
      await host.close();
    }
  } finally {
    tls.close();
  }
  if (lost.signal.aborted) throw lost.signal.reason;
}

// What breaks during a migration, on the real network: agents that are away, refuse or die, and a controller that is killed.
// Connections must not notice, and the migration must complete by itself. Oracles: conntrack, nft, ovs-ofctl, the echoes.

import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Migration } from '../../src/lab/controller-api.ts';
import { epochMs } from '../../src/lab/deadline.ts';
import { describeMigration, FaultBed, FLOWS, inside, tell, type MoveUnderWay } from './faults-bed.ts';
import { labClient } from './lab-client.ts';
import { reasonToSkip } from './testbed-session.ts';

/** Another lab or test on this machine may hold the testbed. */
const LOCK_WAIT_MS = 300_000;
const DEGRADED_TIMEOUT_MS = 20_000;
/** The pause between two tries doubles up to 15 s; an agent or a controller needs seconds to start. */
const MIGRATED_TIMEOUT_MS = 45_000;
/** Makes the copy take long enough to be hit in its middle. */
const SYNTHETIC = 8000;

describe('faults during a migration', function () {
  this.timeout(LOCK_WAIT_MS + 120_000);
  let folder: string | null = null;
  let cleanup: () => Promise<void> = () => Promise.resolve();
  let bed: FaultBed;

  before(async function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'stateferry-faults-'));
    bed = await FaultBed.start(folder, (undo) => {
      cleanup = undo;
    });
  });
  after(async () => {
    await cleanup();
    if (folder !== null) rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    await bed.mend();
    expect(bed.longLived('FW1')).to.have.length(FLOWS);
    await bed.newConnections();
  });

  /** Every connection that was there from the beginning is there, and answers. */
  const expectUndisturbed = async (when: string): Promise<void> => {
    const { answered, silent, failures } = await bed.echoes();
    expect(failures, `broken connections ${when}`).to.deep.equal([]);
    expect(silent, `silent connections ${when}`).to.deep.equal([]);
    expect(answered, `echoes ${when}`).to.equal(FLOWS);
  };

  /** The pin holds: traffic goes on through FW1, and FW2 sees none of it. */
  const expectDetour = async (): Promise<void> => {
    const before = await bed.established();
    await expectUndisturbed('over the detour');
    const after = await bed.established();
    expect(after.FW1 - before.FW1, 'packets through FW1').to.be.greaterThan(FLOWS);
    expect(after.FW2 - before.FW2, 'packets through FW2').to.equal(0);
    expect(bed.rules().get('pin'), 'pin rules').to.be.greaterThan(0);
    const path = await labClient(join(folder ?? '', 'faults')).getPath({
      from: '10.0.0.1',
      to: '10.0.0.3',
      vn: 'tenant-a',
    });
    expect(path).to.deep.include({ nves: ['NVE2', 'NVE1', 'NVE3'], stateHosts: ['fw1'] });
    expect(path.pinned?.holder).to.equal('fw1');
  };

  /** Retired: every flow is at exactly one firewall, and nothing of the migration is left in switches and firewalls. */
  const expectCompleted = async (m: Migration): Promise<void> => {
    await expectUndisturbed('after the migration');
    const [atFw1, atFw2] = [bed.longLived('FW1'), bed.longLived('FW2')];
    expect(atFw1.length, 'moved connections still at FW1').to.equal(0);
    expect(atFw2.length, 'moved connections at FW2').to.equal(FLOWS);
    expect(bed.onBoth(), 'flows at both firewalls').to.deep.equal([]);
    expect([...bed.rules()].filter(([kind, n]) => (kind === 'pin' || kind === 'gate') && n > 0)).to.deep.equal([]);
    expect([bed.gateClosed('FW1'), bed.gateClosed('FW2')], 'gates of the firewalls').to.deep.equal([false, false]);
    const { opened, failed } = await bed.newConnections();
    expect(failed, 'new connections that failed').to.deep.equal([]);
    tell(
      `${describeMigration(m)}; ${atFw2.length} connections at FW2, ${bed.entries('FW1').length} entries left at FW1, ` +
        `${opened} new connections`,
    );
  };

  const degradedWith = async (move: MoveUnderWay, reason: RegExp): Promise<void> => {
    await move.moved;
    const m = await move.state('degraded', DEGRADED_TIMEOUT_MS);
    tell(describeMigration(m));
    expect(m.reason).to.match(reason);
    await expectDetour();
  };

  it('FW2 has no agent: degraded over the detour, and migrates by itself when the agent is there', async () => {
    await bed.agent('FW2').kill();
    const move = await bed.startMove('Server2');
    await degradedWith(move, /^destination-missing/);
    bed.agent('FW2').startAgain();
    await expectCompleted(await move.state('migrated', MIGRATED_TIMEOUT_MS));
  });

  it('FW2 has other rules: refused, degraded over the detour, and migrates by itself when they are equal', async () => {
    inside(
      bed.netns('FW2'),
      'nft',
      'add table inet audit; add chain inet audit seen { type filter hook forward priority 10; }',
    );
    try {
      const move = await bed.startMove('Server2');
      await degradedWith(move, /^destination-refused: .*ruleset-differs/);
      inside(bed.netns('FW2'), 'nft', 'delete table inet audit');
      await expectCompleted(await move.state('migrated', MIGRATED_TIMEOUT_MS));
    } finally {
      inside(bed.netns('FW2'), 'nft', 'add table inet audit; delete table inet audit');
    }
  });

  it("FW2's agent is killed between ready and installed: degraded over the detour, and migrates by itself", async () => {
    await bed.addSynthetic(SYNTHETIC);
    const move = await bed.startMove('Server2');
    await move.step('ready');
    await bed.agent('FW2').kill();
    await degradedWith(move, /^agent-gone|^destination-missing/);
    const failed = (await move.state('degraded', DEGRADED_TIMEOUT_MS)).steps.find((s) => s.failed !== undefined);
    expect(failed?.step).to.be.oneOf(['upload', 'ready', 'download', 'quiesce', 'gate', 'drain']);
    bed.agent('FW2').startAgain();
    await expectCompleted(await move.state('migrated', MIGRATED_TIMEOUT_MS));
  });

  it("FW1's agent is killed between lift and retire: comes back, and retires what it had handed over", async () => {
    const move = await bed.startMove('Server2');
    await move.step('lift');
    await bed.agent('FW1').kill();
    await move.moved;
    await expectUndisturbed('without the agent of FW1');
    const waiting = await move.migration('a retire that failed', DEGRADED_TIMEOUT_MS, (m) => m.reason !== null);
    tell(describeMigration(waiting));
    expect(waiting.reason).to.match(/^source not retired yet/);
    expect(waiting.state).to.equal('running');
    expect(bed.onBoth().length, 'flows at both firewalls before the retire').to.be.at.least(FLOWS);
    bed.agent('FW1').startAgain();
    await expectCompleted(await move.state('migrated', MIGRATED_TIMEOUT_MS));
  });

  const KILLS = [
    { after: 'pin', synthetic: 0 },
    { after: 'upload', synthetic: SYNTHETIC },
    { after: 'quiesce', synthetic: 0 },
    { after: 'drain', synthetic: 0 },
    { after: 'lift', synthetic: 0 },
  ] as const;
  for (const { after, synthetic } of KILLS) {
    it(`the controller is killed after ${after} and started again: no connection notices, and the migration completes`, async () => {
      if (synthetic > 0) await bed.addSynthetic(synthetic);
      const move = await bed.startMove('Server2');
      await move.step(after);
      const killedMs = epochMs();
      await bed.phase.controller.kill();
      await move.moved;
      await expectUndisturbed('without a controller');
      bed.phase.controller.startAgain();
      const m = await move.state('migrated', MIGRATED_TIMEOUT_MS);
      await bed.settled();
      const names = (isBefore: boolean): string =>
        m.steps
          .filter((s) => s.wallMs < killedMs === isBefore)
          .map((s) => s.step)
          .join(' ');
      tell(`ended before the kill: ${names(true)}; after it: ${names(false)}`);
      await expectCompleted(m);
    });
  }
});

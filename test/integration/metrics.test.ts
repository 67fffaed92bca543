// What Prometheus and an orchestrator see of a controller that has moved a VM on the testbed.

import { expect } from 'chai';
import { inLabRun } from '../../src/lab/lab-run.ts';
import { watchMove } from '../../src/lab/migration-watch.ts';
import { startPhase } from '../../src/lab/phase.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonToSkip } from './testbed-session.ts';

describe('the metrics of a running controller', function () {
  this.timeout(120_000);
  let folder = '';

  before(function () {
    const reason = reasonToSkip();
    if (reason === undefined) {
      folder = mkdtempSync(join(tmpdir(), 'stateferry-metrics-'));
      return;
    }
    console.log(`      skipped: ${reason}`);
    this.skip();
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  it('show switches, State Hosts and the migration that was made', async () => {
    await inLabRun({ scenario: 'metrics', keep: false, out: folder }, async (run) => {
      const phase = await startPhase(run, { name: 'metrics', mode: 'firewall', delayMs: 0, strategy: 'detour' });
      const { api } = phase.controller;
      expect(await api.waitingFor()).to.deep.equal([]);
      const vm = phase.testbed.vm('vm1-a');
      const watch = await watchMove(phase, vm, 'Server2', run.signal);
      await phase.testbed.move({ vm: vm.name, server: 'Server2', blackoutMs: 50, announce: 'rarp' });
      expect((await watch.ended(30_000)).state).to.equal('migrated');
      const text = await api.metrics();
      const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
      expect(value('stateferry_openflow_switches')).to.equal(3);
      expect(value('stateferry_soa_sessions')).to.equal(2);
      expect(value('stateferry_som_migrations_ended_total\\{state="migrated"\\}')).to.equal(1);
      expect(value('stateferry_som_step_seconds_count\\{step="lift",result="done"\\}')).to.equal(1);
      expect(value('stateferry_som_notification_to_lift_seconds_count')).to.equal(1);
      expect(value('stateferry_soa_table_size\\{state_host="fw2"\\}')).to.be.above(1000);
      expect(value('stateferry_openflow_messages_received_total\\{dpid="0000000000000001"\\}')).to.be.above(10);
      expect(value('stateferry_tde_frames_total\\{outcome="move-believed"\\}')).to.equal(1);
      expect(value('stateferry_tde_state_host_forwarding\\{state_host="fw1"\\}')).to.equal(1);
      expect(value('process_cpu_seconds_total')).to.be.above(0);
    });
  });
});

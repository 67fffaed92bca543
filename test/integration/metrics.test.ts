// What Prometheus and an orchestrator see of a controller that has moved a VM on the testbed.

import { expect } from 'chai';
import { parse } from 'yaml';
import { followEvents } from '../../src/cli/event-client.ts';
import { inLabRun } from '../../src/lab/lab-run.ts';
import { watchMove } from '../../src/lab/migration-watch.ts';
import { startPhase } from '../../src/lab/phase.ts';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonToSkip } from './testbed-session.ts';

/** Of the event stream, until a migration has ended. Where the API is and its token are in the lab's folder. */
async function stepsOfMigrations(folder: string, signal: AbortSignal): Promise<string[]> {
  const file = (name: string): string => readFileSync(join(folder, 'metrics', name), 'utf8');
  const { api } = parse(file('controller.yaml')) as { api: { token: string } };
  const address = /"message":"API is listening","address":"([^"]+)"/.exec(file('controller.log'))?.[1] ?? '';
  const steps: string[] = [];
  for await (const { type, data } of followEvents({ api: address, token: api.token }, signal)) {
    const { state, step } = data as { state?: string; step?: { step: string } | null };
    if (type !== 'migration') continue;
    steps.push(step?.step ?? '');
    if (state === 'migrated') break;
  }
  return steps;
}

describe('the metrics and events of a running controller', function () {
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
      const steps = stepsOfMigrations(run.folder, run.signal);
      const watch = await watchMove(phase, vm, 'Server2', run.signal);
      await phase.testbed.move({ vm: vm.name, server: 'Server2', blackoutMs: 50, announce: 'rarp' });
      expect((await watch.ended(30_000)).state).to.equal('migrated');
      expect((await steps)[0], 'told as they happened').to.equal('notify');
      expect(await steps).to.include.members(['pin', 'download', 'lift', 'retire']);
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

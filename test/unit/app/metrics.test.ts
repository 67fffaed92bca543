// The metrics' names by Prometheus' conventions, what the documentation and the dashboard say of them, and the times of migrations.

import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import { Registry } from 'prom-client';

import { watchMigrationTimes } from '../../../src/app/metrics/migration-times.ts';
import { OBSERVED } from '../../../src/app/metrics/observed.ts';
import type { MigrationRecord, StepRecord } from '../../../src/som/record.ts';
import { Records } from '../../../src/som/records.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const doc = (file: string): string => readFileSync(new URL(`../../../docs/${file}`, import.meta.url), 'utf8');

describe('the metrics', () => {
  const records = new Records(openMemoryStore(), new FakeClock());
  const times = new Registry();
  watchMigrationTimes(records, times);
  const names = [...OBSERVED.map((o) => o.name), ...times.getMetricsAsArray().map((m) => m.name)];

  it('are named in base units, and end in _total when they only grow', () => {
    for (const { name, type, labels } of OBSERVED) {
      expect(name).to.match(/^stateferry_[a-z][a-z_]*$/);
      expect(name.endsWith('_total'), name).to.equal(type === 'counter');
      expect(name).not.to.match(/(_ms|_millis|_kb)(_|$)/);
      for (const label of labels) expect(label).to.match(/^[a-z_]+$/);
    }
    expect(new Set(names).size).to.equal(names.length);
  });

  it('are all in the documentation, and no others', () => {
    const listed = [...doc('metrics.md').matchAll(/^\| `(stateferry_\w+)`/gm)].map((m) => m[1]);
    expect(listed.sort()).to.deep.equal(names.sort());
  });

  it('are what the dashboard asks for', () => {
    const dashboard = JSON.parse(doc('grafana/stateferry.json')) as { panels: { targets?: { expr: string }[] }[] };
    const asked = dashboard.panels
      .flatMap((p) => p.targets ?? [])
      .flatMap(({ expr }) => expr.match(/stateferry_\w+/g) ?? []);
    expect(asked.length).to.be.above(10);
    for (const name of asked) expect(names, name).to.include(name.replace(/_(bucket|sum|count)$/, ''));
  });
});

describe('the times of migrations', () => {
  const step = (name: string, at: number, ms: number, failed?: string): StepRecord =>
    ({ step: name, transfer: 0, attempt: 1, startedWallMs: at, wallMs: at + ms, ms, detail: {}, failed }) as StepRecord;
  const record = (): MigrationRecord =>
    ({ id: 'm-000001', state: 'running', endedWallMs: null, steps: [], transfers: [] }) as unknown as MigrationRecord;

  it('count each step once, whenever its record is stored, and an end once', async () => {
    const records = new Records(openMemoryStore(), new FakeClock());
    const registry = new Registry();
    watchMigrationTimes(records, registry);
    const m = record();
    m.steps.push(step('notify', 1000, 1), step('download', 1010, 100, 'agent-gone'));
    records.save(m);
    records.save(m);
    m.steps.push(step('download', 1200, 40), step('lift', 1300, 50));
    Object.assign(m, { state: 'migrated', endedWallMs: 3500, transfers: [{ state: 'migrated', entries: 7 }] });
    records.save(m);
    records.save(m);
    const text = await registry.metrics();
    expect(text).to.include('stateferry_som_step_seconds_count{step="download",result="failed"} 1');
    expect(text).to.include('stateferry_som_step_seconds_sum{step="download",result="done"} 0.04');
    expect(text).to.include('stateferry_som_notification_to_lift_seconds_sum 0.35');
    expect(text).to.include('stateferry_som_notification_to_lift_seconds_count 1');
    expect(text).to.include('stateferry_som_migrations_ended_total{state="migrated"} 1');
    expect(text).to.include('stateferry_som_moved_records_total 7');
  });

  it('of an earlier life of the controller are not counted again', async () => {
    const store = openMemoryStore();
    const m = record();
    m.steps.push(step('notify', 1000, 1));
    new Records(store, new FakeClock()).save(m);
    const records = new Records(store, new FakeClock());
    const registry = new Registry();
    watchMigrationTimes(records, registry);
    const again = records.get('m-000001');
    if (again !== undefined) records.save(again);
    expect(await registry.metrics()).not.to.include('step="notify"');
  });
});

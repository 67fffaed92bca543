// The controller's metrics as text, for Prometheus to scrape.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { watchMigrationTimes } from './migration-times.ts';
import { OBSERVED, type Observed, type Sources } from './observed.ts';

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

export function openMetrics(sources: Sources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  watchMigrationTimes(sources.orchestration.som.records, registry);
  for (const observed of OBSERVED) observe(observed, sources, registry);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

function observe(observed: Observed, sources: Sources, registry: Registry): void {
  const { name, help, type, labels } = observed;
  const collect = (metric: Counter | Gauge): void => {
    metric.reset(); // what is gone is not shown any more
    for (const sample of observed.read(sources)) {
      const values = Object.fromEntries(labels.map((label, i) => [label, String(sample[i])]));
      metric.inc(values, Number(sample.at(-1)));
    }
  };
  const Kind = type === 'gauge' ? Gauge : Counter;
  new Kind({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      collect(this);
    },
  });
}

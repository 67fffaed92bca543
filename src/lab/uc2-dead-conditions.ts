// What must hold of a firewall that died with its agent. Pure: everything it knows is in its argument.

import type { Condition, DeadFirewall } from './result.ts';
import { round1, worst } from './statistics.ts';
import { EXPECTED_TRANSFER } from './uc2.ts';

const SURVIVING_SHARE = 0.99;
const CHECKPOINT_AGE_MS = 1000;
const TENANTS = 2;

export function uc2DeadConditions(dead: DeadFirewall): readonly Condition[] {
  const { connections, echoed, young, youngEchoed, unlisted, missing, restored, checkpoint } = dead;
  return [
    lifted(dead),
    {
      name: 'age of the checkpoint when the firewall died',
      held: dead.agesMs.length === TENANTS && dead.agesMs.every((ms) => ms !== null && ms <= CHECKPOINT_AGE_MS),
      value: dead.agesMs.map((ms) => (ms === null ? 'no checkpoint' : `${round1(ms)} ms`)).join(', '),
      bound: `at most ${CHECKPOINT_AGE_MS} ms`,
    },
    {
      name: 'connections older than the checkpoint that echo',
      held: connections > 0 && echoed >= SURVIVING_SHARE * connections,
      value: `${echoed} of ${connections}`,
      bound: 'at least 99 %',
    },
    {
      name: 'connections without an echo are listed',
      held: unlisted.length === 0,
      value: `${youngEchoed} of ${young} opened at the last moment echo; listed: ${missing.length}; not listed: ${unlisted.length}`,
      bound: 'all',
    },
    { name: 'resets', held: dead.resets === 0, value: `${dead.resets} connections reset`, bound: '0' },
    {
      name: 'digests of checkpoint and destination equal',
      held: dead.migrations.length === TENANTS && dead.migrations.every((m) => m.digestEqual),
      value: dead.migrations.map((m) => `${m.id}: ${m.entries} entries`).join('; '),
      bound: 'every migration',
    },
    {
      name: 'the firewall is there again, and the flows stay where their state is',
      held: restored?.silent === 0 && restored.migrations === 0 && restored.states.every((s) => s === 'migrated'),
      value:
        restored === null
          ? 'not tried'
          : `${restored.silent} silent, ${restored.migrations} migrations, earlier ones ${restored.states.join(', ')}`,
      bound: '0, 0, migrated',
    },
    {
      name: 'memory of the checkpoint',
      held: checkpoint !== null,
      value: checkpoint === null ? 'none' : `${checkpoint.records} records, ${round1(checkpoint.bytes / 1e6)} MB`,
      bound: 'reported',
    },
    firstByte(dead),
  ];
}

function lifted({ migrations }: DeadFirewall): Condition {
  const good = migrations.filter(
    (m) => m.cause === 'path-change' && m.liftMs !== null && m.transfers.join() === EXPECTED_TRANSFER,
  );
  return {
    name: 'path changes lifted without the source',
    held: migrations.length === TENANTS && good.length === TENANTS,
    value: migrations
      .map((m) => `${m.id} ${m.transfers.join()} ${m.state}${m.reason === null ? '' : `: ${m.reason}`}`)
      .join('; '),
    bound: `${EXPECTED_TRANSFER} for both tenants`,
  };
}

function firstByte({ firstByteMs, migrations }: DeadFirewall): Condition {
  const detection = worst(migrations.flatMap((m) => m.detectionMs ?? []));
  return {
    name: 'death to first forwarded byte',
    held: firstByteMs !== null,
    value: `${firstByteMs === null ? 'none came through' : `${round1(firstByteMs)} ms`}; detection ${detection === null ? 'not measured' : `${round1(detection)} ms`}`,
    bound: 'reported',
  };
}

/** Without a checkpoint nobody knows the flows: they wait, and their connections with them. */
export function uc2DeadControlConditions({ connections, echoed, migrations }: DeadFirewall): readonly Condition[] {
  return [
    {
      name: 'control: connections that get an echo without a checkpoint',
      held: connections > 0 && echoed === 0 && migrations.every((m) => m.state === 'degraded'),
      value: `${echoed} of ${connections} within 10 s; ${migrations.map((m) => `${m.state}: ${m.reason ?? ''}`).join('; ')}`,
      bound: 'none; degraded',
    },
  ];
}

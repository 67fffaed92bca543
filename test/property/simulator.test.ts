// The simulator of the data plane over a fixed budget of seeds, and on trial itself: it must find defects put in on purpose.
// `SIMULATOR_SEED=n` runs that one seed; the seeds of a failure are printed.

import { expect } from 'chai';

import { DEFECTS } from '../simulator/defects.ts';
import { runSeeds, tell } from '../simulator/run-seeds.ts';
import { WORLDS } from '../simulator/scenario.ts';
import { simulate } from '../simulator/simulation.ts';

const given = process.env['SIMULATOR_SEED'];
const FIRST = given === undefined ? 1 : Number(given);
const range = { from: FIRST, seeds: given === undefined ? 400 : 1, budgetMs: 4000 };

describe('the migration, simulated', () => {
  for (const faults of ['none', 'agents'] as const) {
    for (const world of WORLDS) {
      it(`keeps every promise for every seed (faults: ${faults}, world: ${world})`, async () => {
        const { failed, runs } = await runSeeds(range, { faults, world }, () => false);
        expect(runs).to.be.greaterThan(0);
        const [first] = failed;
        if (first !== undefined) expect.fail(await tell(first.seed, { faults, world }));
      });
    }
  }

  it('resumes or undoes a lift in which the controller is killed, after whichever commit', async () => {
    const { failed, counts } = await runSeeds(range, { faults: 'lift' }, () => false);
    const [first] = failed;
    if (first !== undefined) expect.fail(await tell(first.seed, { faults: 'lift' }));
    // A lift has two commits, or four: what nothing takes any more is cleared away at both ends.
    const kills = [1, 2, 3, 4].map((n) => `killed after commit ${n} of the lift`);
    if (given === undefined) expect([...counts.keys()]).to.include.members(kills);
  });

  it('runs the same for the same seed', async () => {
    const once = await simulate(FIRST, { trace: true });
    const again = await simulate(FIRST, { trace: true });
    expect(again.trace).to.deep.equal(once.trace);
  });
});

describe('the simulator on trial', () => {
  for (const defect of DEFECTS) {
    for (const world of WORLDS) {
      it(`finds "${defect}" (world: ${world})`, async () => {
        const { failed } = await runSeeds({ from: 1, seeds: 300, budgetMs: 5000 }, { defect, world }, () => false);
        expect(failed.length).to.be.greaterThan(0);
      });
    }
  }
});

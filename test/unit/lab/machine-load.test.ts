import { expect } from 'chai';
import { busyShare, processorTime } from '../../../src/lab/machine-load.ts';
import { overloadNote } from '../../../src/lab/report/text-table.ts';

describe('how busy the machine is', () => {
  it('is all time but idle and waiting for disks, guest time counted once', () => {
    const before = processorTime('cpu  100 0 50 800 50 0 0 0 30 0\ncpu0 1 2 3\n');
    const after = processorTime('cpu  160 0 80 840 60 5 5 10 60 0\ncpu0 1 2 3\n');
    expect(before).to.deep.equal({ idle: 850, total: 1000 });
    expect(busyShare(before, after)).to.be.closeTo(1 - 50 / 160, 1e-9);
  });

  it('is what the kernel says, and 0 over no time at all', () => {
    const now = processorTime();
    expect(now.total).to.be.above(now.idle);
    expect(busyShare(now, now)).to.equal(0);
  });

  it('is remarked on only where no time is left', () => {
    const quiet = { durationMs: 5000, invalid: 0, udpLost: 3, longestGapMs: 44.4 };
    expect(overloadNote({ ...quiet, busyShare: 0.9 })).to.equal('');
    expect(overloadNote(null)).to.equal('');
    expect(overloadNote({ ...quiet, busyShare: 0.98 })).to.match(/98 % busy .* 44 ms, 3 lost/);
  });
});

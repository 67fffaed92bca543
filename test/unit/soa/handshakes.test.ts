import { expect } from 'chai';

import { vnid } from '../../../src/base/ids.ts';
import { type ConntrackEntry, PROTO, STATUS } from '../../../src/netlink/conntrack-entry.ts';
import { mirror, parseAddress } from '../../../src/netlink/tuple.ts';
import { HandedOverRecords } from '../../../src/soa/handed-over.ts';
import { TCP_STATE } from '../../../src/soa/tcp-state.ts';
import { entryKey } from '../../../src/soa/tuple-index.ts';

const entry = (state: number): ConntrackEntry => {
  const tupleOrig = {
    ip: { v4Src: parseAddress('10.0.0.1'), v4Dst: parseAddress('10.0.0.3') },
    proto: { num: PROTO.TCP, srcPort: 4000, dstPort: 80 },
  };
  return { tupleOrig, tupleReply: mirror(tupleOrig), status: STATUS.CONFIRMED, protoinfo: { tcp: { state } } };
};

describe('handshakes under way at the source', () => {
  const key = entryKey(entry(1))!;
  let records: HandedOverRecords;
  beforeEach(() => {
    records = new HandedOverRecords(vnid(101));
  });

  it('count from their last step, not from when they were last read', () => {
    records.put(key, entry(TCP_STATE.SYN_SENT), 1000);
    records.put(key, { ...entry(TCP_STATE.SYN_SENT), timeout: 119 }, 5000);
    expect(records.awaitsAnswerSince(4000)).to.equal(false);
    expect(records.awaitsAnswerSince(1000)).to.equal(true);
    records.put(key, entry(TCP_STATE.CLOSE), 5500);
    records.put(key, entry(TCP_STATE.SYN_SENT), 6000);
    expect(records.awaitsAnswerSince(6000)).to.equal(true);
  });

  it('are not waited for when they are answered, and are listed all the same', () => {
    records.put(key, entry(TCP_STATE.SYN_SENT), 1000);
    records.put(key, entry(TCP_STATE.SYN_RECV), 1001);
    expect([records.handshakes, records.awaitsAnswerSince(0)]).to.deep.equal([1, false]);
    expect(records.describeHandshakes()).to.deep.equal(['tcp 10.0.0.1:4000 > 10.0.0.3:80 SYN_RECV']);
  });

  it('are over when the connection is established or gone', () => {
    records.put(key, entry(TCP_STATE.SYN_RECV), 1000);
    records.put(key, entry(TCP_STATE.ESTABLISHED), 1001);
    expect([records.handshakes, records.awaitsAnswerSince(0)]).to.deep.equal([0, false]);
    records.put(key, entry(TCP_STATE.SYN_SENT), 1002);
    records.delete(key);
    expect([records.handshakes, records.awaitsAnswerSince(0)]).to.deep.equal([0, false]);
  });
});

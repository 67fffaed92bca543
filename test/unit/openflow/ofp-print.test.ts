// Open vSwitch as the oracle: what we encode, ovs-ofctl reads, and prints as we print it.
import { expect } from 'chai';
import { formatFlowMod } from '../../../src/openflow/text/print-flow.ts';
import { encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import { ARP, fields, flow, FLOWS, out } from './flow-examples.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';
import { WIRE_VERSIONS } from '../../../src/openflow/wire-version.ts';
import type { OxmVersion } from '../../../src/openflow/wire-version.ts';

const NONE = Buffer.alloc(0);
const FRAME = Buffer.from('ffffffffffff0000000000018035', 'hex');

/** Messages that are not flow-mods, with what ovs-ofctl must say of them. */
const OTHERS: readonly (readonly [Message, RegExp])[] = [
  [{ type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [0x70] }] }, /0x04, 0x05, 0x06/],
  [{ type: 'features_request' }, /OFPT_FEATURES_REQUEST/],
  [{ type: 'set_config', flags: 0, missSendLen: 0xffff }, /miss_send_len=65535/],
  [{ type: 'echo_request', data: Buffer.from('x') }, /ECHO_REQUEST .*1 bytes of payload/],
  [{ type: 'barrier_request' }, /OFPT_BARRIER_REQUEST/],
  [{ type: 'role_request', role: 'equal', generationId: 3n }, /role=equal generation_id=3/],
  [
    { type: 'packet_out', inPort: 0xfffffffd, actions: [out(3)], data: FRAME },
    /in_port=CONTROLLER actions=output:3 data_len=14/,
  ],
  [{ type: 'packet_out', inPort: 7, actions: [out(0xfffffff9)], data: FRAME }, /in_port=7 actions=TABLE data_len=14/],
  [
    { type: 'meter_mod', command: 'add', meterId: 5, flags: 6, bands: [{ rate: 5, burstSize: 6 }] },
    /ADD meter=5 pktps burst bands=\s*type=drop rate=5 burst_size=6/,
  ],
  [{ type: 'multipart_request', more: false, body: { part: 'desc' } }, /OFPST_DESC request/],
  [{ type: 'multipart_request', more: false, body: { part: 'port_desc' } }, /OFPST_PORT_DESC request.*port=ANY/],
  [{ type: 'multipart_request', more: false, body: { part: 'flow', match: [] } }, /OFPST_FLOW request/],
  [
    { type: 'bundle_control', bundleId: 5, control: 'commit_request', flags: 3 },
    /BUNDLE_CONTROL .*bundle_id=0x5 type=COMMIT_REQUEST flags=atomic ordered/s,
  ],
  [
    {
      type: 'bundle_add',
      bundleId: 5,
      flags: 3,
      xid: 1,
      message: flow(fields(ARP), [out(3)]),
    },
    /BUNDLE_ADD_MESSAGE .*bundle_id=0x5 flags=atomic ordered.*ADD table:3 priority=5,arp cookie:0x1 actions=output:3/s,
  ],
  [{ type: 'error', errorType: 4, errorCode: 9, data: NONE }, /OFPBMC_BAD_PREREQ/],
];

const NAMES: Readonly<Record<OxmVersion, string>> = { 4: 'OF1.3', 5: 'OF1.4', 6: 'OF1.5' };

for (const version of WIRE_VERSIONS) {
  describe(`Open vSwitch reads what we write, ${NAMES[version]}`, () => {
    let flows: string[] = [];
    let others: string[] = [];

    before(function () {
      if (!hasOfctl()) {
        console.log('      skipped: no ovs-ofctl');
        this.skip();
      }
      flows = ofpPrint(Object.values(FLOWS).map((mod) => encodeMessage(version, 1, mod)));
      others = ofpPrint(OTHERS.map(([message]) => encodeMessage(version, 1, message)));
    });

    for (const [i, [what, mod]] of Object.entries(FLOWS).entries()) {
      it(`flow-mod: ${what}`, () => {
        expect(flows[i]).to.equal(`OFPT_FLOW_MOD (${NAMES[version]}) (xid=0x1): ${formatFlowMod(mod)}`);
      });
    }

    for (const [i, [message, says]] of OTHERS.entries()) {
      it(`${message.type}: ${says.source}`, () => {
        expect(others[i])
          .to.match(says)
          .and.not.to.match(/error:|\*\*\*/);
      });
    }
  });
}

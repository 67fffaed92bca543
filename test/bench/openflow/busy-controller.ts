// A controller for whose application packet-ins are too many: each costs it so many microseconds. Of LLDP and of each port
// that changes it tells at once, by a packet-out that brings back the number it came with. Prints what it has counted when
// it is ended. `node busy-controller.ts PORT MICROSECONDS`

import { OFPP, OFP_NO_BUFFER } from '../../../src/openflow/constants.ts';
import type { PacketIn, SwitchEvent } from '../../../src/openflow/model.ts';
import { createOpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import type { SwitchChannel } from '../../../src/openflow/switch-channel.ts';
import { ETHER_TYPE } from '../../../src/packet/ethernet.ts';
import type { BusyCounts } from './overload.ts';

const [port, workUs] = [Number(process.argv[2]), Number(process.argv[3])];
const counts = { packetIns: 0, discovery: 0, portStatus: 0 };
const dropped = { droppedPacketIns: 0, droppedDiscovery: 0, droppedPacketOuts: 0 };
const NONE = Buffer.alloc(0);

function bringBack(sw: SwitchChannel, data: Buffer): void {
  const actions = [{ type: 'output', port: OFPP.FLOOD }] as const;
  sw.send({ type: 'packet_out', inPort: OFPP.CONTROLLER, actions, data });
}

function serve(sw: SwitchChannel, { inPort, data, bufferId = OFP_NO_BUFFER }: PacketIn): void {
  if (data.readUInt16BE(12) === ETHER_TYPE.lldp) {
    counts.discovery += 1;
    bringBack(sw, data);
    return;
  }
  const until = performance.now() + workUs / 1000;
  while (workUs > 0 && performance.now() < until);
  counts.packetIns += 1;
  sw.send({ type: 'packet_out', inPort, bufferId, actions: [{ type: 'output', port: OFPP.FLOOD }], data: NONE });
}

function onEvent(sw: SwitchChannel, event: SwitchEvent): void {
  if (event.type === 'packet_in') serve(sw, event);
  else if (event.type === 'port_status') {
    counts.portStatus += 1;
    const number = Buffer.alloc(4);
    number.writeUInt32BE(Number.parseInt(event.port.name, 10));
    bringBack(sw, number);
  }
}

function countDropped(sw: SwitchChannel): void {
  const stats = sw.stats();
  dropped.droppedPacketIns += stats.droppedPacketIns;
  dropped.droppedDiscovery += stats.droppedDiscovery;
  dropped.droppedPacketOuts += stats.droppedPacketOuts;
}

const server = await createOpenFlowServer({ listen: { host: '127.0.0.1', port }, onEvent, onClose: countDropped });
process.once('SIGTERM', () => {
  for (const sw of server.switches.values()) countDropped(sw);
  const result: BusyCounts = { ...counts, ...dropped };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
});

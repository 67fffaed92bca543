// A learning switch on the library as anybody would write it: typed messages, the real codecs and channel, no special
// path. `node learning-switch.ts PORT`

import type { Mac, PortNo } from '../../../src/base/ids.ts';
import { OFPP, OFP_NO_BUFFER } from '../../../src/openflow/constants.ts';
import type { PacketIn } from '../../../src/openflow/model.ts';
import { createOpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import type { SwitchChannel } from '../../../src/openflow/switch-channel.ts';
import { decodeEthernet } from '../../../src/packet/ethernet.ts';

const IDLE_SECONDS = 60;
const learned = new Map<SwitchChannel, Map<Mac, PortNo>>();

function onPacketIn(sw: SwitchChannel, ports: Map<Mac, PortNo>, packetIn: PacketIn): void {
  const { inPort, data, bufferId = OFP_NO_BUFFER } = packetIn;
  const { source, destination } = decodeEthernet(data);
  ports.set(source, inPort);
  const port = ports.get(destination);
  const buffered = bufferId !== OFP_NO_BUFFER;
  const actions = [{ type: 'output', port: port ?? OFPP.FLOOD }] as const;
  if (port !== undefined) {
    sw.send({
      type: 'flow_mod',
      command: 'add',
      table: 0,
      priority: 1,
      cookie: 0n,
      idleTimeout: IDLE_SECONDS,
      bufferId,
      match: [
        { name: 'in_port', value: inPort },
        { name: 'eth_dst', value: destination },
        { name: 'eth_src', value: source },
      ],
      instructions: [{ type: 'apply_actions', actions }],
    });
    if (buffered) return;
  }
  sw.send({ type: 'packet_out', inPort, bufferId, actions, data: buffered ? Buffer.alloc(0) : data });
}

const server = await createOpenFlowServer({
  listen: { host: '127.0.0.1', port: Number(process.argv[2]) },
  onSwitch: (sw) => learned.set(sw, new Map()),
  onClose: (sw) => learned.delete(sw),
  onEvent: (sw, event) => {
    const ports = learned.get(sw);
    if (event.type === 'packet_in' && ports !== undefined) onPacketIn(sw, ports, event);
  },
});
process.once('SIGTERM', () => void server.close());
console.log('ready');

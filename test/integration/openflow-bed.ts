// What the OpenFlow tests need around a server: a private Open vSwitch, servers that record all they are told, bridges that are
// taken away, and flow mods that are good, senseless or clash.

import { createOpenFlowServer } from '../../src/openflow/openflow-server.ts';
import type { OpenFlowServer, OpenFlowServerOptions } from '../../src/openflow/openflow-server.ts';
import { OFPFF } from '../../src/openflow/constants.ts';
import type { FlowMod, SwitchEvent } from '../../src/openflow/model.ts';
import type { OpenFlowError } from '../../src/openflow/openflow-error.ts';
import type { SwitchChannel } from '../../src/openflow/switch-channel.ts';
import { PrivateOvs, until } from './openflow-ovs.ts';

export const VERSIONS = [
  ['OpenFlow13', 4],
  ['OpenFlow14', 5],
  ['OpenFlow15', 6],
] as const;

/** A server and all it has said, in order. */
export interface Recorder {
  readonly server: OpenFlowServer;
  readonly switches: SwitchChannel[];
  readonly events: SwitchEvent[];
  readonly closings: OpenFlowError[];
}

async function listen(
  options: Partial<OpenFlowServerOptions> & Pick<OpenFlowServerOptions, 'listen'>,
): Promise<Recorder> {
  const switches: SwitchChannel[] = [];
  const events: SwitchEvent[] = [];
  const closings: OpenFlowError[] = [];
  const server = await createOpenFlowServer({
    onSwitch: (sw) => switches.push(sw),
    onEvent: (_sw, event) => events.push(event),
    onClose: (_sw, reason) => closings.push(reason),
    ...options,
  });
  return { server, switches, events, closings };
}

export const portOf = ({ server }: Recorder, index = 0): number => server.addresses[index]?.port ?? 0;

export const drop = (priority: number, more: Partial<FlowMod> = {}): FlowMod => ({
  type: 'flow_mod',
  command: 'add',
  table: 0,
  priority,
  cookie: BigInt(priority),
  match: [{ name: 'in_port', value: 1 }],
  instructions: [],
  ...more,
});
/** Without the Ethernet type its match has no meaning: OFPBMC_BAD_PREREQ. */
export const senseless = (priority: number): FlowMod => drop(priority, { match: [{ name: 'tcp_dst', value: 80 }] });
/** Refused only when it is to take effect: then it overlaps another flow of its priority. */
export const overlapping = (priority: number): FlowMod =>
  drop(priority, { match: [{ name: 'eth_type', value: 0x0806 }], flags: OFPFF.CHECK_OVERLAP });

export class OpenFlowBed {
  readonly ovs = new PrivateOvs();
  readonly #open: Recorder[] = [];
  #bridges = 0;

  newBridge(version: string): string {
    this.#bridges += 1;
    const name = `of${process.pid % 100_000}-${this.#bridges}`;
    this.ovs.addBridge(name, version);
    return name;
  }

  async start(options: Partial<OpenFlowServerOptions> = {}): Promise<Recorder> {
    const recorder = await listen({ listen: { host: this.ovs.controllerHost, port: 0 }, ...options });
    this.#open.push(recorder);
    return recorder;
  }

  async connect(bridge: string, recorder: Recorder, scheme = 'tcp'): Promise<SwitchChannel> {
    const before = recorder.switches.length;
    this.ovs.vsctl('set-controller', bridge, `${scheme}:${this.ovs.controllerHost}:${portOf(recorder)}`);
    return until(`${bridge} connects`, () => recorder.switches[before] ?? null);
  }

  async closeServers(): Promise<void> {
    for (const { server } of this.#open.splice(0)) await server.close();
  }
}

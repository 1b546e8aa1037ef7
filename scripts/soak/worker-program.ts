/** A process of a soak: one voter over a connection of its own, which works until it is told to stop. */
import { serveCommands } from '../processes/child-program.ts';
import { connectTo } from '../processes/carrier.ts';
import type { Carrier, Connected } from '../processes/carrier.ts';
import { SoakNode } from './soak-node.ts';
import type { SoakMembership, Traffic } from './soak-node.ts';
import type { Sample } from './verdict.ts';

let connected: Connected | undefined;
let node: SoakNode | undefined;

function member(): SoakNode {
  if (!node) throw new Error('this process is in no group');
  return node;
}

const commands = {
  join: async ({ carrier, ...membership }: SoakMembership & { readonly carrier: Carrier }): Promise<void> => {
    connected = await connectTo(carrier, membership.node);
    node = await SoakNode.open(connected.transport, membership);
  },
  start: (loops: number): Promise<void> => {
    member().start(loops);
    return Promise.resolve();
  },
  sample: (storeBytes: number | null): Promise<Sample> => Promise.resolve(member().sample(storeBytes)),
  cyclesSoFar: (): Promise<number> => Promise.resolve(member().cyclesSoFar),
  stop: (): Promise<Traffic> => member().stop(),
  leave: async (): Promise<void> => {
    await node?.close();
    node = undefined;
  },
};

export type SoakCommands = typeof commands;

serveCommands(commands, async () => {
  await node?.close();
  await connected?.close();
});

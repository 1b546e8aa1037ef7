/** A process of a benchmark: it joins one group after another over the same connection and works when it is told. */
import type { TimingHints } from '@quorate/core/adapter';
import { serveCommands } from '../processes/child-program.ts';
import { connectTo } from '../processes/carrier.ts';
import type { Carrier, Connected } from '../processes/carrier.ts';
import { machineTimeMs } from '../processes/protocol.ts';
import { BenchNode } from './bench-node.ts';
import type { Membership, NodeStatus, Work, WorkResult } from './bench-node.ts';

let connected: Connected | undefined;
let node: BenchNode | undefined;

function member(): BenchNode {
  if (!node) throw new Error('this process is in no group');
  return node;
}

const commands = {
  connect: async ({ carrier, name }: { readonly carrier: Carrier; readonly name: string }): Promise<TimingHints> => {
    connected = await connectTo(carrier, name);
    return connected.transport.timing;
  },
  join: async (membership: Membership): Promise<void> => {
    if (!connected) throw new Error('this process has no connection');
    node = await BenchNode.open(connected.transport, membership);
  },
  leave: async (): Promise<void> => {
    await node?.close();
    node = undefined;
  },
  status: (): Promise<NodeStatus> => Promise.resolve(member().status),
  whenSettled: (): Promise<NodeStatus> => member().whenSettled(),
  run: (work: Work): Promise<WorkResult> => member().run(work),
  /** When another than `leader` leads, as this process sees it. */
  whenLeaderIsNot: async (leader: string): Promise<number> => {
    await member().whenLeaderIsNot(leader);
    return machineTimeMs();
  },
  /** When a lock that nobody ever held was granted. */
  whenGranted: async (lock: string): Promise<number> => {
    await member().acquire(lock);
    return machineTimeMs();
  },
};

export type WorkerCommands = typeof commands;

serveCommands(commands, async () => {
  await node?.close();
  await connected?.close();
});

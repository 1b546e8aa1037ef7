/** An instance over an engine double, alone or with a lease granted under the token 7. */
import { resolveJoinOptions } from '../../src/api/join-options.ts';
import type { Lease } from '../../src/api/lease-contract.ts';
import { JoinedQuorate } from '../../src/api/quorate.ts';
import { resultCode } from '../../src/lock/command.ts';
import type { EngineStatus } from '../../src/runtime/engine.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { EngineDouble } from './engine-double.ts';
import { fastTiming } from './group.ts';

export function arrange(status: Partial<EngineStatus> = {}): { engine: EngineDouble; quorate: JoinedQuorate } {
  const transport = memoryTransport({ timing: fastTiming });
  const engine = new EngineDouble();
  engine.status = { ...engine.status, ...status };
  return { engine, quorate: new JoinedQuorate(engine, resolveJoinOptions({ group: 'g', node: 'n', voters: ['n'], transport })) };
}

export async function arrangeLease(): Promise<{ engine: EngineDouble; quorate: JoinedQuorate; lease: Lease }> {
  const world = arrange();
  const acquiring = world.quorate.lock('l').acquire();
  world.engine.answer([1, resultCode.granted, 7, 'a note']);
  return { ...world, lease: await acquiring };
}

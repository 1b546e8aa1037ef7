/** The processes of a suite: the same ones from test to test, in a fresh group each time; what was killed is started again. */
import { randomBytes } from 'node:crypto';
import type { Carrier } from '../../scripts/processes/carrier.ts';
import { faultsIn } from '../support/hold-history.ts';
import { NodeProcess } from '../support/node-process.ts';
import type { GroupSettings } from '../support/node-process.ts';

export type GroupTiming = Omit<GroupSettings, 'carrier' | 'group' | 'voters'>;

/** Within the rules, and shorter than the defaults: a test that waits for a dead holder's session waits for one TTL. */
export const natsTiming: GroupTiming = { timing: { heartbeatMs: 75, electionTimeoutMs: 375 }, sessionTtlMs: 5_000 };
export const kafkaTiming: GroupTiming = { timing: { heartbeatMs: 150, electionTimeoutMs: 700 }, sessionTtlMs: 9_500 };

const voters = ['a', 'b', 'c'] as const;

/** Who is who in a group that has just been formed. */
export interface Cast {
  readonly leader: NodeProcess;
  readonly followers: readonly [NodeProcess, NodeProcess];
  readonly client: NodeProcess;
}

export class Crew {
  readonly voters: readonly NodeProcess[] = voters.map((name) => new NodeProcess(name));
  readonly client = new NodeProcess('d');

  get all(): readonly NodeProcess[] {
    return [...this.voters, this.client];
  }

  /** Everyone in a group that nobody was in before, with every voter heard. */
  async form(carrier: Carrier, timing: GroupTiming = {}): Promise<Cast> {
    const group = `processes-${randomBytes(6).toString('hex')}`;
    await Promise.all(this.all.map((node) => node.start()));
    for (const node of this.all) node.forget();
    await Promise.all(this.all.map((node) => node.join({ carrier, group, voters, ...timing })));
    await Promise.all(this.all.map((node) => node.ask('whenAllHeard', undefined)));
    const name = await this.client.ask('whenLed', { notBy: [] });
    const leader = this.voters.find((voter) => voter.name === name);
    const [first, second] = this.voters.filter((voter) => voter !== leader);
    if (!leader || !first || !second) throw new Error(`${name} leads, which is no voter`);
    return { leader, followers: [first, second], client: this.client };
  }

  /** Resolves with every fault in what was held since the group was formed. */
  faults(): string[] {
    return faultsIn(this.all.flatMap((node) => node.holds));
  }

  async leave(): Promise<void> {
    await Promise.all(this.all.map((node) => node.leave()));
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((node) => node.end()));
  }
}

/** Sessions that nobody meant to end. */
export async function sessionsLost(nodes: readonly NodeProcess[]): Promise<number> {
  const views = await Promise.all(nodes.map((node) => node.look()));
  return views.reduce((sum, view) => sum + view.sessionsLost, 0);
}

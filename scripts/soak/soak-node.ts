/** One voter of a soak: it takes and gives back locks as fast as it can, and says how large it has become. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Quorate } from '@quorate/core';
import type { Transport } from '@quorate/core/adapter';
import { joinFrom } from '../../packages/core/src/api/join.ts';
import { packedBytesMax } from '../../packages/core/src/codec/size.ts';
import type { Member } from '../../packages/core/src/group/member.ts';
import { systemHost } from '../../packages/core/src/runtime/system-host.ts';
import { openKeeping } from '../processes/keeping.ts';
import type { Keeping, Kept } from '../processes/keeping.ts';
import type { Sample } from './verdict.ts';

export interface SoakMembership {
  readonly group: string;
  readonly node: string;
  readonly voters: readonly string[];
  readonly keeping?: Keeping | undefined;
  /** How many slots the log keeps for newcomers; what is usual without. */
  readonly slotsKept?: number | undefined;
}

export interface Traffic {
  readonly failures: readonly string[];
}

const mailboxMax = 65_536;
const goodbyeMs = 1_000;
const failuresKept = 20;
/** Every other loop has a lock of its own; the others wait for each other, here and at the other voters. */
const sharedLocks = 8;

export class SoakNode {
  private cycles = 0;
  private failures: string[] = [];
  private isStopping = false;
  private loops: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly quorate: Quorate,
    private readonly member: () => Member,
    private readonly kept: Kept | undefined,
    private readonly node: string,
  ) {}

  static async open(transport: Transport, { group, node, voters, keeping, slotsKept }: SoakMembership): Promise<SoakNode> {
    const kept = keeping && (await openKeeping(keeping, { group, node }));
    let member: Member | undefined;
    const observer = {
      onTurn: (of: Member): void => void (member = of),
      onRequest: (of: Member): void => void (member = of),
    };
    const logLimits = slotsKept === undefined ? null : { slotsKept, logSlotsMax: 4 * slotsKept, logBytesMax: 2 ** 26 };
    const foundation = { host: systemHost, mailboxMax, observer, logLimits, ...(kept && { storage: kept.storage }) };
    const quorate = await joinFrom(foundation, { group, node, voters, transport, firstFounding: true });
    const present = (): Member => {
      if (!member) throw new Error(`${node} has taken no turn yet`);
      return member;
    };
    return new SoakNode(quorate, present, kept, node);
  }

  /** Begins so many loops, which go on until `stop`. */
  start(loops: number): void {
    this.isStopping = false;
    this.loops = Promise.all(Array.from({ length: loops }, (_, index) => this.loop(index % 2 === 0 ? `${this.node}/${index}` : `shared/${index % sharedLocks}`))); // prettier-ignore
  }

  get cyclesSoFar(): number {
    return this.cycles;
  }

  async stop(): Promise<Traffic> {
    this.isStopping = true;
    await this.loops;
    return { failures: this.failures };
  }

  /** Each process has one heap, so where several voters share one, they show the same. */
  sample(storeBytes: number | null): Sample {
    const { replica } = this.member().inspect;
    if (!replica) throw new Error(`${this.node} has no seat any more`);
    const { log } = replica;
    let logBytes = 0;
    for (let slot = log.floor + 1; slot <= log.lastSlot; slot += 1) logBytes += packedBytesMax(log.valueAt(slot) ?? null);
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    const { floor, lastSlot, chosenIndex } = log;
    const sizes = { logSlots: lastSlot - floor, logBytes, heapBytes: heapUsed, rssBytes: rss, storeBytes };
    return { atMs: performance.now(), ...sizes, floor, chosenIndex };
  }

  async close(): Promise<void> {
    await this.quorate.close({ timeoutMs: goodbyeMs });
    await this.kept?.close();
  }

  private async loop(name: string): Promise<void> {
    const lock = this.quorate.lock(name);
    while (!this.isStopping) {
      try {
        const lease = await lock.acquire({ timeoutMs: Infinity });
        await lease.release();
        this.cycles += 1;
      } catch (error) {
        if (this.failures.length < failuresKept) this.failures.push(`${this.node}, lock ${name}: ${String(error)}`);
        if (this.failures.length >= failuresKept) return;
      }
    }
  }
}

let collect = (): void => {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as () => void;
  collect = found;
  found();
};

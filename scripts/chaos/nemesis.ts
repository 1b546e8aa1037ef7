/** Carries a plan out: each nemesis at its time, on whoever has the role then, and everything healed at the end. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosBroker } from './chaos-broker.ts';
import type { GuardedStore } from './guarded-store.ts';
import { machineTimeNs } from './history.ts';
import type { EpisodePlan, Nemesis, NemesisType, Target } from './plan.ts';
import type { Direction } from './proxy.ts';
import type { Standing, StopOrder } from './stop-point.ts';
import { voterNames } from './troupe.ts';
import type { ChaosProcess, Troupe } from './troupe.ts';

/** What was done, for figures and for the account of a run. */
export interface Strike {
  readonly type: NemesisType;
  /** As it was planned. */
  readonly forMs: number;
  readonly atNs: number;
  /** Of the process; undefined for brokers. */
  readonly process: string | undefined;
  /** It led the group, as far as was known. */
  readonly wasLeader: boolean;
}

export interface NemesisParts {
  readonly troupe: Troupe;
  readonly broker: ChaosBroker;
  readonly store: GuardedStore;
  /** For files that tell a blocked process to go on: it hears nothing else. */
  readonly folder: string;
  /** Brings a process that was killed and started again back to work. */
  readonly revive: (one: ChaosProcess) => Promise<void>;
}

const directions: Record<'cut' | 'cutToBroker' | 'cutToProcess', readonly Direction[]> = {
  cut: ['toBroker', 'toProcess'],
  cutToBroker: ['toBroker'],
  cutToProcess: ['toProcess'],
};
/** How long a holder is waited for who passes its stop point. */
const holderWithinMs = 500;
const lookMs = 50;
/** Several keep-alives of a process that hears no answer. */
const lastWordsMs = 500;

/** A holder that is stopped is kept so until others have written, for this many times as long as was planned at most. */
export const stallsMax = 3;

function isDeathOfVoter({ type, process }: Strike): boolean {
  return (type === 'kill' || type === 'killHolder') && voterNames.some((voter) => voter === process);
}

export class Nemeses {
  readonly strikes: Strike[] = [];
  /** What did not go as it should: a process that could not come back, a broker that did not start. */
  readonly failures: string[] = [];
  private readonly healing = new AbortController();
  private under: Promise<void>[] = [];
  /** The last of each process: one that was killed again on its way back never comes to its end. */
  private readonly revivals = new Map<ChaosProcess, Promise<void>>();
  /** A member is down once, however many nemeses want it down; it comes back when the last of them is over. */
  private brokersDown = 0;
  private brokerKills = 0;

  constructor(private readonly parts: NemesisParts) {}

  /** Resolves when the time is over; nemeses may still be at work. */
  async run({ nemeses }: EpisodePlan, seconds: number): Promise<void> {
    this.under = nemeses.map((nemesis) => this.carryOut(nemesis).catch((error: unknown) => void this.failures.push(String(error))));
    await sleep(seconds * 1_000, undefined, { signal: this.healing.signal }).catch(() => undefined);
  }

  /** Ends all that is under way, and resolves when every wire, broker and process is there again; a loop that is blocked ends by itself. */
  async heal(): Promise<void> {
    this.healing.abort();
    await this.mend();
    // Holders that are stopped before a write are let go once others have written, now that nothing else is in their way.
    await Promise.all(this.under);
    await this.mend();
  }

  private async mend(): Promise<void> {
    for (const { link } of this.parts.troupe.all) link.heal();
    await this.parts.broker.startAll();
  }

  /** Resolves when all that were killed are back at work. After `heal`. */
  async whenRevived(): Promise<void> {
    await Promise.all(this.revivals.values());
  }

  private async carryOut(nemesis: Nemesis): Promise<void> {
    await this.pause(nemesis.atMs);
    if (this.healing.signal.aborted) return;
    switch (nemesis.type) {
      case 'killBroker':
        return this.breakBrokers(nemesis, () => this.parts.broker.killMember(nemesis.member));
      case 'killBrokers':
        return this.breakBrokers(nemesis, () => this.parts.broker.killAll());
      case 'cut':
      case 'cutToBroker':
      case 'cutToProcess':
      case 'slow':
      case 'drop':
      case 'refuse':
      case 'lateAnswers':
        return this.breakLink(nemesis);
      default:
        return this.breakProcess(nemesis);
    }
  }

  private async breakBrokers(nemesis: Nemesis, kill: () => Promise<void>): Promise<void> {
    this.brokersDown += 1;
    this.brokerKills += 1;
    this.strike(nemesis);
    await kill();
    await this.pause(nemesis.forMs);
    this.brokersDown -= 1;
    if (this.brokersDown > 0) return;
    const kills = this.brokerKills;
    await this.parts.broker.startAll().catch((error: unknown) => {
      // A member that was killed again on its way up is started by the nemesis that did it.
      if (this.brokerKills === kills) throw error;
    });
  }

  private async breakLink(nemesis: Extract<Nemesis, { target: Target }>): Promise<void> {
    const one = this.parts.troupe.find(nemesis.target, () => true);
    if (!one) return;
    this.strike(nemesis, one);
    switch (nemesis.type) {
      case 'drop':
        return one.link.drop();
      case 'refuse':
        one.link.refuse();
        break;
      case 'slow':
        one.link.set(directions.cut, { delayMs: nemesis.delayMs, bytesPerSecond: nemesis.bytesPerSecond });
        break;
      case 'cut':
      case 'cutToBroker':
      case 'cutToProcess':
        one.link.set(directions[nemesis.type], { cut: true });
        break;
      case 'lateAnswers':
        return this.delayAnswers(nemesis, one);
      default:
        return;
    }
    await this.pause(nemesis.forMs);
    one.link.heal();
  }

  /** The last things that the process says are answered, and the answers are held back for most of a session's length. */
  private async delayAnswers({ forMs }: Nemesis, { link }: ChaosProcess): Promise<void> {
    link.set(['toProcess'], { cut: true });
    await this.pause(lastWordsMs);
    link.set(['toBroker'], { cut: true });
    await this.pause(forMs / 3);
    link.set(['toProcess'], { cut: false });
    await this.pause((forMs * 2) / 3);
    link.heal();
  }

  /** One thing at a time for each process. */
  private async breakProcess(nemesis: Extract<Nemesis, { target: Target }>): Promise<void> {
    const one = this.parts.troupe.find(nemesis.target, ({ isBusy }) => !isBusy);
    if (!one) return;
    one.isBusy = true;
    try {
      if (nemesis.type === 'kill' || nemesis.type === 'killHolder') await this.killAndStart(nemesis, one);
      else await this.strikeProcess(nemesis, one);
    } finally {
      one.isBusy = false;
    }
  }

  /** Back to work is another matter: it may take until the world is whole again. */
  private async killAndStart(nemesis: Nemesis, one: ChaosProcess): Promise<void> {
    const { type, forMs } = nemesis;
    if (type === 'killHolder' && !(await this.standing(one, { how: 'wait', untilFile: '', longestMs: 0 }))) return;
    this.strike(nemesis, one);
    await one.kill();
    await this.pause(forMs);
    await one.start();
    const revival = this.parts.revive(one);
    revival.catch(() => undefined);
    this.revivals.set(one, revival);
  }

  private async strikeProcess(nemesis: Nemesis, one: ChaosProcess): Promise<void> {
    const { forMs } = nemesis;
    switch (nemesis.type) {
      case 'pauseHolder':
      case 'blockHolder':
        return this.stopHolder(nemesis, one);
      case 'pause':
        one.running.pause();
        this.strike(nemesis, one);
        await this.pause(forMs);
        return one.running.resume();
      case 'block':
        this.strike(nemesis, one);
        await one.running.request('block', forMs);
        return void (await sleep(forMs));
      default:
        return;
    }
  }

  /** Until somebody else has written what it is about to write, so that its write is stale if only the group gets that far. */
  private async stopHolder(nemesis: Nemesis, one: ChaosProcess): Promise<void> {
    const { type, forMs } = nemesis;
    const { store, folder } = this.parts;
    const how = type === 'pauseHolder' ? 'wait' : 'block';
    const untilFile = join(folder, `go-on-${one.name}-${machineTimeNs()}`);
    const longestMs = stallsMax * forMs;
    const standing = await this.standing(one, { how, untilFile, longestMs });
    if (!standing) return;
    if (how === 'wait') one.running.pause();
    this.strike(nemesis, one);
    const register = { key: standing.lock, token: standing.token };
    const beganAtMs = performance.now();
    const stoppedMs = (): number => performance.now() - beganAtMs;
    const isEnough = (): boolean => store.hasNewer(register) && (this.healing.signal.aborted || stoppedMs() >= forMs);
    // Without it and the dead one there is no majority, and nobody to wait for.
    const isHopeless = (): boolean => one.isVoter && this.strikes.some(isDeathOfVoter) && stoppedMs() >= forMs;
    while (!isEnough() && !isHopeless() && stoppedMs() < longestMs) await sleep(lookMs);
    if (how === 'wait') one.running.resume();
    else writeFileSync(untilFile, '');
  }

  /** Its next turn as a holder; asked again and again, for while the group is without a leader nobody holds anything. */
  private async standing(one: ChaosProcess, order: Omit<StopOrder, 'withinMs'>): Promise<Standing | undefined> {
    while (!this.healing.signal.aborted) {
      const standing = await one.running.request('stopAtPoint', { ...order, withinMs: holderWithinMs });
      if (standing) return standing;
    }
    return undefined;
  }

  private strike({ type, forMs }: Nemesis, one?: ChaosProcess): void {
    const wasLeader = one !== undefined && this.parts.troupe.leaderName === one.name;
    this.strikes.push({ type, forMs, atNs: machineTimeNs(), process: one?.name, wasLeader });
  }

  /** Cut short where it is time to heal. */
  private async pause(forMs: number): Promise<void> {
    await sleep(forMs, undefined, { signal: this.healing.signal }).catch(() => undefined);
  }
}

/**
 * What a process does where a majority of its group is lost: a voter that survived finds out, says so, and gives up its seat where it was
 * told to; whoever asks one is told. The safety rule 15; `docs/protocol.md`, "Refounding on request".
 */
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import { isVoter } from '../paxos/configuration.ts';
import { Founder } from '../paxos/founding.ts';
import type { Inheritance } from '../paxos/founding.ts';
import type { Greeting } from '../paxos/founding-message.ts';
import { MajorityWatch } from '../paxos/majority-watch.ts';
import type { MajorityWatchInput } from '../paxos/majority-watch.ts';
import type { Instant } from '../time/clock.ts';
import type { FoundingDesk } from './founding-desk.ts';
import type { MemberOptions, MemberStatus } from './member-io.ts';
import type { Place } from './place.ts';
import { freshSeatOutput } from './seat-io.ts';
import type { SeatOutput } from './seat-io.ts';

/** Who hears no leader for so many election timeouts asks who is left. */
const leaderlessElections = 4;
/** The word of a survivor counts for so many periods, as that of a group that lives does for founders. */
const toldPeriods = 40;

export class Survivor {
  private watch: MajorityWatch | null = null;
  private hasGivenUp = false;
  /** A voter that survived said so to a question of this process. */
  private told: { readonly node: string; readonly atMs: number } | null = null;

  constructor(
    private readonly options: MemberOptions,
    private readonly place: Place,
    private readonly desk: FoundingDesk,
  ) {}

  /** This incarnation is discarded: it says nothing more. */
  get isOver(): boolean {
    return this.hasGivenUp;
  }

  /** A majority of its own group is lost, as far as it can find out. */
  get isBereft(): boolean {
    return this.watch !== null && this.watch.loss !== null;
  }

  /** Its group came to a later configuration without it, as it was told; what became of that it does not know. */
  get isUnseated(): boolean {
    return this.watch !== null && !isVoter(this.watch.configuration, this.options.self);
  }

  status(nowMs: number): MemberStatus['majorityLost'] {
    const { told, watch } = this;
    if (watch?.loss) return { lost: watch.loss.lost.map(({ node }) => node), told: null };
    const isFresh = told !== null && nowMs - told.atMs < toldPeriods * this.options.timing.heartbeatMs;
    return isFresh ? { lost: [], told: told.node } : null;
  }

  onTick(leader: Ballot | null, tokenSecond: number, { monotonicMs: nowMs, wallMs }: Instant): SeatOutput {
    if (leader) this.told = null;
    else this.desk.lookAgain();
    const out = freshSeatOutput();
    this.keepUp(out);
    this.step({ type: 'tick', hasLeader: leader !== null, nowMs }, wallMs, out);
    const mayGiveUp = this.options.whenMajorityIsLost === 'refound' && this.desk.founder instanceof Founder;
    if (mayGiveUp && this.isBereft && !this.hasGivenUp) this.giveUp(tokenSecond, out);
    return out;
  }

  onGreeting(from: Proposer, greeting: Greeting, { monotonicMs, wallMs }: Instant): SeatOutput {
    if (greeting.standing === 'bereft' && this.desk.isFresh(greeting)) this.told = { node: from.node, atMs: monotonicMs };
    const out = freshSeatOutput();
    this.step({ type: 'greeting', from, greeting }, wallMs, out);
    return out;
  }

  /** As if its memory had been wiped: that seals the founding for it, for whoever is started on the same storage later too. */
  private giveUp(tokenSecond: number, out: SeatOutput): void {
    const inherits = this.inheritance(tokenSecond);
    this.hasGivenUp = true;
    this.place.discard({ type: 'refounding', founding: inherits.founding, inherits }, out);
  }

  /** What the next incarnation is to know of this one's founding. */
  private inheritance(tokenSecond: number): Inheritance {
    const { configuration, tokenSecond: first = 0, maxSessionTtlMs = 0 } = this.place.record ?? {};
    return {
      founding: configuration?.founding ?? '',
      tokenSecond: Math.max(tokenSecond, first),
      longestTtlMs: Math.max(maxSessionTtlMs, this.options.maxSessionTtlMs),
    };
  }

  /** Only who has a seat watches, by the configuration that it came to; a counted group is the broker's matter. */
  private keepUp(out: SeatOutput): void {
    const { seat, record } = this.place;
    const { self, timing, count } = this.options;
    if (!seat || !record || count !== undefined) {
      this.watch = null;
      return;
    }
    const { configuration } = record;
    if (this.watch?.configuration.founding === configuration.founding) return this.step({ type: 'configuration', configuration }, 0, out);
    const leaderlessMs = leaderlessElections * timing.electionTimeoutMs;
    this.watch = new MajorityWatch({ self, periodMs: timing.heartbeatMs, leaderlessMs }, configuration);
  }

  private step(input: MajorityWatchInput, wallMs: number, { send, events }: SeatOutput): void {
    const { watch, desk } = this;
    if (!watch) return;
    const { ask, verdict } = watch.step(input);
    for (const node of ask?.nodes ?? []) {
      send.push({ to: { type: 'node', node }, message: { type: 'hello', nonce: ask?.nonce ?? '', voters: desk.asked, wallMs } });
    }
    const { founding, id: configuration } = watch.configuration;
    if (verdict === 'taken back') events.push({ type: 'majorityRegained', founding });
    else if (watch.loss && verdict === 'lost') events.push({ type: 'majorityLost', founding, configuration, lost: watch.loss.lost });
  }
}

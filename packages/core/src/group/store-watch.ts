/**
 * How far the stores of the voters are, as far as this process knows: its own, which it counts, reports and, after a restart, asks about;
 * and those of the others, for them to ask about. The safety rule 21; `docs/protocol.md`, "Stores that go back".
 */
import { unreachable } from '../errors.ts';
import { isVoter } from '../paxos/configuration.ts';
import type { Configuration } from '../paxos/configuration.ts';
import { Recollection } from '../paxos/recollection.ts';
import type { StoreLapse } from '../paxos/recollection.ts';
import type { StoreMessage } from '../paxos/store-message.ts';
import type { Instant } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { MemberOptions, MemberOutput, MemberRecord } from './member-io.ts';
import type { MemberFrame, MemberSend } from './member-message.ts';
import type { VoterSeat } from './voter-seat.ts';

type Origin = Pick<MemberOptions, 'self' | 'memory' | 'timing' | 'random' | 'isVolatile'>;
type Answers = Pick<MemberOutput, 'send'>;

/**
 * 1. The position is the number of records that this incarnation has persisted; what reports it leaves once they are durable.
 * 2. While the memory is in doubt it stands still, also in the store: a run that follows on one that died so finds no more than that.
 * 3. A memory is in doubt from the start of any run but the first, until a recollection finds it sound.
 */
export class StoreWatch {
  private at: number;
  private recollection: Recollection | null;
  private isOver = false;
  /** By incarnation; of voters of the present configuration alone. */
  private readonly seen = new Map<string, number>();

  constructor(private readonly options: Origin) {
    const { self, memory, timing, random } = options;
    const found = self.run > 1 ? memory?.position : undefined;
    const { heartbeatMs: periodMs, electionTimeoutMs: restMs } = timing;
    this.at = memory?.position ?? 0;
    this.recollection = found === undefined ? null : new Recollection({ self, nonce: nonceBy(random), found, periodMs, restMs });
  }

  get position(): number {
    return this.at;
  }

  get isInDoubt(): boolean {
    return this.recollection !== null;
  }

  /** A seat whose memory is in doubt asks the others, and is a voter once it is known to have forgotten nothing that they saw. */
  recollect({ replica }: Pick<VoterSeat, 'replica'>, { monotonicMs }: Instant, { send }: Answers): StoreLapse | null {
    const { recollection } = this;
    if (!recollection || this.isOver) return null;
    const { configuration } = replica;
    for (const { node, message } of recollection.ask(configuration, monotonicMs)) send.push({ to: { type: 'node', node }, message });
    const verdict = recollection.verdict(configuration, monotonicMs);
    if (verdict.type === 'wentBack') return this.lapsed(verdict);
    if (verdict.type === 'asking') return null;
    this.recollection = null;
    replica.trust(monotonicMs);
    return null;
  }

  /** Returns what it proves of this process's own store. */
  onMessage({ from, configuration: id }: MemberFrame, message: StoreMessage, present: Configuration, { send }: Answers): StoreLapse | null {
    const isOfVoter = id === present.id && isVoter(present, from);
    switch (message.type) {
      case 'storeAt':
        if (isOfVoter) this.note(from.incarnation, message.position, present);
        return null;
      case 'storesSeen':
        return isOfVoter ? this.onStoresSeen(from.node, message.positions, present) : null;
      case 'recall': {
        const position = this.seen.get(from.incarnation) ?? 0;
        send.push({ to: { type: 'node', node: from.node }, message: { type: 'recalled', nonce: message.nonce, position } });
        return null;
      }
      case 'recalled':
        this.recollection?.onRecalled(from, message);
        return null;
      default:
        return unreachable(message);
    }
  }

  /** The end of a step: what it persists is counted, and reported beside what is said to a leader or by one. */
  finish({ configuration, persist, send }: MemberOutput, present: Configuration | undefined): void {
    if (this.options.isVolatile !== true && persist.length > 0) this.count(persist);
    let reportTo: MemberSend['to'] | undefined;
    let leads = false;
    for (const { to, message } of send) {
      if (message.type === 'heartbeatSeen' || message.type === 'promise') reportTo = to;
      else if (message.type === 'heartbeat') leads = true;
    }
    if (reportTo && this.at > 0) send.push({ to: reportTo, message: { type: 'storeAt', position: this.at } });
    if (!leads || present?.id !== configuration) return;
    const positions = present.voters.map(({ incarnation }) => this.positionOf(incarnation));
    if (positions.some((position) => position > 0)) send.push({ to: { type: 'all' }, message: { type: 'storesSeen', positions } });
  }

  private count(persist: MemberRecord[]): void {
    if (this.isOver) return;
    if (this.recollection) persist.push({ type: 'position', position: this.at });
    else this.at += persist.length;
  }

  /** Whoever saw this store further than it is proves that it went back, however old its word is. */
  private onStoresSeen(by: string, positions: readonly number[], present: Configuration): StoreLapse | null {
    for (const [index, { incarnation }] of present.voters.entries()) this.note(incarnation, positions[index] ?? 0, present);
    const seen = this.seen.get(this.options.self.incarnation) ?? 0;
    return seen > this.at ? this.lapsed({ found: this.at, seen, by }) : null;
  }

  /** Said once. The doubt stays: nothing is voted on this memory any more. */
  private lapsed({ found, seen, by }: StoreLapse): StoreLapse | null {
    if (this.isOver) return null;
    this.isOver = true;
    return { found, seen, by };
  }

  private positionOf(incarnation: string): number {
    return incarnation === this.options.self.incarnation ? this.at : (this.seen.get(incarnation) ?? 0);
  }

  private note(incarnation: string, position: number, { voters }: Configuration): void {
    if (position <= (this.seen.get(incarnation) ?? 0)) return;
    this.seen.set(incarnation, position);
    if (this.seen.size <= voters.length) return;
    for (const known of this.seen.keys()) if (!voters.some((voter) => voter.incarnation === known)) this.seen.delete(known);
  }
}

function nonceBy(random: Random): string {
  return Array.from({ length: 4 }, () => random.below(2 ** 32).toString(16)).join('.');
}

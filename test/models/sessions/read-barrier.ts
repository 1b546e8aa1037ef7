/** A read at a leader against what others know already: the shipped services of two rounds, a writer that changes a lock, one read. */
import { lockOp } from '../../../packages/core/src/lock/command.ts';
import { isPartitionsState } from '../../../packages/core/src/operation.ts';
import type { LockOp } from '../../../packages/core/src/lock/command.ts';
import type { GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import type { Model, Step } from '../checker/model.ts';
import { Succession } from './succession.ts';
import type { Seats, Turn } from './succession.ts';

const tickMs = 1_000;
const resource = 'l/x';
const firstToken = 2 ** 22 + 1;

export interface ReadBounds {
  readonly reads: 'lease' | 'quorum';
  readonly ticksMax: number;
  readonly writesMax: number;
}

interface State {
  readonly seats: Seats;
  /** The writer's. */
  readonly session: number;
  readonly reader: number;
  /** How many of the writer's commands were proposed. */
  readonly written: number;
  /** How much was chosen when the read left: somebody may have been told of all that. */
  readonly mustSee: number | null;
  readonly heardBy: readonly number[];
  readonly answered: boolean;
  readonly broken: string | null;
}

export function readBarrier(name: string, about: string, bounds: ReadBounds): Model<unknown> {
  return new ReadBarrier(name, about, bounds) as Model<unknown>;
}

class ReadBarrier implements Model<State> {
  readonly rules = [6, 9];
  readonly marks = ['answered', 'answered by the second leader', 'read behind a proposal', 'read at a leader that was replaced'];
  private readonly succession: Succession;

  constructor(
    readonly name: string,
    readonly about: string,
    private readonly bounds: ReadBounds,
  ) {
    const { reads } = bounds;
    this.succession = new Succession({ reads, leaseMs: tickMs, rounds: 2, lateEchoes: reads === 'quorum', lateLearning: true });
  }

  initial(): State[] {
    const open = { type: 'openSession', ttlMs: 100 * tickMs, replaces: 0 } as const;
    const { seats } = this.succession.opened(['y', { ...open, nonce: 'y' }], ['z', { ...open, nonce: 'z' }]);
    const session = seats.log.state.sessionOfNode('y') ?? 0;
    const reader = seats.log.state.sessionOfNode('z') ?? 0;
    return [{ seats, session, reader, written: 0, mustSee: null, heardBy: [], answered: false, broken: null }];
  }

  *next(state: State): Iterable<Step<State>> {
    const { seats, written, mustSee, heardBy } = state;
    if (state.answered) return;
    if (seats.nowMs < this.bounds.ticksMax * tickMs) {
      yield { label: `it is ${seats.nowMs + tickMs} ms`, state: { ...state, seats: { ...seats, nowMs: seats.nowMs + tickMs } } };
    }
    for (const turn of this.succession.turns(seats)) yield this.told(state, turn);
    if (mustSee === null) yield { label: 'z sends its read', state: { ...state, mustSee: seats.log.length } };
    for (let index = 0; index < 2; index += 1) {
      const write = written < this.bounds.writesMax ? this.succession.hears(seats, index, 'y', this.command(state)) : null;
      if (write) yield this.told({ ...state, written: written + 1 }, write);
      const read: GroupSessionMessage = {
        type: 'watch',
        session: state.reader,
        version: 1,
        since: 0,
        part: 1,
        added: [resource],
        removed: [],
      };
      const reading = mustSee !== null && !heardBy.includes(index) ? this.succession.hears(seats, index, 'z', read) : null;
      if (reading) yield this.told({ ...state, heardBy: [...heardBy, index].sort() }, reading);
    }
  }

  check({ seats, broken }: State): string | null {
    return broken ?? seats.log.broken;
  }

  key({ seats, ...rest }: State): string {
    return `${this.succession.key(seats)} ${JSON.stringify(rest)}`;
  }

  seen({ seats, answered, heardBy }: State): string[] {
    const marks: string[] = [];
    if (answered) marks.push('answered');
    if (answered && heardBy.includes(1) && !heardBy.includes(0)) marks.push('answered by the second leader');
    if (this.succession.isReadWaiting(seats, 0)) marks.push('read behind a proposal');
    if (seats.log.state.stamp.startsWith('2:') && heardBy.includes(0) && seats.seats[0]?.term)
      marks.push('read at a leader that was replaced');
    return marks;
  }

  private command({ session, written }: State): GroupSessionMessage {
    const acquire: LockOp = [lockOp.acquire, 1, resource, 0, 0, null];
    const release: LockOp = [lockOp.release, 2, resource, firstToken, null];
    return { type: 'submit', session, floor: written, ops: [written === 0 ? acquire : release] };
  }

  private told(state: State, { label, seats, answers }: Turn): Step<State> {
    for (const { node, message } of answers) {
      if (node !== 'z' || message.type !== 'watched' || message.index !== 1 || state.mustSee === null) continue;
      const must = seats.log.upTo(state.mustSee).state.lockState(resource);
      const [shown] = message.states;
      const isOld =
        shown === undefined ||
        isPartitionsState(shown) ||
        (shown.version < must.version && JSON.stringify(shown.holders) !== JSON.stringify(must.holders));
      const broken = isOld ? 'a read shows less than was known when it was sent (rule 6)' : state.broken;
      return { label: `${label}, which answers the read`, state: { ...state, seats, answered: true, broken } };
    }
    return { label, state: { ...state, seats } };
  }
}

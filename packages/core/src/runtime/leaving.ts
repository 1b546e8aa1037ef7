/** How a process leaves in good order: its session ends, and where somebody can take its seat it goes on voting until another has it. */
import type { Observable } from 'rxjs';
import type { MembersView } from '../group/roll.ts';
import type { VoterOrder } from '../paxos/voter-order.ts';
import { orderAnswers } from '../paxos/voter-order.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import type { EngineEvent } from './engine.ts';

interface Leaver {
  readonly host: Host;
  readonly members: MembersView;
  readonly events$: Observable<EngineEvent>;
  order(id: number, order: VoterOrder | null): void;
}

/** The end of a session that is being closed, or that its opening may have made. */
export class SessionEnd {
  /** True once it is over; false where it is not in time. */
  readonly inTime: Promise<boolean>;
  #finish: (isOver: boolean) => void = () => undefined;

  constructor(
    host: Host,
    timeoutMs: number,
    private readonly isOver: () => boolean,
  ) {
    this.inTime = new Promise((resolve) => {
      const timer = host.startTimer(() => resolve(false), Math.max(0, timeoutMs));
      this.#finish = (isOver) => {
        host.stopTimer(timer);
        resolve(isOver);
      };
    });
  }

  /** After each turn. */
  look(): void {
    if (this.isOver()) this.#finish(true);
  }
}

interface Bounds {
  readonly timeoutMs: number;
  /** For so long it waits for a leader to appear: longer there is no majority that could give its seat away. */
  readonly leaderlessMs: number;
}

/**
 * Resolves once another has the seat of this incarnation, once that was refused, or at the deadline; at once where it has no seat, or
 * nobody stands by.
 */
export function leaveSeat(engine: Leaver, self: { readonly node: string; readonly incarnation: string }, bounds: Bounds): Promise<void> {
  const { voters, standbys } = engine.members;
  const hasSeat = voters.some(({ node, incarnation }) => node === self.node && incarnation === self.incarnation);
  if (!hasSeat || standbys.length === 0 || bounds.timeoutMs <= 0) return Promise.resolve();
  const { host } = engine;
  const id = host.randomBytes(6).readUIntBE(0, 6);
  return new Promise((resolve) => {
    let patience: TimerHandle | undefined;
    const deadline = bounds.timeoutMs === Infinity ? undefined : host.startTimer(() => finish(), bounds.timeoutMs);
    const finish = (): void => {
      host.stopTimer(deadline);
      host.stopTimer(patience);
      events.unsubscribe();
      engine.order(id, null);
      resolve();
    };
    const waitForLeader = (): void => (patience = host.startTimer(finish, bounds.leaderlessMs)) && undefined;
    const events = engine.events$.subscribe({
      next: (event) => {
        if (event.type === 'seatGiven' || event.type === 'storeWentBack' || event.type === 'stopped') return finish();
        if (event.type !== 'voterOrder' || event.id !== id) return;
        host.stopTimer(patience);
        if (event.standing === 'noLeader') waitForLeader();
        else if (orderAnswers[event.standing] === 'final') finish();
      },
      complete: finish,
    });
    waitForLeader();
    engine.order(id, { type: 'leave', node: self.node });
  });
}

/** Sessions and what they were answered, against a list and a map that forget nothing they need not, with snapshots in between. */
import fc from 'fast-check';
import { answersMax } from '../../src/session/answer-window.ts';
import type { SessionCommand, SessionMachineSnapshot, SessionOutput } from '../../src/session/session-machine.ts';
import { SessionMachine } from '../../src/session/session-machine.ts';

type Answer = readonly [seq: number, text: string];

const limits = { sessionsMax: 2, maxSessionTtlMs: 1_000 };

interface PlainSession {
  readonly key: number;
  readonly nonce: string;
  readonly node: string;
  readonly instance: string;
  readonly replaces: number;
  floor: number;
  readonly answers: Map<number, Answer>;
}

class PlainSessions {
  private steps = 0;
  private sessions: PlainSession[] = [];

  apply(command: SessionCommand<Answer>): SessionOutput<Answer> {
    this.steps += 1;
    if (command.type === 'open') return this.open(command);
    const session = this.sessions.find(({ key }) => key === command.session);
    if (!session) return { type: 'unknown', session: command.session };
    if (command.type === 'end') {
      this.sessions = this.sessions.filter((one) => one !== session);
      return { type: 'ended', session: session.key };
    }
    const { floor, answer } = command;
    session.floor = Math.max(session.floor, floor);
    if (answer[0] <= session.floor) return { type: 'dropped', session: session.key };
    const known = session.answers.get(answer[0]);
    if (known) return { type: 'answered', session: session.key, answer: known, isNew: false };
    if (answer[0] - session.floor > answersMax) return { type: 'beyond', session: session.key };
    session.answers.set(answer[0], answer);
    return { type: 'answered', session: session.key, answer, isNew: true };
  }

  private open({ nonce, node, instance, ttlMs, replaces }: Extract<SessionCommand<Answer>, { type: 'open' }>): SessionOutput<Answer> {
    const living = this.sessions.find((session) => session.node === node);
    if (living?.instance === instance && living.nonce === nonce)
      return { type: 'opened', session: living.key, retried: true, replaced: null };
    if (ttlMs > limits.maxSessionTtlMs) return { type: 'refused', reason: 'ttlTooLong' };
    if (living && living.instance !== instance) return { type: 'refused', reason: 'nameTaken' };
    if (living && replaces <= living.replaces) return { type: 'refused', reason: 'nameTaken' };
    if (!living && this.sessions.length === limits.sessionsMax) return { type: 'refused', reason: 'limit' };
    this.sessions = this.sessions.filter((session) => session !== living);
    this.sessions.push({ key: this.steps, nonce, node, instance, replaces, floor: 0, answers: new Map() });
    return { type: 'opened', session: this.steps, retried: false, replaced: living?.key ?? null };
  }
}

const someSession = fc.nat(12);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('open' as const),
      node: fc.constantFrom('a', 'b', 'c'),
      instance: fc.constantFrom('1', '1', '2'),
      nonce: fc.constantFrom('n1', 'n2', 'n3'),
      ttlMs: fc.constantFrom(500, 1_000, 1_000, 1_001),
      replaces: someSession,
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('use' as const),
      session: someSession,
      floor: fc.oneof({ weight: 5, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(2 * answersMax) }),
      seq: fc.oneof({ weight: 5, arbitrary: fc.nat(24) }, { weight: 1, arbitrary: fc.nat(4 * answersMax) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), session: someSession }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restore' as const) }) },
);

test('any opens, uses and ends come out as from a plain list, across snapshots (3 nodes, 2 sessions at once)', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }), (steps) => {
      const plain = new PlainSessions();
      const keys = [0];
      let machine = new SessionMachine<Answer>(limits);
      for (const [index, one] of steps.entries()) {
        if (one.type === 'restore') {
          const snapshot = JSON.parse(JSON.stringify(machine.snapshot())) as SessionMachineSnapshot<Answer>;
          machine = new SessionMachine<Answer>(limits);
          machine.restore(snapshot);
          continue;
        }
        // The newest few sessions, and some that never were or are no more.
        const recent = (chosen: number): number => keys[Math.max(0, keys.length - 1 - (chosen % 4))] ?? 0;
        const command: SessionCommand<Answer> =
          one.type === 'open'
            ? { ...one, replaces: recent(one.replaces) }
            : one.type === 'use'
              ? { type: 'use', session: recent(one.session), floor: one.floor, answer: [one.seq, `step ${index}`] }
              : { type: 'end', session: recent(one.session) };
        const output = machine.step(command);
        expect(output).toEqual(plain.apply(command));
        if (output.type === 'opened' && !output.retried) keys.push(output.session);
        seen.add(output.type === 'refused' ? output.reason : output.type);
      }
    }),
    { numRuns: 200 },
  );
  expect([...seen].sort()).toEqual(['answered', 'beyond', 'dropped', 'ended', 'limit', 'nameTaken', 'opened', 'ttlTooLong', 'unknown']);
});

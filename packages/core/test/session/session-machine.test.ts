/** The session table by itself: what goes in and what comes out. */
import { answersMax } from '../../src/session/answer-window.ts';
import type { SessionCommand } from '../../src/session/session-machine.ts';
import { SessionMachine } from '../../src/session/session-machine.ts';

type Answer = readonly [seq: number, text: string];

const open: SessionCommand<Answer> = { type: 'open', nonce: 'n1', node: 'a', instance: 'a.1', ttlMs: 1000, replaces: 0 };

function use(session: number, floor: number, seq: number, text = 'first'): SessionCommand<Answer> {
  return { type: 'use', session, floor, answer: [seq, text] };
}

function newMachine(): SessionMachine<Answer> {
  return new SessionMachine<Answer>({ sessionsMax: 2, maxSessionTtlMs: 30_000 });
}

test('a session opens under the number of its step, once for a nonce, and can be replaced by its process', () => {
  const machine = newMachine();
  expect(machine.step(open)).toEqual({ type: 'opened', session: 1, retried: false, replaced: null });
  expect(machine.step(open)).toEqual({ type: 'opened', session: 1, retried: true, replaced: null });
  expect(machine.step({ ...open, instance: 'a.2' })).toEqual({ type: 'refused', reason: 'nameTaken' });
  expect(machine.step({ ...open, nonce: 'n2', replaces: 1 })).toEqual({ type: 'opened', session: 4, retried: false, replaced: 1 });
});

test('a sequence is answered for the first time once, and as it was then ever after, until the floor passes it', () => {
  const machine = newMachine();
  machine.step(open);
  expect(machine.step(use(1, 0, 1))).toEqual({ type: 'answered', session: 1, answer: [1, 'first'], isNew: true });
  expect(machine.step(use(1, 0, 1, 'again'))).toEqual({ type: 'answered', session: 1, answer: [1, 'first'], isNew: false });
  expect(machine.step(use(1, 1, 1, 'again'))).toEqual({ type: 'dropped', session: 1 });
  expect(machine.step(use(1, 1, 2 + answersMax))).toEqual({ type: 'beyond', session: 1 });
});

test('a session that has ended is unknown', () => {
  const machine = newMachine();
  machine.step(open);
  expect(machine.step({ type: 'end', session: 1 })).toEqual({ type: 'ended', session: 1 });
  expect(machine.step({ type: 'end', session: 1 })).toEqual({ type: 'unknown', session: 1 });
  expect(machine.step(use(1, 0, 1))).toEqual({ type: 'unknown', session: 1 });
});

test('a restored machine remembers what was answered and counts on', () => {
  const machine = newMachine();
  machine.step(open);
  machine.step(use(1, 0, 1));
  const twin = newMachine();
  twin.restore(machine.snapshot());
  expect(twin.step(use(1, 0, 1, 'again'))).toMatchObject({ answer: [1, 'first'], isNew: false });
  expect(twin.step({ ...open, node: 'b' })).toMatchObject({ type: 'opened', session: 4 });
});

/** The lock table by itself: what goes in and what comes out. */
import type { LockOp } from '../../src/lock/command.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockCommand } from '../../src/lock/lock-machine.ts';
import { LockMachine } from '../../src/lock/lock-machine.ts';

function use(session: number, op: LockOp, wallMs = 0): LockCommand {
  return { type: 'use', session, node: `n${session}`, op, wallMs };
}

const acquire: LockOp = [lockOp.acquire, 1, 'l/x', 0, 0, null];

test('a command is answered, told as events and shown as the states that it changed', () => {
  const machine = new LockMachine();
  expect(machine.step(use(1, acquire, 500))).toEqual({
    result: [1, resultCode.granted, 1, null],
    grants: [],
    events: [{ type: 'granted', resource: 'l/x', node: 'n1', session: 1, token: 1, value: null }],
    states: [machine.stateOf('l/x')],
  });
  expect(machine.stateOf('l/x')).toMatchObject({ version: 1, holders: [{ node: 'n1', token: 1, sinceWallMs: 500 }] });
});

test('a session that ends hands its lock to the next, whose grant comes out once', () => {
  const machine = new LockMachine();
  machine.step(use(1, acquire));
  machine.step(use(2, acquire));
  const output = machine.step({ type: 'endSession', session: 1, expired: true, wallMs: 0 });
  expect(output.result).toBeNull();
  expect(output.grants).toEqual([{ session: 2, node: 'n2', result: [1, resultCode.granted, 2, null] }]);
  expect(output.events.map(({ type }) => type)).toEqual(['expired', 'granted']);
  expect(machine.step(use(3, [lockOp.cancel, 2, 1])).grants).toEqual([]);
});

test('a restored machine goes on with the next token and version', () => {
  const machine = new LockMachine();
  machine.step(use(1, acquire));
  machine.step(use(2, acquire));
  const twin = new LockMachine();
  twin.restore(machine.snapshot());
  const release = use(1, [lockOp.release, 2, 'l/x', 1, null]);
  expect(twin.stateOf('l/none')).toEqual(machine.stateOf('l/none'));
  expect(twin.step(release)).toEqual(machine.step(release));
  expect(twin.snapshot()).toEqual(machine.snapshot());
});

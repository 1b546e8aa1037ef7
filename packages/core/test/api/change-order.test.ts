/** What a process changes of a lock or a partition that it holds, in the order of its asking, against an engine whose answers the test gives by hand. */
import type { OwnedPartition } from '../../src/api/partitions-contract.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { Operation } from '../../src/operation.ts';
import { partitionOp, partitionResult, phase } from '../../src/partition/command.ts';
import { outstandingMax } from '../../src/runtime/create-member.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import { arrangeLease } from './arranged.ts';
import type { EngineDouble } from './engine-double.ts';
import { gate, rejection, until } from './group.ts';
import { owning } from './owning.ts';

afterEach(() => jest.restoreAllMocks());

/** Something held, whose handler has ended once `letGo` was called. */
interface Held {
  readonly engine: EngineDouble;
  readonly held: { note(value: string): Promise<void> };
  /** The note, or the end of it all, that the group was asked for last. */
  asked(): unknown;
  answer(code?: number): void;
  letGo(): Promise<unknown>;
}

async function aLock(): Promise<Held> {
  const { engine, lease } = await arrangeLease();
  return {
    engine,
    held: lease,
    asked: () => (last(engine)[0] === lockOp.release ? 'release' : last(engine)[4]),
    answer: (code = resultCode.done) => engine.answer([last(engine)[1], code, 7, null]),
    letGo: () => lease.release(),
  };
}

async function aPartition(): Promise<Held> {
  const begun = gate<OwnedPartition>();
  const end = gate();
  const { engine, grant, say } = owning((owned) => {
    begun.open(owned);
    return end.promise;
  });
  grant(7);
  const held = await begun.promise;
  return {
    engine,
    held,
    asked: () => (last(engine)[0] === partitionOp.release ? 'release' : last(engine)[5]),
    answer: (code = partitionResult.done) => engine.answer([last(engine)[1], code, 0, null]),
    letGo: async () => {
      say([0, phase.revoking, 'n', 7, 'b', null]);
      end.open();
      await turn();
    },
  };
}

function last({ ops }: EngineDouble): Operation {
  const op = ops.at(-1);
  if (op === undefined) throw new Error('nothing was asked');
  return op;
}

/** Time for what waits for nothing to happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each([
  ['lock', aLock],
  ['partition', aPartition],
] as const)('the notes of a %s (engine double)', (_what, arrange) => {
  test('wait for the one before, and of those that wait only the newest is asked for', async () => {
    const { engine, held, asked, answer } = await arrange();
    const notes = ['1', '2', '3'].map((value) => held.note(value));
    await turn();
    expect(asked()).toBe('1');
    const before = engine.ops.length;
    answer();
    await until(() => engine.ops.length > before);
    expect(asked()).toBe('3');
    answer();
    await Promise.all(notes);
    await turn();
    expect(engine.ops).toHaveLength(before + 1);
  });

  test('are answered before it is given back', async () => {
    const { held, asked, answer, letGo } = await arrange();
    const notes = ['1', '2'].map((value) => held.note(value));
    void letGo();
    await turn();
    expect(asked()).toBe('1');
    await rejection(held.note('late'), 'NOT_HELD');
    answer();
    await until(() => asked() === '2');
    answer();
    await until(() => asked() === 'release');
    await Promise.all(notes);
  });

  test('reject beyond the room that a session has for requests, which a release does not need', async () => {
    const { held, asked, answer, letGo } = await arrange();
    const notes = Array.from({ length: outstandingMax + 1 }, (_, index) => held.note(String(index)));
    const error = await rejection(held.note('one more'), 'MAILBOX_FULL');
    expect(error.details).toEqual({ outstandingMax });
    void letGo();
    answer();
    await until(() => asked() === String(outstandingMax));
    answer();
    await Promise.all(notes);
    await until(() => asked() === 'release');
  });

  test('leave room for more once they are answered', async () => {
    const { held, asked, answer } = await arrange();
    const refused = Array.from({ length: outstandingMax + 1 }, (_, index) => rejection(held.note(String(index)), 'LIMIT_REACHED'));
    answer(resultCode.limit);
    await until(() => asked() === String(outstandingMax));
    answer(resultCode.limit);
    await Promise.all(refused);
    const notes = ['a', 'b'].map((value) => held.note(value));
    answer();
    await until(() => asked() === 'b');
    answer();
    await Promise.all(notes);
  });

  test('that wait when it is lost are asked for no more', async () => {
    const { engine, held } = await arrange();
    const lost = rejection(held.note('1'), 'SESSION_LOST');
    const waiting = rejection(held.note('2'), 'NOT_HELD');
    const before = engine.ops.length;
    engine.loseSession();
    await Promise.all([lost, waiting]);
    expect(engine.ops).toHaveLength(before);
  });
});

test('the room for notes that wait is one for all that a process holds (engine double, two locks)', async () => {
  const { engine, quorate, lease } = await arrangeLease();
  const acquiring = quorate.lock('other').acquire();
  engine.answer([2, resultCode.granted, 8, null]);
  const other = await acquiring;
  for (let index = 0; index <= outstandingMax; index += 1) void lease.note(String(index)).catch(() => undefined);
  void other.note('under way').catch(() => undefined);
  expect(last(engine)[4]).toBe('under way');
  await rejection(other.note('one more'), 'MAILBOX_FULL');
});

test('notes are answered before a partition is given up for its handler keeps failing (engine double)', async () => {
  const { startTimer } = systemHost;
  jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void) => startTimer.call(systemHost, onDue, 1));
  const { engine, events, grant } = owning((owned) => {
    void owned.note('read up to 3').catch(() => undefined);
    throw new Error('poison');
  });
  grant(7);
  await until(() => events.some((event) => event.type === 'partitionFailed' && event.retryMs === null));
  await turn();
  const kinds = () => engine.ops.map(([kind]) => kind).slice(1);
  expect(kinds()).toEqual([partitionOp.note]);
  engine.answer([last(engine)[1], partitionResult.done, 0, null]);
  await until(() => kinds().length === 2);
  engine.answer([last(engine)[1], partitionResult.done, 0, null]);
  await until(() => kinds().length === 3);
  expect(kinds()).toEqual([partitionOp.note, partitionOp.note, partitionOp.refuse]);
});

/** How long a run may act on its last write: the safety rule 19, "a zombie must not grant". */
import { RunWriter } from '../../src/runtime/run-writer.ts';
import type { MemberRecord, Storage } from '../../src/storage/storage.ts';
import type { Instant } from '../../src/time/clock.ts';

const record: MemberRecord = { type: 'chosen', upTo: 1 };

/** A store whose writes are answered by hand, and two clocks. */
class Desk {
  readonly clock = {
    now: { monotonicMs: 0, wallMs: 1_000_000 },
    monotonicMs: () => this.clock.now.monotonicMs,
    wallMs: () => this.clock.now.wallMs,
  };
  readonly writes: {
    readonly records: readonly MemberRecord[];
    readonly answer: () => Promise<void>;
    readonly fail: (cause: Error) => Promise<void>;
  }[] = [];
  readonly turns: Instant[] = [];
  readonly failures: unknown[] = [];
  readonly writer: RunWriter;

  constructor(zombieMs: number | undefined) {
    const append = (records: readonly MemberRecord[]): Promise<void> =>
      new Promise((resolve, reject) => {
        const settled = (settle: () => void) => async (): Promise<void> => {
          settle();
          await new Promise(setImmediate);
        };
        this.writes.push({ records, answer: settled(resolve), fail: (cause) => settled(() => reject(cause))() });
      });
    const storage: Pick<Storage, 'append' | 'zombieMs'> = { append, ...(zombieMs !== undefined && { zombieMs }) };
    this.writer = new RunWriter(storage, this.clock, { onIdle: () => undefined, onFailure: (cause) => void this.failures.push(cause) });
  }

  pass(monotonicMs: number, wallMs = monotonicMs): void {
    const { now } = this.clock;
    this.clock.now = { monotonicMs: now.monotonicMs + monotonicMs, wallMs: now.wallMs + wallMs };
  }

  turn(): void {
    this.writer.whenFresh(this.clock.now, (at) => void this.turns.push(at));
  }
}

describe('a run that another may take over', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = new Desk(1_000);
    desk.turn();
    await desk.writes[0]?.answer();
  });

  it('takes its first turn only once a write has shown that it has the seat (1 run)', () => {
    expect(desk.writes).toMatchObject([{ records: [] }]);
    expect(desk.turns).toHaveLength(1);
  });

  it('takes turns without a write while the last one is young, and renews it before it is old (1 run)', async () => {
    desk.pass(400);
    desk.turn();
    expect([desk.turns.length, desk.writes.length]).toEqual([2, 1]);
    desk.pass(100);
    desk.turn();
    expect([desk.turns.length, desk.writes.length, desk.writer.isBusy]).toEqual([2, 2, true]);
    await desk.writes[1]?.answer();
    expect([desk.turns.length, desk.writer.isBusy]).toEqual([3, false]);
  });

  it('counts a write of records as well, from when it was begun (1 run)', async () => {
    desk.pass(300);
    desk.writer.write([record], desk.clock.now, () => undefined);
    desk.pass(450);
    await desk.writes[1]?.answer();
    desk.turn();
    expect(desk.turns).toHaveLength(2);
    desk.pass(50);
    desk.turn();
    expect([desk.turns.length, desk.writes.length]).toEqual([2, 3]);
  });

  it('takes no turn after it slept, by whichever clock shows that it did (1 run)', () => {
    desk.pass(0, 60_000);
    desk.turn();
    expect([desk.turns.length, desk.writer.isBusy]).toEqual([1, true]);
  });

  it('takes no turn behind a renewal that took too long, but behind the next (1 run)', async () => {
    desk.pass(500);
    desk.turn();
    desk.pass(1_000);
    await desk.writes[1]?.answer();
    expect([desk.turns.length, desk.writes.length]).toEqual([1, 3]);
    desk.pass(900);
    await desk.writes[2]?.answer();
    expect(desk.turns.map(({ monotonicMs }) => monotonicMs)).toEqual([0, 2_400]);
  });

  it('takes no turn any more once a write has failed (1 run)', async () => {
    desk.pass(500);
    desk.turn();
    await desk.writes[1]?.fail(new Error('fenced'));
    expect(desk.failures).toEqual([new Error('fenced')]);
    expect([desk.turns.length, desk.writer.isBusy]).toEqual([1, true]);
  });
});

describe('a run that nobody else can take over', () => {
  it('writes nothing for its own sake (1 run)', () => {
    const desk = new Desk(undefined);
    desk.turn();
    desk.pass(1e9);
    desk.turn();
    expect([desk.turns.length, desk.writes.length]).toEqual([2, 0]);
  });
});

test('a store takes one compaction at a time: that of an installed snapshot waits for the one begun beside an earlier turn (1 run)', async () => {
  const desk = new Desk(undefined);
  const began: string[] = [];
  let end: () => void = () => undefined;
  const beside = (): Promise<void> => {
    began.push('beside');
    return new Promise((resolve) => (end = resolve));
  };
  const install = (): Promise<void> => {
    began.push('installed');
    return Promise.resolve();
  };
  let isDone = false;
  desk.writer.store({ write: () => undefined, compacts: false, beside }, desk.clock.now, () => undefined);
  desk.writer.store({ write: install, compacts: true, beside: null }, desk.clock.now, () => (isDone = true));
  await new Promise(setImmediate);
  expect([began, desk.writer.isBusy]).toEqual([['beside'], true]);
  end();
  await new Promise(setImmediate);
  expect([began, isDone, desk.writer.isBusy]).toEqual([['beside', 'installed'], true, false]);
});

/** The reactive form of the machines. `docs/protocol.md`, "Reactive form". */
import { Subject, of } from 'rxjs';
import {
  LockMachine,
  Replica,
  SessionMachine,
  Synod,
  lockOp,
  lockTable,
  machine,
  paxosReplica,
  resultCode,
  seededRandom,
  sessions,
  synod,
} from '../src/machines.ts';
import type { LockCommand, LockOutput, Machine, ReplicaInput, ReplicaOptions, ReplicaOutput, SynodOutput } from '../src/machines.ts';

/** Counts its inputs; throws at a negative one. */
function counter(): Machine<number, string> {
  let steps = 0;
  return {
    step: (input) => {
      if (input < 0) throw new Error('negative');
      steps += 1;
      return `${steps}: ${input}`;
    },
  };
}

const acquire = (session: number, seq: number): LockCommand => {
  return { type: 'use', session, node: `n${session}`, op: [lockOp.acquire, seq, 'l/one', 0, 0, null], wallMs: 0 };
};

const configuration = { founding: 'f', id: 1, voters: [{ node: 'a', incarnation: 'a#1' }] };
const self = { node: 'a', incarnation: 'a#1', run: 1 };

describe('a machine as an operator', () => {
  it('belongs to one subscription: two subscribers do not share its state', () => {
    const outputs$ = of(1, 2).pipe(machine(counter));
    const seen: string[][] = [[], []];
    for (const outputs of seen) outputs$.subscribe((output) => outputs.push(output));
    expect(seen).toEqual([
      ['1: 1', '2: 2'],
      ['1: 1', '2: 2'],
    ]);
  });

  it('keeps the order of inputs that its own subscriber causes', () => {
    const inputs$ = new Subject<number>();
    const outputs: string[] = [];
    const later: string[] = [];
    const outputs$ = inputs$.pipe(machine(counter));
    outputs$.subscribe((output) => {
      if (output === '1: 1') for (const input of [2, 3]) inputs$.next(input);
      outputs.push(output);
      later.push(output);
    });
    inputs$.next(1);
    inputs$.next(4);
    expect(outputs).toEqual(['1: 1', '2: 2', '3: 3', '4: 4']);
  });

  it('goes on after an input that throws, and tells which', () => {
    const faults: unknown[] = [];
    const outputs: string[] = [];
    of(1, -5, 2)
      .pipe(machine(counter, { onFault: (error, input) => faults.push([(error as Error).message, input]) }))
      .subscribe((output) => outputs.push(output));
    expect(outputs).toEqual(['1: 1', '2: 2']);
    expect(faults).toEqual([['negative', -5]]);
  });

  it('completes after the inputs that still wait, and passes errors on', () => {
    const inputs$ = new Subject<number>();
    const told: string[] = [];
    inputs$.pipe(machine(counter)).subscribe({
      next: (output) => {
        if (output === '1: 1') {
          inputs$.next(2);
          inputs$.complete();
        }
        told.push(output);
      },
      complete: () => told.push('complete'),
    });
    inputs$.next(1);
    expect(told).toEqual(['1: 1', '2: 2', 'complete']);
    const failing$ = new Subject<number>();
    failing$.pipe(machine(counter)).subscribe({ error: (error: Error) => told.push(error.message) });
    failing$.error(new Error('source'));
    expect(told.at(-1)).toBe('source');
  });

  it('steps no more once its subscriber has left, even within a burst', () => {
    const inputs$ = new Subject<number>();
    const outputs: string[] = [];
    const subscription = inputs$.pipe(machine(counter)).subscribe((output) => {
      outputs.push(output);
      for (const input of [2, 3]) inputs$.next(input);
      subscription.unsubscribe();
    });
    inputs$.next(1);
    expect(outputs).toEqual(['1: 1']);
  });
});

describe('the machines behind the door', () => {
  it('lock tables grant, queue and hand over', () => {
    const outputs: LockOutput[] = [];
    const release: LockCommand = { type: 'use', session: 1, node: 'n1', op: [lockOp.release, 2, 'l/one', 1, null], wallMs: 0 };
    of(acquire(1, 1), acquire(2, 1), release)
      .pipe(lockTable())
      .subscribe((output) => outputs.push(output));
    expect(outputs.map(({ result }) => result?.[1])).toEqual([resultCode.granted, resultCode.queued, resultCode.done]);
    expect(outputs[2]?.grants).toMatchObject([{ session: 2, result: [1, resultCode.granted, 2, null] }]);
  });

  it('sessions answer a repeated command once', () => {
    const outputs: unknown[] = [];
    const use = { type: 'use', session: 1, floor: 0, answer: [1, 'once'] } as const;
    of({ type: 'open', nonce: 'n', node: 'a', instance: 'i', ttlMs: 1_000, replaces: 0 } as const, use, use)
      .pipe(sessions<readonly [number, string]>({ sessionsMax: 10, maxSessionTtlMs: 5_000 }))
      .subscribe((output) => outputs.push(output));
    expect(outputs).toMatchObject([{ type: 'opened', session: 1 }, { isNew: true }, { isNew: false, answer: [1, 'once'] }]);
  });

  it('a replica of one voter elects itself and chooses what is proposed; a bad input does not end it', () => {
    const options: ReplicaOptions<string> = {
      self,
      configuration,
      timing: { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 },
      random: seededRandom(1),
      limits: { messageBytesMax: 1_000, sizeOf: (value) => value.length },
      begin: () => 'begin',
      nowMs: 0,
    };
    const outputs: ReplicaOutput<string>[] = [];
    let faults = 0;
    const bad = { type: 'no such input' } as unknown as ReplicaInput<string>;
    of<ReplicaInput<string>[]>({ type: 'tick', nowMs: 0 }, bad, { type: 'propose', value: 'mine', nowMs: 1 })
      .pipe(paxosReplica(options, { onFault: () => (faults += 1) }))
      .subscribe((output) => outputs.push(output));
    expect(outputs.flatMap(({ apply }) => apply.map(({ value }) => value))).toEqual(['begin', 'mine']);
    expect(faults).toBe(1);
  });

  it('a synod of one voter decides what is proposed first', () => {
    const outputs: SynodOutput<string>[] = [];
    of({ type: 'propose', value: 'one', nowMs: 0 } as const, { type: 'propose', value: 'two', nowMs: 1 } as const)
      .pipe(synod<string>({ self, configuration, random: seededRandom(1), roundMs: 50 }))
      .subscribe((output) => outputs.push(output));
    expect(outputs.map(({ decided }) => decided)).toEqual([{ value: 'one' }, null]);
  });

  it('each goes on from its snapshot as if nothing had happened', () => {
    const [locks, otherLocks] = [new LockMachine(), new LockMachine()];
    locks.step(acquire(1, 1));
    otherLocks.restore(locks.snapshot());
    expect(otherLocks.step(acquire(2, 1))).toEqual(locks.step(acquire(2, 1)));

    const limits = { sessionsMax: 10, maxSessionTtlMs: 5_000 };
    const [table, otherTable] = [
      new SessionMachine<readonly [number, string]>(limits),
      new SessionMachine<readonly [number, string]>(limits),
    ];
    table.step({ type: 'open', nonce: 'n', node: 'a', instance: 'i', ttlMs: 1_000, replaces: 0 });
    otherTable.restore(table.snapshot());
    expect(otherTable.snapshot()).toEqual(table.snapshot());

    const decree = { self, configuration, random: seededRandom(1), roundMs: 50 };
    const [one, other] = [new Synod<string>(decree), new Synod<string>(decree)];
    one.step({ type: 'propose', value: 'kept', nowMs: 0 });
    other.restore(one.snapshot());
    expect(other.decided).toEqual({ value: 'kept' });
  });

  it('a replica takes its snapshot up as after a restart with memory (1 voter)', () => {
    const options: ReplicaOptions<string> = {
      self,
      configuration,
      timing: { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 },
      random: seededRandom(1),
      limits: { messageBytesMax: 1_000, sizeOf: (value) => value.length },
      begin: () => 'begin',
      nowMs: 0,
    };
    const [replica, other] = [new Replica(options), new Replica(options)];
    replica.step({ type: 'tick', nowMs: 0 });
    replica.step({ type: 'propose', value: 'mine', nowMs: 1 });
    other.step({ type: 'tick', nowMs: 0 });
    other.restore(replica.snapshot(), 10);
    expect(other.leading).toBeNull();
    expect(other.promised).toEqual(replica.promised);
    expect(other.step({ type: 'tick', nowMs: 11 }).apply.map(({ value }) => value)).toEqual(['begin', 'mine']);
    expect(other.step({ type: 'tick', nowMs: 1_500 }).events).toEqual([]);
    expect(other.snapshot()).toEqual(replica.snapshot());
  });
});

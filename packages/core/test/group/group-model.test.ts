/**
 * The group's state against an obvious one, under any sequence of commands: copies, reordering, cancels that cross grants,
 * sessions and terms that end, and snapshots in between.
 */
import fc from 'fast-check';
import { checkGroupState } from '../../src/group/group-invariants.ts';
import type { GroupSnapshot } from '../../src/group/group-snapshot.ts';
import type { Applied, GroupLimits } from '../../src/group/group-state.ts';
import { GroupState } from '../../src/group/group-state.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { Entry, SessionKey } from '../../src/session/command.ts';
import { entryKind } from '../../src/session/command.ts';
import { ReferenceGroup } from './reference-group.ts';

const limits: GroupLimits = { maxSessionTtlMs: 30_000, sessionsMax: 3, waitersMax: 2, notesMax: 1 };
const resources = ['l/x', 'l/x', 'e/z'] as const;
const nodes = ['a', 'b', 'c', 'd'] as const;
const texts = ['', 'first', 'second', 'x'.repeat(1025)] as const;

/** Steps name things by numbers, taken modulo what there is when they run: any sequence of numbers makes sense. */
const pick = fc.nat(1_000);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      client: pick,
      what: pick,
      resource: pick,
      target: pick,
      text: pick,
      soon: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('deliver' as const),
      picks: fc.array(fc.record({ client: pick, op: pick, copies: fc.integer({ min: 1, max: 5 }) }), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('open' as const), node: pick, instance: pick, nonce: pick, replaces: pick, ttl: pick }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('raise' as const), client: pick, by: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), client: pick, how: pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('term' as const), how: pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restore' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a session's process has numbered so far, in any state of delivery. */
interface Client {
  readonly key: SessionKey;
  readonly ops: LockOp[];
  floor: number;
}

/** Three replicas of one log: the reference, one that applies all, and one that is restored from snapshots now and then. */
class World {
  readonly reference = new ReferenceGroup(limits);
  readonly steady = new GroupState(limits);
  restored = new GroupState(limits);
  readonly clients: Client[] = [];
  /** Every token that was ever granted, in order, and the acquires that got one. */
  readonly tokens: number[] = [];
  readonly acquires = new Set<string>();
  /** Every kind of result that was given. */
  readonly codes = new Set<number>();

  constructor() {
    this.slot([entryKind.begin, 't0'], [entryKind.openGroup, 't0', 3], ...nodes.slice(0, 2).map((node) => openOf(node, 1, 0, 0)));
  }

  run(one: Step): void {
    switch (one.type) {
      case 'ask':
        return this.ask(one);
      case 'deliver':
        return this.slot(...one.picks.flatMap(({ client, op, copies }) => this.use(client, op, copies)));
      case 'open': {
        const old = this.clients[one.replaces % (this.clients.length + 1)];
        return this.slot(openOf(at(nodes, one.node), one.instance % 2, one.nonce % 3, old?.key ?? 0, one.ttl % 7 === 0 ? 30_001 : 10_000));
      }
      case 'raise': {
        const client = this.client(one.client);
        if (client) client.floor = Math.min(client.floor + one.by, client.ops.length);
        return;
      }
      case 'end': {
        const client = this.client(one.client);
        if (!client) return;
        const stamp = one.how % 3 === 0 ? 'stale' : this.reference.stamp;
        return this.slot(one.how % 2 === 0 ? [entryKind.closeSession, client.key] : [entryKind.expire, client.key, stamp]);
      }
      case 'term':
        return this.slot(one.how % 2 === 0 ? [entryKind.begin, `t${one.how}`] : [entryKind.openGroup, this.reference.stamp, 9]);
      case 'restore': {
        const wire = JSON.parse(JSON.stringify(this.restored.snapshot())) as GroupSnapshot;
        this.restored = new GroupState(limits);
        this.restored.restore(wire);
        expect(this.restored.hash()).toBe(this.steady.hash());
        return;
      }
    }
  }

  /** A process numbers one more operation, naming what it holds or waits for, or what it did long ago. */
  private ask({ client: index, what, resource: named, target, text, soon }: Extract<Step, { type: 'ask' }>): void {
    const client = this.client(index);
    if (!client) return;
    const seq = client.ops.length + 1;
    const resource = at(resources, named);
    const holds = this.reference.claims.filter(({ session, token }) => session.key === client.key && token !== 0);
    const held = holds[target % (holds.length + 1)];
    const token = held?.token ?? this.tokens[target % (this.tokens.length + 1)] ?? 1;
    const of = held?.resource ?? resource;
    const value = at(texts, text);
    const ops: readonly LockOp[] = [
      [lockOp.acquire, seq, resource, 0, 0, value],
      [lockOp.acquire, seq, resource, 0, 0, null],
      [lockOp.acquire, seq, resource, 0, 0, null],
      [lockOp.acquire, seq, resource, target % 5 === 0 ? 1 : 0, 1, null],
      [lockOp.release, seq, of, token, null],
      [lockOp.release, seq, of, token, value],
      [lockOp.cancel, seq, 1 + (target % seq)],
      [lockOp.cancel, seq, target % 9 === 0 ? seq + 8_193 : Math.max(1, seq - 1)],
      [lockOp.note, seq, of, token, value],
      [lockOp.proclaim, seq, of, token, value],
    ];
    const op = at(ops, what);
    client.ops.push(op);
    if (soon) this.slot([entryKind.use, client.key, client.floor, [op]]);
  }

  /** Copies of one operation, from just behind the floor up: late, early, or again. */
  private use(index: number, op: number, copies: number): Entry<LockOp>[] {
    const client = this.client(index);
    if (!client) return [];
    const near = client.ops.slice(Math.max(0, client.floor - 2));
    const chosen = near[op % (near.length + 1)];
    const ops = chosen === undefined ? [] : Array.from({ length: copies }, () => chosen);
    return [[entryKind.use, client.key, op % 4 === 0 ? Math.max(0, client.floor - 1) : client.floor, ops]];
  }

  /** One of the last few, so that most live; there are as many as may live, and one more. */
  private client(index: number): Client | undefined {
    const recent = this.clients.slice(-limits.sessionsMax - 1);
    return recent[index % recent.length];
  }

  private slot(...entries: readonly Entry<LockOp>[]): void {
    const slot = this.steady.appliedIndex + 1;
    const wallMs = slot * 10;
    const expected = { slot, ...this.reference.apply(slot, wallMs, entries) };
    const applied = this.steady.apply(slot, [wallMs, entries]);
    expect(applied).toEqual(expected);
    expect(this.restored.apply(slot, [wallMs, entries])).toEqual(expected);
    expect(this.restored.hash()).toBe(this.steady.hash());
    for (const { session } of applied.opened)
      if (!this.clients.some(({ key }) => key === session)) this.clients.push({ key: session, ops: [], floor: 0 });
    this.compareStates();
    this.noteGrants(applied);
  }

  private compareStates(): void {
    expect(checkGroupState(this.steady)).toEqual([]);
    for (const resource of resources) expect(this.steady.lockState(resource)).toEqual(this.reference.lockState(resource));
    const asked = this.clients.flatMap(({ key, ops }) => Array.from({ length: ops.length + 1 }, (_, index) => [key, index + 1] as const));
    expect(asked.map(([key, seq]) => this.steady.lookup(key, seq))).toEqual(asked.map(([key, seq]) => this.reference.lookup(key, seq)));
    const living = this.reference.sessions.map(({ key }) => key);
    expect(this.clients.map(({ key }) => key).filter((key) => !this.steady.isEnded(key))).toEqual(living);
    expect(this.steady.token).toBe(this.reference.token);
    expect(this.steady.counts).toEqual({
      sessions: this.reference.sessions.length,
      partitionSets: 0,
      locks: new Set([...this.reference.claims.map(({ resource }) => resource), ...this.reference.notes.keys()]).size,
      waiting: this.reference.claims.filter(({ token }) => token === 0).length,
      notes: this.reference.notes.size,
    });
  }

  /** Promises that are read off the answers alone: tokens rise, and an acquire is granted at most once. */
  private noteGrants({ events, replies }: Applied): void {
    for (const { type, token } of events) {
      if (type !== 'granted') continue;
      expect(token).toBeGreaterThan(this.tokens.at(-1) ?? 0);
      this.tokens.push(token);
    }
    for (const { session, results } of replies) {
      for (const [seq, code, token] of results) {
        this.codes.add(code);
        if (code === resultCode.granted) this.acquires.add(`${session} ${seq} ${token}`);
      }
    }
    const once = new Set([...this.acquires].map((grant) => grant.slice(0, grant.lastIndexOf(' '))));
    expect(once.size).toBe(this.acquires.size);
  }
}

function openOf(node: string, instance: number, nonce: number, replaces: SessionKey, ttlMs = 10_000): Entry<LockOp> {
  return [entryKind.openSession, `${node}.${instance}.${nonce}`, node, `${node}.${instance}`, ttlMs, replaces];
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('an empty list');
  return item;
}

test('any log does the same to the state, to one restored from snapshots, and to the obvious one (up to 4 sessions)', () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 120, size: 'max' }), (steps) => {
      const world = new World();
      for (const one of steps) world.run(one);
      for (const code of world.codes) seen.add(code);
    }),
    { numRuns: 100 },
  );
  // The sequences are worth something only if they reach every kind of answer.
  const missing = Object.values(resultCode).filter((code) => !seen.has(code));
  expect(missing).toEqual([]);
});

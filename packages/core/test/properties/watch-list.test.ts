/** A holder's watch list and its leader's copy, over frames that are lost, doubled and late, and leaders that know nothing of before. */
import fc from 'fast-check';
import { HolderWatch } from '../../src/session/holder-watch.ts';
import type { SessionMessage } from '../../src/session/message.ts';
import { runsOf } from '../../src/session/runs.ts';
import { SessionSteward } from '../../src/session/session-steward.ts';
import type { SessionView } from '../../src/session/session-steward.ts';

type Message = SessionMessage<string, readonly [number], string>;

const names = ['l/a', 'l/b', 'l/c', 'l/d', 'e/e', 'e/f'];
const some = fc.subarray(names);
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('watch' as const), added: some, removed: some }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('change' as const), resources: some }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('arrive' as const), at: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('lose' as const), at: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('double' as const), at: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('beat' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('newLeader' as const) }) },
);

/** One holder, one leader at a time, and what is on its way between the two. A state is its resource and how often that changed. */
class Link {
  readonly watch = new HolderWatch<string>({ partBytesMax: () => 35, resourceOf: (state) => state.split(' ')[0] ?? '' });
  readonly watched = new Set<string>();
  readonly changes = new Map<string, number>();
  /** The newest that was told of each since it was asked for. */
  readonly told = new Map<string, number>();
  /** What each had come to when it was asked for: nothing older may be told. */
  private readonly least = new Map<string, number>();
  transit: Message[] = [];
  private beats = 0;
  private steward = this.leader();

  constructor() {
    this.watch.begin();
  }

  private leader(): SessionSteward<string, readonly [number], string> {
    const session = { key: 1, node: 'x', ttlMs: 1_000 };
    const view: SessionView<readonly [number], string> = {
      sessions: () => [session],
      session: () => session,
      isEnded: () => false,
      lookup: () => 'unknown',
      statesOf: (resource) => [this.stateOf(resource)],
      coveredTokens: () => [],
    };
    const cut = (states: readonly string[]): readonly (readonly string[])[] => runsOf(states, () => 1, 2);
    return new SessionSteward(view, 's', 0, 500, cut, () => true);
  }

  private stateOf(resource: string): string {
    return `${resource} ${this.changes.get(resource) ?? 0}`;
  }

  change(added: readonly string[], removed: readonly string[]): void {
    const gone = removed.filter((name) => this.watched.delete(name));
    const come = added.filter((name) => !this.watched.has(name));
    for (const name of [...gone, ...come]) this.told.delete(name);
    for (const name of come) {
      this.watched.add(name);
      this.least.set(name, this.changes.get(name) ?? 0);
    }
    this.transit.push(...this.watch.change({ added: come, removed: gone }, 1));
  }

  /** What changed is told on application only, and each state is at least as new as the question. */
  happen(resources: readonly string[]): void {
    for (const resource of resources) this.changes.set(resource, (this.changes.get(resource) ?? 0) + 1);
    const sends = this.steward.changed(resources, (resource) => [this.stateOf(resource)]);
    this.transit.push(...sends.map(({ message }) => message));
  }

  beat(): void {
    const id = (this.beats += 1);
    const keepAlive = { type: 'keepAlive', session: 1, id, floor: 0, pending: [], ...this.watch.beat(id) } as const;
    this.transit.push(keepAlive);
    if (this.watch.isUnsent) this.transit.push(...this.watch.whole(1));
  }

  newLeader(): void {
    this.steward = this.leader();
    this.watch.repeat();
    this.beat();
  }

  arrive(message: Message): void {
    switch (message.type) {
      case 'watch':
        this.transit.push(...this.steward.onWatch('x', message).map(({ message: told }) => told));
        return;
      case 'keepAlive': {
        const answer = this.steward.onKeepAlive('x', message, 0);
        if (answer) this.transit.push(answer);
        this.transit.push(...this.steward.onMissed('x', message).map(({ message: told }) => told));
        return;
      }
      case 'keptAlive':
        this.transit.push(...this.watch.answered(message.id, message.watch, 1));
        return;
      case 'watched':
        for (const state of this.watch.take(message)) this.take(state);
        return;
      default:
        throw new Error(`nobody says ${message.type} here`);
    }
  }

  private take(state: string): void {
    const [resource = '', count] = state.split(' ');
    expect(this.watched.has(resource)).toBe(true);
    expect(Number(count)).toBeGreaterThanOrEqual(this.told.get(resource) ?? this.least.get(resource) ?? 0);
    this.told.set(resource, Number(count));
  }

  /** Nothing is lost any more, and keep-alives go on: three bring back whatever was missed in both directions. */
  settle(): void {
    for (let beats = 0; beats < 4; beats += 1) {
      this.beat();
      for (let message = this.transit.shift(); message; message = this.transit.shift()) this.arrive(message);
    }
  }
}

test('a watcher knows the newest state of all that it watches, and of nothing else, once frames arrive again (1 holder)', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60, size: 'max' }), (acts) => {
      const link = new Link();
      for (const next of acts) {
        const at = 'at' in next && link.transit.length > 0 ? next.at % link.transit.length : null;
        if (next.type === 'watch') link.change(next.added, next.removed);
        else if (next.type === 'change') link.happen(next.resources);
        else if (next.type === 'beat') link.beat();
        else if (next.type === 'newLeader') link.newLeader();
        else if (at !== null && next.type === 'double') link.transit.push(link.transit[at]!);
        else if (at !== null) {
          const [message] = link.transit.splice(at, 1);
          if (next.type === 'arrive') link.arrive(message!);
          else seen.add(`lost ${message!.type}`);
        }
      }
      link.settle();
      const newest = [...link.watched].map((name) => [name, link.changes.get(name) ?? 0]);
      expect(Object.fromEntries(link.told)).toEqual(Object.fromEntries(newest));
      // And it stays so: what changes now is told at once, and of what is watched no more nothing is.
      link.happen(names);
      const told = link.transit.flatMap((message) => (message.type === 'watched' ? message.states : []));
      expect(told.map((state) => state.split(' ')[0]).sort()).toEqual([...link.watched].sort());
    }),
    { numRuns: 300 },
  );
  expect([...seen].sort()).toEqual(['lost keepAlive', 'lost keptAlive', 'lost watch', 'lost watched']);
});

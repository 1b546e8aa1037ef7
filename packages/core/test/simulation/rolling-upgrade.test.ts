/** From one version to the next while the group works, on the network of the simulation. `docs/protocol.md`, "Versions". */
import { drawCircumstances } from '@quorate/core/simulation';
import type { Quorate, QuorateEvent } from '../../src/index.ts';
import { isQuorateError } from '../../src/errors.ts';
import type { QuorateError } from '../../src/errors.ts';
import type { Circumstances } from '../../src/simulation/circumstances.ts';
import { fairWeather } from '../../src/simulation/virtual-network.ts';
import { World } from '../../src/simulation/world.ts';
import type { SimulatedProcess } from '../../src/simulation/world.ts';
import { base, buildOf, holdsNote, levelsOf } from './builds.ts';

const minutes = 60_000;

/** Two locks that everybody wants all the time; where the group is of the next version, with a note of it. */
class Upgrade {
  readonly world: World;
  readonly newest = new Map<string, number>();
  readonly events: { readonly node: string; readonly event: QuorateEvent }[] = [];
  readonly grantsAtMs: number[] = [];
  notes = 0;

  constructor(seed: number, change: Partial<Circumstances> = {}) {
    const drawn = drawCircumstances(seed, { voters: ['a', 'b', 'c'], clients: ['x'], kinds: [], withoutOwning: true });
    const circumstances: Circumstances = {
      ...drawn,
      weather: { ...fairWeather, loss: 0.01, duplication: 0.05 },
      disk: 'instant',
      clocks: Object.fromEntries(Object.entries(drawn.clocks).map(([node, clock]) => [node, { ...clock, rate: 1 }])),
      driftIsBounded: true,
      firstFounding: true,
      mayLoseMajority: false,
      mailboxMax: 65_536,
      ...change,
    };
    for (const node of ['a', 'b', 'c', 'x']) this.newest.set(node, base);
    this.world = new World({
      circumstances,
      builds: { of: (node) => buildOf(this.newest.get(node) ?? base), observed: levelsOf(base + 2) },
      program: (process, quorate) => this.work(process, quorate),
    });
  }

  private async work(process: SimulatedProcess, quorate: Quorate): Promise<void> {
    const { node } = process;
    quorate.events$.subscribe((event) => this.events.push({ node, event }));
    while (!this.world.isPeace && process.isAlive) {
      try {
        await quorate.lock('busy').run(async (lease) => {
          this.grantsAtMs.push(this.world.nowMs);
          if (this.newest.get(node) === base || quorate.status.level <= base) return;
          await lease.note(node);
          this.notes += 1;
        });
      } catch (error) {
        if (isQuorateError(error, 'CLOSED')) return;
        if (!isQuorateError(error, 'SESSION_LOST') && !isQuorateError(error, 'LEASE_LOST')) throw error;
      }
      await this.world.sleep(process, 5);
    }
  }

  async start(...nodes: readonly string[]): Promise<void> {
    for (const node of nodes) this.world.start(node);
    await this.until('all have joined', () => this.isWhole);
  }

  /** Closed in good order, and started again with its memory as a build of that version. */
  async replace(node: string, newest: number): Promise<void> {
    await this.close(node);
    this.newest.set(node, newest);
    await this.start(node);
  }

  async close(node: string): Promise<void> {
    const process = this.world.processes.get(node);
    let isClosed = false;
    process?.quorate?.close({ timeoutMs: 1_000 }).then(
      () => (isClosed = true),
      () => undefined,
    );
    await this.until(`${node} has closed`, () => isClosed);
    if (process) this.world.bury(process);
  }

  /** Starts a process that is not let in, and returns what its `join` rejects with. */
  async refused(node: string): Promise<QuorateError> {
    this.world.start(node);
    await this.until(`${node} is refused`, () => this.world.versionGaps.has(node));
    return this.world.versionGaps.get(node) as QuorateError;
  }

  /** Everybody alive has a session, and somebody leads all the voters. */
  get isWhole(): boolean {
    const { leader, living } = this.world;
    const connected = leader?.quorate?.status.missing.length === 0;
    return connected && living.every(({ quorate }) => quorate?.status.session === 'healthy' && quorate.status.ready);
  }

  async until(what: string, isTrue: () => boolean, forMs = 20_000): Promise<void> {
    await this.world.run(this.world.nowMs + forMs, isTrue);
    if (!isTrue()) throw new Error(`not in ${forMs} ms: ${what}; ${this.levels.join()}`);
  }

  /** The level of every voter's state. */
  get levels(): readonly number[] {
    return ['a', 'b', 'c'].map((node) => this.world.processes.get(node)?.member?.inspect.state?.level ?? 0);
  }

  async settled(level: number): Promise<void> {
    await this.until(`level ${level}`, () => this.levels.every((one) => one === level));
  }

  get longestPauseMs(): number {
    return Math.max(...this.grantsAtMs.slice(1).map((atMs, index) => atMs - (this.grantsAtMs[index] ?? 0)));
  }

  /** Codes of frames that somebody could not read, though their version was its own. */
  get unread(): readonly string[] {
    return this.events.flatMap(({ event }) => (event.type === 'frameRefused' && event.code !== 'version' ? [event.detail] : []));
  }

  eventsOf<T extends QuorateEvent['type']>(type: T): Extract<QuorateEvent, { type: T }>[] {
    return this.events.flatMap(({ event }) => (event.type === type ? [event as Extract<QuorateEvent, { type: T }>] : []));
  }

  /** What stands in the group's log, of any founding. */
  get chosenNotes(): number {
    return [...this.world.observer.logs.values()].flatMap(({ values }) => values.filter((value) => holdsNote(value))).length;
  }

  async end(): Promise<void> {
    this.world.bringPeace();
    await Promise.all([this.world.run(this.world.nowMs + 1_000)]);
  }
}

describe('a rolling upgrade', () => {
  it.each([1, 2, 3, 4])(
    'goes on under lock traffic with no pause beyond a change of leaders, and raises the level after the last (3 voters, 1 client, seed %i)',
    async (seed) => {
      const upgrade = new Upgrade(seed);
      const { electionTimeoutMs } = upgrade.world.circumstances;
      await upgrade.start('a', 'b', 'c', 'x');
      await upgrade.settled(base);
      for (const node of ['x', 'a', 'b']) {
        await upgrade.replace(node, base + 1);
        expect(upgrade.levels).toEqual([base, base, base]);
      }
      expect([upgrade.notes, upgrade.chosenNotes]).toEqual([0, 0]);
      await upgrade.replace('c', base + 1);
      await upgrade.settled(base + 1);
      await upgrade.until('notes of the next version', () => upgrade.notes > 10);
      expect(upgrade.chosenNotes).toBeGreaterThan(10);

      expect(upgrade.longestPauseMs).toBeLessThan(4 * 2 * electionTimeoutMs);
      expect(upgrade.eventsOf('sessionLost').filter(({ reason }) => reason !== 'closed')).toEqual([]);
      expect(upgrade.unread).toEqual([]);
      expect(upgrade.eventsOf('versionGap')).toEqual([]);
      expect(upgrade.world.observer.logs.size).toBe(1);
      await upgrade.end();
    },
    5 * minutes,
  );

  it(
    'waits for the last client as for the last voter, who understands the group until then (3 voters, 1 client)',
    async () => {
      const upgrade = new Upgrade(5);
      await upgrade.start('a', 'b', 'c', 'x');
      await upgrade.settled(base);
      for (const node of ['a', 'b', 'c']) await upgrade.replace(node, base + 1);
      await upgrade.world.run(upgrade.world.nowMs + 3_000);
      expect(upgrade.levels).toEqual([base, base, base]);
      expect(upgrade.world.processes.get('x')?.quorate?.status.session).toBe('healthy');
      await upgrade.replace('x', base + 1);
      await upgrade.settled(base + 1);
      expect(upgrade.unread).toEqual([]);
      await upgrade.end();
    },
    5 * minutes,
  );

  it.each([11, 12])(
    'goes on with voters that come back without their memory and are given their seats again (3 diskless voters, 1 client, seed %i)',
    async (seed) => {
      const upgrade = new Upgrade(seed, { disk: 'none' });
      await upgrade.start('a', 'b', 'c', 'x');
      await upgrade.settled(base);
      for (const node of ['a', 'x', 'b', 'c']) {
        expect(upgrade.levels).toEqual([base, base, base]);
        await upgrade.replace(node, base + 1);
      }
      await upgrade.settled(base + 1);
      await upgrade.until('notes of the next version', () => upgrade.notes > 10);
      expect(upgrade.eventsOf('sessionLost').filter(({ reason }) => reason !== 'closed')).toEqual([]);
      expect(upgrade.unread).toEqual([]);
      expect(upgrade.world.observer.logs.size).toBe(1);
      await upgrade.end();
    },
    5 * minutes,
  );

  it(
    'forms a group of both versions at the earlier one (2 voters of N, 1 of N + 1)',
    async () => {
      const upgrade = new Upgrade(6);
      upgrade.newest.set('a', base + 1);
      await upgrade.start('a', 'b', 'c');
      await upgrade.settled(base);
      expect(upgrade.unread).toEqual([]);
      await upgrade.end();
    },
    5 * minutes,
  );
});

describe('a gap of two versions', () => {
  it(
    'is refused with words on both sides, and costs the group nothing (3 voters of N, a client of N + 2)',
    async () => {
      const upgrade = new Upgrade(7);
      await upgrade.start('a', 'b', 'c');
      await upgrade.settled(base);
      upgrade.newest.set('x', base + 2);
      const refusal = await upgrade.refused('x');

      expect(refusal).toMatchObject({
        code: 'VERSION_GAP',
        retriable: false,
        details: { theirs: { version: base, newest: base }, ours: { least: base + 1, newest: base + 2 } },
      });
      expect(refusal.message).toMatch(/speaks version 4 .* up to 4; this process can the versions 5 and 6\. .* one version at a time/);
      const told = upgrade.eventsOf('versionGap');
      expect(told.map(({ node, theirs, ours }) => [node, theirs.newest, ours.newest])).toContainEqual(['x', base + 2, base]);
      expect(told.every(({ lasting }) => !lasting)).toBe(true);
      expect(upgrade.eventsOf('sessionLost')).toEqual([]);
      await upgrade.end();
    },
    5 * minutes,
  );

  it(
    'is what a voter meets that is put back once the group has risen, while the others go on (3 voters)',
    async () => {
      const upgrade = new Upgrade(8);
      for (const node of ['a', 'b', 'c']) upgrade.newest.set(node, base + 1);
      await upgrade.start('a', 'b', 'c');
      await upgrade.settled(base + 1);
      await upgrade.close('c');
      upgrade.newest.set('c', base);
      const refusal = await upgrade.refused('c');

      expect(refusal).toMatchObject({ code: 'VERSION_GAP' });
      const before = upgrade.notes;
      await upgrade.until('work goes on', () => upgrade.notes > before + 10);
      upgrade.newest.set('c', base + 1);
      await upgrade.start('c');
      expect(upgrade.eventsOf('sessionLost').filter(({ reason }) => reason !== 'closed')).toEqual([]);
      await upgrade.end();
    },
    5 * minutes,
  );

  it(
    'is refused to an earlier client that comes when the group has risen (3 voters of N + 1, a client of N)',
    async () => {
      const upgrade = new Upgrade(9);
      for (const node of ['a', 'b', 'c']) upgrade.newest.set(node, base + 1);
      await upgrade.start('a', 'b', 'c');
      await upgrade.settled(base + 1);
      expect(await upgrade.refused('x')).toMatchObject({ code: 'VERSION_GAP', details: { theirs: { version: base + 1 } } });
      await upgrade.end();
    },
    5 * minutes,
  );
});

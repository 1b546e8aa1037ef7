/** How a process counts what it persists, what it reports, and what it believes of its own store. The safety rule 21. */
import type { MemberOutput, MemberRecord } from '../../src/group/member.ts';
import type { MemberFrame } from '../../src/group/member-message.ts';
import { freshOutput } from '../../src/group/member-io.ts';
import { StoreWatch } from '../../src/group/store-watch.ts';
import type { Configuration } from '../../src/paxos/configuration.ts';
import { Recollection } from '../../src/paxos/recollection.ts';
import type { StoreMessage } from '../../src/paxos/store-message.ts';
import { seededRandom } from '../../src/time/random.ts';

const configuration: Configuration = { founding: 'f', id: 1, voters: ['a', 'b', 'c'].map((node) => ({ node, incarnation: `${node}#1` })) };
const timing = { heartbeatMs: 100, electionTimeoutMs: 500, leaseMaxMs: 2_000 };
const ballot = { node: 'b', incarnation: 'b#1', run: 1, round: 1 };
const toLeader = { type: 'node', node: 'b' } as const;
const seen = { to: toLeader, message: { type: 'heartbeatSeen', ballot, id: 1, appliedIndex: 0 } } as const;
const beat = {
  to: { type: 'all' },
  message: { type: 'heartbeat', ballot, id: 1, chosenIndex: 0, leaseMs: 500, connected: [], compactTo: 0 },
} as const;
const learned: MemberRecord = { type: 'learned', slot: 1, value: null };
const founder = { record: null, complete: false, tokenSecond: 0 };

function watchOf(run: number, position?: number, isVolatile?: true): StoreWatch {
  const memory = { founder, ...(position !== undefined && { position }) };
  return new StoreWatch({ self: { node: 'a', incarnation: 'a#1', run }, memory, timing, random: seededRandom(1), isVolatile });
}

function finished(watch: StoreWatch, output: Partial<Pick<MemberOutput, 'persist' | 'send'>>): MemberOutput {
  const out = { ...freshOutput(1), ...output };
  watch.finish(out, configuration);
  return out;
}

function hear(watch: StoreWatch, node: string, message: StoreMessage, id = 1): ReturnType<StoreWatch['onMessage']> {
  const frame: MemberFrame = { founding: 'f', configuration: id, from: { node, incarnation: `${node}#1`, run: 1 }, messages: [] };
  return watch.onMessage(frame, message, configuration, { send: [] });
}

it('reports what it persisted beside the answer to a heartbeat, what goes with that answer included (3 voters)', () => {
  const watch = watchOf(1);
  finished(watch, { persist: [learned, learned] });
  const { send } = finished(watch, { persist: [learned], send: [seen] });
  expect(send).toEqual([seen, { to: toLeader, message: { type: 'storeAt', position: 3 } }]);
});

it('says nothing of a store that ends with its process (3 voters)', () => {
  const watch = watchOf(1, undefined, true);
  expect(finished(watch, { persist: [learned], send: [seen, beat] }).send).toEqual([seen, beat]);
});

it('tells with a heartbeat what it knows of each voter, itself included, by the highest that was said (3 voters)', () => {
  const watch = watchOf(1);
  hear(watch, 'c', { type: 'storeAt', position: 9 });
  hear(watch, 'c', { type: 'storeAt', position: 7 });
  hear(watch, 'b', { type: 'storesSeen', positions: [0, 4, 0] });
  hear(watch, 'b', { type: 'storeAt', position: 5 }, 2);
  const { send } = finished(watch, { persist: [learned], send: [beat] });
  expect(send.at(-1)?.message).toEqual({ type: 'storesSeen', positions: [1, 4, 9] });
});

it('does not count what it persists in doubt, so that the next start finds no more (3 voters)', () => {
  const watch = watchOf(2, 5);
  expect(finished(watch, { persist: [learned] }).persist).toEqual([learned, { type: 'position', position: 5 }]);
  expect(watch.position).toBe(5);
});

it('is in doubt in every run but the first, where something was counted (3 voters)', () => {
  expect([watchOf(1, 5).isInDoubt, watchOf(2, 5).isInDoubt, watchOf(2, 0).isInDoubt, watchOf(2).isInDoubt]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

it('believes whoever saw more of its store, at any time and once (3 voters)', () => {
  const watch = watchOf(1);
  finished(watch, { persist: [learned] });
  expect(hear(watch, 'b', { type: 'storesSeen', positions: [1, 0, 0] })).toBeNull();
  expect(hear(watch, 'b', { type: 'storesSeen', positions: [3, 0, 0] })).toEqual({ found: 1, seen: 3, by: 'b' });
  expect(hear(watch, 'b', { type: 'storesSeen', positions: [4, 0, 0] })).toBeNull();
});

describe('a recollection', () => {
  const options = { self: { node: 'a', incarnation: 'a#1' }, nonce: 'n', found: 5, periodMs: 100, restMs: 500 };
  const from = (node: string) => ({ node, incarnation: `${node}#1`, run: 1 });

  it('asks each period whoever has not answered (3 voters)', () => {
    const recollection = new Recollection(options);
    expect(recollection.ask(configuration, 0).map(({ node }) => node)).toEqual(['b', 'c']);
    expect(recollection.ask(configuration, 99)).toEqual([]);
    recollection.onRecalled(from('b'), { type: 'recalled', nonce: 'n', position: 0 });
    expect(recollection.ask(configuration, 100).map(({ node }) => node)).toEqual(['c']);
  });

  it('counts no answer to another nonce, nor one of a stranger (3 voters)', () => {
    const recollection = new Recollection(options);
    recollection.onRecalled(from('b'), { type: 'recalled', nonce: 'o', position: 5 });
    recollection.onRecalled({ ...from('b'), incarnation: 'b#2' }, { type: 'recalled', nonce: 'n', position: 9 });
    for (const nowMs of [0, 10_000]) expect(recollection.verdict(configuration, nowMs)).toEqual({ type: 'asking' });
  });

  it('gives the rest its time from when a majority had answered, and starts over where that is a majority no more (3 and 5 voters)', () => {
    const recollection = new Recollection(options);
    recollection.onRecalled(from('b'), { type: 'recalled', nonce: 'n', position: 5 });
    expect(recollection.verdict(configuration, 1_000)).toEqual({ type: 'asking' });
    const five = { ...configuration, voters: [...configuration.voters, from('d'), from('e')] };
    expect(recollection.verdict(five, 1_600)).toEqual({ type: 'asking' });
    expect(recollection.verdict(configuration, 1_700)).toEqual({ type: 'asking' });
    expect(recollection.verdict(configuration, 2_200)).toEqual({ type: 'sound' });
  });

  it('ends with the first answer above what was found, and with the last one if none is (3 voters)', () => {
    const recollection = new Recollection(options);
    recollection.onRecalled(from('b'), { type: 'recalled', nonce: 'n', position: 5 });
    recollection.onRecalled(from('c'), { type: 'recalled', nonce: 'n', position: 0 });
    expect(recollection.verdict(configuration, 0)).toEqual({ type: 'sound' });
    recollection.onRecalled(from('c'), { type: 'recalled', nonce: 'n', position: 6 });
    expect(recollection.verdict(configuration, 0)).toEqual({ type: 'wentBack', found: 5, seen: 6, by: 'c' });
  });
});

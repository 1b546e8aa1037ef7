/** Voters replaced by names that the group was not founded with, and the founding that the named ones come to when they lose their memory. The safety rule 14. */
import { majorityOf } from '../../../packages/core/src/paxos/configuration.ts';
import type { Seat } from '../../../packages/core/src/paxos/configuration.ts';
import type { LeaderTerm } from '../../../packages/core/src/paxos/leader.ts';
import { changeTo } from '../../../packages/core/src/group/voter-change.ts';
import type { GroupBatch } from '../../../packages/core/src/group/member-message.ts';
import type { Model, Step } from '../checker/model.ts';

const named = ['a', 'b', 'c'] as const;
const outsiders = ['d', 'e'] as const;
const changesMax = 4;

export interface NamesWorld {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly number[];
  readonly marks: readonly string[];
  /** No name binds. */
  readonly anybody?: boolean;
}

/** A seat of the first founding; `knows` once its owner has learned that it has it. */
interface HeldSeat extends Seat {
  readonly knows: boolean;
}

export interface NamesState {
  readonly voters: readonly HeldSeat[];
  /** By named node: how often it has lost its memory. */
  readonly lives: readonly number[];
  readonly replaced: readonly string[];
  readonly changes: number;
  /** Those who founded anew, all named ones in their present lives. */
  readonly founders: readonly string[];
}

/** Frames are left out: whoever is not heard might as well be wiped, and a change is as good as chosen once it may be proposed. */
export class NamesModel implements Model<NamesState> {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly number[];
  readonly marks: readonly string[];

  constructor(private readonly world: NamesWorld) {
    ({ name: this.name, about: this.about, rules: this.rules, marks: this.marks } = world);
  }

  initial(): NamesState[] {
    const voters = named.map((node) => ({ node, incarnation: `${node}0`, knows: true }));
    return [{ voters, lives: named.map(() => 0), replaced: [], changes: 0, founders: [] }];
  }

  *next(state: NamesState): Iterable<Step<NamesState>> {
    for (const [index, node] of named.entries()) {
      if ((state.lives[index] ?? 0) > 0 || state.founders.length > 0) continue;
      yield { label: `${node} loses its memory`, state: { ...state, lives: state.lives.with(index, 1) } };
    }
    for (const [index, seat] of state.voters.entries()) {
      if (seat.knows || !this.isAlive(state, seat)) continue;
      yield {
        label: `${seat.incarnation} learns of its seat`,
        state: { ...state, voters: state.voters.with(index, { ...seat, knows: true }) },
      };
    }
    yield* this.change(state);
    yield* this.found(state);
  }

  check(state: NamesState): string | null {
    if (state.founders.length === 0) return null;
    const able = state.voters.filter((seat) => this.isAlive(state, seat));
    if (able.length < majorityOf(state)) return null;
    return `two foundings decide at once: ${able.map(({ node }) => node).join()} of the first, beside ${state.founders.join()}`;
  }

  key({ voters, lives, replaced, changes, founders }: NamesState): string {
    const seats = voters.map(({ incarnation, knows }) => incarnation + (knows ? '' : '?')).join();
    return `${seats} ${lives.join()} ${[...replaced].sort().join()} ${changes} ${founders.join()}`;
  }

  seen({ voters, founders }: NamesState): string[] {
    const marks: string[] = [];
    if (voters.some(({ node }) => isOutsider(node))) marks.push('an outsider votes');
    if (voters.length === 5) marks.push('there are five voters');
    if (founders.length > 0 && voters.some(({ node }) => isOutsider(node))) marks.push('founded anew beside an outsider');
    if (founders.some((incarnation) => voters.some((seat) => seat.incarnation === incarnation)))
      marks.push('a founder never learned of its seat');
    return marks;
  }

  /** What the shipped leader would propose, by the word of all who live. */
  private *change(state: NamesState): Iterable<Step<NamesState>> {
    const able = state.voters.filter((seat) => this.isAlive(state, seat) && seat.knows);
    if (able.length < majorityOf(state) || state.changes === changesMax) return;
    const term = { stopSlot: 0, beginSlot: 1, lease: { connected: () => able.map(({ node }) => node) } };
    const present = {
      configuration: { founding: 'first', id: state.changes + 1, voters: state.voters },
      term: term as unknown as LeaderTerm<GroupBatch>,
      named: this.world.anybody === true ? [] : named,
      chosenIndex: 0,
      isReplaced: () => false,
      silenceMs: 0,
      replaceAfterMs: Infinity,
      nowMs: 0,
    };
    for (const enters of [undefined, ...this.standbys(state)]) {
      for (const leaves of [undefined, ...state.voters]) {
        if (!enters && !leaves) continue;
        if (enters && state.voters.some((seat) => seat.node === enters.node && seat !== leaves)) continue;
        const outcome = changeTo(present, { ...(enters && { enters }), ...(leaves && { leaves }) }, () => false);
        if (typeof outcome === 'string') continue;
        const voters = outcome.voters.map(
          (seat) => state.voters.find((held) => held.incarnation === seat.incarnation) ?? { ...seat, knows: false },
        );
        const replaced = [...state.replaced, ...outcome.gone.map(({ incarnation }) => incarnation)];
        const label = `the leader proposes ${voters.map(({ incarnation }) => incarnation).join()}`;
        yield { label, state: { ...state, voters, replaced, changes: state.changes + 1 } };
      }
    }
  }

  /** Unanimous: whoever knows of a seat in the first founding founds nothing, and silence is no evidence, so it may happen at any time. */
  private *found(state: NamesState): Iterable<Step<NamesState>> {
    if (state.founders.length > 0) return;
    const present = named.map((node) => this.presentLife(state, node));
    const isBound = (incarnation: string): boolean => state.voters.some((seat) => seat.incarnation === incarnation && seat.knows);
    const hasFounded = present.every((incarnation) => incarnation.endsWith('1') && !isBound(incarnation));
    if (hasFounded) yield { label: `${present.join()} found anew`, state: { ...state, founders: present } };
  }

  private *standbys(state: NamesState): Iterable<Seat> {
    for (const node of [...named, ...outsiders]) {
      const incarnation = this.presentLife(state, node);
      const isFree = !state.replaced.includes(incarnation) && !state.founders.includes(incarnation);
      if (isFree && state.voters.every((seat) => seat.incarnation !== incarnation)) yield { node, incarnation };
    }
  }

  /** It still votes in the first founding if it is asked to. */
  private isAlive(state: NamesState, { node, incarnation }: Seat): boolean {
    return this.presentLife(state, node) === incarnation && !state.founders.includes(incarnation);
  }

  /** Outsiders keep their memory: that is the worst that they can do here. */
  private presentLife({ lives }: NamesState, node: string): string {
    const index = named.findIndex((name) => name === node);
    return `${node}${index === -1 ? 0 : (lives[index] ?? 0)}`;
  }
}

function isOutsider(node: string): boolean {
  return outsiders.some((name) => name === node);
}

/** Wrong hand-offs, put into the shipped classes for one run each: every one forgets a part of the safety rule 18. */
import { GroupState } from '../../../packages/core/src/group/group-state.ts';
import { partitionOp } from '../../../packages/core/src/partition/command.ts';
import type { PartitionOp } from '../../../packages/core/src/partition/command.ts';
import type { Partition, PartitionSet } from '../../../packages/core/src/partition/partition-set.ts';
import { PartitionSteward } from '../../../packages/core/src/partition/partition-steward.ts';
import { PartitionTable } from '../../../packages/core/src/partition/partition-table.ts';
import { HolderCover } from '../../../packages/core/src/session/holder-cover.ts';
import { SessionHolder } from '../../../packages/core/src/session/session-holder.ts';
import type { Instant } from '../../../packages/core/src/time/clock.ts';
import type { Model, Planted } from '../checker/model.ts';
import { replaced } from '../consensus/replaced.ts';
import { lateRelease, oneLeader, twoLeaders } from './worlds.ts';

const overlap = 'is relied on for (promise 6)';

interface StewardInside {
  readonly endings: Map<string, { readonly next: string; dueMs: number }>;
  readonly uncovering: ReadonlySet<number>;
  /** What a wrong line remembers: when this steward decided to cover a token no more. */
  readonly proposedMs?: readonly (readonly [token: number, atMs: number])[];
}

interface Freeing {
  readonly steward: StewardInside;
  readonly token: number;
  readonly nowMs: number;
  readonly asShippedMs: number;
  /** This leader decided to uncover it, not one before. */
  readonly isOwnDecision: boolean;
}

/** Changes when a partition that is uncovered comes due to be freed. */
function freedAt(dueMs: (freeing: Freeing) => number): () => void {
  return replaced(PartitionSteward.prototype, 'lookAt', (original) => (self, args) => {
    const [set, { index, token }, nowMs] = args as [PartitionSet, Partition, number];
    const steward = self as StewardInside;
    const isOwnDecision = steward.uncovering.has(token);
    const key = `${index}/${set.name}`;
    const known = steward.endings.get(key);
    original.call(self, ...args);
    const ending = steward.endings.get(key);
    if (ending?.next === 'free' && ending !== known)
      ending.dueMs = dueMs({ steward, token, nowMs, asShippedMs: ending.dueMs, isOwnDecision });
  });
}

const variant = (name: string, hazard: string, model: Model<unknown>, install: () => () => void): Planted => {
  return { name, hazard, breaks: overlap, model, install };
};

export const planted: readonly Planted[] = [
  variant('freed-without-the-ttl', 'A partition is freed as soon as it is uncovered.', oneLeader, () => {
    return freedAt(({ nowMs }) => nowMs);
  }),
  variant('ttl-not-begun-anew', 'A new leader takes the TTL of what an older one uncovered for over.', twoLeaders, () => {
    return freedAt(({ isOwnDecision, nowMs, asShippedMs }) => (isOwnDecision ? asShippedMs : nowMs));
  }),
  variant(
    'ttl-from-the-proposal-and-covered-until-applied',
    'A leader answers for a partition until its end is applied, and counts the TTL from when it proposed that.',
    oneLeader,
    () => {
      const undoCovers = replaced(PartitionSteward.prototype, 'covers', () => () => true);
      const undoDue = replaced(PartitionSteward.prototype, 'due', (original) => (self, args) => {
        const decisions = original.call(self, ...args) as { readonly type: string; readonly token: number }[];
        const proposed = decisions.filter(({ type }) => type === 'uncover').map(({ token }) => [token, args[0]]);
        if (proposed.length > 0) Reflect.set(self, 'proposedMs', [...((self as StewardInside).proposedMs ?? []), ...proposed]);
        return decisions;
      });
      const undoFreed = freedAt(({ steward, token, nowMs, asShippedMs }) => {
        const proposedMs = steward.proposedMs?.find(([of]) => of === token)?.[1] ?? nowMs;
        return asShippedMs - (nowMs - proposedMs);
      });
      return () => [undoFreed, undoDue, undoCovers].forEach((undo) => undo());
    },
  ),
  variant('covers-what-is-uncovered', 'Answers go on covering what the group has uncovered.', oneLeader, () => {
    return replaced(GroupState.prototype, 'coveredTokens', () => (self, [session]) => {
      const owned = (self as GroupState).tables.partitions.owned().get(session as number);
      return [...(owned?.keys() ?? [])];
    });
  }),
  variant('cover-of-any-answer', 'An answer prolongs every lease of the session, listed or not.', oneLeader, () => {
    return replaced(HolderCover.prototype, 'cover', (original) => (self, [tokens, ...rest]) => {
      const known = (self as HolderCover).snapshot().map(([token]) => token);
      return original.apply(self, [[...(tokens as number[]), ...known], ...rest]);
    });
  }),
  variant(
    'answer-that-lists-what-is-not-covered',
    'What an answer does not name is covered, also what was freed long ago.',
    oneLeader,
    () => {
      const undoList = replaced(GroupState.prototype, 'coveredTokens', () => (self, [session]) => {
        const owned =
          (self as GroupState).tables.partitions
            .owned()
            .get(session as number)
            ?.values() ?? [];
        return [...owned].map(({ token, isCovered }) => (isCovered ? token : -token));
      });
      const undoCover = replaced(HolderCover.prototype, 'cover', (original) => (self, [listed, ...rest]) => {
        const tokens = listed as readonly number[];
        const known = (self as HolderCover).snapshot().map(([token]) => token);
        return original.call(self, [...tokens.filter((token) => token > 0), ...known.filter((token) => !tokens.includes(-token))], ...rest);
      });
      return () => [undoList, undoCover].forEach((undo) => undo());
    },
  ),
  variant(
    'partition-lease-from-the-answer',
    'A partition’s lease runs from when the answer came, not from when the question left.',
    oneLeader,
    () => {
      return replaced(
        SessionHolder.prototype,
        'takeCover',
        (original) =>
          (self, [tokens, , at]) =>
            original.apply(self, [tokens, at, at]),
      );
    },
  ),
  variant('partition-lease-from-the-grant', 'A partition’s lease runs from when its owner hears of the grant.', oneLeader, () => {
    return replaced(SessionHolder.prototype, 'onMessage', (original) => (self, args) => {
      original.call(self, ...args);
      const [message, at] = args as [
        { readonly type: string; readonly states?: readonly { readonly rows: readonly number[][] }[] },
        Instant,
      ];
      if (message.type !== 'watched') return;
      const tokens = (message.states ?? []).flatMap(({ rows }) => rows.map((row) => row[3] ?? 0));
      Reflect.apply(Reflect.get(SessionHolder.prototype, 'takeCover') as () => void, self, [tokens, at, at]);
    });
  }),
  variant('release-without-its-token', 'A release that comes late gives away what the owner was granted since.', lateRelease, () => {
    return replaced(PartitionTable.prototype, 'apply', (original) => (self, [session, node, op]) => {
      const [kind, seq, name, index] = op as PartitionOp;
      if (kind !== partitionOp.release) return original.apply(self, [session, node, op]);
      const token = (self as PartitionTable).set(name)?.partitions[Number(index)]?.token ?? 0;
      return original.apply(self, [session, node, [kind, seq, name, index, token, null]]);
    });
  }),
];

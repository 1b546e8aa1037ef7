/** Storage in memory: `volatileStorage` lives as long as its process; `memoryDisk` outlives runs, as tests want of a disk. */
import { zeroBallot } from '../paxos/ballot.ts';
import type { Ballot } from '../paxos/ballot.ts';
import type { FounderMemory } from '../paxos/founding.ts';
import type { GroupBatch } from '../group/member-message.ts';
import type { MemberMemory, MemberRecord } from '../group/member.ts';
import type { Slot, Vote } from '../paxos/message.ts';
import type { LoadedMember, Storage } from './storage.ts';

/** For diskless voters: nothing is kept, so every start is a new incarnation, and that is what makes it safe. */
export function volatileStorage(): Storage {
  return {
    load: (mint) => Promise.resolve({ identity: { incarnation: mint(), run: 1 } }),
    append: () => undefined,
    discard: () => Promise.resolve(),
  };
}

/** Keeps what was appended for the next `load`. */
export function memoryDisk(): Storage {
  let incarnation = '';
  let run = 0;
  let records: MemberRecord[] = [];
  return {
    load: (mint): Promise<LoadedMember> => {
      const memory = incarnation === '' ? undefined : foldRecords(records);
      incarnation ||= mint();
      run += 1;
      return Promise.resolve({ identity: { incarnation, run }, memory });
    },
    append: (more) => void records.push(...more),
    discard: () => {
      incarnation = '';
      run = 0;
      records = [];
      return Promise.resolve();
    },
  };
}

/** What a sequence of records comes to. */
export function foldRecords(records: readonly MemberRecord[]): MemberMemory {
  let founder: FounderMemory = { record: null, complete: false, tokenSecond: 0 };
  let promised: Ballot = zeroBallot;
  let chosenIndex: Slot = 0;
  const votes = new Map<Slot, Vote<GroupBatch>>();
  const learned = new Map<Slot, GroupBatch | null>();
  for (const record of records) {
    switch (record.type) {
      case 'founding':
        founder = { ...founder, record: record.record, complete: record.complete, confirmed: record.confirmed };
        break;
      case 'promised':
        promised = record.ballot;
        break;
      case 'voted':
        votes.set(record.slot, { slot: record.slot, ballot: record.ballot, value: record.value });
        break;
      case 'learned':
        learned.set(record.slot, record.value);
        break;
      case 'chosen':
        chosenIndex = Math.max(chosenIndex, record.upTo);
        break;
      case 'discarded':
        return { founder: { record: null, complete: false, tokenSecond: founder.tokenSecond } };
    }
  }
  const entries = [...learned].map(([slot, value]) => ({ slot, value }));
  return { founder, replica: { floor: 0, promised, chosenIndex, votes: [...votes.values()], learned: entries } };
}

/** Wrong designs and wrong lines of consensus, each of which its model must find. */
import { Acceptor } from '../../../packages/core/src/paxos/acceptor.ts';
import { Founder } from '../../../packages/core/src/paxos/founding.ts';
import { CountFounder } from '../../../packages/core/src/paxos/founding-by-count.ts';
import { FoundingLog } from '../../../packages/core/src/paxos/founding-log.ts';
import type { FoundingEntry } from '../../../packages/core/src/paxos/founding-log.ts';
import type { FoundingRecord } from '../../../packages/core/src/paxos/founding-message.ts';
import { Follower } from '../../../packages/core/src/paxos/follower.ts';
import { LeaderTerm } from '../../../packages/core/src/paxos/leader.ts';
import { GrantedLease, HeldLease } from '../../../packages/core/src/paxos/lease.ts';
import { Log } from '../../../packages/core/src/paxos/log.ts';
import { PhaseOne } from '../../../packages/core/src/paxos/phase-one.ts';
import { Replica } from '../../../packages/core/src/paxos/replica.ts';
import { Synod } from '../../../packages/core/src/paxos/synod.ts';
import { usableLengthMs } from '../../../packages/core/src/time/clock.ts';
import type { Planted } from '../checker/model.ts';
import { CountFoundingModel } from './count-founding.ts';
import { FoundingModel } from './founding.ts';
import { LeaseModel } from './lease.ts';
import { LogModel } from './log.ts';
import { NamesModel } from './names.ts';
import { inTheStores } from './planted-stores.ts';
import { replaced, replacedGetter } from './replaced.ts';
import { StopSignModel } from './stop-sign.ts';
import { SynodModel } from './synod.ts';
import { inTheRefounding } from './planted-refounding.ts';
import * as worlds from './worlds.ts';

const duel = { ...worlds.synod, restarts: 0 };

const inTheDecree: readonly Planted[] = [
  {
    name: 'wiped-voter-under-its-old-identity',
    hazard: 'A voter that lost its memory votes on under its old incarnation (rules 3 and 11).',
    breaks: 'agreement:',
    model: new SynodModel({ ...worlds.synodWipe, returns: 'under its old identity' }),
  },
  {
    name: 'wiped-voter-that-read-a-majority',
    hazard:
      'A voter that lost its memory reads a majority, adopts the highest promise and vote, and votes on under its old incarnation (rule 3).',
    breaks: 'agreement:',
    model: new SynodModel({ ...worlds.synodWipe, returns: 'after reading a majority' }),
  },
  {
    name: 'decree-without-adoption',
    hazard: 'A proposer proposes its own value although a promise reported a vote ("Paxos Made Simple" §2.2, P2c).',
    breaks: 'agreement:',
    model: new SynodModel(duel),
    install: () => {
      return replaced(
        Synod.prototype,
        'onPromise',
        (original) =>
          (self, [node, ballot, , nowMs]) =>
            original.call(self, node, ballot, null, nowMs),
      );
    },
  },
  {
    name: 'promise-raised-by-prepare-alone',
    hazard: 'An acceptor that accepts a higher ballot does not promise it, and goes on accepting lower ones.',
    breaks: 'agreement:',
    model: new SynodModel(duel),
    install: () => {
      return replaced(Acceptor.prototype, 'accept', (original) => (self, args) => {
        const before = Reflect.get(self, 'promisedBallot') as unknown;
        const accepted = original.call(self, ...args) as unknown;
        Reflect.set(self, 'promisedBallot', before);
        return accepted;
      });
    },
  },
  {
    name: 'promise-of-another-ballot',
    hazard: 'A proposer counts a promise that was made to an earlier ballot of its own, though its sender has voted since (rule 3).',
    breaks: 'agreement:',
    model: new SynodModel({ ...duel, staleAnswers: true }),
    install: () => {
      return replaced(Synod.prototype, 'onPromise', (original) => (self, [node, ballot, vote, nowMs]) => {
        const round = Reflect.get(self, 'round') as { readonly ballot?: unknown };
        return original.call(self, node, round.ballot ?? ballot, vote, nowMs);
      });
    },
  },
];

const inTheLog: readonly Planted[] = [
  {
    name: 'log-without-adoption',
    hazard: 'A new leader begins with slots of its own although promises reported votes.',
    breaks: 'agreement:',
    model: new LogModel(worlds.logGaps),
    install: () => replaced(PhaseOne.prototype, 'adopted', () => () => []),
  },
  {
    name: 'fill-below-what-a-promise-knows-to-be-chosen',
    hazard: 'A candidate behind a promiser fills slots that the promise no longer reports, instead of fetching them (rule 2).',
    breaks: 'agreement:',
    model: new LogModel(worlds.logGaps),
    install: () => replacedGetter(PhaseOne.prototype, 'mostAdvanced', () => ({ node: '', chosenIndex: 0 })),
  },
  {
    name: 'acknowledgement-of-another-incarnation',
    hazard: 'The vote of a voter that lost its memory counts by its name alone (rule 3).',
    breaks: 'agreement:',
    model: new LogModel(worlds.logStranger),
    install: () => {
      return replaced(Follower.prototype, 'mayHear', () => (self, [from]) => {
        const { options } = self as { readonly options: { readonly self: { readonly node: string } } };
        return (from as { readonly node: string }).node !== options.self.node;
      });
    },
  },
  {
    name: 'acknowledgement-of-another-slot',
    hazard: 'A vote for one slot counts for the next one too (rule 4).',
    breaks: 'agreement:',
    model: new LogModel(worlds.logGaps),
    install: () =>
      replaced(
        LeaderTerm.prototype,
        'hasAccepted',
        (original) =>
          (self, [node, slot]) =>
            original.call(self, node, Number(slot) - 1),
      ),
  },
  {
    name: 'short-path-over-a-relayed-accept',
    hazard: 'An accept that somebody else hands on counts as a vote beside one’s own, and may be one’s own (rule 4).',
    breaks: 'agreement:',
    model: new LogModel(worlds.logStranger),
    install: () => {
      return replaced(Follower.prototype, 'onAccept', (original) => (self, [, accept, nowMs]) => {
        return original.call(self, (accept as { readonly ballot: unknown }).ballot, accept, nowMs);
      });
    },
  },
];

const inTheStopSign: readonly Planted[] = [
  {
    name: 'nothing-purged-above-the-stop-sign',
    hazard: 'What a configuration chose above its stop-sign is kept, and applied in the next one (rule 1).',
    breaks: 'agreement:',
    model: new StopSignModel(worlds.stopSignGaps),
    install: () => {
      return replaced(Log.prototype, 'sealAt', (original) => (self, [slot]) => {
        const kept = Reflect.get(self, 'entries') as (object | undefined)[];
        const { chosenIndex } = self as { readonly chosenIndex: number };
        const all = [...kept];
        original.call(self, slot);
        kept.push(...all.slice(kept.length).map((entry) => entry && { ...entry, ballot: null }));
        Object.assign(self, { chosenIndex, taken: slot });
      });
    },
  },
  {
    name: 'vote-in-a-configuration-without-its-state',
    hazard: 'A voter that hears of the next configuration votes in it before it holds what the last one chose (rules 1 and 16).',
    breaks: 'agreement:',
    model: new StopSignModel({ ...worlds.swap, stands: [[], ['a', 'b']], entersUntold: true }),
  },
  {
    name: 'wiped-voter-before-its-swap',
    hazard: 'A voter that lost its memory votes on under its old incarnation until it is swapped in (rules 3 and 16).',
    breaks: 'agreement:',
    model: new StopSignModel({ ...worlds.swap, returns: 'under its old identity' }),
  },
];

const inTheLease: readonly Planted[] = [
  {
    name: 'lease-counted-from-the-answer',
    hazard: 'A leader counts its lease from when a grant came, not from when it sent the heartbeat (rule 7).',
    breaks: 'hold the leader lease at once',
    model: new LeaseModel(worlds.lease),
    install: leaseFromReceiveTime,
  },
  {
    name: 'lease-without-an-allowance-for-drift',
    hazard: 'A leader uses the whole length that was granted, by its own slow clock (rule 7).',
    breaks: 'hold the leader lease at once',
    model: new LeaseModel(worlds.lease),
    install: () => {
      return replaced(
        HeldLease.prototype,
        'heldUntilMs',
        () => (self) => (self as HeldLease).majorityAnsweredMs() + Number(Reflect.get(self, 'lengthMs')),
      );
    },
  },
  {
    name: 'restarted-voter-that-does-not-wait',
    hazard: 'A voter restarted with its memory promises at once, though it forgot what it granted (rule 7).',
    breaks: 'hold the leader lease at once',
    model: new LeaseModel(worlds.leaseRestart),
    install: () => {
      return replaced(GrantedLease.prototype, 'remainingAgainstMs', (original) => (self, args) => {
        return Reflect.get(self, 'owner') === null ? 0 : (original.call(self, ...args) as number);
      });
    },
  },
  {
    name: 'leader-lease-by-the-monotonic-clock',
    hazard: 'A leader whose machine was suspended does not see that its lease ended meanwhile: its monotonic clock stood still (rule 7).',
    breaks: 'hold the leader lease at once',
    model: new LeaseModel(worlds.leaseSuspended),
    install: () => {
      return replaced(HeldLease.prototype, 'heldUntilMs', () => (self) => {
        return (self as HeldLease).majorityAnsweredMs() + usableLengthMs(Number(Reflect.get(self, 'lengthMs')));
      });
    },
  },
  {
    name: 'sleep-forgotten-at-an-answer',
    hazard: 'A leader that slept before the answer to its heartbeat came counts its clocks from the answer on (rule 7).',
    breaks: 'hold the leader lease at once',
    model: new LeaseModel(worlds.leaseSuspended),
    install: () => {
      return replaced(HeldLease.prototype, 'heartbeatSeen', (original) => (self, [id, voter]) => {
        const sent = Reflect.get(self, 'sent') as Map<unknown, object>;
        const heartbeat = sent.get(id);
        if (heartbeat) sent.set(id, { ...heartbeat, aheadMs: Number(Reflect.get(self, 'aheadMs')) });
        return original.call(self, id, voter);
      });
    },
  },
  {
    name: 'leader-that-never-falls-silent',
    hazard: 'A leader that no majority answers goes on sending heartbeats, and whoever hears it elects nobody else (rule 8).',
    breaks: 'rule 8:',
    model: new LeaseModel(worlds.lease),
    install: () => replaced(Replica.prototype, 'silentDeadlineMs', () => () => Infinity),
  },
];

const inTheFounding: readonly Planted[] = [
  {
    name: 'founder-that-never-gives-up',
    hazard: 'A founder keeps its record although a seat in it came back under another incarnation: nobody can ever found again (rule 11).',
    breaks: 'the group is wedged',
    model: new FoundingModel(worlds.foundingLate),
    install: () => replaced(Founder.prototype, 'strangerTo', () => () => undefined),
  },
  {
    name: 'founder-that-accepts-two-records',
    hazard: 'An incarnation that accepted one record accepts another (rule 11).',
    breaks: 'rule 11:',
    model: new FoundingModel(worlds.foundingLate),
    install: () => {
      return replaced(Founder.prototype, 'onFound', (original) => (self, args) => {
        if (Reflect.get(self, 'complete') !== true) Reflect.set(self, 'record', null);
        return original.call(self, ...args) as unknown;
      });
    },
  },
];

const byCount: readonly Planted[] = [
  {
    name: 'second-founding-record-counts',
    hazard: 'A record that is written after a complete one replaces it (rule 22).',
    breaks: 'agreement:',
    model: new CountFoundingModel({ ...worlds.countFounding, arbiter: 'takes what comes' }),
    install: () => {
      return replaced(FoundingLog.prototype, 'take', (original) => (self, args) => {
        const [entry] = args as readonly [{ readonly type: string }];
        if (entry.type === 'record') Reflect.set(self, 'counting', null);
        return original.call(self, ...args);
      });
    },
  },
  {
    name: 'record-replaced-without-a-durable-refusal',
    hazard:
      'A record is replaced, but a seat that is taken in it afterwards still counts, so that it can come to be complete yet (rule 22).',
    breaks: 'agreement:',
    model: new CountFoundingModel({ ...worlds.countFounding, arbiter: 'takes what comes' }),
    install: replacedButNotRefused,
  },
  {
    name: 'complete-before-all-have-joined',
    hazard: 'A record counts as complete although one of its members has not taken its seat (rule 22).',
    breaks: 'rule 22:',
    model: new CountFoundingModel(worlds.countFounding),
    install: () => {
      return replacedGetter(FoundingLog.prototype, 'isComplete', function (this: unknown) {
        const { current, missing } = this as FoundingLog;
        return current !== null && missing.length < current.configuration.voters.length;
      });
    },
  },
  {
    name: 'record-of-a-dead-set-that-stays',
    hazard: 'A record whose members are gone is never replaced (rule 22).',
    breaks: 'the group is wedged',
    model: new CountFoundingModel(worlds.countFoundingWipe),
    install: () =>
      replaced(
        CountFounder.prototype,
        'mayReplace',
        () =>
          (_self, [log]) =>
            (log as FoundingLog).current === null,
      ),
  },
  {
    name: 'founding-ended-while-it-lives',
    hazard: 'A founding is ended without looking whether its majority still lives (rule 22).',
    breaks: 'agreement:',
    model: new CountFoundingModel({ ...worlds.countFoundingEnded, count: 1, wipes: 0, restarts: 0, operator: 'careless' }),
  },
  {
    name: 'survivor-that-does-not-look-again',
    hazard: 'A survivor never reads that its founding was ended, and takes no part in the next one (rule 22).',
    breaks: 'the group is wedged',
    model: new CountFoundingModel({ ...worlds.countFoundingEnded, doubtful: 0, restarts: 0 }),
    install: () => replaced(CountFounder.prototype, 'lookAgain', () => () => undefined),
  },
];

function replacedButNotRefused(): () => void {
  return replaced(FoundingLog.prototype, 'take', (original) => (self, args) => {
    const [entry] = args as readonly [FoundingEntry];
    const all = (Reflect.get(self, 'all') ?? {}) as Record<string, { readonly record: FoundingRecord; readonly joined: Set<string> }>;
    Reflect.set(self, 'all', all);
    if (entry.type === 'record') all[entry.record.configuration.founding] = { record: entry.record, joined: new Set() };
    const result = original.call(self, ...args);
    const one = entry.type === 'joined' ? all[entry.founding] : undefined;
    if (!one || entry.type !== 'joined') return result;
    one.joined.add(entry.seat.incarnation);
    if (one.record.configuration.voters.some(({ incarnation }) => !one.joined.has(incarnation))) return result;
    Reflect.set(self, 'counting', one.record);
    Reflect.set(self, 'joined', one.joined);
    return result;
  });
}
const inTheNames: readonly Planted[] = [
  {
    name: 'voters-of-any-name',
    hazard: 'Seats go to whoever stands by, until most are of names that the group was not founded with (rule 14).',
    breaks: 'two foundings decide at once',
    model: new NamesModel({ ...worlds.names, name: 'voters-of-any-name', anybody: true }),
  },
];

export const planted: readonly Planted[] = [
  ...inTheDecree,
  ...inTheLog,
  ...inTheStopSign,
  ...inTheLease,
  ...inTheNames,
  ...inTheStores,
  ...inTheFounding,
  ...inTheRefounding,
  ...byCount,
];

/** Acknowledgements reach the lease without the time; it is taken from the input that brought them. */
function leaseFromReceiveTime(): () => void {
  let nowMs = 0;
  const undoStep = replaced(Replica.prototype, 'step', (original) => (self, [input]) => {
    ({ nowMs } = input as { readonly nowMs: number });
    return original.call(self, input);
  });
  const undoSeen = replaced(HeldLease.prototype, 'heartbeatSeen', (original) => (self, args) => {
    Reflect.set(self, 'seenAtMs', nowMs);
    return original.call(self, ...args);
  });
  const undoHeld = replaced(HeldLease.prototype, 'heldUntilMs', (original) => (self, args) => {
    const { seenAtMs } = self as { readonly seenAtMs?: number };
    const late = seenAtMs === undefined ? 0 : seenAtMs - (self as HeldLease).majorityAnsweredMs();
    return Number(original.call(self, ...args)) + late;
  });
  return () => {
    undoHeld();
    undoSeen();
    undoStep();
  };
}

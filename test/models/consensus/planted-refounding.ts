/** Wrong ways to found a group anew whose majority is lost, each of which the model must find. The safety rule 15. */
import { Founder } from '../../../packages/core/src/paxos/founding.ts';
import type { Configuration } from '../../../packages/core/src/paxos/configuration.ts';
import type { FoundingRecord, Greeting } from '../../../packages/core/src/paxos/founding-message.ts';
import { Legacy } from '../../../packages/core/src/paxos/legacy.ts';
import { MajorityWatch } from '../../../packages/core/src/paxos/majority-watch.ts';
import type { Planted } from '../checker/model.ts';
import { RefoundingModel } from './refounding.ts';
import { replaced, replacedGetter } from './replaced.ts';
import * as worlds from './worlds.ts';

/** Two losses are enough for all of them. */
const world = { ...worlds.refoundingBesideOutsider, wipes: 2, incarnationsMax: 3 };
const twoFoundings = 'two foundings decide at once';

export const inTheRefounding: readonly Planted[] = [
  {
    name: 'silence-taken-for-loss',
    hazard: 'A survivor counts a seat as gone that did not answer (rule 15).',
    breaks: 'gave up its seat though a majority of',
    model: new RefoundingModel(world),
    install: () => replaced(MajorityWatch.prototype, 'strangerOf', (original) => (self, args) => original.call(self, ...args) ?? 'nobody'),
  },
  {
    name: 'retained-greeting-taken-for-loss',
    hazard: 'A survivor counts what the last life of a name said to a question of long ago (rule 15).',
    breaks: 'gave up its seat though a majority of',
    model: new RefoundingModel(world),
    install: () => {
      return replaced(MajorityWatch.prototype, 'onGreeting', (original) => (self, [from, greeting]) => {
        return original.call(self, from, { ...(greeting as Greeting), nonce: Reflect.get(self, 'nonce') as string });
      });
    },
  },
  {
    name: 'loss-judged-by-the-founding',
    hazard: 'A survivor counts the seats that the group was founded with, though it knows of a later configuration (rule 15).',
    breaks: 'gave up its seat though a majority of',
    model: new RefoundingModel(world),
    install: () => replaced(MajorityWatch.prototype, 'learn', () => () => undefined),
  },
  {
    name: 'loss-judged-without-outsiders',
    hazard: 'A survivor counts only the seats of the names that it was given (rule 15).',
    breaks: 'gave up its seat though a majority of',
    model: new RefoundingModel(world),
    install: () => {
      return replaced(MajorityWatch.prototype, 'judge', (original) => (self) => {
        const known = Reflect.get(self, 'known') as Configuration;
        Reflect.set(self, 'known', { ...known, voters: known.voters.filter(({ node }) => world.names.includes(node)) });
        original.call(self);
        Reflect.set(self, 'known', known);
      });
    },
  },
  {
    name: 'loss-judged-without-a-seat',
    hazard:
      'A process without a seat concludes from the names that the group is gone, and gives up a seat that it has yet to learn of (rule 15).',
    breaks: 'gave up its incarnation without a seat',
    model: new RefoundingModel({ ...world, namesJudge: true }),
  },
  {
    name: 'survivor-that-goes-on-voting',
    hazard: 'A survivor speaks under its next incarnation before the last is discarded for good, and votes under that once more (rule 15).',
    breaks: twoFoundings,
    model: new RefoundingModel({ ...world, unsealed: true }),
  },
  {
    name: 'zombie-beside-an-outsider',
    hazard:
      'A name is started again while its last process sleeps, and wakes up beside an outsider: together they are a majority (the assumption of rule 15).',
    breaks: twoFoundings,
    model: new RefoundingModel({ ...world, zombies: 1 }),
  },
  {
    name: 'seat-taken-after-a-record',
    hazard: 'A standby that accepted a record takes the seat that a stop-sign of the last life gave it (rules 11 and 15).',
    breaks: twoFoundings,
    model: new RefoundingModel({ ...world, standbyStays: true }),
    install: () => replaced(Founder.prototype, 'join', () => (self) => void Reflect.set(self, 'hasJoined', true)),
  },
  {
    name: 'first-founding-though-one-inherits',
    hazard: 'The user’s word that there was no earlier life is taken for true, though a founder remembers one (rules 12 and 15).',
    breaks: 'accepted a record that forgets what it inherits',
    model: new RefoundingModel(world),
    install: () => {
      const undoGuard = replaced(Legacy.prototype, 'isRespectedBy', () => () => true);
      const undoRecord = replaced(Founder.prototype, 'accept', (original) => (self, [record]) => {
        return original.call(self, { ...(record as FoundingRecord), firstFounding: true });
      });
      return () => {
        undoRecord();
        undoGuard();
      };
    },
  },
  {
    name: 'inheritance-forgotten',
    hazard: 'The next founding begins its tokens at its calendar clocks, whatever a survivor remembers (rules 13 and 15).',
    breaks: 'accepted a record that forgets what it inherits',
    model: new RefoundingModel(world),
    install: () => {
      const undoGuard = replaced(Legacy.prototype, 'isRespectedBy', () => () => true);
      const undoInherited = replacedGetter(Founder.prototype, 'inherits', () => undefined);
      const undoRecord = replaced(Founder.prototype, 'accept', (original) => (self, [record]) => {
        return original.call(self, { ...(record as FoundingRecord), tokenSecond: 1 });
      });
      return () => {
        undoRecord();
        undoInherited();
        undoGuard();
      };
    },
  },
];

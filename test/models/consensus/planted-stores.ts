/** Wrong ways to find out that a store went back, each of which its model must find. */
import { Follower } from '../../../packages/core/src/paxos/follower.ts';
import { Recollection } from '../../../packages/core/src/paxos/recollection.ts';
import type { RecollectionOptions } from '../../../packages/core/src/paxos/recollection.ts';
import { StoreWatch } from '../../../packages/core/src/group/store-watch.ts';
import type { Planted } from '../checker/model.ts';
import { replaced } from './replaced.ts';
import { StoreModel } from './store.ts';
import * as worlds from './worlds.ts';

export const inTheStores: readonly Planted[] = [
  {
    name: 'answer-to-an-earlier-question',
    hazard: 'An answer that was given to an earlier start of the process counts, though more was promised since (rule 21).',
    breaks: 'promise:',
    model: new StoreModel(worlds.store),
    install: () => {
      return replaced(Recollection.prototype, 'onRecalled', (original) => (self, [from, answer]) => {
        const { nonce } = optionsOf(self);
        return original.call(self, from, { ...(answer as object), nonce });
      });
    },
  },
  {
    name: 'memory-that-nobody-is-asked-about',
    hazard: 'A voter takes what its store holds for all that it ever said (rule 21).',
    breaks: 'promise:',
    model: new StoreModel(worlds.store),
    install: () => replaced(Recollection.prototype, 'verdict', () => () => ({ type: 'sound' })),
  },
  {
    name: 'promise-before-the-answers',
    hazard: 'A voter asks, and promises meanwhile (rule 21).',
    breaks: 'promise:',
    model: new StoreModel(worlds.store),
    install: () => {
      return replaced(Follower.prototype, 'mayHear', (original) => (self, args) => {
        const before = Reflect.get(self, 'isInDoubt') as unknown;
        Reflect.set(self, 'isInDoubt', false);
        const heard = original.call(self, ...args);
        Reflect.set(self, 'isInDoubt', before);
        return heard;
      });
    },
  },
  {
    name: 'position-after-the-own-run-record',
    hazard: 'The record of its own run, written after what was lost, makes a store look as long as it was (rule 21).',
    breaks: 'promise:',
    model: new StoreModel(worlds.store),
    install: () => {
      return replaced(Recollection.prototype, 'verdict', (original) => (self, args) => {
        const options = optionsOf(self);
        Reflect.set(self, 'options', { ...options, found: options.found + 1 });
        const verdict = original.call(self, ...args);
        Reflect.set(self, 'options', options);
        return verdict;
      });
    },
  },
  {
    name: 'position-that-grows-in-doubt',
    hazard: 'What a voter learns while it asks counts, and after one more restart its store looks as long as it was (rule 21).',
    breaks: 'promise:',
    model: new StoreModel(worlds.store),
    install: () => {
      return replaced(StoreWatch.prototype, 'count', () => (self, [persist]) => {
        const { length } = persist as readonly unknown[];
        Reflect.set(self, 'at', (Reflect.get(self, 'at') as number) + length);
      });
    },
  },
  {
    name: 'silence-of-those-who-know-nothing',
    hazard: 'Who knows nothing of a store does not say so, and a group that restarted as a whole waits for ever (rule 21).',
    breaks: 'wedged',
    model: new StoreModel(worlds.storeForgotten),
    install: () => {
      return replaced(StoreWatch.prototype, 'onMessage', (original) => (self, [frame, message, present, answers]) => {
        const { send } = answers as { send: { message: { type: string; position?: number } }[] };
        const outcome = original.call(self, frame, message, present, answers);
        if (send.at(-1)?.message.type === 'recalled' && send.at(-1)?.message.position === 0) send.pop();
        return outcome;
      });
    },
  },
  {
    name: 'longer-store-taken-for-an-older-one',
    hazard: 'A voter whose store holds more than anybody saw of it is given up, as after any crash between a write and its report.',
    breaks: 'memory:',
    model: new StoreModel(worlds.store),
    install: () => {
      return replaced(Recollection.prototype, 'verdict', (original) => (self, args) => {
        const { found } = optionsOf(self);
        const seen = [...(Reflect.get(self, 'answers') as ReadonlyMap<string, number>).values()];
        if (seen.some((position) => position !== found)) return { type: 'wentBack', found, seen: Math.max(...seen), by: 'b' };
        return original.call(self, ...args);
      });
    },
  },
];

function optionsOf(recollection: object): RecollectionOptions {
  return Reflect.get(recollection, 'options') as RecollectionOptions;
}

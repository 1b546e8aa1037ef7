/** One message of each type that a synod speaks, and the shapes that its values take. */
import type { SynodMemberMessage } from '../../src/paxos/synod-message.ts';
import { samples } from './samples.ts';

const ballot = { round: 3, node: 'a', incarnation: 'i', run: 2 };

export const synodSamples: readonly SynodMemberMessage[] = [
  { type: 'synodPrepare', ballot },
  { type: 'synodPromise', ballot, vote: null },
  { type: 'synodPromise', ballot, vote: { ballot: { ...ballot, round: 2 }, value: '{"__proto__":1}' } },
  { type: 'synodAccept', ballot, value: '{"colour":"blue"}' },
  { type: 'synodAccept', ballot, value: `"${'x'.repeat(1_500)}"` },
  { type: 'synodAccepted', ballot },
  { type: 'synodReject', ballot, promised: { ...ballot, round: 4 } },
  { type: 'synodDecided', value: '[1,null,"\\u00e9"]' },
  { type: 'synodAsk' },
  samples.hello,
  samples.greeting,
  samples.found,
  samples.foundingAccepted,
  samples.foundingConfirmed,
];

/** The next incarnation of a member whose last one is over: its storage is cleared first, and what it inherits is kept before it says anything. */
import type { Member, MemberEvent } from '../group/member.ts';
import { Founder } from '../paxos/founding.ts';
import type { Inheritance } from '../paxos/founding.ts';
import { foldRecords } from '../storage/begin-run.ts';
import type { LoadedMember } from '../storage/storage.ts';
import { loadMember } from './create-member.ts';
import type { EngineOptions } from './engine.ts';

export interface Succession {
  /** The member whose session, orders and group the next one takes over. */
  readonly before: Member | undefined;
  readonly inherits: Inheritance | null;
}

/** Who gave up as a founder, or as a survivor, or whose seat was given away; null for any other event. */
export function successionOf(event: MemberEvent, member: Member): Succession | null {
  if (event.type === 'gaveUp') return { before: member, inherits: inheritanceOf(member) };
  // Its session is over, and the log of foundings knows of tokens all that survivors do.
  if (event.type === 'foundingEnded') return { before: undefined, inherits: null };
  if (event.type === 'seatGiven' || event.type === 'storeWentBack') return { before: member, inherits: null };
  return event.type === 'refounding' ? { before: member, inherits: event.inherits } : null;
}

/** What it was handed on, and has to hand on in its turn: its founding never came to be. */
function inheritanceOf({ inspect: { founder } }: Member): Inheritance | null {
  return founder instanceof Founder ? (founder.inherits ?? null) : null;
}

/**
 * Where the process dies after the storage was cleared and before the inheritance is kept, it starts as one whose memory was wiped. Rejects
 * with what the storage says of its failure.
 */
export async function loadNext(options: EngineOptions, { inherits }: Succession): Promise<LoadedMember> {
  await options.storage.discard();
  const loaded = await loadMember(options);
  if (!inherits) return loaded;
  const record = { type: 'inherited', ...inherits } as const;
  await options.storage.append([record]);
  return { ...loaded, memory: foldRecords([record]) };
}

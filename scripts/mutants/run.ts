/** All mutants in working copies, and before them the copies as they are: nothing may be killed that is not wrong. */
import type { Killer, Mutant } from '../../test/mutants/mutant.ts';
import { describeKiller, runKiller } from './killing.ts';
import type { Verdict } from './killing.ts';
import { controlLimits, limitsAfter } from './limits.ts';
import type { ControlTime, KillerLimits } from './limits.ts';
import { patchedFiles, whileMutated } from './patching.ts';
import { makeWorkingCopy } from './working-copy.ts';
import type { WorkingCopy } from './working-copy.ts';

export interface MutantRow {
  readonly name: string;
  readonly hazard: string;
  /** Null for one that survived everything it was given to. */
  readonly killedBy: string | null;
  /** How long the killer took, or what became of each that did not kill. */
  readonly after: string;
}

export interface MutantsRun {
  readonly ok: boolean;
  readonly table: readonly MutantRow[];
  readonly killed: number;
  /** Killers that kill the project as it is. */
  readonly controlKilled: number;
  /** Why the run proves nothing, in sentences. */
  readonly faults: readonly string[];
}

export interface MutantsOptions {
  /** Gives a mutant to every one of its killers, each of which must kill it. */
  readonly every: boolean;
  /** Killers that run at once, each in a working copy of its own. */
  readonly jobs: number;
  readonly onLine: (line: string) => void;
}

/** More seeds than this are no part of a fast run; nor are models. */
const fastSeedsMax = 10;

/** What a fast run looks at: mutants with a cheap killer, and of their killers only those. */
export function fastOf(mutants: readonly Mutant[]): Mutant[] {
  const isCheap = (killer: Killer): boolean => killer.by === 'unit' || (killer.by === 'simulation' && killer.seeds <= fastSeedsMax);
  return mutants.map((mutant) => ({ ...mutant, killers: mutant.killers.filter(isCheap) })).filter(({ killers }) => killers.length > 0);
}

export async function runMutants(mutants: readonly Mutant[], { every, jobs, onLine }: MutantsOptions): Promise<MutantsRun> {
  const first = makeWorkingCopy();
  const copies = [first];
  try {
    // All of them before the first runs: a patch that has rotted should not be found out at the end.
    for (const mutant of mutants) patchedFiles(first.root, mutant);
    const killers = distinctKillers(mutants);
    const unread = await checkCopyIsRead(first.root, killers);
    for (const fault of unread) onLine(fault);
    if (unread.length > 0) return { ok: false, table: [], killed: 0, controlKilled: 0, faults: unread };

    while (copies.length < Math.min(jobs, mutants.length)) copies.push(makeWorkingCopy());
    const faults: string[] = [];
    const controls = await inCopies(copies, killers, async (root, killer): Promise<ControlTime> => {
      const verdict = await runKiller(root, killer, controlLimits);
      onLine(controlLineOf(killer, verdict));
      if (verdict.type !== 'survived') faults.push(controlFaultOf(killer, verdict));
      return { by: killer.by, seconds: verdict.seconds, slowestTestMs: verdict.slowestTestMs };
    });
    const limits = limitsAfter(controls);
    const table = await inCopies(copies, mutants, async (root, mutant): Promise<MutantRow> => {
      const row = await whileMutated(root, mutant, () => giveToKillers(root, mutant, { every, limits }));
      onLine(`${row.killedBy === null ? 'SURVIVED ' : 'killed   '}  ${row.name.padEnd(44)} ${row.killedBy ?? ''} — ${row.after}`);
      return row;
    });
    const killed = table.filter(({ killedBy }) => killedBy !== null).length;
    const controlKilled = faults.length;
    return { ok: killed === mutants.length && killed > 0 && controlKilled === 0, table, killed, controlKilled, faults };
  } finally {
    for (const copy of copies) copy.remove();
  }
}

/** Each item in whichever copy is free next; what came of them in the order of the items. */
async function inCopies<Item, Result>(
  copies: readonly WorkingCopy[],
  items: readonly Item[],
  work: (root: string, item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<number, Result>();
  const waiting = items.entries();
  const takeAll = async ({ root }: WorkingCopy): Promise<void> => {
    for (const [index, item] of waiting) results.set(index, await work(root, item));
  };
  await Promise.all(copies.map(takeAll));
  return items.flatMap((_, index) => results.get(index) ?? []);
}

function controlLineOf(killer: Killer, { type, seconds, what, seeds }: Verdict): string {
  const name = describeKiller(killer).slice(0, 60).padEnd(60);
  return `control    ${name} ${type} after ${seconds} s: ${what}${seeds === undefined ? '' : `, seed ${seeds}`}`;
}

function controlFaultOf(killer: Killer, { type, what, seeds }: Verdict): string {
  return `The project as it is ${type === 'killed' ? 'is killed by' : `${type} in`} ${killer.by} runs: ${what}${seeds === undefined ? '' : `, seed ${seeds}`}.`;
}

async function giveToKillers(
  root: string,
  { name, hazard, killers }: Mutant,
  { every, limits }: { readonly every: boolean; readonly limits: KillerLimits },
): Promise<MutantRow> {
  const kills: string[] = [];
  const afters: string[] = [];
  let missed = false;
  for (const killer of killers) {
    const verdict = await runKiller(root, killer, limits);
    const isKill = verdict.type === 'killed';
    if (isKill) kills.push(`${describeKiller(killer)}: ${verdict.what}`);
    else missed = true;
    afters.push(isKill ? afterOf(verdict) : `${describeKiller(killer)}: ${verdict.type} after ${verdict.seconds} s (${verdict.what})`);
    // Code that does not load is no mutant, whatever the next killer would make of it.
    if (verdict.type === 'unusable' || (isKill && !every)) break;
  }
  const isKilled = kills.length > 0 && !(every && missed);
  return { name, hazard, killedBy: isKilled ? kills.join(' | ') : null, after: afters.join(', ') };
}

function afterOf({ seeds, seconds }: Verdict): string {
  return seeds === undefined ? `${seconds} s` : `${seeds} ${seeds === 1 ? 'seed' : 'seeds'} (${seconds} s)`;
}

/** Every killer once, at its largest: all unit tests together, each model, and as many seeds as any mutant may need. */
function distinctKillers(mutants: readonly Mutant[]): Killer[] {
  const all = mutants.flatMap(({ killers }) => killers);
  const files = [...new Set(all.flatMap((killer) => (killer.by === 'unit' ? killer.files : [])))].sort();
  const models = [...new Set(all.flatMap((killer) => (killer.by === 'model' ? [killer.name] : [])))].sort();
  const seeds = Math.max(0, ...all.map((killer) => (killer.by === 'simulation' ? killer.seeds : 0)));
  return [
    ...(files.length > 0 ? [{ by: 'unit', files } as const] : []),
    ...models.map((name) => ({ by: 'model', name }) as const),
    ...(seeds > 0 ? [{ by: 'simulation', seeds } as const] : []),
  ];
}

const sign = 'this is the copy and it cannot be loaded';

/** A copy that secretly runs the original would let every mutant live: one that throws when it is loaded must be noticed by all. */
async function checkCopyIsRead(root: string, killers: readonly Killer[]): Promise<string[]> {
  const file = 'packages/core/src/paxos/ballot.ts';
  const find = 'export function compareBallots(';
  const throws: Mutant = {
    name: 'throws',
    hazard: '',
    killers: [],
    patches: [{ file, find, replace: `throw new Error('${sign}');\n\n${find}` }],
  };
  const faults: string[] = [];
  const ofEachKind = [...new Map(killers.map((killer) => [killer.by, killer])).values()];
  for (const killer of ofEachKind) {
    const one: Killer = killer.by === 'unit' ? { by: 'unit', files: ['packages/core/test/paxos/acceptor.test.ts'] } : killer;
    const { type, what } = await whileMutated(root, throws, () => runKiller(root, one, controlLimits));
    if (type !== 'unusable' || !what.includes(sign)) faults.push(`A ${killer.by} run does not read the copy: it ${type} (${what}).`);
  }
  return faults;
}

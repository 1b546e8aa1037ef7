/** The commands that prove: how each is called, and what its last line must show for it to have counted. */

export type ProofName =
  | 'sim'
  | 'model'
  | 'mutants'
  | 'fuzz'
  | 'chaos nats'
  | 'chaos kafka'
  | 'chaos nats x 3'
  | 'chaos kafka x 3'
  | 'handoff nats'
  | 'handoff kafka'
  | 'rollout nats'
  | 'rollout kafka'
  | 'deployment nats'
  | 'deployment kafka';

/** The last line of a command with `--json`. */
export type Shown = Readonly<Record<string, unknown>>;

export interface ProofCommand {
  readonly name: ProofName;
  /** The arguments after `pnpm`. */
  readonly args: readonly string[];
  /** What was done, as a count; 0 is a proof of nothing. */
  readonly count: (shown: Shown) => number;
  /** The least that counts. */
  readonly least: number;
  /** What was found, by name, where the last line tells. */
  readonly found?: (shown: Shown) => readonly string[];
}

export interface Size {
  readonly seeds: number;
  readonly from: number;
  readonly jobs: number;
  readonly fuzzRuns: number;
  readonly episodes: number;
  /** Of a rollout; each replaces all three voters, or all pods of a Deployment. */
  readonly rounds: number;
  readonly seed: number;
  readonly fastMutants: boolean;
}

/** Chaos takes this many seconds of faults an episode; the commands refuse less. */
const stormSeconds = { nats: 8, kafka: 12 } as const;

/** Of hand-offs: room for a stop that outlasts a session, and for what follows it. */
const handoffSeconds = { nats: 15, kafka: 20 } as const;
/** Far fewer messages would say that the workers were hardly at work. */
const handoffMessages = 500;
const votersRestarted = 3;
const podsReplaced = 4;

export function proofCommands(size: Size, historyFolder: string): readonly ProofCommand[] {
  const { seeds, from, jobs, fuzzRuns, episodes, rounds, seed, fastMutants } = size;
  const chaos = (broker: 'nats' | 'kafka', cluster: 1 | 3): ProofCommand => ({
    name: cluster === 3 ? `chaos ${broker} x 3` : `chaos ${broker}`,
    args: [
      'chaos',
      ...['--broker', broker, '--episodes', String(episodes), '--seconds', String(stormSeconds[broker]), '--seed', String(seed)],
      ...(cluster === 3 ? ['--cluster', '3'] : []),
      ...['--history', `${historyFolder}/${broker}-${cluster}-${seed}.jsonl`, '--json'],
    ],
    count: (shown) => numberAt(shown, 'episodes'),
    least: episodes,
  });
  const handoff = (broker: 'nats' | 'kafka'): ProofCommand => ({
    name: `handoff ${broker}`,
    args: [
      'chaos',
      ...['--scenario', 'handoff', '--broker', broker, '--seconds', String(handoffSeconds[broker]), '--seed', String(seed), '--json'],
    ],
    count: (shown) => numberAt(shown, 'processed'),
    least: handoffMessages,
  });
  const rollout = (broker: 'nats' | 'kafka'): ProofCommand => ({
    name: `rollout ${broker}`,
    args: ['chaos', '--scenario', 'rollout', '--broker', broker, '--rounds', String(rounds), '--json'],
    count: (shown) => numberAt(shown, 'restarts'),
    least: votersRestarted * rounds,
  });
  const deployment = (broker: 'nats' | 'kafka'): ProofCommand => ({
    name: `deployment ${broker}`,
    args: ['chaos', '--scenario', 'rollout', '--deployment', '--broker', broker, '--rounds', String(rounds), '--json'],
    count: (shown) => numberAt(shown, 'restarts'),
    least: podsReplaced * rounds,
  });
  return [
    {
      name: 'sim',
      args: ['sim', '--seeds', String(seeds), '--from', String(from), '--jobs', String(jobs), '--json'],
      count: (shown) => numberAt(shown, 'seeds'),
      least: seeds,
      found: ({ failures }) => rowsOf(failures).map(({ seed: failed, promise }) => `seed ${String(failed)} broke ${String(promise)}`),
    },
    {
      name: 'model',
      args: ['model', '--json'],
      count: (shown) => Math.min(lengthAt(shown, 'models'), lengthAt(shown, 'planted')),
      least: 8,
    },
    {
      name: 'mutants',
      args: ['mutants', ...(fastMutants ? ['--fast'] : []), '--json'],
      count: (shown) => numberAt(shown, 'killed'),
      least: fastMutants ? 10 : 40,
      found: ({ table, faults }) => [
        ...rowsOf(table).flatMap(({ name, killedBy }) => (killedBy === null ? [`${String(name)} survived`] : [])),
        ...(Array.isArray(faults) ? faults.map(String) : []),
      ],
    },
    {
      name: 'fuzz',
      args: ['fuzz', '--runs', String(fuzzRuns), '--seed', String(seed), '--json'],
      count: (shown) => leastRunsOf(shown),
      least: fuzzRuns,
    },
    chaos('nats', 1),
    chaos('kafka', 1),
    chaos('nats', 3),
    chaos('kafka', 3),
    handoff('nats'),
    handoff('kafka'),
    rollout('nats'),
    rollout('kafka'),
    deployment('nats'),
    deployment('kafka'),
  ];
}

/** Null where the command did what it was asked to and found nothing wrong, else why it does not count. */
export function shortfall({ name, count, least, found }: ProofCommand, shown: Shown | null): string | null {
  if (shown === null) return `${name} showed nothing`;
  const done = count(shown);
  if (done >= least && shown.ok === true) return null;
  const fallsShort = done < least ? `${name} did ${done} of at least ${least}` : `${name} found something wrong`;
  return [fallsShort, ...(found?.(shown) ?? [])].join('; ');
}

function rowsOf(table: unknown): readonly Shown[] {
  return Array.isArray(table) ? (table as readonly Shown[]) : [];
}

function numberAt(shown: Shown, key: string): number {
  const value = shown[key];
  return typeof value === 'number' ? value : 0;
}

function lengthAt(shown: Shown, key: string): number {
  const value = shown[key];
  return Array.isArray(value) ? value.length : 0;
}

/** Every decoder must have had its runs. */
function leastRunsOf({ decoders }: Shown): number {
  const runs = rowsOf(decoders).map((decoder) => numberAt(decoder, 'runs'));
  return runs.length > 0 ? Math.min(...runs) : 0;
}

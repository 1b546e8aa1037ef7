/**
 * The steps of a night's round: the same search as a proof, in parts that are each over soon. A night that is cut off loses the part that
 * it was at and no more, and the first parts look at everything once, so that a short night is not spent on one kind alone.
 */
import { allDecoders } from '../fuzz/decoders.ts';
import { proofCommands } from '../proof/commands.ts';
import type { ProofCommand, ProofName, Size } from '../proof/commands.ts';
import { mutants } from '../../test/mutants/catalog/index.ts';

export interface NightStep {
  /** Which part of which command: told apart within a round. */
  readonly key: string;
  readonly command: ProofCommand;
}

export const roundSeeds = 20_000;
const seedsPerPart = 1_000;
const fuzzRuns = 1_000_000;
const decodersPerPart = 3;
const mutantsPerPart = 12;
const episodesPerPart = 5;
const chaosParts = 5;

/** Every round has seeds of its own. */
export function roundOf(round: number, jobs: number, histories: string): readonly NightStep[] {
  const seed = 1 + round;
  const from = 1 + round * roundSeeds;
  const size: Size = { seeds: seedsPerPart, from, jobs, fuzzRuns, episodes: episodesPerPart, rounds: 4, seed, fastMutants: false };
  return inTurn(proofCommands(size, histories).map((command) => partsOf(command, size, histories)));
}

function partsOf(command: ProofCommand, size: Size, histories: string): readonly NightStep[] {
  switch (command.name) {
    case 'sim':
      return parts(command.name, roundSeeds / seedsPerPart, (part) => {
        return commandOf(command.name, { ...size, from: size.from + part * seedsPerPart }, histories);
      });
    case 'mutants':
      return lists(mutants, mutantsPerPart).map((names, part) => {
        const all = names.flatMap(({ name }) => ['--name', name]);
        return { key: `mutants ${part + 1}`, command: { ...command, args: [...command.args, ...all], least: names.length } };
      });
    case 'fuzz':
      return lists(allDecoders(), decodersPerPart).map((decoders, part) => {
        const all = decoders.flatMap(({ name }) => ['--decoder', name]);
        return { key: `fuzz ${part + 1}`, command: { ...command, args: [...command.args, ...all] } };
      });
    case 'model':
      return [{ key: command.name, command }];
    default:
      return parts(command.name, chaosParts, (part) => {
        return commandOf(command.name, { ...size, seed: (size.seed - 1) * chaosParts + part + 1 }, histories);
      });
  }
}

function parts(name: ProofName, count: number, make: (part: number) => ProofCommand): readonly NightStep[] {
  return Array.from({ length: count }, (_, part) => ({ key: `${name} ${part + 1}`, command: make(part) }));
}

function commandOf(name: ProofName, size: Size, histories: string): ProofCommand {
  const command = proofCommands(size, histories).find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return command;
}

function lists<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, part) => all.slice(part * size, (part + 1) * size));
}

/** The first of each, then the second of each, and so on. */
function inTurn(kinds: readonly (readonly NightStep[])[]): readonly NightStep[] {
  const longest = Math.max(...kinds.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => kinds.flatMap((kind) => kind.slice(at, at + 1))).flat();
}

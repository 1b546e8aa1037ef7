/** `pnpm soak`: whether what a group keeps stays as large as it is, however long it works. */
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { brokers, soak, stores } from './soak.ts';
import type { SoakResult } from './soak.ts';
import { measures } from './verdict.ts';

const usage =
  'usage: soak --broker nats|kafka|memory --seconds N [--storage memory|lmdb|jetstream|kafka] [--loops 32] [--slots-kept N] [--json]';

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      broker: { type: 'string' },
      storage: { type: 'string', default: 'memory' },
      seconds: { type: 'string' },
      loops: { type: 'string', default: '32' },
      'slots-kept': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const broker = oneOf('broker', values.broker, brokers);
  const storage = oneOf('storage', values.storage, stores);
  const seconds = count('seconds', values.seconds, { max: 86_400 });
  const loops = count('loops', values.loops, { max: 1_024 });
  const slotsKept = values['slots-kept'] === undefined ? undefined : count('slots-kept', values['slots-kept'], { max: 1_000_000 });
  const result = await soak({ broker, storage, seconds, loops, slotsKept, onProgress: (text) => console.log(`  ${text}`) });
  console.log(describe(result));
  if (values.json) printJson({ ok: result.flat, command: 'soak', ...result });
  if (!result.flat) process.exitCode = 1;
}

function describe(result: SoakResult): string {
  const { broker, storage, processes, seconds, cycles, cyclesPerSecond, slotsChosen, flat, settled, failures } = result;
  const rows = Object.entries(result.voters).flatMap(([voter, courses]) =>
    measures.map((measure) => {
      const course = courses[measure];
      if (!course) return `  ${voter} ${measure.padEnd(11)} not measured`;
      const figures = [course.first, course.last, course.max].map((value) => Math.round(value).toLocaleString('en'));
      return `  ${voter} ${measure.padEnd(11)} first third ${figures[0] ?? ''}, last third ${figures[1] ?? ''}, most ${figures[2] ?? ''}: ${course.flat ? 'flat' : 'GROWS'}`;
    }),
  );
  return [
    `soak: ${broker}, 3 voters in ${processes === 1 ? 'one process' : `${processes} processes`}, memory in ${storage === 'memory' ? 'none but their own' : storage}, ${seconds} s`,
    `  ${cycles.toLocaleString('en')} cycles (acquire + release), ${cyclesPerSecond.toLocaleString('en')} per second; ${slotsChosen.toLocaleString('en')} slots`,
    ...rows,
    ...failures.map((failure) => `  ${failure}`),
    `  ${flat ? 'flat' : settled ? 'NOT FLAT' : 'TOO SHORT: the logs were still growing to what they keep'}`,
  ].join('\n');
}

function oneOf<T extends string>(option: string, given: string | undefined, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found === undefined) throw new Error(`--${option} is ${given ?? 'missing'}, not one of ${known.join(', ')}\n${usage}`);
  return found;
}

function count(option: string, given: string | undefined, { max }: { readonly max: number }): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${option} is ${given ?? 'missing'}, not a whole number from 1 to ${max}\n${usage}`);
}

program(main);

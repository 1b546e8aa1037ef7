/**
 * `pnpm fuzz --runs N [--decoder NAME] [--seed S] [--json]`: hostile bytes into every decoder, each from the seed and its own number.
 * `pnpm fuzz --decoder NAME --seed S --run R [--save WHAT]` tells one run again, and puts its bytes into the corpus.
 */
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { saveToCorpus } from './corpus.ts';
import { allDecoders } from './decoders.ts';
import type { Decoder } from './decoder.ts';
import { faultOf, fuzz, inputOf, type FuzzFailure, type FuzzResult } from './run.ts';
import { fuzzInChild } from './watch.ts';

const usage = 'usage: pnpm fuzz [--runs 10000] [--decoder NAME …] [--seed 1] [--run R [--save WHAT]] [--json]';

program(async () => {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      runs: { type: 'string', default: '10000' },
      decoder: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      run: { type: 'string' },
      save: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const seed = count('seed', values.seed, 2 ** 31 - 1);
  const all = allDecoders();
  const unknown = values.decoder.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`there is no decoder ${unknown}; there are ${all.map(({ name }) => name).join(', ')}`);
  const chosen = values.decoder.length === 0 ? all : all.filter(({ name }) => values.decoder.includes(name));
  if (values.run !== undefined) {
    const [decoder, ...more] = chosen;
    if (decoder === undefined || more.length > 0) throw new Error(`--run is of one --decoder\n${usage}`);
    const ok = tellAgain(decoder, { seed, run: count('run', values.run, 2 ** 31 - 1), save: values.save });
    if (values.json) printJson({ ok, command: 'fuzz', decoder: decoder.name, seed, run: Number(values.run) });
    if (!ok) process.exitCode = 1;
    return;
  }
  const runs = count('runs', values.runs, 2 ** 31 - 1);
  if (runs === 0) throw new Error(`--runs is 0: nothing would be tried\n${usage}`);
  const results: FuzzResult[] = [];
  const onResult = (result: FuzzResult): void => {
    results.push(result);
    console.log(describe(result));
  };
  await fuzzInChild({ names: chosen.map(({ name }) => name), seed, runs, onFailure: tell, onResult });
  const missing = chosen.filter(
    ({ name }) => !results.some((result) => result.name === name && (result.failures > 0 || result.runs === runs)),
  );
  for (const { name } of missing) console.log(`FAILED ${name}: it was not run to the end`);
  const ok = missing.length === 0 && results.every(({ failures }) => failures === 0);
  const seconds = Math.round(results.reduce((sum, result) => sum + result.seconds, 0));
  console.log(
    `fuzz: ${results.length} decoders, ${runs.toLocaleString('en')} runs each, seed ${seed}, ${seconds} s: ${ok ? 'passed' : 'FAILED'}`,
  );
  if (values.json) printJson({ ok, command: 'fuzz', runs, seed, seconds, decoders: results });
  if (!ok) process.exitCode = 1;
});

function tellAgain(
  decoder: Decoder,
  { seed, run, save }: { readonly seed: number; readonly run: number; readonly save?: string },
): boolean {
  const bytes = inputOf(decoder, seed, run);
  console.log(`${decoder.name}, seed ${seed}, run ${run}: ${bytes.length} bytes\n${Buffer.from(bytes).toString('hex')}`);
  let failure: FuzzFailure | null = null;
  const { failures, read } = fuzz(decoder, { seed, runs: 1, from: run, onFailure: (found) => (failure = tell(found)) });
  if (failures === 0) console.log(read > 0 ? 'read, and nothing is wrong' : 'refused');
  if (save !== undefined) {
    const hex = hexOf(failure) ?? Buffer.from(bytes).toString('hex');
    decoder.renew?.();
    saveToCorpus(decoder.name, { what: save, bytes: hex, reads: isRead(decoder, Buffer.from(hex, 'hex')) });
    console.log(`saved to the corpus of ${decoder.name}`);
  }
  return failures === 0;
}

function hexOf(failure: FuzzFailure | null): string | null {
  return failure === null || failure.needsItsLife ? null : failure.hex;
}

function isRead(decoder: Decoder, bytes: Uint8Array): boolean {
  if (faultOf(decoder, bytes) !== null) return false;
  decoder.renew?.();
  return decoder.read(bytes) !== 'refused';
}

function tell(failure: FuzzFailure): FuzzFailure {
  const { decoder, seed, run, error, hex, needsItsLife } = failure;
  console.log(`FAILED ${decoder}, seed ${seed}, run ${run}: ${error}`);
  if (hex !== '') console.log(`  ${needsItsLife ? 'after what came before it in this life, ' : ''}${hex.length / 2} bytes: ${hex}`);
  console.log(`  again: pnpm fuzz --decoder ${decoder} --seed ${seed} --run ${run}`);
  return failure;
}

function describe({ name, runs, failures, read, slowestMs, interrupted, longestMs, seconds }: FuzzResult): string {
  const share = ((100 * read) / runs).toFixed(0).padStart(3);
  const speed = seconds > 0 ? `${Math.round(runs / seconds).toLocaleString('en')}/s` : '';
  const pauses = interrupted === 0 ? '' : `, ${interrupted} slow once only (longest ${longestMs ?? '?'} ms)`;
  const outcome = failures === 0 ? 'ok    ' : 'FAILED';
  return `${outcome} ${name.padEnd(20)} ${share} % read, ${failures} failures, slowest ${slowestMs ?? '?'} ms${pauses}, ${seconds} s ${speed}`;
}

function count(option: string, given: string, most: number): number {
  const value = Number(given);
  if (given !== '' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new Error(`--${option} is ${given}, not a whole number from 0 to ${most}\n${usage}`);
}

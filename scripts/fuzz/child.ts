/** The process in which decoders are fuzzed: one that hangs, eats all memory or ends the process takes nothing with it but this one. */
import { openSync, writeSync } from 'node:fs';
import { allDecoders } from './decoders.ts';
import { fuzz, type FuzzFailure, type FuzzResult } from './run.ts';

export interface ChildOrder {
  readonly names: readonly string[];
  readonly seed: number;
  readonly runs: number;
  /** Where two numbers say how far it is, written before each run: the place in `names`, and the run. */
  readonly progressFile: string;
}

export type FromChild =
  { readonly type: 'failure'; readonly failure: FuzzFailure } | { readonly type: 'result'; readonly result: FuzzResult };

async function main({ names, seed, runs, progressFile }: ChildOrder): Promise<void> {
  const file = openSync(progressFile, 'r+');
  const place = new Int32Array(2);
  const decoders = allDecoders();
  for (const [index, name] of names.entries()) {
    const decoder = decoders.find((one) => one.name === name);
    if (decoder === undefined) throw new Error(`there is no decoder ${name}`);
    place[0] = index;
    const onRun = (run: number): void => {
      place[1] = run;
      writeSync(file, place, 0, place.byteLength, 0);
    };
    await tell({
      type: 'result',
      result: fuzz(decoder, { seed, runs, onRun, onFailure: (failure) => void tell({ type: 'failure', failure }) }),
    });
  }
}

/** Resolves when it is on its way. */
function tell(message: FromChild): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

process.once('message', (order: ChildOrder) => {
  void main(order).finally(() => process.disconnect());
});

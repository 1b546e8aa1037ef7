/** A reduced life as one line: what is kept and what is left out, so that a command can tell it again. */
import type { Reduction } from '@quorate/core/simulation';

/** `faults=3,9 calm clocks actors=1 clients=0`, any of them. Throws for anything else. */
export function parseReduction(text: string): Reduction {
  const reduction: { -readonly [Key in keyof Reduction]: Reduction[Key] } = {};
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const [name = '', value = ''] = word.split('=');
    if (name === 'faults') reduction.faults = value === '' ? [] : value.split(',').map(number);
    else if (name === 'calm') reduction.calm = true;
    else if (name === 'clocks') reduction.rightClocks = true;
    else if (name === 'unowned') reduction.unowned = true;
    else if (name === 'actors') reduction.actorsPerNode = number(value);
    else if (name === 'clients') reduction.clients = number(value);
    else throw new Error(`"${word}" is no part of a reduced life`);
  }
  return reduction;
}

export function formatReduction({ faults, calm, rightClocks, actorsPerNode, clients, unowned }: Reduction): string {
  const words: string[] = [];
  if (faults) words.push(`faults=${faults.join(',')}`);
  if (calm === true) words.push('calm');
  if (rightClocks === true) words.push('clocks');
  if (unowned === true) words.push('unowned');
  if (actorsPerNode !== undefined) words.push(`actors=${actorsPerNode}`);
  if (clients !== undefined) words.push(`clients=${clients}`);
  return words.join(' ');
}

export function replayCommand(seed: number, reduction: Reduction): string {
  const words = formatReduction(reduction);
  return `pnpm sim --seed ${seed} --trace${words === '' ? '' : ` --without "${words}"`}`;
}

function number(text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`"${text}" is no whole number`);
}

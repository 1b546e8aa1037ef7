/** Inputs that were nasty once, or look as if they could be, by decoder: replayed by the unit tests, in files that people can read. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each decoder has a file here, named after it. */
export const corpusFolder = join(__dirname, '../../packages/core/test/codec/corpus');

export interface CorpusEntry {
  readonly what: string;
  /** Pieces in hexadecimal, each as often as it says: `51710100 91*1000000`. */
  readonly bytes: string;
  readonly reads: boolean;
}

export function corpusOf(decoder: string, folder = corpusFolder): readonly CorpusEntry[] {
  const file = fileOf(decoder, folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly CorpusEntry[]) : [];
}

/** Nothing is saved twice. */
export function saveToCorpus(decoder: string, entry: CorpusEntry, folder = corpusFolder): void {
  const known = corpusOf(decoder, folder);
  if (known.some(({ bytes }) => bytes === entry.bytes)) return;
  writeFileSync(fileOf(decoder, folder), `${JSON.stringify([...known, entry], null, 2)}\n`);
}

export function bytesOf({ bytes }: CorpusEntry): Uint8Array {
  const pieces = bytes.split(' ').filter((piece) => piece !== '');
  return Buffer.concat(
    pieces.map((piece) => {
      const [hex = '', times = '1'] = piece.split('*');
      const once = Buffer.from(hex, 'hex');
      return Buffer.alloc(once.length * Number(times), once);
    }),
  );
}

function fileOf(decoder: string, folder: string): string {
  return join(folder, `${decoder}.json`);
}

/** Every input that was ever saved, read again by its decoder. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, corpusFolder, corpusOf, saveToCorpus } from '../corpus.ts';
import { allDecoders } from '../decoders.ts';
import { prototypeGuard } from '../inspection.ts';
import { faultOf } from '../run.ts';

const decoders = allDecoders();
const guard = prototypeGuard();

afterEach(guard);

test('every file of the corpus belongs to a decoder', () => {
  const names = decoders.map(({ name }) => `${name}.json`);
  expect(readdirSync(corpusFolder).filter((file) => !names.includes(file))).toEqual([]);
});

const withCorpus = decoders.filter(({ name }) => corpusOf(name).length > 0);

describe.each(withCorpus.map((decoder) => [decoder.name, decoder] as const))('the corpus of %s', (name, decoder) => {
  test.each(corpusOf(name).map((entry) => [entry.what, entry] as const))('%s', (_what, entry) => {
    decoder.renew?.();
    expect(faultOf(decoder, bytesOf(entry))).toBeNull();
    decoder.renew?.();
    expect(decoder.read(bytesOf(entry)) !== 'refused').toBe(entry.reads);
  });
});

test('what is saved is found again, once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'corpus-'));
  const entry = { what: 'a thousand', bytes: '5171 00*3 0102*2', reads: false };
  saveToCorpus('frame', entry, folder);
  saveToCorpus('frame', entry, folder);
  expect(corpusOf('frame', folder)).toEqual([entry]);
  expect(Buffer.from(bytesOf(entry)).toString('hex')).toBe('517100000001020102');
  rmSync(folder, { recursive: true });
});

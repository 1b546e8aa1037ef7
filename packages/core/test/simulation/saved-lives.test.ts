/** Lives that once broke a promise, each kept with all its circumstances, lived again. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveOwnLife } from '@quorate/core/simulation';
import type { Circumstances } from '@quorate/core/simulation';

const folder = join(__dirname, 'lives');

interface SavedLife {
  readonly was: string;
  readonly circumstances: Circumstances;
}

test.each(readdirSync(folder))(
  'keeps every promise in the saved life %s',
  async (name) => {
    const { circumstances } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as SavedLife;
    expect((await liveOwnLife(circumstances)).broken).toBeNull();
  },
  120_000,
);

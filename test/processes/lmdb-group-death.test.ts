/** Real voters on a real nats-server, each with its memory in a folder: all of them killed, and two on one folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithNats } from '../support/brokers.ts';
import { groupDeaths } from './group-deaths.ts';
import { natsTiming } from './crew.ts';

describeWithNats('a group in processes on NATS that keeps its memory in LMDB', (nats) => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  groupDeaths({
    carrier: () => ({ type: 'nats', urls: nats.urls }),
    keeping: () => {
      const folder = mkdtempSync(join(tmpdir(), 'quorate-lmdb-'));
      folders.push(folder);
      return { type: 'lmdb', folder };
    },
    secondProcess: 'refused',
    timing: { ...natsTiming, sessionTtlMs: 40_000 },
  });
});

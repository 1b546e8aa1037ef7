/** Places for the conformance suite of stores in JetStream: processes that die at a write of theirs, and streams that were tampered with. */
import { randomUUID } from 'node:crypto';
import { encodeName } from '@quorate/core/adapter';
import type { Damage, DyingStorage, Storage, StoragePlace } from '@quorate/core/adapter';
import { jetstreamStorage } from '../../src/index.ts';
import { JetStreamApi } from '../../src/jetstream/jetstream-api.ts';
import { readSubject } from '../../src/store/read-subject.ts';
import { wrapped } from '../consumer/stream-world.ts';
import type { StreamConnection } from '../consumer/stream-world.ts';

const node = 'a';
const recordsKind = 3;
const never = new Promise<never>(() => undefined);

/** A process by its connection: it can be killed, and it can die by itself at one of its writes. */
export class StoreProcess {
  hasDied = false;
  readonly death: Promise<void>;
  readonly storage: Storage;
  writesLeft = Infinity;
  #die: () => void = () => undefined;

  constructor(connection: StreamConnection, group: string) {
    this.death = new Promise((resolve) => (this.#die = resolve));
    const living = wrapped(connection, {
      request: (subject, payload, options) => {
        const isWrite = !subject.startsWith('$JS.API.') || subject.startsWith('$JS.API.STREAM.PURGE.');
        if (isWrite && (this.writesLeft -= 1) < 0) this.kill();
        return this.hasDied ? never : connection.request(subject, payload, options);
      },
    });
    this.storage = jetstreamStorage(living, { group, node });
  }

  kill(): void {
    this.hasDied = true;
    this.#die();
  }
}

export function storePlace(connection: StreamConnection): StoragePlace {
  let group = `seat ${randomUUID()}`;
  const processes = new Map<Storage, StoreProcess>();
  const open = (): StoreProcess => {
    const process = new StoreProcess(connection, group);
    processes.set(process.storage, process);
    return process;
  };
  return {
    open: () => open().storage,
    kill: async (storage) => processes.get(storage)?.kill(),
    openDying: (writes) => dying(open(), writes),
    damage: async (kind) => {
      const to = `seat ${randomUUID()}`;
      await copyDamaged(connection, { from: group, to }, kind);
      group = to;
    },
  };
}

function dying(process: StoreProcess, writes: number): DyingStorage {
  const { storage, death } = process;
  return {
    load: async (mint) => {
      const loaded = await storage.load(mint);
      process.writesLeft = writes;
      return loaded;
    },
    append: (records) => storage.append(records),
    compact: (snapshot, records) => storage.compact(snapshot, records),
    discard: () => storage.discard(),
    get hasDied() {
      return process.hasDied;
    },
    death,
  };
}

export function logSubject(group: string): string {
  return `quorate.${encodeName(group)}.store.${node}.log`;
}

export async function logOf(connection: StreamConnection, group: string): Promise<Uint8Array[]> {
  const api = new JetStreamApi(connection, {
    stream: `quorate_${encodeName(group)}_store`,
    apiPrefix: '$JS.API',
    requestTimeoutMs: 10_000,
  });
  const subject = logSubject(group);
  const { message } = await api.ask<{ message: { seq: number } }>(`STREAM.MSG.GET.${api.stream}`, { last_by_subj: subject });
  return [...(await readSubject({ connection, api, subject, upTo: message.seq, inboxPrefix: '_INBOX', silenceMs: 10_000 }))];
}

/** A stream with the same log, but for one record in the middle. */
async function copyDamaged(
  connection: StreamConnection,
  { from, to }: { readonly from: string; readonly to: string },
  kind: Damage,
): Promise<void> {
  const log = await logOf(connection, from);
  const at = log.findIndex((entry, index) => index >= log.length / 2 && entry[1] === recordsKind);
  const entry = Uint8Array.from(log[at] ?? []);
  if (kind === 'laterVersion') entry[0] = 2;
  else entry[entry.length - 1] = (entry.at(-1) ?? 0) ^ 1;
  log.splice(at, 1, ...(kind === 'missingRecord' ? [] : [entry]));
  await jetstreamStorage(connection, { group: to, node }).load(() => 'other');
  await connection.request(`$JS.API.STREAM.PURGE.quorate_${encodeName(to)}_store`, '', { timeout: 10_000 });
  for (const one of log) await connection.request(logSubject(to), one, { timeout: 10_000 });
}

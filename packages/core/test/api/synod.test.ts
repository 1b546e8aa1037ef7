/** One value, settled by processes on one transport. "Paxos Made Simple" §2. */
import { firstValueFrom, retry } from 'rxjs';
import type { Decree } from '../../src/api/synod.ts';
import { synod } from '../../src/api/synod.ts';
import { QuorateError } from '../../src/errors.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import { abortable } from '../../src/transport/abortable.ts';
import { memoryBus } from '../../src/transport/memory-bus.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { Channel, Transport } from '../../src/transport/transport.ts';
import { gate } from './group.ts';

const voters = ['a', 'b', 'c'];
const timing = { heartbeatMs: 10, electionTimeoutMs: 50, sessionTtlMs: 4_000 };

interface Colour {
  readonly colour: string;
}

describe('synod', () => {
  const open: Decree<unknown>[] = [];

  function decrees<T>(
    nodes: readonly string[],
    options: { readonly secrets?: readonly string[]; readonly group?: string } = {},
  ): Decree<T>[] {
    const bus = memoryBus();
    const made = nodes.map((node) => synod<T>({ transport: memoryTransport({ bus, timing }), voters, node, ...options }));
    open.push(...made);
    return made;
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((decree) => decree.close()));
  });

  test('settles on one of the values that are proposed at once, wherever it is called (3 voters, 1 client)', async () => {
    const made = decrees<Colour>([...voters, 'x']);
    const settled = await Promise.all(made.map((decree, index) => decree.propose({ colour: `of ${index}` })));
    expect(new Set(settled.map(({ colour }) => colour)).size).toBe(1);
    expect(made.map((decree) => decree.decision?.value)).toEqual(settled);
  });

  test('tells those who only watch, before and after, and completes (3 voters, 1 client)', async () => {
    const [a, , , x] = decrees<string | null>([...voters, 'x']);
    if (!x) throw new Error('not made');
    const early = firstValueFrom(x.decision$);
    expect(await a?.propose(null)).toBeNull();
    expect(await early).toBeNull();
    expect(await firstValueFrom(x.decision$)).toBeNull();
    expect(await x.propose('late')).toBeNull();
  });

  test('carries any JSON, whatever its letters and length, in sealed frames (3 voters)', async () => {
    const [a, b] = decrees<{ readonly text: string }>(voters, { secrets: ['a secret of sixteen bytes'] });
    const text = `"\\ é 漢 🚀 \ud800 ${'x'.repeat(50_000)}`;
    expect(await a?.propose({ text })).toEqual({ text });
    expect(await b?.propose({ text: 'late' })).toEqual({ text });
  });

  test('knows nothing of another group on the same connection (3 voters)', async () => {
    const bus = memoryBus();
    const of = (group: string): Decree<string>[] =>
      voters.map((node) => synod<string>({ transport: memoryTransport({ bus, timing }), voters, node, group }));
    const [one, other] = [of('one'), of('other')];
    open.push(...one, ...other);
    expect(await one[0]?.propose('first')).toBe('first');
    expect(await other[1]?.propose('second')).toBe('second');
  });

  test('rejects at its deadline, naming who was not heard (3 voters, 2 of them never started)', async () => {
    const [a] = decrees<string>(['a']);
    await expect(a?.propose('mine', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'NO_QUORUM', details: { missing: ['b', 'c'] } });
  });

  test('rejects when aborted or closed, and leaves nothing behind (3 voters, 2 of them never started)', async () => {
    const [a] = decrees<string>(['a']);
    const aborting = new AbortController();
    const aborted = expect(a?.propose('mine', { signal: aborting.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    aborting.abort();
    await aborted;
    const closed = expect(a?.propose('mine')).rejects.toMatchObject({ code: 'CLOSED' });
    await a?.close();
    await closed;
    await expect(a?.propose('mine')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('completes for whoever watches when it is closed (3 voters, 2 of them never started)', async () => {
    const [a] = decrees<string>(['a']);
    const watch = (): Promise<string> => firstValueFrom(a!.decision$, { defaultValue: 'nothing' });
    const early = watch();
    await a?.close();
    expect([await early, await watch()]).toEqual(['nothing', 'nothing']);
  });

  test('closes though its transport cannot be left, and warns (3 voters, 2 of them never started)', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const transport = memoryTransport({ timing });
    const open: typeof transport.open = async (options) => {
      return Object.assign(await transport.open(options), { close: () => Promise.reject(new Error('still busy')) });
    };
    await synod<string>({ transport: { ...transport, open }, voters, node: 'a' }).close();
    expect(warning.mock.calls).toEqual([['Quorate could not leave its transport: Error: still busy']]);
    warning.mockRestore();
  });

  test('closes at once while its transport does not open, which gives that up (3 voters, 2 of them never started)', async () => {
    const open: Transport['open'] = ({ signal }) => abortable(new Promise<never>(() => undefined), signal, 'Opening');
    const decree = synod<string>({ transport: { ...memoryTransport({ timing }), open }, voters, node: 'a' });
    const closed = expect(decree.propose('mine', { timeoutMs: Infinity })).rejects.toMatchObject({ code: 'CLOSED' });
    await decree.close();
    await closed;
  });

  test('closes within 30 s though its transport heeds no signal, warns, and leaves it once it opens after all (3 voters)', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const due: (() => void)[] = [];
    const bounds: number[] = [];
    jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void, ms: number) => {
      bounds.push(ms);
      return { place: due.push(onDue) };
    });
    const opening = gate<Channel>();
    const transport = memoryTransport({ timing });
    const decree = synod<string>({ transport: { ...transport, open: () => opening.promise }, voters, node: 'a' });
    const closing = decree.close();
    await new Promise((resolve) => setImmediate(resolve));
    due.at(-1)?.();
    await closing;
    expect(bounds).toEqual([30_000]);
    expect(warning.mock.calls).toEqual([['Quorate could not leave its transport: it takes longer than 30000 ms; it goes on.']]);
    const left = gate();
    const ignored = (): void => undefined;
    const options = { group: 'g', node: 'a', voters, onFrame: ignored, onStatus: ignored, onEvent: ignored };
    opening.open(Object.assign(await transport.open(options), { close: () => Promise.resolve(left.open()) }));
    await left.promise;
    jest.restoreAllMocks();
  });

  test('ends with TRANSPORT_CLOSED, then and later, once the user’s client is closed (3 voters, 2 of them never started)', async () => {
    const bus = memoryBus();
    const a = synod<string>({ transport: memoryTransport({ bus, timing }), voters, node: 'a' });
    open.push(a);
    await a.propose('early', { timeoutMs: 1 }).catch(() => undefined);
    const closed: unknown = expect.objectContaining({ code: 'TRANSPORT_CLOSED' });
    const ends = [a.propose('mine', { timeoutMs: Infinity }), firstValueFrom(a.decision$)].map((it) => expect(it).rejects.toEqual(closed));
    bus.close();
    await Promise.all(ends);
    await expect(a.propose('late', { timeoutMs: Infinity })).rejects.toEqual(closed);
    await expect(firstValueFrom(a.decision$)).rejects.toEqual(closed);
  });

  test('refuses what is no signal, and closes as ever (3 voters, 2 of them never started)', async () => {
    const [a] = decrees<string>(['a']);
    const signal = {} as AbortSignal;
    await expect(a?.propose('mine', { signal })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await a?.close();
  });

  test('refuses what JSON cannot carry, and what no frame has room for (3 voters)', async () => {
    const [a] = decrees<unknown>(['a']);
    await expect(a?.propose(undefined)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(a?.propose(1n)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(a?.propose('x'.repeat(2_000_000))).rejects.toMatchObject({ code: 'COMMAND_TOO_LARGE' });
  });

  test('goes on when a voter comes back without its memory: it learns, and votes no more (3 voters, 1 restarted)', async () => {
    const bus = memoryBus();
    const start = (node: string): Decree<string> => {
      const decree = synod<string>({ transport: memoryTransport({ bus, timing }), voters, node });
      open.push(decree);
      return decree;
    };
    const [a, , c] = voters.map(start);
    expect(await a?.propose('kept')).toBe('kept');
    await c?.close();
    expect(await start('c').propose('other')).toBe('kept');
  });

  test('refuses where voter lists differ (3 voters)', async () => {
    const bus = memoryBus();
    const start = (node: string, names: readonly string[]): Decree<string> => {
      const decree = synod<string>({ transport: memoryTransport({ bus, timing }), voters: names, node });
      open.push(decree);
      return decree;
    };
    const a = start('a', voters);
    start('b', ['a', 'b', 'd']);
    await expect(a.propose('mine')).rejects.toMatchObject({ code: 'VOTERS_DIFFER' });
  });

  test('whose transport cannot be opened says so once a second to retry(), and lets the loop turn meanwhile (3 voters)', async () => {
    const transport = { ...memoryTransport({ timing }), open: () => Promise.reject(new QuorateError('TRANSPORT_CLOSED', 'Closed.')) };
    const decree = synod({ transport, voters, node: 'a' });
    const due: (() => void)[] = [];
    jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void) => ({ place: due.push(onDue) }));
    const codes: string[] = [];
    decree.decision$.pipe(retry(3)).subscribe({ error: ({ code }: { code: string }) => codes.push(code) });
    for (let asked = 1; asked <= 4; asked += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(codes).toEqual([]);
      expect(due).toHaveLength(asked);
      due.at(-1)?.();
    }
    expect(codes).toEqual(['TRANSPORT_CLOSED']);
    jest.restoreAllMocks();
    await decree.close();
  });
});

/** Lock events: as they are encoded, published by whoever leads, and read by anyone. */
import { retry } from 'rxjs';
import { lockEvents$, parseLockEvent } from '../../src/api/lock-events.ts';
import type { LockEventMessage } from '../../src/api/lock-events.ts';
import type { PublishedChange } from '../../src/group/member.ts';
import { cloudEventsOf } from '../../src/runtime/cloud-event.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { EventReaderOptions, Transport } from '../../src/transport/transport.ts';
import { fastTiming, gate, useGroup } from './group.ts';
import { QuorateError } from '../../src/errors.ts';
import { systemHost } from '../../src/runtime/system-host.ts';

const context = { group: 'g/ä', founding: 'f1' };

function changeOf(type: PublishedChange['change']['type'], resource: string, value: string | null = null): PublishedChange {
  return { slot: 5, index: 2, wallMs: 1_700_000_000_000, change: { type, resource, node: 'n', session: 3, token: 7, value } };
}

function textOf(change: PublishedChange): unknown {
  const event = cloudEventsOf(change, context);
  return event && JSON.parse(new TextDecoder().decode(event.bytes));
}

describe('a lock event', () => {
  test('is a CloudEvent 1.0 whose id is founding, slot and index', () => {
    expect(cloudEventsOf(changeOf('granted', 'l/invoice 42'), context)).toMatchObject({ kind: 'lock', name: 'invoice 42' });
    expect(textOf(changeOf('granted', 'l/invoice 42'))).toEqual({
      specversion: '1.0',
      id: 'f1/5/2',
      source: '/quorate/g%2F%C3%A4',
      type: 'io.quorate.lock.granted',
      subject: 'invoice 42',
      time: '2023-11-14T22:13:20.000Z',
      datacontenttype: 'application/json',
      data: { name: 'invoice 42', node: 'n', token: 7, value: null },
    });
  });

  test.each([
    ['l/x', 'released', 'io.quorate.lock.released'],
    ['l/x', 'expired', 'io.quorate.lock.expired'],
    ['l/x', 'waiting', 'io.quorate.lock.waiting'],
    ['e/x', 'granted', 'io.quorate.leader.elected'],
    ['e/x', 'released', 'io.quorate.leader.resigned'],
    ['e/x', 'expired', 'io.quorate.leader.lost'],
    ['e/x', 'proclaimed', 'io.quorate.leader.proclaimed'],
  ] as const)('of %s that is %s has the type %s', (resource, type, expected) => {
    expect(textOf(changeOf(type, resource, 'v'))).toMatchObject({ type: expected, subject: 'x', data: { value: 'v' } });
  });

  test('is not made of what nobody outside is told of', () => {
    expect(cloudEventsOf(changeOf('withdrawn', 'l/x'), context)).toBeNull();
    expect(cloudEventsOf(changeOf('waiting', 'e/x'), context)).toBeNull();
  });

  test('is made of any group name and any time', () => {
    const change = { ...changeOf('granted', 'l/\ud800'), wallMs: 1e300 };
    expect(cloudEventsOf(change, { group: '\udfff', founding: 'f' })).not.toBeNull();
  });

  test('is read as it was written, and nothing else is read', () => {
    const bytes = cloudEventsOf(changeOf('granted', 'e/x', 'v'), context)?.bytes ?? new Uint8Array();
    expect(parseLockEvent(bytes)).toMatchObject({ id: 'f1/5/2', type: 'io.quorate.leader.elected', data: { token: 7, value: 'v' } });
    const good = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const bad = [
      '',
      'null',
      '[]',
      '{"a":',
      JSON.stringify({ ...good, specversion: '2.0' }),
      JSON.stringify({ ...good, type: 'io.other' }),
      JSON.stringify({ ...good, id: 7 }),
      JSON.stringify({ ...good, data: null }),
      JSON.stringify({ ...good, data: { name: 'x', node: 'n', token: '7', value: null } }),
    ];
    for (const text of bad) expect(parseLockEvent(new TextEncoder().encode(text))).toBeNull();
    expect(parseLockEvent(new Uint8Array([255, 0]))).toBeNull();
  });
});

describe('lockEvents$', () => {
  const group = useGroup();

  function record(count: number): { messages: Promise<LockEventMessage[]> } {
    const seen: LockEventMessage[] = [];
    const done = gate<LockEventMessage[]>();
    lockEvents$({ transport: group().transport, group: 'g' }).subscribe((message) => {
      if (seen.push(message) === count) done.open(seen);
    });
    return { messages: done.promise };
  }

  test('tells of locks and elections where `events` is all (3 voters and a reader)', async () => {
    const [a, b] = await group().joinAll(['a', 'b', 'c'], { events: 'all' });
    const { messages } = record(6);
    const lease = await a?.lock('l').acquire();
    const waiting = b?.lock('l').acquire();
    await new Promise((resolve) => a?.lock('l').state$.subscribe(({ waiting: count }) => count === 1 && resolve(undefined)));
    await lease?.release();
    await waiting;
    await a?.election('e').lead(() => undefined, { value: 'v' });
    const told = (await messages).map(({ type, subject, data }) => [type, subject, data.node]);
    expect(told).toEqual([
      ['io.quorate.lock.granted', 'l', 'a'],
      ['io.quorate.lock.waiting', 'l', 'b'],
      ['io.quorate.lock.released', 'l', 'a'],
      ['io.quorate.lock.granted', 'l', 'b'],
      ['io.quorate.leader.elected', 'e', 'a'],
      ['io.quorate.leader.resigned', 'e', 'a'],
    ]);
  });

  test('tells of elections alone by default', async () => {
    const [a] = await group().joinAll();
    const { messages } = record(2);
    await a?.lock('l').run(() => undefined);
    await a?.election('e').lead(() => undefined);
    expect((await messages).map(({ type }) => type)).toEqual(['io.quorate.leader.elected', 'io.quorate.leader.resigned']);
  });

  test('drops repeats and what is no lock event, errors when the client is closed, stops when unsubscribed', async () => {
    let reader: EventReaderOptions | undefined;
    let stops = 0;
    const transport: Transport = {
      ...memoryTransport({ timing: fastTiming }),
      readEvents: (options) => {
        reader = options;
        return Promise.resolve(() => Promise.resolve(void (stops += 1)));
      },
    };
    const ids: string[] = [];
    const failed = gate<unknown>();
    const watch = () => lockEvents$({ transport, group: 'g' }).subscribe({ next: ({ id }) => ids.push(id), error: failed.open });
    watch();
    const bytes = cloudEventsOf(changeOf('granted', 'l/x'), context)?.bytes ?? new Uint8Array();
    reader?.onEvent(bytes);
    reader?.onEvent(new Uint8Array([1]));
    reader?.onEvent(bytes);
    reader?.onEvent(cloudEventsOf({ ...changeOf('granted', 'l/x'), index: 3 }, context)?.bytes ?? bytes);
    expect(ids).toEqual(['f1/5/2', 'f1/5/3']);
    await Promise.resolve();
    reader?.onStatus('closed');
    expect(await failed.promise).toMatchObject({ code: 'TRANSPORT_CLOSED' });
    watch().unsubscribe();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stops).toBe(2);
  });

  test('with retry() asks for a reader once a second where none can be opened, and lets the loop turn meanwhile', async () => {
    let asked = 0;
    const transport: Transport = {
      ...memoryTransport({ timing: fastTiming }),
      readEvents: ({ onStatus }) => {
        asked += 1;
        onStatus('closed');
        return Promise.reject(new QuorateError('TRANSPORT_CLOSED', 'The client is closed.'));
      },
    };
    const due: (() => void)[] = [];
    jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void) => ({ place: due.push(onDue) }));
    const subscription = lockEvents$({ transport, group: 'g' })
      .pipe(retry(1_000))
      .subscribe({ error: () => undefined });
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(1);
    for (const onDue of due.splice(0)) onDue();
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(2);
    subscription.unsubscribe();
    jest.restoreAllMocks();
  });
});

/** Stamps on messages: what is written and read by both client generations, and a former owner's late message that `fence` drops. */
import { randomUUID } from 'node:crypto';
import { connect as connectGeneration3, headers as headersGeneration3 } from '@nats-io/transport-node';
import { fence, join, tokenFence } from '@quorate/core';
import { connect as connectGeneration2, headers as headersGeneration2 } from 'nats';
import { firstValueFrom, Subject, take, toArray } from 'rxjs';
import { describeWithNats } from '../../../test/support/brokers.ts';
import { natsLogin } from '../../../scripts/brokers/nats-login.ts';
import { natsTransport, stampNats, tokenOfNats } from '../src/index.ts';
import type { NatsHeaders, NatsHeadersHolder } from '../src/index.ts';

interface Received extends NatsHeadersHolder {
  readonly data: Uint8Array;
}

const owned = { resource: 'orders/12', token: 895226734673921 };

describe.each([
  { name: 'nats 2', headers: (): NatsHeaders => headersGeneration2() },
  { name: '@nats-io/transport-node 3', headers: (): NatsHeaders => headersGeneration3() },
])('headers of $name', ({ headers }) => {
  test('are stamped, and read again', () => {
    const given = headers();
    given.set('trace', 't');
    const stamped = stampNats(given, owned);
    expect(stamped).toBe(given);
    expect(stamped.values('trace')).toEqual(['t']);
    expect(stamped.values('quorate-token')).toEqual(['895226734673921']);
    expect(tokenOfNats({ headers: stamped })).toEqual(owned);
  });

  test('lose the stamp of who sent it before, however that was written', () => {
    const given = stampNats(headers(), { resource: 'former', token: 1 });
    given.set('Quorate-Token', '2');
    expect(tokenOfNats({ headers: given })).toBeUndefined();
    expect(tokenOfNats({ headers: stampNats(given, owned) })).toEqual(owned);
  });

  test('are read as other languages write them', () => {
    const given = headers();
    given.set('Quorate-Token', '7');
    given.set('Quorate-Resource', 'orders%2F12');
    expect(tokenOfNats({ headers: given })).toEqual({ resource: 'orders/12', token: 7 });
  });

  test('without a stamp, or with half of one, say nothing', () => {
    const half = headers();
    half.set('quorate-token', '7');
    expect([undefined, headers(), half].map((given) => tokenOfNats({ headers: given }))).toEqual([undefined, undefined, undefined]);
  });
});

test('a message with no headers is unfenced', () => {
  const isFresh = tokenFence();
  expect(isFresh(tokenOfNats({}))).toBe(false);
  expect(isFresh.memory.counts.unfenced).toBe(1);
});

describeWithNats('a fence behind a NATS subject', (shared) => {
  interface Arranged {
    send(token: number | undefined, text: string): void;
    subscribe(onMessage: (message: Received) => void): void;
    lockTokens(): Promise<[number, number]>;
    end(): Promise<void>;
  }

  async function arrangeGeneration2(subject: string): Promise<Arranged> {
    const nc = await connectGeneration2(natsLogin(shared.url));
    return {
      send: (token, text) => {
        const stamp = token === undefined ? headersGeneration2() : stampNats(headersGeneration2(), { resource: 'größe 12', token });
        nc.publish(subject, Buffer.from(text), { headers: stamp });
      },
      subscribe: (onMessage) => void nc.subscribe(subject, { callback: (_, message) => onMessage(message) }),
      lockTokens: () => tokensOf(natsTransport(nc)),
      end: () => nc.drain(),
    };
  }

  async function arrangeGeneration3(subject: string): Promise<Arranged> {
    const nc = await connectGeneration3(natsLogin(shared.url));
    return {
      send: (token, text) => {
        const stamp = token === undefined ? headersGeneration3() : stampNats(headersGeneration3(), { resource: 'größe 12', token });
        nc.publish(subject, Buffer.from(text), { headers: stamp });
      },
      subscribe: (onMessage) => void nc.subscribe(subject, { callback: (_, message) => onMessage(message) }),
      lockTokens: () => tokensOf(natsTransport(nc)),
      end: () => nc.drain(),
    };
  }

  /** The tokens of two owners, one after the other. */
  async function tokensOf(transport: ReturnType<typeof natsTransport>): Promise<[number, number]> {
    const quorate = await join({ group: randomUUID(), node: 'a', voters: ['a'], transport, firstFounding: true });
    const lock = quorate.lock('größe 12');
    const tokens: [number, number] = [await lock.run(({ token }) => token), await lock.run(({ token }) => token)];
    await quorate.close({ timeoutMs: 2_000 });
    return tokens;
  }

  test.each([
    ['nats 2', arrangeGeneration2],
    ['@nats-io/transport-node 3', arrangeGeneration3],
  ])('drops what a former owner sends late, and passes what the new one sends, by %s (2 owners, 1 consumer)', async (_, arrange) => {
    const { send, subscribe, lockTokens, end } = await arrange(`fence.${randomUUID()}`);
    const received = new Subject<Received>();
    const dropped: string[] = [];
    const onStale = ({ data }: Received, { verdict }: { readonly verdict: string }) => dropped.push(`${textOf(data)}: ${verdict}`);
    const kept = firstValueFrom(received.pipe(fence({ stamp: tokenOfNats, onStale }), take(3), toArray()));
    subscribe((message) => received.next(message));

    const [former, present] = await lockTokens();
    send(former, 'in time');
    send(present, 'by the new owner');
    send(former, 'late');
    send(undefined, 'by nobody');
    send(present, 'last');

    expect((await kept).map(({ data }) => textOf(data))).toEqual(['in time', 'by the new owner', 'last']);
    expect(dropped).toEqual(['late: stale', 'by nobody: unfenced']);
    await end();
  });
});

function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString();
}

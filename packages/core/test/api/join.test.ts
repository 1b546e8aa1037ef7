/** Joining: what it resolves with, and each way in which it does not. */
import { join } from '../../src/api/join.ts';
import type { QuorateEvent } from '../../src/api/events.ts';
import { soloQuorate } from '../../src/api/solo.ts';
import { isFault } from '../../src/codec/fault.ts';
import { decodeFrame } from '../../src/codec/frame-codec.ts';
import { QuorateError } from '../../src/errors.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { ChannelStatus, Transport } from '../../src/transport/transport.ts';
import { fastTiming, first, rejection, useGroup } from './group.ts';

describe('joining', () => {
  const group = useGroup();

  test('resolves with an open session at every voter and at a client (3 voters and a client)', async () => {
    const members = [...(await group().joinAll()), await group().join('d')];
    for (const { status } of members) expect(status).toMatchObject({ session: 'healthy', stage: 'open', connection: 'connected' });
    expect(members.filter(({ status }) => status.role === 'leader')).toHaveLength(1);
    expect(members[3]?.status).toMatchObject({ role: 'client', seat: undefined });
    expect(members[0]?.status.seat).toBe('held');
  });

  test('at its deadline names who was heard and who was not (2 of 3 voters)', async () => {
    const joining = [group().join('a', { timeoutMs: 500 }), group().join('b', { timeoutMs: 500 })];
    const [error] = await Promise.all(joining.map((it) => rejection(it, 'JOIN_TIMEOUT')));
    expect(error?.details).toMatchObject({ heard: ['a', 'b'], missing: ['c'], stage: 'founding' });
    expect(error?.message).toContain('Heard: a, b (a is this process). Not heard: c.');
  });

  test('shows how long a new group still waits before it opens (one voter alone)', async () => {
    const error = await rejection(group().join('a', { voters: ['a'], firstFounding: false, timeoutMs: 700 }), 'JOIN_TIMEOUT');
    expect(error.details).toMatchObject({ heard: ['a'], missing: [], stage: 'opening' });
    expect(Number(error.details.opensInMs)).toBeGreaterThan(0);
    expect(error.message).toContain('opens in 1 s');
  });

  test('with lists of voters that differ is VOTERS_DIFFER with both, where no group forms', async () => {
    const joining = [
      group().join('a', { timeoutMs: 500 }),
      group().join('b', { timeoutMs: 500 }),
      group().join('c', { timeoutMs: 500, voters: ['a', 'b', 'c', 'd', 'e'] }),
    ];
    const errors = await Promise.all(joining.map((it) => rejection(it, 'VOTERS_DIFFER')));
    expect(errors[0]?.details).toEqual({ ours: ['a', 'b', 'c'], theirs: ['a', 'b', 'c', 'd', 'e'] });
    expect(errors[2]?.details).toMatchObject({ ours: ['a', 'b', 'c', 'd', 'e'] });
  });

  test('with other voters than the group was formed with is VOTERS_DIFFER with both', async () => {
    await group().joinAll();
    const { details, message } = await rejection(group().join('d', { voters: ['a', 'b', 'x'] }), 'VOTERS_DIFFER');
    expect(details).toEqual({ ours: ['a', 'b', 'x'], theirs: ['a', 'b', 'c'] });
    expect(message).toContain('a, b, x');
  });

  test('under the name of a live node is NODE_NAME_TAKEN, and the live one keeps its session', async () => {
    await group().joinAll();
    const client = await group().join('d');
    const lease = await client.lock('l').acquire();
    expect((await rejection(group().join('d'), 'NODE_NAME_TAKEN')).details).toMatchObject({ node: 'd' });
    expect(lease.valid).toBe(true);
    expect(client.status.session).toBe('healthy');
  });

  test('with a TTL above the group’s longest is INVALID_OPTIONS with both', async () => {
    await group().joinAll();
    const { message } = await rejection(group().join('d', { session: { ttlMs: 60_000 } }), 'INVALID_OPTIONS');
    expect(message).toContain('(60000) is above the longest that this group grants (1500)');
  });

  test('aborted before or while it waits is ABORTED with the reason', async () => {
    await rejection(group().join('a', { signal: AbortSignal.abort() }), 'ABORTED');
    const stop = new AbortController();
    const joining = rejection(group().join('a', { signal: stop.signal }), 'ABORTED');
    setImmediate(() => stop.abort(new Error('enough')));
    expect((await joining).cause).toEqual(new Error('enough'));
  });

  test('aborted while a leader opens its session ends that session: the name is free (3 voters, 1 client)', async () => {
    await group().joinAll();
    const stop = new AbortController();
    group().bus.filter = ({ from, bytes }) => {
      const frame = decodeFrame(bytes);
      if (from === 'd' && !isFault(frame) && frame.messages.some(({ type }) => type === 'openSession')) stop.abort();
      return undefined;
    };
    await rejection(group().join('d', { signal: stop.signal }), 'ABORTED');
    const lines: unknown[] = [];
    const line = (_fields: object, text?: string): number => lines.push(text);
    await group().join('d', { logger: { debug: line, info: line, warn: line, error: line } });
    expect(lines).toContainEqual(expect.stringContaining('A session is open'));
    expect(lines).not.toContainEqual(expect.stringContaining('an earlier session'));
  });

  test('with a client that closes meanwhile is TRANSPORT_CLOSED', async () => {
    const joining = rejection(group().join('a'), 'TRANSPORT_CLOSED');
    setTimeout(() => group().bus.close(), 20);
    await joining;
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('with a client that closes %i microtasks after it opened is TRANSPORT_CLOSED', async (count) => {
    const reason = new Error('closed by its user');
    const transport: Transport = {
      ...memoryTransport({ timing: fastTiming }),
      open: (options) => {
        let status: ChannelStatus = 'connected';
        const close = (left: number): void => {
          if (left > 0) return queueMicrotask(() => close(left - 1));
          status = 'closed';
          options.onStatus(status, reason);
        };
        const carry = (): void => undefined;
        close(count);
        return Promise.resolve({
          get status() {
            return status;
          },
          ...{ frameBytesMax: 65_536, send: carry, publishEvents: carry, close: () => Promise.resolve() },
        });
      },
    };
    expect((await rejection(group().join('a', { transport, timeoutMs: 2_000 }), 'TRANSPORT_CLOSED')).cause).toBe(reason);
  });

  test('without a broker is JOIN_TIMEOUT at its deadline', async () => {
    group().bus.down();
    const { message, details } = await rejection(group().join('a', { timeoutMs: 100 }), 'JOIN_TIMEOUT');
    expect(message).toContain('did not open within 100 ms, and no voter could be asked. It says: The in-memory bus is down.');
    expect(details).toEqual({ heard: [], missing: ['b', 'c'], transport: 'memory', transportError: 'The in-memory bus is down.' });
  });

  test('without a broker has what the transport said last as its cause', async () => {
    const refused = new Error('connect ECONNREFUSED');
    const silent: Transport = {
      ...memoryTransport({ timing: fastTiming }),
      open: ({ onEvent }) => {
        onEvent({ type: 'warning', code: 'TRANSPORT_FAILED', message: 'First attempt.' });
        onEvent({ type: 'warning', code: 'TRANSPORT_FAILED', message: 'Nobody listens.', cause: refused });
        return new Promise(() => undefined);
      },
    };
    const joining = join({ group: 'g', node: 'a', voters: ['a'], transport: silent, timeoutMs: 50 });
    const { message, details, cause } = await rejection(joining, 'JOIN_TIMEOUT');
    expect(message).toContain('did not open within 50 ms, and no voter could be asked. It says: Nobody listens.');
    expect(details).toMatchObject({ missing: [], transportError: 'Nobody listens.' });
    expect(cause).toBe(refused);
  });

  test('cut off from the broker on the way names the connection, and blames no voter (2 of 3 voters)', async () => {
    const joining = ['a', 'b'].map((node) => rejection(group().join(node, { timeoutMs: 400 }), 'JOIN_TIMEOUT'));
    setImmediate(() => group().bus.disconnect('a'));
    const [error] = await Promise.all(joining);
    expect(error?.message).toContain('the transport is disconnected');
    expect(error?.message).not.toContain('Not heard');
    expect(error?.details).toMatchObject({ connection: 'disconnected' });
  });

  test('passes on why the transport did not open', async () => {
    const denied: Transport = {
      ...memoryTransport({ timing: fastTiming }),
      open: () => Promise.reject(new QuorateError('TRANSPORT_DENIED', 'No right to publish on quorate.g.all.')),
    };
    await rejection(join({ group: 'g', node: 'a', voters: ['a'], transport: denied }), 'TRANSPORT_DENIED');
  });

  test('that failed leaves nothing behind: the name is free (one voter alone)', async () => {
    await rejection(group().join('a', { voters: ['a'], firstFounding: false, timeoutMs: 200 }), 'JOIN_TIMEOUT');
    expect((await group().join('a', { voters: ['a'] })).status.role).toBe('leader');
  });

  test('refuses bad options as a rejection', async () => {
    await rejection(group().join(''), 'INVALID_NAME');
    await rejection(group().join('a', { voters: ['a', 'a'] }), 'INVALID_OPTIONS');
    await rejection(join(undefined as never), 'INVALID_OPTIONS');
  });

  test('with an even number of voters warns, also whoever subscribes later (2 voters)', async () => {
    const [a] = await group().joinAll(['a', 'b'], { voters: ['a', 'b'] });
    const event = await first<QuorateEvent>(a?.events$ ?? never(), ({ type }) => type === 'evenVoters');
    expect(event).toEqual({ type: 'evenVoters', voters: ['a', 'b'] });
  });

  test('works with sealed frames, and not with another secret (3 voters and two clients)', async () => {
    const secrets = ['0123456789abcdef0123456789abcdef'];
    await group().joinAll(['a', 'b', 'c'], { secrets });
    const rotating = await group().join('d', { secrets: [...secrets, 'another secret of 32 characters!'] });
    expect(rotating.status.session).toBe('healthy');
    await rejection(group().join('e', { secrets: ['another secret of 32 characters!'], timeoutMs: 300 }), 'JOIN_TIMEOUT');
  });

  test.each([
    ['with another secret than the group', ['another secret of 32 characters!'], 'badSeal'],
    ['without the secret of the group', [], 'sealed'],
  ])('%s is JOIN_TIMEOUT that says why nobody is heard (3 voters and a client)', async (_what, secrets, code) => {
    await group().joinAll(['a', 'b', 'c'], { secrets: ['0123456789abcdef0123456789abcdef'] });
    const { message, details } = await rejection(group().join('e', { secrets, timeoutMs: 300 }), 'JOIN_TIMEOUT');
    expect(details).toMatchObject({ refusedFrames: { [code]: expect.any(Number) } });
    expect(message).toContain(` refused (${code}): `);
    expect(message).toContain('Give every process of the group the same `secrets`.');
    expect(message).not.toContain('..');
  });

  test('with a secret in a group without one is JOIN_TIMEOUT that says why nobody is heard (3 voters and a client)', async () => {
    await group().joinAll();
    const secrets = ['0123456789abcdef0123456789abcdef'];
    const { message, details } = await rejection(group().join('e', { secrets, timeoutMs: 300 }), 'JOIN_TIMEOUT');
    expect(details).toMatchObject({ refusedFrames: { unsealed: expect.any(Number) } });
    expect(message).toContain('(unsealed)');
  });
});

test('soloQuorate is a whole group of one, apart from any other', async () => {
  const [one, two] = await Promise.all([soloQuorate({ node: 'me' }), soloQuorate()]);
  expect(one.status).toMatchObject({ role: 'leader', leader: 'me', quorum: true, missing: [], text: 'leading' });
  const leases = await Promise.all([one.lock('l').tryAcquire(), two.lock('l').tryAcquire()]);
  expect(leases.every((lease) => lease?.valid === true)).toBe(true);
  await Promise.all([one.close(), two.close()]);
});

function never(): never {
  throw new Error('not joined');
}

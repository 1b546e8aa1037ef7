/** What can be seen of an instance: status, events, diagnostics channels and the logger. */
import { channel } from 'node:diagnostics_channel';
import { lastValueFrom, merge } from 'rxjs';
import type { Observable } from 'rxjs';
import { diagnosticsChannels } from '../../src/api/diagnostics.ts';
import { EventFeed } from '../../src/api/events.ts';
import type { QuorateEvent } from '../../src/api/events.ts';
import type { Logger } from '../../src/api/logger.ts';
import { soloQuorate } from '../../src/api/solo.ts';
import { arrange } from './arranged.ts';
import { first, useGroup } from './group.ts';

function recordingLogger(): { logger: Logger; lines: [string, object, string][] } {
  const lines: [string, object, string][] = [];
  const at = (level: string) => (facts: object, message: string) => void lines.push([level, facts, message]);
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

describe('observing', () => {
  const group = useGroup();

  test('status$ gives the present status first, and a voter that falls silent shows (3 voters)', async () => {
    const members = await group().joinAll();
    const [silent, ...others] = members;
    if (!silent) throw new Error('not joined');
    for (const member of members) {
      const present = member.status;
      expect(await first(member.status$)).toEqual(present);
    }
    // On a slow machine another may come to lead meanwhile, and somebody else be late for a moment.
    const ofOthers = merge(...others.map(({ status$ }) => status$));
    await first(ofOthers, ({ missing }) => missing.length === 0);
    group().bus.disconnect(silent.node);
    const status = await first(ofOthers, ({ role, missing }) => role === 'leader' && missing.join() === silent.node);
    expect(status).toMatchObject({ quorum: true, session: 'healthy', text: `leading; not heard: ${silent.node}` });
    expect((await first(silent.status$, ({ connection }) => connection === 'disconnected')).connection).toBe('disconnected');
  });

  test('after close status$ and members$ give what there is last, and complete: closed, and nobody is heard (3 voters, 1 client)', async () => {
    const quorates = [...(await group().joinAll()), await group().join('d')];
    for (const { members$ } of quorates) await first(members$, ({ voters }) => voters.length === 3 && voters.every(({ heard }) => heard));
    for (const quorate of quorates) {
      const watched = [lastValueFrom(quorate.status$), lastValueFrom(quorate.members$)] as const;
      await quorate.close();
      expect(quorate.status).toMatchObject({ stage: 'closed', text: 'closed', leader: undefined, quorum: false, ready: false });
      expect(quorate.status.missing).toEqual(['a', 'b', 'c'].filter((voter) => voter !== quorate.node));
      expect(quorate.members).toMatchObject({ configuration: 1, standbys: [] });
      expect(quorate.members.voters.map(({ heard, leads }) => heard || leads)).toEqual([false, false, false]);
      expect(await Promise.all(watched)).toEqual([quorate.status, quorate.members]);
      const late = [lastValueFrom(quorate.status$), lastValueFrom(quorate.members$)] as const;
      expect(await Promise.all(late)).toEqual([quorate.status, quorate.members]);
    }
  });

  test.each(['status$', 'members$'] as const)('%s that nobody watched gives its last value after close', async (name) => {
    const quorate = await soloQuorate();
    await quorate.close();
    const last$: Observable<unknown> = quorate[name];
    expect(await lastValueFrom(last$)).toEqual(name === 'status$' ? quorate.status : quorate.members);
  });

  test('of a closed client nobody is heard, whatever was heard last (engine double)', async () => {
    const { engine, quorate } = arrange();
    expect(quorate.members.voters).toEqual([{ node: 'n', incarnation: 'i', heard: true, leads: true }]);
    engine.status = { ...engine.status, connection: 'closed' };
    expect(quorate.members.voters).toEqual([{ node: 'n', incarnation: 'i', heard: false, leads: false }]);
    expect(quorate.status).toMatchObject({ stage: 'closed', leader: undefined, quorum: false });
    await quorate.close({ timeoutMs: 0 });
  });

  test('a logger is told of events with the object first, and may throw', async () => {
    const { logger, lines } = recordingLogger();
    const quorate = await soloQuorate({ logger });
    await quorate.close();
    const opened = lines.find(([, , message]) => message.startsWith('A session is open'));
    expect(opened?.[0]).toBe('info');
    expect(opened?.[1]).toMatchObject({ group: 'solo', node: 'solo', event: { type: 'sessionOpened' } });
    const thrower = () => {
      throw new Error('disk full');
    };
    const throwing = await soloQuorate({ logger: { debug: thrower, info: thrower, warn: thrower, error: thrower } });
    expect((await throwing.lock('l').acquire()).valid).toBe(true);
    await throwing.close();
  });

  test('diagnostics channels carry grants, releases, losses and leaders', async () => {
    const seen: string[] = [];
    const names = Object.values(diagnosticsChannels);
    const listeners = names.map((name) => {
      const listener = (message: unknown) => void seen.push(`${name} ${(message as { name?: string }).name ?? ''}`);
      channel(name).subscribe(listener);
      return () => channel(name).unsubscribe(listener);
    });
    const quorate = await soloQuorate();
    await quorate.lock('l').run(() => undefined);
    await quorate.election('e').lead(() => undefined);
    void quorate
      .lock('kept')
      .run(() => new Promise(() => undefined))
      .catch(() => undefined);
    await first(quorate.lock('kept').state$, ({ held }) => held);
    await quorate.close({ timeoutMs: 1 });
    for (const stop of listeners) stop();
    expect(seen).toEqual(
      expect.arrayContaining([
        'quorate:leader:changed ',
        'quorate:session:opened ',
        'quorate:lock:granted l',
        'quorate:lock:released l',
        'quorate:term:began e',
        'quorate:term:ended e',
        'quorate:lease:lost kept',
      ]),
    );
  });

  test('events before the first subscription are kept for it alone, the newest hundred', () => {
    const feed = new EventFeed({ group: 'g', node: 'n', logger: undefined });
    for (let dropped = 1; dropped <= 150; dropped += 1) feed.tell({ type: 'overload', dropped });
    const one: QuorateEvent[] = [];
    const two: QuorateEvent[] = [];
    feed.events$.subscribe((event) => one.push(event));
    feed.events$.subscribe((event) => two.push(event));
    feed.tell({ type: 'overload', dropped: 151 });
    expect(one).toHaveLength(101);
    expect(one[0]).toEqual({ type: 'overload', dropped: 51 });
    expect(two).toEqual([{ type: 'overload', dropped: 151 }]);
  });
});

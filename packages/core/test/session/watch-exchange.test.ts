/** A full watch list exchanged for others while its parts are lost: the leader has room for one, and takes the last. */
import { HolderWatch } from '../../src/session/holder-watch.ts';
import type { Watch } from '../../src/session/message.ts';
import { watchedMax } from '../../src/session/message.ts';
import { SessionSteward } from '../../src/session/session-steward.ts';

const session = { key: 1, node: 'x', ttlMs: 1_000 };
const namesOf = (kind: string): string[] => Array.from({ length: watchedMax }, (_, index) => `l/${kind}-${index}`);

class Desk {
  readonly watch = new HolderWatch<string>({ partBytesMax: () => 262_144, resourceOf: (state) => state });
  private beats = 0;
  private readonly steward = new SessionSteward<string, readonly [number], string>(
    {
      sessions: () => [session],
      session: () => session,
      isEnded: () => false,
      lookup: () => 'unknown',
      statesOf: (resource) => [resource],
      coveredTokens: () => [],
    },
    's',
    0,
    500,
    (states) => [states],
    () => true,
  );

  constructor() {
    this.watch.begin();
  }

  give(parts: readonly Watch[]): void {
    for (const part of parts) this.steward.onWatch('x', part);
  }

  /** A keep-alive and its answer, and what the holder says upon that. */
  beat(arrives: (part: Watch) => boolean = () => true): void {
    const id = (this.beats += 1);
    const keepAlive = { type: 'keepAlive', session: 1, id, floor: 0, pending: [], ...this.watch.beat(id) } as const;
    const answer = this.steward.onKeepAlive('x', keepAlive, 0);
    if (answer?.type === 'keptAlive') this.give(this.watch.answered(id, answer.watch, 1).filter(arrives));
  }

  tells(resource: string): boolean {
    return this.steward.changed([resource], () => [resource]).length > 0;
  }
}

test.each(['what adds', 'what removes'])(
  'a list exchanged twice is taken once its parts arrive, though %s had been lost (65,536 locks)',
  (lost) => {
    const desk = new Desk();
    const [first, second, third] = ['a', 'b', 'c'].map(namesOf) as [string[], string[], string[]];
    desk.give(desk.watch.change({ added: first, removed: [] }, 1));
    desk.watch.change({ added: second, removed: first }, 1);
    desk.beat((part) => (lost === 'what adds' ? part.removed.length > 0 : part.added.length > 0));
    desk.watch.change({ added: third, removed: second }, 1);
    for (let beats = 0; beats < 2; beats += 1) desk.beat();
    expect([first, second, third].map((names) => desk.tells(names[0]!) || desk.tells(names.at(-1)!))).toEqual([false, false, true]);
    expect(third.every((name) => desk.tells(name))).toBe(true);
  },
);

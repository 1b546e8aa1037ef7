/**
 * The moment between "is my lease valid?" and the write that rests on the answer. A careful user cannot close it, only a token
 * can; here a process can be made to stop in it for as long as its parent likes.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface StopOrder {
  /** `wait`: the parent stops the process from outside. `block`: the event loop stands still until the file is there. */
  readonly how: 'wait' | 'block';
  readonly untilFile: string;
  readonly longestMs: number;
  /** An order that no holder came across within this is void. */
  readonly withinMs: number;
}

/** Who stands at the point: about to write to this register under this token. */
export interface Standing {
  readonly lock: string;
  readonly token: number;
}

interface Pending extends StopOrder {
  readonly onReached: (standing: Standing) => void;
}

/** Long enough for word to get to the parent and for its signal to come. */
const signalMs = 300;
const answerMs = 20;

export class StopPoint {
  private pending: Pending | undefined;

  /** Resolves once a holder stands at the point, or with undefined where none came in time. */
  order(order: StopOrder): Promise<Standing | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.pending = undefined;
        resolve(undefined);
      }, order.withinMs);
      const onReached = (standing: Standing): void => {
        clearTimeout(timer);
        this.pending = undefined;
        resolve(standing);
      };
      this.pending = { ...order, onReached };
    });
  }

  /** What a holder passes; `usualMs` where nobody ordered anything. */
  async pass(standing: Standing, usualMs: number): Promise<void> {
    const order = this.pending;
    if (!order) return void (await sleep(usualMs));
    order.onReached(standing);
    if (order.how === 'wait') return void (await sleep(signalMs));
    // The answer leaves before the loop stands still.
    await sleep(answerMs);
    blockLoop(order.longestMs, () => existsSync(order.untilFile));
  }
}

const lookMs = 5;

/** No timer, no frame and no promise gets its turn meanwhile. */
export function blockLoop(longestMs: number, isOver: () => boolean = () => false): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const untilMs = performance.now() + longestMs;
  while (performance.now() < untilMs && !isOver()) Atomics.wait(pause, 0, 0, lookMs);
}

/** The broker's log of foundings in a world: requests and answers take their time and get lost, and what arrives first counts. */
import type { Arbiter } from '../arbiter/arbiter.ts';
import { MemoryArbiter } from '../arbiter/memory.ts';
import { QuorateError } from '../errors.ts';
import type { VirtualHost } from './virtual-host.ts';

/** Whoever hears nothing for so long gives up, though what it wrote may still arrive. */
const patienceMs = 400;

export interface VirtualLink {
  /** Carries a request or an answer, or loses it. What is on its way arrives, though whoever sent it has died since. */
  carry(arrive: () => void): void;
}

export class VirtualArbiter {
  readonly #log = new MemoryArbiter();

  /** The log as one process has it. */
  open(host: VirtualHost, link: VirtualLink): Arbiter {
    const ask = <T>(work: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const silence = new QuorateError('TRANSPORT_FAILED', 'The virtual log of foundings does not answer.');
        const timer = host.startTimer(() => reject(silence), patienceMs);
        link.carry(() => {
          const answer = work();
          link.carry(() =>
            host.give(() => {
              host.stopTimer(timer);
              resolve(answer);
            }),
          );
        });
      });
    return {
      read: () => ask(() => [...this.#log.records]),
      append: (position, record) =>
        ask(() => {
          const isFirst = position === this.#log.records.length;
          if (isFirst) this.#log.records.push(record);
          return isFirst;
        }),
      close: () => Promise.resolve(),
    };
  }
}

/** The order of a partition's messages, decided without a server: what is refused, repeated, lost or gone. */
import fc from 'fast-check';
import type { Delivery } from '../../src/consumer/delivery.ts';
import { InOrder } from '../../src/consumer/in-order.ts';

function delivery(sequence: number, consumerSequence: number): Delivery {
  const message = { subject: 's', data: new Uint8Array(0), headers: undefined, sequence, deliveries: 1, storedAtMs: 0 };
  return { message, consumerSequence, ackSubject: `ack.${sequence}.${consumerSequence}` };
}

describe('the order of deliveries', () => {
  test('queues what comes in order (1 durable)', () => {
    const order = new InOrder(5, { consumerSequence: 0, handledUpTo: 0 });
    expect([1, 2, 5].map((sequence, index) => order.onDelivery(delivery(sequence, index + 1)))).toEqual(['queued', 'queued', 'queued']);
    expect(order.onHandled()?.message.sequence).toBe(1);
    expect([order.handledUpTo, order.waiting.length]).toEqual([1, 2]);
  });

  test('knows what was handled, and what waits, when it comes again (1 durable)', () => {
    const order = new InOrder(5, { consumerSequence: 0, handledUpTo: 0 });
    order.onDelivery(delivery(1, 1));
    order.onHandled();
    order.onDelivery(delivery(2, 2));
    expect(order.onDelivery(delivery(1, 3))).toBe('handled');
    expect(order.onDelivery(delivery(2, 4))).toBe('repeated');
    expect(order.waiting.map(({ ackSubject }) => ackSubject)).toEqual(['ack.2.4']);
  });

  test('knows what its owner handled with an earlier durable (1 owner)', () => {
    const order = new InOrder(5, { consumerSequence: 0, handledUpTo: 6 });
    expect([6, 7].map((sequence, index) => order.onDelivery(delivery(sequence, index + 1)))).toEqual(['handled', 'queued']);
  });

  test('takes what was refused before anything behind it (1 durable)', () => {
    const order = new InOrder(5, { consumerSequence: 0, handledUpTo: 0 });
    for (const sequence of [1, 2, 3]) order.onDelivery(delivery(sequence, sequence));
    expect(order.onRefused().map(({ message }) => message.sequence)).toEqual([1, 2, 3]);
    expect(order.owed).toBe(3);
    expect(order.onDelivery(delivery(4, 4))).toBe('outOfTurn');
    expect(order.onDelivery(delivery(2, 5))).toBe('outOfTurn');
    expect([1, 2, 3, 4].map((sequence, index) => order.onDelivery(delivery(sequence, index + 6)))).toEqual(Array(4).fill('queued'));
    expect(order.owed).toBe(0);
  });

  test('wants a new beginning when a delivery was lost on the way and another may overtake it (1 durable)', () => {
    expect(new InOrder(5, { consumerSequence: 10, handledUpTo: 0 }).onDelivery(delivery(7, 12))).toBe('gap');
    expect(new InOrder(5, { consumerSequence: 10, handledUpTo: 0 }).onDelivery(delivery(7, 11))).toBe('queued');
    expect(new InOrder(1, { consumerSequence: 10, handledUpTo: 0 }).onDelivery(delivery(7, 12))).toBe('queued');
  });

  test.each([1, 4])('does not wait for ever for what is gone from the stream (max_ack_pending %d)', (maxAckPending) => {
    const order = new InOrder(maxAckPending, { consumerSequence: 0, handledUpTo: 0 });
    order.onDelivery(delivery(1, 1));
    order.onRefused();
    const verdicts = Array.from({ length: 4 * maxAckPending + 1 }, (_, index) => order.onDelivery(delivery(2, index + 2)));
    expect(verdicts.slice(0, -1)).toEqual(Array(4 * maxAckPending).fill('outOfTurn'));
    expect(verdicts.at(-1)).toBe('gap');
  });

  test('hands each message out once and in order, whatever is refused and repeated (property, 1 durable)', () => {
    const acts = fc.array(fc.constantFrom('deliver', 'handle', 'refuse', 'repeat'), { maxLength: 200 });
    fc.assert(
      fc.property(acts, fc.integer({ min: 1, max: 6 }), (script, maxAckPending) => {
        const order = new InOrder(maxAckPending, { consumerSequence: 0, handledUpTo: 0 });
        const handled: number[] = [];
        // The server: what it may deliver, the refused first, as one that keeps a queue of them does; and what it has out.
        const [again, out] = [[] as number[], [] as number[]];
        let [next, count] = [1, 0];
        for (const act of script) {
          if (act === 'deliver' && out.length < maxAckPending) {
            const sequence = again.shift() ?? next++;
            count += 1;
            out.push(sequence);
            expect(order.onDelivery(delivery(sequence, count))).toBe('queued');
          } else if (act === 'repeat' && out[0] !== undefined) {
            count += 1;
            expect(order.onDelivery(delivery(out[0], count))).toBe('repeated');
          } else if (act === 'handle') {
            const done = order.onHandled();
            if (done !== undefined) handled.push(done.message.sequence);
            if (done !== undefined) out.splice(out.indexOf(done.message.sequence), 1);
          } else if (act === 'refuse') {
            again.unshift(...order.onRefused().map(({ message }) => message.sequence));
            out.length = 0;
          }
        }
        expect(handled).toEqual(handled.map((_, index) => index + 1));
      }),
    );
  });
});

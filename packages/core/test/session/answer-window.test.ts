/** Answers above a floor: the memory behind "applied once". */
import fc from 'fast-check';
import { answersMax, AnswerWindow, checkAnswerWindow } from '../../src/session/answer-window.ts';

type Answer = readonly [seq: number, text: string];

function windowWith(...seqs: readonly number[]): AnswerWindow<Answer> {
  const window = new AnswerWindow<Answer>();
  for (const seq of seqs) window.remember([seq, `answer ${seq}`]);
  return window;
}

test('an answer is recalled until the floor passes it', () => {
  const window = windowWith(1, 2, 3);
  window.raiseFloor(2);
  expect(window.recall(2)).toBeUndefined();
  expect(window.recall(3)).toEqual([3, 'answer 3']);
  expect(window.answers()).toEqual([[3, 'answer 3']]);
});

test('a floor never falls', () => {
  const window = windowWith(5);
  window.raiseFloor(5);
  window.raiseFloor(3);
  expect(window.floor).toBe(5);
});

test('a later answer to the same sequence takes the place of the earlier one', () => {
  const window = windowWith(7);
  window.remember([7, 'granted']);
  expect(window.recall(7)).toEqual([7, 'granted']);
  expect(window.size).toBe(1);
});

test('what is remembered at or under the floor is forgotten at once', () => {
  const window = windowWith();
  window.raiseFloor(9);
  window.remember([9, 'late']);
  expect(window.recall(9)).toBeUndefined();
  expect(window.size).toBe(0);
});

test('a sequence is beyond the window exactly above floor + answersMax', () => {
  const window = windowWith();
  window.raiseFloor(100);
  expect(window.isBeyond(100 + answersMax)).toBe(false);
  expect(window.isBeyond(100 + answersMax + 1)).toBe(true);
  window.remember([100 + answersMax, 'the last that fits']);
  expect(window.recall(100 + answersMax)).toEqual([100 + answersMax, 'the last that fits']);
  expect(() => window.remember([100 + answersMax + 1, 'one more'])).toThrow(/within its window/);
});

test('a floor that jumps over everything leaves nothing, however far it jumps', () => {
  const window = windowWith(1, 5000);
  window.raiseFloor(Number.MAX_SAFE_INTEGER - answersMax);
  expect(window.answers()).toEqual([]);
  window.remember([Number.MAX_SAFE_INTEGER - 1, 'far up']);
  expect(window.recall(Number.MAX_SAFE_INTEGER - 1)).toEqual([Number.MAX_SAFE_INTEGER - 1, 'far up']);
  expect(checkAnswerWindow(window)).toEqual([]);
});

test('any order of answers and floors agrees with a plain map', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('remember' as const), ahead: fc.integer({ min: -20, max: answersMax }) }),
    fc.record({ type: fc.constant('remember' as const), ahead: fc.integer({ min: -3, max: 40 }) }),
    fc.record({ type: fc.constant('raise' as const), ahead: fc.integer({ min: -20, max: 9000 }) }),
    fc.record({ type: fc.constant('raise' as const), ahead: fc.integer({ min: 0, max: 10 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const window = new AnswerWindow<Answer>();
      const plain = new Map<number, Answer>();
      let floor = 0;
      for (const [index, { type, ahead }] of steps.entries()) {
        const seq = Math.max(0, floor + ahead);
        if (type === 'remember') {
          const answer: Answer = [seq, `step ${index}`];
          window.remember(answer);
          if (seq > floor) plain.set(seq, answer);
        } else {
          window.raiseFloor(seq);
          floor = Math.max(floor, seq);
          for (const known of [...plain.keys()]) if (known <= floor) plain.delete(known);
        }
        expect(checkAnswerWindow(window)).toEqual([]);
      }
      expect(window.floor).toBe(floor);
      expect(window.size).toBe(plain.size);
      expect(window.answers()).toEqual([...plain.values()].sort((a, b) => a[0] - b[0]));
      for (const [seq, answer] of plain) expect(window.recall(seq)).toBe(answer);
    }),
    { numRuns: 300 },
  );
});

test('the check names an answer that stands under another sequence', () => {
  const stray: [seq: number, text: string] = [4, 'strays'];
  const window = new AnswerWindow<[seq: number, text: string]>();
  window.remember([3, 'stays']);
  window.remember(stray);
  stray[0] = 2;
  expect(checkAnswerWindow(window)).toEqual(['answers 1: the answer to 2 stands above 3, floor 0']);
});

/** What the slowness of a machine does to the limits of killers. */
import { controlLimits, limitsAfter } from '../limits.ts';

test('a fast machine leaves the limits as they are', () => {
  const limits = limitsAfter([{ by: 'unit', seconds: 20, slowestTestMs: 900 }]);
  expect(limits).toEqual({ seconds: { unit: 120, model: 120, simulation: 240 }, testTimeoutMs: 12_000 });
});

test('a machine on which the control took long gives killers of that kind, and each test, as much more', () => {
  const limits = limitsAfter([
    { by: 'unit', seconds: 130.5, slowestTestMs: 7_000 },
    { by: 'model', seconds: 10 },
    { by: 'model', seconds: 90 },
    { by: 'simulation', seconds: 60 },
  ]);
  expect(limits).toEqual({ seconds: { unit: 392, model: 270, simulation: 240 }, testTimeoutMs: 35_000 });
});

test('the control, which runs all at once, is given far longer than any killer on a fast machine', () => {
  for (const by of ['unit', 'model', 'simulation'] as const)
    expect(controlLimits.seconds[by]).toBeGreaterThanOrEqual(5 * limitsAfter([]).seconds[by]);
});

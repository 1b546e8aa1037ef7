/** The command line that all kinds of chaos have in common. */
import { OptionReader, scenarioOf } from '../options.ts';

const reader = new OptionReader('usage: this');

test.each([
  [['--scenario', 'rollout', '--rounds', '2'], 'rollout'],
  [['--broker', 'nats', '--scenario=handoff'], 'handoff'],
  [['--broker', 'nats', '--episodes', '3'], undefined],
])('knows which scenario is asked for: %s', (args, scenario) => {
  expect(scenarioOf(args)).toBe(scenario);
});

test('refuses what it does not know, naming what was given, what is wanted, and the usage', () => {
  expect(reader.place({ broker: 'kafka', cluster: '3' })).toEqual({ broker: 'kafka', cluster: 3 });
  expect(() => reader.place({ cluster: '1' })).toThrow('--broker is missing, and must be nats or kafka\nusage: this');
  expect(() => reader.place({ broker: 'nats', cluster: '2' })).toThrow('--cluster is 2, and must be 1 or 3');
  expect(reader.count('rounds', '20', { min: 1, max: 20 })).toBe(20);
  for (const given of ['0', '21', '1.5', 'many']) {
    expect(() => reader.count('rounds', given, { min: 1, max: 20 })).toThrow(
      `--rounds is ${given}, and must be a whole number from 1 to 20`,
    );
  }
});

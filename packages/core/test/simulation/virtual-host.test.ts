/** The machine of a simulated process: its clocks, as faults come over them and pass. */
import { Schedule } from '../../src/simulation/schedule.ts';
import { VirtualHost } from '../../src/simulation/virtual-host.ts';
import { seededRandom } from '../../src/time/random.ts';

function machine(rate: number): { schedule: Schedule; host: VirtualHost } {
  const schedule = new Schedule();
  const host = new VirtualHost({
    schedule,
    random: seededRandom(1),
    rate,
    wallSkewMs: 0,
    originMs: 0,
    afterThis: (work) => work(),
    onTimer: () => undefined,
    onExit: () => undefined,
  });
  return { schedule, host };
}

function pass(schedule: Schedule, untilMs: number): void {
  for (let next = schedule.take(untilMs); next; next = schedule.take(untilMs)) next.happen();
}

test('stands still while it is suspended, and runs at its own rate again afterwards', () => {
  const { schedule, host } = machine(0.5);
  pass(schedule, 100);
  host.standStill(200, true);
  pass(schedule, 300);
  expect(host.monotonicMs()).toBe(50);
  pass(schedule, 400);
  expect(host.monotonicMs()).toBe(100);
});

test('runs within the bound for good once it was healed, also where it would have been suspended for longer', () => {
  const { schedule, host } = machine(0.5);
  host.standStill(200, true);
  pass(schedule, 100);
  host.heal();
  pass(schedule, 400);
  expect(host.monotonicMs()).toBe(300);
});

test('knows when its clock showed what, whatever came over it since', () => {
  const { schedule, host } = machine(0.5);
  const shown = new Map<number, number>();
  const look = (trueMs: number): void => {
    pass(schedule, trueMs);
    shown.set(trueMs, host.monotonicMs());
  };
  look(40);
  pass(schedule, 100);
  host.standStill(200, true);
  pass(schedule, 300);
  look(340);
  host.setRate(2);
  look(400);
  for (const [trueMs, monotonicMs] of shown) expect(host.trueMsAt(monotonicMs)).toBe(trueMs);
});

/** Models in several processes: the same results, in the order of the tasks. */
import { runTasks } from '../jobs.ts';
import type { Task } from '../task.ts';

const tasks: readonly Task[] = [
  { type: 'model', name: 'synod-with-a-wipe', secondsMax: 600 },
  { type: 'planted', name: 'applied-twice', secondsMax: 600 },
];

test('a model and a planted mistake come out the same in a job of their own as in this process', async () => {
  const told: string[] = [];
  const apart = await runTasks(tasks, 2, ({ name }) => told.push(name));
  const here = await runTasks(tasks, 1, () => undefined);
  const figuresOf = (results: typeof here): unknown =>
    results.map((result) =>
      result.type === 'model'
        ? [result.name, result.exploration.states, result.exploration.ok]
        : [result.name, result.run.exploration.states, result.run.found],
    );
  expect(figuresOf(apart)).toEqual(figuresOf(here));
  expect([...told].sort()).toEqual(tasks.map(({ name }) => name).sort());
});

test('what a job cannot do ends all with its reason', async () => {
  const unknown: Task = { type: 'model', name: 'no such model', secondsMax: 1 };
  await expect(runTasks([unknown, unknown], 2, () => undefined)).rejects.toThrow('There is no model no such model.');
});

/** Models spread over several processes: each takes the next as soon as it is done with one. */
import { fork } from 'node:child_process';
import { runTask } from './task.ts';
import type { Task, TaskResult } from './task.ts';

type JobMessage = { readonly type: 'result'; readonly result: TaskResult } | { readonly type: 'error'; readonly message: string };

/** What came of the tasks, in their order. One job needs no process of its own. */
export async function runTasks(tasks: readonly Task[], jobs: number, onResult: (result: TaskResult) => void): Promise<TaskResult[]> {
  const results = new Map<Task, TaskResult>();
  const keep = (task: Task, result: TaskResult): void => {
    results.set(task, result);
    onResult(result);
  };
  const waiting = tasks.values();
  if (Math.min(jobs, tasks.length) === 1) for (const task of waiting) keep(task, runTask(task));
  else await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, () => runJob(waiting, keep)));
  return tasks.flatMap((task) => results.get(task) ?? []);
}

function runJob(waiting: Iterator<Task>, keep: (task: Task, result: TaskResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(`${__dirname}/job-program.ts`, { execArgv: ['-C', 'quorate-source', '-r', 'ts-node/register'] });
    let present: Task | undefined;
    const giveNext = (): void => {
      present = waiting.next().value as Task | undefined;
      if (present) child.send(present);
      else child.disconnect();
    };
    child.on('message', (message: JobMessage) => {
      if (message.type === 'result' && present) {
        keep(present, message.result);
        return giveNext();
      }
      child.kill();
      reject(new Error(`${present?.name ?? 'a model'}: ${message.type === 'error' ? message.message : 'it was not asked for'}`));
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the job of ${present?.name ?? 'no model'} ended with code ${String(code)}`)),
    );
    giveNext();
  });
}

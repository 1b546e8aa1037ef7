/** The process of one job: models come by name, what became of each goes back, and it ends with its parent. */
import { runTask } from './task.ts';
import type { Task } from './task.ts';

process.on('message', (task: Task) => {
  try {
    process.send?.({ type: 'result', result: runTask(task) });
  } catch (error) {
    process.send?.({ type: 'error', message: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));

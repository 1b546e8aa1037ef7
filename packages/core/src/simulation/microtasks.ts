/** What promises have waiting, run at once: a macrotask for each of a life's happenings would take a fifth of its time. */

/** As Node.js runs its own callbacks: ticks, then microtasks, until none is left. Absent in other runtimes, and perhaps one day here. */
const runTicks = (process as { _tickCallback?: () => void })._tickCallback;

/** So many steps, and whatever else wants the thread gets it. */
const stepsAtOnce = 500;

/** True after it ran everything that waits. Only within a macrotask: microtasks do not nest. */
function drain(): boolean {
  runTicks?.();
  return runTicks !== undefined;
}

/** Takes step after step, with all that promises make of one done before the next, until one says that it was the last. */
export function stepsOfMacrotasks(step: () => 'more' | 'done'): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (): void => {
      try {
        for (let steps = 0; steps < stepsAtOnce; steps += 1) {
          if (step() === 'done') return resolve();
          if (!drain()) break;
        }
        setImmediate(take);
      } catch (error) {
        reject(error as Error);
      }
    };
    setImmediate(take);
  });
}

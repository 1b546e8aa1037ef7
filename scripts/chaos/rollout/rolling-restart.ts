/** A rolling restart of named voters, as a StatefulSet does it: each goes, in good order or not, and comes back under its name with an empty memory. */
import { within } from '../deadline.ts';
import { machineTimeNs } from '../history.ts';
import { voterNames } from '../troupe.ts';
import type { ChaosProcess } from '../troupe.ts';
import type { Plot, PlotParts, Restart } from './plot.ts';

export const ways = ['close', 'kill'] as const;
export type Way = (typeof ways)[number];

export class RollingRestart implements Plot {
  readonly restarts: Restart[] = [];
  readonly perRound = voterNames.length;

  constructor(
    private readonly parts: PlotParts,
    private readonly way: Way,
  ) {}

  get everyone(): readonly ChaosProcess[] {
    return this.parts.troupe.all;
  }

  async form(): Promise<void> {
    const { troupe, settings } = this.parts;
    await troupe.fill();
    await Promise.all(troupe.all.map((one) => one.enter(settings)));
    const heard = Promise.all(troupe.all.map((one) => one.running.request('whenAllHeard', undefined)));
    await within(this.parts.patienceMs, 'not all voters were heard in time', heard);
  }

  async playRound(): Promise<void> {
    for (const one of this.parts.troupe.all.filter(({ isVoter }) => isVoter)) this.restarts.push(await this.restart(one));
  }

  private async restart(one: ChaosProcess): Promise<Restart> {
    const { traffic, patienceMs } = this.parts;
    const beganNs = machineTimeNs();
    if (this.way === 'close') {
      await one.running.request('rest', undefined);
      await one.running.request('leave', undefined);
    }
    await one.kill();
    await one.start();
    await one.reenter();
    await traffic.begin(one);
    // As a readiness probe would: the next one goes only then.
    await one.running.request('whenReady', patienceMs);
    const endedNs = machineTimeNs();
    return { name: one.name, beganNs, endedNs, readyMs: (endedNs - beganNs) / 1e6 };
  }
}

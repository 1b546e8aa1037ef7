/**
 * A rolling update of a Deployment, as `examples/15-readiness/kubernetes/counted.yaml` has it: pods of random names, of which the first three
 * that came vote. A new one is started and must have been ready for a while; then an old one is told to go, and while it goes the next
 * new one starts.
 */
import { randomBytes } from 'node:crypto';
import { eventually, within } from '../deadline.ts';
import { machineTimeNs } from '../history.ts';
import type { Look } from '../process-program.ts';
import type { BrokerName } from '../timing.ts';
import type { ChaosProcess } from '../troupe.ts';
import type { Plot, PlotParts, Restart } from './plot.ts';

/** What the manifest says; a test holds the two together. The `preStop` hook is left out: it moves every SIGTERM alike. */
export const manifest = { replicas: 4, voters: 3, graceSeconds: 30, preStopSeconds: 5 } as const;

/** `minReadySeconds`, as `docs/operations.md` has it for the timing that users get; here it is as many election timeouts. */
export const minReady = {
  nats: { seconds: 5, electionTimeoutMs: 500 },
  kafka: { seconds: 10, electionTimeoutMs: 1_500 },
} as const;

/** From the moment an old pod is gone: what it left without giving it up, the autopilot would replace no sooner. */
const seatGivenElections = 8;

export class Deployment implements Plot {
  readonly restarts: Restart[] = [];
  readonly perRound = manifest.replicas;
  readonly everyone: ChaosProcess[];
  private pods: ChaosProcess[] = [];
  private readonly departures: Promise<void>[] = [];
  private readonly badDepartures: string[] = [];
  private readonly minReadyMs: number;
  private readonly seatGivenMs: number;

  constructor(
    private readonly parts: PlotParts,
    broker: BrokerName,
  ) {
    const { electionTimeoutMs } = parts.settings.timing;
    this.everyone = [...parts.troupe.all];
    this.minReadyMs = (minReady[broker].seconds * 1_000 * electionTimeoutMs) / minReady[broker].electionTimeoutMs;
    this.seatGivenMs = seatGivenElections * electionTimeoutMs;
  }

  async form(): Promise<void> {
    const { troupe, settings, patienceMs } = this.parts;
    this.pods = await Promise.all(Array.from({ length: manifest.replicas }, () => this.hire()));
    await troupe.fill();
    const joined = Promise.all(troupe.all.map((one) => one.enter(settings)));
    await within(patienceMs, `the group was not formed within ${patienceMs} ms`, joined);
    await this.beWhole();
  }

  async playRound(): Promise<void> {
    try {
      for (const old of this.pods) await this.replace(old);
      await Promise.all(this.departures.splice(0));
      await this.beWhole();
    } catch (error) {
      // What came first is the cause: a group that lost its seats lets nobody join.
      throw new Error([...new Set([...this.badDepartures, String(error)])].join('; '), { cause: error });
    }
  }

  private async hire(): Promise<ChaosProcess> {
    const one = await this.parts.troupe.hire(`pod-${randomBytes(4).toString('hex')}`);
    this.everyone.push(one);
    return one;
  }

  private async replace(old: ChaosProcess): Promise<void> {
    const { settings, traffic, patienceMs } = this.parts;
    const beganNs = machineTimeNs();
    const fresh = await this.hire();
    await within(patienceMs, `${fresh.name} did not start within ${patienceMs} ms`, fresh.start());
    await within(patienceMs, `${fresh.name} did not join within ${patienceMs} ms`, fresh.enter(settings));
    await traffic.begin(fresh);
    this.pods = [...this.pods, fresh];
    const readyMs = await this.whenAvailable(fresh, beganNs);
    this.pods = this.pods.filter((one) => one !== old);
    const departure = this.depart(old, fresh).then((endedNs) => void this.restarts.push({ name: old.name, beganNs, endedNs, readyMs }));
    // The roll-out goes on meanwhile, until it is stuck or over.
    departure.catch((error: unknown) => this.badDepartures.push(String(error)));
    this.departures.push(departure);
  }

  /** The new one has been ready for so long without a break, and so is everybody else: none may be unavailable. Resolves with how long it took to be ready. */
  private async whenAvailable(fresh: ChaosProcess, beganNs: number): Promise<number> {
    let readyNs: number | undefined;
    await eventually(this.parts.patienceMs, async () => {
      const probes = await Promise.all(this.pods.map(async (one) => ({ one, ...(await this.look(one)).probe })));
      const unready = probes.find(({ ok }) => !ok);
      if (probes.some(({ one, ok }) => one === fresh && !ok)) readyNs = undefined;
      else readyNs ??= machineTimeNs();
      if (unready) return `${unready.one.name} was not ready beside the new ${fresh.name}: ${unready.why}`;
      const readyForMs = readyNs === undefined ? 0 : (machineTimeNs() - readyNs) / 1e6;
      return readyForMs < this.minReadyMs ? `${fresh.name} had been ready for ${Math.round(readyForMs)} ms only` : undefined;
    });
    return ((readyNs ?? machineTimeNs()) - beganNs) / 1e6;
  }

  /** SIGTERM, the time of grace, and nobody counts on it any more. Resolves with when it was gone. */
  private async depart(old: ChaosProcess, witness: ChaosProcess): Promise<number> {
    const graceMs = (manifest.graceSeconds - manifest.preStopSeconds) * 1_000;
    old.running.terminate();
    const how = await within(graceMs, `${old.name} was not gone ${graceMs} ms after SIGTERM`, old.running.ended);
    if (how !== 'code 0') throw new Error(`${old.name} did not go in good order: ${how}`);
    const endedNs = machineTimeNs();
    await eventually(this.seatGivenMs, async () => {
      const { voters } = await this.look(witness);
      return voters.includes(old.name) ? `${old.name} was gone, and its seat given to nobody` : undefined;
    });
    await this.parts.troupe.dismiss(old);
    return endedNs;
  }

  /** Three voters, all of them pods that are there, all heard and ready, by the word of everybody. */
  private async beWhole(): Promise<void> {
    const names = this.pods.map(({ name }) => name);
    await eventually(this.parts.patienceMs, async () => {
      const looks = await Promise.all(this.pods.map((one) => this.look(one)));
      const agree = new Set(looks.map(({ configuration }) => configuration)).size === 1;
      const isWhole = agree && looks.every((look) => isOfThese(look, names));
      return isWhole ? undefined : `the group of ${names.join(', ')} was not whole: ${JSON.stringify(looks)}`;
    });
  }

  private look(one: ChaosProcess): Promise<Look> {
    return one.running.request('look', undefined);
  }
}

function isOfThese({ probe, voters, unheard }: Look, names: readonly string[]): boolean {
  return probe.ok && unheard.length === 0 && voters.length === manifest.voters && voters.every((voter) => names.includes(voter));
}

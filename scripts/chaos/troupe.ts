/** The processes of a run, each behind a wire of its own: three voters and two clients unless others are named; what was killed is started again. */
import { join } from 'node:path';
import type { JoinOptions } from '@quorate/core';
import { startKeeper } from '../brokers/keeper.ts';
import type { Keeper } from '../brokers/keeper.ts';
import { ChildProcess } from '../processes/child-process.ts';
import type { ChaosBroker } from './chaos-broker.ts';
import { within } from './deadline.ts';
import type { Role, Target } from './plan.ts';
import type { ChaosCommands, ChaosMembership, ChaosNotice } from './process-program.ts';
import { ProcessLink } from './proxy.ts';
import type { ChaosTiming } from './timing.ts';

export const voterNames = ['v1', 'v2', 'v3'] as const;
export const clientNames = ['c1', 'c2'] as const;

/** What all members of an episode's group are told alike. */
export interface EpisodeSettings {
  readonly group: string;
  readonly voters: JoinOptions['voters'];
  readonly timing: ChaosTiming;
  readonly storePort: number;
  readonly folder: string;
}

export interface LeaderChange {
  readonly atNs: number;
  readonly leader: string | undefined;
  readonly seenBy: string;
}

export class ChaosProcess {
  private child: ChildProcess<ChaosCommands, ChaosNotice> | undefined;
  private life = 0;
  private settings: EpisodeSettings | undefined;
  /** Where this process wrote its part of the episode, a file for each of its lives. */
  readonly files: string[] = [];
  /** Whom it follows, as far as it said. */
  leader: string | undefined;
  readonly leaderChanges: LeaderChange[] = [];
  /** Something is being done to its process: a second thing would undo or hide the first. */
  isBusy = false;

  constructor(
    readonly name: string,
    readonly link: ProcessLink,
    private readonly broker: ChaosBroker,
    private readonly keeper: Keeper,
  ) {}

  get isVoter(): boolean {
    return voterNames.some((voter) => voter === this.name);
  }

  private get isClient(): boolean {
    return clientNames.some((client) => client === this.name);
  }

  get isRunning(): boolean {
    return this.child?.isRunning === true;
  }

  get running(): ChildProcess<ChaosCommands, ChaosNotice> {
    if (!this.child) throw new Error(`${this.name} was not started`);
    return this.child;
  }

  async start(): Promise<void> {
    if (this.isRunning) return;
    this.leader = undefined;
    const child = await ChildProcess.start<ChaosCommands, ChaosNotice>({
      program: join(__dirname, 'process-program.ts'),
      name: this.name,
      onNotice: (notice) => this.onNotice(notice),
    });
    this.child = child;
    const { pid } = child;
    if (pid === undefined) return;
    this.keeper.add(pid);
    void child.ended.then(() => this.keeper.drop(pid));
  }

  /** A member of no group yet; the same call brings a killed one back into the group it was in. */
  enter(settings: EpisodeSettings): Promise<void> {
    this.settings = settings;
    this.files.length = 0;
    this.leaderChanges.length = 0;
    this.life = 0;
    return this.reenter();
  }

  async reenter(): Promise<void> {
    const { settings } = this;
    if (!settings) throw new Error(`${this.name} was in no group`);
    this.life += 1;
    const author = this.life === 1 ? this.name : `${this.name}/${this.life}`;
    const historyFile = join(settings.folder, `${this.name}-${this.life}.jsonl`);
    this.files.push(historyFile);
    const { group, voters, timing, storePort } = settings;
    const wire = { broker: this.broker.name, ports: this.link.ports };
    const standby = !Array.isArray(voters) && !this.isClient;
    const membership: ChaosMembership = { wire, group, node: this.name, voters, standby, timing, storePort, author, historyFile };
    await this.running.request('join', membership);
  }

  /** However it is: stopped, blocked or well. */
  async kill(): Promise<void> {
    if (this.isRunning) await this.running.kill();
  }

  private onNotice({ leader, atNs }: ChaosNotice): void {
    this.leader = leader;
    this.leaderChanges.push({ atNs, leader, seenBy: this.name });
  }
}

export class Troupe {
  static async open(broker: ChaosBroker, names: readonly string[] = [...voterNames, ...clientNames]): Promise<Troupe> {
    const troupe = new Troupe(broker, startKeeper(['true']));
    await Promise.all(names.map((name) => troupe.hire(name)));
    return troupe;
  }

  private readonly cast: ChaosProcess[] = [];

  private constructor(
    private readonly broker: ChaosBroker,
    private readonly keeper: Keeper,
  ) {}

  get all(): readonly ChaosProcess[] {
    return this.cast;
  }

  /** One more, which is not started yet. */
  async hire(name: string): Promise<ChaosProcess> {
    const one = new ChaosProcess(name, await ProcessLink.open(this.broker.ports), this.broker, this.keeper);
    this.cast.push(one);
    return one;
  }

  /** For good. */
  async dismiss(one: ChaosProcess): Promise<void> {
    await one.kill();
    one.link.close();
    this.cast.splice(this.cast.indexOf(one), 1);
  }

  async fill(): Promise<void> {
    await Promise.all(this.all.map((one) => one.start()));
  }

  get running(): readonly ChaosProcess[] {
    return this.all.filter((one) => one.isRunning);
  }

  get leaderName(): string | undefined {
    const words = this.running.flatMap(({ leaderChanges }) => leaderChanges.slice(-1)).filter(({ leader }) => leader !== undefined);
    return words.sort((a, b) => b.atNs - a.atNs)[0]?.leader;
  }

  /** Who has the role right now, nothing being done to its process; another where nobody has. */
  find({ role, index }: Target, isFree: (one: ChaosProcess) => boolean): ChaosProcess | undefined {
    const free = this.all.filter((one) => one.isRunning && isFree(one));
    const having = free.filter((one) => roleOf(one, this.leaderName) === role);
    const alike = free.filter((one) => one.isVoter === (role !== 'client'));
    const candidates = having.length > 0 ? having : alike;
    return candidates[index % Math.max(1, candidates.length)];
  }

  /** What each process thinks of the group, for whoever looks into a failure. */
  async statuses(): Promise<string[]> {
    const texts = this.all.map(async (one) => {
      const text = one.isRunning
        ? within(1_000, 'does not answer', one.running.request('status', undefined))
        : Promise.reject(new Error('is not running'));
      return `${one.name}: ${await text.catch((error: Error) => error.message)}`;
    });
    return Promise.all(texts);
  }

  /** Without goodbyes. */
  async killAll(): Promise<void> {
    await Promise.all(this.all.map((one) => one.kill()));
  }

  async close(): Promise<void> {
    await this.killAll();
    for (const { link } of this.all) link.close();
    await this.keeper.finish();
  }
}

function roleOf(one: ChaosProcess, leader: string | undefined): Role {
  if (!one.isVoter) return 'client';
  return one.name === leader ? 'leader' : 'follower';
}

/**
 * Who can which version, which one this member speaks, and whom it cannot understand. Frames say it in their envelope, which all
 * versions read. `docs/protocol.md`, "Versions".
 */
import type { Proposer } from '../paxos/ballot.ts';
import type { Seat } from '../paxos/configuration.ts';
import { isWithin, versionsUpTo } from '../version.ts';
import type { SaidVersions, VersionRange } from '../version.ts';
import { presentLevels } from './feature-level.ts';
import type { MemberOptions } from './member-io.ts';
import type { MemberFrame } from './member-message.ts';
import { Reports } from '../paxos/reports.ts';

export interface VersionGapEvent {
  /** A process was met that this one cannot understand. */
  readonly type: 'versionGap';
  readonly node: string;
  readonly theirs: SaidVersions;
  readonly ours: VersionRange;
  /** True once this process has understood nobody of the group for a while: it takes no part for as long as that lasts. */
  readonly lasting: boolean;
}

/** More incarnations than this are those of processes long gone; whoever lives says its version again with its next frame. */
const knownMax = 20_000;

/**
 * 1. It speaks no version below the group's level, as far as it knows it, and none that it cannot.
 * 2. Before it knows a group it speaks the earliest that it can, or what it lately heard others of the group speak, as near as it can.
 * 3. What a process start can is what its newest run said; a frame of an earlier run changes nothing.
 */
export class VersionWatch {
  readonly range: VersionRange;
  private readonly self: Proposer;
  /** What was heard is lately heard for so long; nobody understood for twice as long is a lasting gap. */
  private readonly freshForMs: number;
  private readonly known = new Map<string, { readonly run: number; readonly newest: number }>();
  private readonly reports = new Reports();
  private founding = '';
  /** The highest version known to be spoken in this founding. */
  private learned = 0;
  /** What was lately heard of whoever belongs to a group, and of those who do not yet. */
  private spokenInGroup: Heard = never;
  private spokenOutside: Heard = never;
  private strangeSinceMs = Infinity;
  private isRefused = false;

  constructor({ self, levels = presentLevels, timing }: Pick<MemberOptions, 'self' | 'levels' | 'timing'>) {
    this.self = self;
    this.range = versionsUpTo(levels.newest);
    this.freshForMs = 2 * timing.electionTimeoutMs;
  }

  /** Takes note of a frame's envelope, and says what follows from it. */
  hear(frame: MemberFrame, nowMs: number): readonly VersionGapEvent[] {
    const { from, founding, version = 1, newest = version } = frame;
    this.note(from, newest);
    if (!isWithin(this.range, version)) return this.onStrange(frame, { version, newest }, nowMs);
    this.heard(founding, version, nowMs);
    if (founding === '') return nothing;
    if (founding === this.founding) this.learn(version);
    this.strangeSinceMs = Infinity;
    this.isRefused = false;
    return nothing;
  }

  /** This process belongs to this founding from now on, and knows nothing yet of its level. */
  enter(founding: string): void {
    if (this.founding !== founding) this.learned = 0;
    this.founding = founding;
  }

  /** The group is known to speak this version. */
  learn(version: number): void {
    this.learned = Math.max(this.learned, version);
  }

  /** What frames that leave now are to be written in. */
  spokenAt(nowMs: number): number {
    const { founding, learned, spokenInGroup, spokenOutside, range } = this;
    const heard = nowMs < spokenInGroup.untilMs ? spokenInGroup : nowMs < spokenOutside.untilMs ? spokenOutside : never;
    return Math.min(range.newest, Math.max(range.least, founding === '' ? heard.version : learned));
  }

  /** The highest version above `level` that this process and all of these can; null where one of them can none, or has not said so. */
  commonAbove(level: number, voters: readonly Seat[], sessions: Iterable<{ readonly instance: string }>): number | null {
    let most = this.range.newest;
    for (const { incarnation } of voters) most = Math.min(most, this.newestOf(incarnation));
    // There may be thousands of sessions, and mostly there is nothing to look for.
    if (most <= level) return null;
    for (const { instance } of sessions) {
      // The process of a session is named by its incarnation and its run.
      most = Math.min(most, this.newestOf(instance.slice(0, instance.lastIndexOf('.'))));
      if (most <= level) return null;
    }
    return most;
  }

  private newestOf(incarnation: string): number {
    return incarnation === this.self.incarnation ? this.range.newest : (this.known.get(incarnation)?.newest ?? 0);
  }

  private note({ incarnation, run }: Proposer, newest: number): void {
    const before = this.known.get(incarnation);
    if (before && before.run >= run) return;
    if (!before && this.known.size >= knownMax) this.known.clear();
    this.known.set(incarnation, { run, newest });
  }

  private heard(founding: string, version: number, nowMs: number): void {
    const before = founding === '' ? this.spokenOutside : this.spokenInGroup;
    if (nowMs < before.untilMs && version < before.version) return;
    const heard: Heard = { version, untilMs: nowMs + this.freshForMs };
    if (founding === '') this.spokenOutside = heard;
    else this.spokenInGroup = heard;
  }

  /** A newcomer that cannot be understood yet will speak as others do; one that never can is told of at once, and so is a silence that lasts. */
  private onStrange({ from, founding }: MemberFrame, theirs: SaidVersions, nowMs: number): readonly VersionGapEvent[] {
    const { range } = this;
    if (theirs.version > range.newest) this.heard(founding, range.newest, nowMs);
    const gap: VersionGapEvent = { type: 'versionGap', node: from.node, theirs, ours: range, lasting: false };
    if (founding !== '') {
      this.strangeSinceMs = Math.min(this.strangeSinceMs, nowMs);
      const lasts = nowMs - this.strangeSinceMs >= 2 * this.freshForMs;
      if (lasts && !this.isRefused) {
        this.isRefused = true;
        return [{ ...gap, lasting: true }];
      }
    }
    const isHopeless = theirs.version > range.newest || theirs.newest < range.least;
    return isHopeless && this.reports.isNews(`${from.node} ${theirs.version} ${theirs.newest}`) ? [gap] : nothing;
  }
}

interface Heard {
  readonly version: number;
  readonly untilMs: number;
}

const never: Heard = { version: 0, untilMs: -Infinity };
const nothing: readonly never[] = [];

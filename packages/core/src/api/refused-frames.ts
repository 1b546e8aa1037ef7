/** The frames that were refused while a process joined: where nobody is heard, that may be why. */
import type { EngineEvent } from '../runtime/engine.ts';

type FrameRefused = Extract<EngineEvent, { type: 'frameRefused' }>;

/** So many are told of in words; the details count all. */
const toldMax = 4;

const ofSecrets = new Set(['badSeal', 'sealed', 'unsealed']);

export class RefusedFrames {
  /** The last report of each code and sender; not each frame is reported. */
  readonly #reports = new Map<string, FrameRefused>();

  add(report: FrameRefused): void {
    this.#reports.set(`${report.code} ${report.node ?? ''}`, report);
  }

  /** Empty where none was refused. */
  get text(): string {
    const reports = [...this.#reports.values()];
    const told = reports.slice(0, toldMax).map(({ code, count, detail, node }) => {
      const from = node === null ? '' : ` of ${node}`;
      return `At least ${count} ${count === 1 ? 'frame' : 'frames'}${from} ${count === 1 ? 'was' : 'were'} refused (${code}): ${detail}`;
    });
    if (reports.some(({ code }) => ofSecrets.has(code))) told.push('Give every process of the group the same `secrets`.');
    return told.join(' ');
  }

  /** By code, how many at least. */
  get details(): { readonly refusedFrames?: Readonly<Record<string, number>> } {
    if (this.#reports.size === 0) return {};
    const counts: Record<string, number> = {};
    for (const { code, count } of this.#reports.values()) counts[code] = (counts[code] ?? 0) + count;
    return { refusedFrames: counts };
  }
}

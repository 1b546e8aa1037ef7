/** What a long run comes to: whether anything that a process keeps was larger in the last third of it than in the first. */

/** Of one voter at one moment. */
export interface Sample {
  readonly atMs: number;
  /** Slots that its log keeps, and what they take in a frame, from above. */
  readonly logSlots: number;
  readonly logBytes: number;
  /** After a full collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** On the disk of this machine, of its own store or of the broker that keeps all of them; null where there is none to be seen. */
  readonly storeBytes: number | null;
  /** Up to where its log is forgotten, and up to where it is known to be chosen, since the beginning. */
  readonly floor: number;
  readonly chosenIndex: number;
}

export const measures = ['logSlots', 'logBytes', 'heapBytes', 'rssBytes', 'storeBytes'] as const;
export type Measure = (typeof measures)[number];

export interface Course {
  /** Medians of the first and of the last third. */
  readonly first: number;
  readonly last: number;
  readonly max: number;
  readonly flat: boolean;
}

export type Courses = Readonly<Record<Measure, Course | null>>;

/** What moves to and fro without growing: a heartbeat's worth of the log, a collection that came late, a page more. */
const slack: Readonly<Record<Measure, number>> = {
  logSlots: 2_048,
  logBytes: 2 ** 20,
  heapBytes: 8 * 2 ** 20,
  rssBytes: 32 * 2 ** 20,
  storeBytes: 16 * 2 ** 20,
};
const growthMax = 1.1;

export function coursesOf(samples: readonly Sample[]): Courses {
  const courses = measures.map((measure) => {
    const values = samples.flatMap((sample) => sample[measure] ?? []);
    return [measure, values.length < 3 ? null : courseOf(values, slack[measure])] as const;
  });
  return Object.fromEntries(courses) as Courses;
}

export function isFlat(courses: Courses): boolean {
  return measures.every((measure) => courses[measure]?.flat ?? measure === 'storeBytes');
}

function courseOf(values: readonly number[], slackOf: number): Course {
  const third = Math.floor(values.length / 3);
  const [first, last] = [median(values.slice(0, third)), median(values.slice(-third))];
  return { first, last, max: Math.max(...values), flat: last <= first * growthMax + slackOf };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

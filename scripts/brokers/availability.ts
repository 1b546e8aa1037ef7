/** Whether a broker can be had, from where, and, where it cannot, what each source that was tried said. */

export type SourceName = 'address' | 'path' | 'docker' | 'fetched';

export interface Found {
  readonly available: true;
  readonly source: SourceName;
  /** The address, the binary or the folder. */
  readonly detail: string;
  readonly version: string;
}

export interface Unavailable {
  readonly available: false;
  /** One sentence for each source, in the order tried. */
  readonly reasons: readonly string[];
}

export type Availability = Found | Unavailable;

/** What a caller needs of its broker; it decides which sources can serve. */
export interface BrokerNeeds {
  /**
   * `true`: the caller stops or kills it, so an address that belongs to somebody else will not do. `'process'`: it configures it or
   * needs its process id as well, so docker will not do either.
   */
  readonly own?: boolean | 'process';
  /** How many servers; three make a cluster. */
  readonly cluster?: 1 | 3;
  /** `false` takes what is already fetched and fetches nothing. */
  readonly fetch?: boolean;
}

/** A source either says what it found or throws the reason why it has nothing. */
export interface Source<T extends Found> {
  readonly name: SourceName;
  find(): Promise<T>;
  /** True when a failure here is final: the user named it, so looking elsewhere would hide the mistake. */
  readonly decisive?: boolean;
}

/** The first source that has something. */
export async function findFirst<T extends Found>(sources: readonly Source<T>[]): Promise<T | Unavailable> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return await source.find();
    } catch (error) {
      reasons.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
      if (source.decisive) break;
    }
  }
  return { available: false, reasons };
}

export function explain(broker: string, unavailable: Unavailable): string {
  return [`No ${broker} could be had.`, ...unavailable.reasons.map((reason) => `  - ${reason}`)].join('\n');
}

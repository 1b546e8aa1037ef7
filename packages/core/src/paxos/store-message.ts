/** What voters say to one another of how far their stores are, so that one that went back is found out. The safety rule 21. */

export type StoreMessage = StoreAt | StoresSeen | Recall | Recalled;

/** Beside a promise or the answer to a heartbeat, to whoever is given that: how many records the sender's store holds for good. */
export interface StoreAt {
  readonly type: 'storeAt';
  readonly position: number;
}

/** Beside a heartbeat: the highest position that its sender knows of each voter of the frame's configuration, in their order. */
export interface StoresSeen {
  readonly type: 'storesSeen';
  readonly positions: readonly number[];
}

/** From a voter that came back with a memory: what position was seen of it, in this very incarnation? */
export interface Recall {
  readonly type: 'recall';
  readonly nonce: string;
}

export interface Recalled {
  readonly type: 'recalled';
  readonly nonce: string;
  /** 0 from whoever knows of none. */
  readonly position: number;
}

/** So many records stand for good in this store: for those that a snapshot stands for, or that do not count. */
export interface PositionRecord {
  readonly type: 'position';
  readonly position: number;
}

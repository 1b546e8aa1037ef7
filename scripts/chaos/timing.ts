/** How long things last in a group under chaos: short sessions, so that an episode of seconds outlives several of them. */

export type BrokerName = 'nats' | 'kafka';

export interface ChaosTiming {
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly sessionTtlMs: number;
  /** Of a process that is stopped until others hold what it held: its session, and a new leader before it where it led. */
  readonly stallMs: number;
  /** From the healing of everything to the last process having had every lock. */
  readonly recoveryBoundMs: number;
}

const base = {
  nats: { heartbeatMs: 50, electionTimeoutMs: 250, sessionTtlMs: 3_400, reconnectMs: 3_000 },
  kafka: { heartbeatMs: 120, electionTimeoutMs: 500, sessionTtlMs: 6_700, reconnectMs: 10_000 },
} as const;

/**
 * 1. A TTL is four of the longest election timeouts and two keep-alive periods at least, as `join` asks.
 * 2. A stall outlasts an election, the full TTL that a new leader gives, and the next holder's write.
 * 3. Recovery may need a reconnect, an election, the end of a dead namesake's session and as much again where an election falls into it.
 */
export function timingOf(broker: BrokerName): ChaosTiming {
  const { heartbeatMs, electionTimeoutMs, sessionTtlMs, reconnectMs } = base[broker];
  return {
    heartbeatMs,
    electionTimeoutMs,
    sessionTtlMs,
    stallMs: sessionTtlMs + 4 * electionTimeoutMs + 700,
    recoveryBoundMs: reconnectMs + 8 * electionTimeoutMs + 3 * sessionTtlMs,
  };
}

/** An episode must have room for one stall. */
export function leastSeconds(broker: BrokerName): number {
  return Math.ceil((timingOf(broker).stallMs + 2_500) / 1_000);
}

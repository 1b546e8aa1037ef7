/** The liveness check of a voter, as docs/operations.md shows it below this line. */
import type { Quorate } from '@quorate/core';

/** False where this voter is connected and has been without a majority for longer than any founding takes. */
export function livenessOf(quorate: Quorate, limitMs = 120_000): () => boolean {
  let sinceMs = Infinity;
  quorate.status$.subscribe(({ quorum, connection }) => {
    const isStuck = !quorum && connection === 'connected';
    sinceMs = isStuck ? Math.min(sinceMs, performance.now()) : Infinity;
  });
  return () => performance.now() - sinceMs < limitMs;
}

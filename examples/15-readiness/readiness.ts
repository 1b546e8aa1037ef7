/** What the probes are told: the only place that says when a pod is ready, and when it must be started again. */
import type { Quorate, Status } from '@quorate/core';

export interface Verdict {
  readonly ok: boolean;
  /** In a few words, for whoever looks at the pod. */
  readonly why: string;
}

/**
 * Ready: a voter has its seat and its leader hears it, or a client has a session and a leader (`status.ready`); and the session was
 * confirmed lately, under a leader that reaches a majority. A roll-out may go on to the next pod.
 */
export function readinessOf({ ready, notReady, session, quorum, missing, text }: Status): Verdict {
  if (!ready) return { ok: false, why: notReady ?? text };
  if (session !== 'healthy') return { ok: false, why: `the session is ${session}` };
  if (!quorum) return { ok: false, why: `no majority, not heard: ${missing.join(', ')}` };
  return { ok: true, why: text };
}

/**
 * Live until it stopped for good: its storage failed, it is of a version that the group does not know, its client was closed. Starting it
 * again may help then. A lost majority is no reason: this pod is needed to bring it back.
 */
export function livenessOf(quorate: Quorate): () => Verdict {
  let stopped: string | null = null;
  quorate.events$.subscribe((event) => {
    if (event.type === 'stopped') stopped = event.error.message;
  });
  return () => {
    const why = stopped ?? (quorate.status.connection === 'closed' ? 'the client was closed' : null);
    return why === null ? { ok: true, why: 'running' } : { ok: false, why };
  };
}

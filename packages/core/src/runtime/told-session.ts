/** What was told of a member's session: the member is ahead of it for as long as a turn is being written. */
import type { MemberEvent } from '../group/member.ts';
import type { SessionKey } from '../session/command.ts';
import type { EngineStatus } from './engine.ts';

export class ToldSession {
  state: EngineStatus['session'] = 'opening';
  /** Sessions that ended though nobody closed them. */
  lost = 0;
  #key: SessionKey | null = null;

  onEvent(event: MemberEvent): void {
    if (event.type === 'sessionOpened') this.#key = event.session;
    if (event.type === 'sessionOpened' || event.type === 'sessionHealthy') this.state = 'healthy';
    else if (event.type === 'sessionJeopardy') this.state = 'jeopardy';
    else if (event.type === 'sessionLost') {
      this.#key = null;
      this.state = event.reason === 'closed' ? 'closed' : 'lost';
      if (event.reason !== 'closed') this.lost += 1;
    }
  }

  /** Null for one that has begun, and nobody knows yet: the end of the one before it is still to be told to whoever waits under that. */
  told(session: SessionKey | null): SessionKey | null {
    return session === this.#key ? session : null;
  }
}

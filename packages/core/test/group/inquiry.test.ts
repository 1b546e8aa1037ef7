/** How a client learns which group there is. The safety rule 11: retained frames count for nothing. */
import { Inquiry } from '../../src/group/inquiry.ts';
import type { Greeting, Standing } from '../../src/paxos/founding-message.ts';
import { configurationOf, proposer } from '../paxos/desk.ts';

const voters = ['a', 'b', 'c'];
const record = { configuration: configurationOf(...voters), tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding: true };

function greeting(nonce: string, standing: Standing): Greeting {
  return { type: 'greeting', nonce, voters, wallMs: 0, tokenSecond: 0, longestTtlMs: 1_000, standing, record };
}

/** A client that has asked once, and with which nonce. */
function asked(): { readonly inquiry: Inquiry; readonly nonce: string } {
  const inquiry = new Inquiry(proposer('x'), voters, 100);
  return { inquiry, nonce: inquiry.ask(0, 0)?.nonce ?? '' };
}

describe('an inquiry', () => {
  it('believes in a group that a leader or a founder answers its present nonce with (3 voters, 1 client)', () => {
    const { inquiry, nonce } = asked();
    expect(inquiry.onGreeting(proposer('a'), greeting(nonce, 'accepted'), null)).toBeNull();
    expect(inquiry.onGreeting(proposer('a'), greeting(nonce, 'founded'), null)).toBe(record);
    expect(inquiry.onGreeting(proposer('b'), greeting(nonce, 'led'), null)).toBe(record);
  });

  it('believes no answer to an earlier nonce, nor to nobody’s (3 voters, 1 client)', () => {
    const { inquiry, nonce } = asked();
    for (let nowMs = 100; nowMs <= 400; nowMs += 100) inquiry.ask(nowMs, nowMs);
    expect(inquiry.isAnswer(greeting(nonce, 'led'))).toBe(false);
    expect(inquiry.onGreeting(proposer('a'), greeting(nonce, 'led'), null)).toBeNull();
    expect(inquiry.onGreeting(proposer('a'), greeting('x#9.1.q1', 'led'), null)).toBeNull();
    expect(inquiry.heard.size).toBe(0);
  });

  it('once it knows a group, believes a leader alone in another (3 voters, 1 client)', () => {
    const { inquiry, nonce } = asked();
    expect(inquiry.onGreeting(proposer('a'), greeting(nonce, 'founded'), record)).toBeNull();
    expect(inquiry.onGreeting(proposer('a'), greeting(nonce, 'led'), record)).toBe(record);
  });
});

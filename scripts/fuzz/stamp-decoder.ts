/** The decoder of stamps in message headers, which anyone who may publish can write, and the fence behind it. */
import { TokenFence } from '../../packages/core/src/partition/token-fence.ts';
import { isResource, isToken, readStamp, writeStamp } from '../../packages/core/src/partition/token-stamp.ts';
import type { TokenStamp } from '../../packages/core/src/partition/token-stamp.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { tokenOfKafka } from '../../packages/kafka-adapter/src/token-header.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { mutateBytes, oddNumbers, oddTexts, oneOf, randomBytes } from './mutation.ts';

const remembered = 4;

/** A life is a consumer: what it passed for a resource is the least that it may pass later. */
export function stampDecoder(): Decoder {
  let memory = new TokenFence({ resourcesMax: remembered });
  let passed = new Map<string, number>();
  const renew = (): void => {
    memory = new TokenFence({ resourcesMax: remembered });
    passed = new Map();
  };
  const read = (bytes: Uint8Array): Reading => {
    const stamp = stampOf(bytes);
    const verdict = memory.judge(stamp?.resource, stamp?.token);
    must((verdict === 'unfenced') === (stamp === undefined), 'a stamp was read that the fence cannot judge');
    if (stamp === undefined) return 'refused';
    must(verdict !== 'fresh' || stamp.token >= (passed.get(stamp.resource) ?? 0), 'an older token came in after a newer one');
    if (verdict === 'fresh') passed.set(stamp.resource, stamp.token);
    must(memory.snapshot().newest.length <= remembered, 'the fence remembers more than it may');
    return () => checkStamp(stamp);
  };
  return { name: 'token-stamp', reads: 'stamps in the headers of messages', input: stampInput, read, renew, runsPerLife: 200 };
}

/** The first zero ends the resource, as two headers of a record. */
function stampOf(bytes: Uint8Array): TokenStamp | undefined {
  const end = bytes.indexOf(0);
  if (end < 0) return tokenOfKafka({ headers: { 'quorate-resource': Buffer.from(bytes) } });
  const headers = { 'quorate-resource': Buffer.from(bytes.subarray(0, end)), 'quorate-token': Buffer.from(bytes.subarray(end + 1)) };
  return tokenOfKafka({ headers });
}

function checkStamp(stamp: TokenStamp): void {
  must(isResource(stamp.resource) && isToken(stamp.token), 'a stamp was read that cannot be written');
  const written = writeStamp(stamp);
  const again = readStamp(written.resource, written.token);
  must(again?.resource === stamp.resource && again.token === stamp.token, 'a stamp came back as another');
}

const resources = ['orders/12', 'orders%2F12', 'gr%C3%B6%C3%9Fe', '%ed%a0%80', '%', '%2', '%zz', '%00'];

function stampInput(random: Random): Uint8Array {
  if (random.below(8) === 0) return randomBytes(random, 60);
  const resource = random.below(2) === 0 ? oneOf(random, resources) : oneOf(random, oddTexts);
  const token = random.below(3) === 0 ? oneOf(random, oddNumbers) : random.below(100);
  const bytes = Buffer.from(`${resource}\0${token}`);
  return random.below(4) === 0 ? mutateBytes(bytes, bytes, random) : bytes;
}

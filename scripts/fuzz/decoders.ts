/** Every decoder there is. What is not here reads no bytes of others: a worker thread's posts are looked at before their bytes become frames. */
import { frameDecoders } from './codec-decoders.ts';
import type { Decoder } from './decoder.ts';
import { kafkaDecoders } from './kafka-decoders.ts';
import { memberDecoders } from './member-decoders.ts';
import { natsDecoders } from './nats-decoders.ts';
import { recordDecoder } from './record-decoder.ts';
import { snapshotDecoders } from './snapshot-decoders.ts';
import { stampDecoder } from './stamp-decoder.ts';
import { textDecoders } from './text-decoders.ts';

export function allDecoders(): readonly Decoder[] {
  const ofStores = [recordDecoder(), ...snapshotDecoders()];
  const ofAdapters = [...kafkaDecoders(), ...natsDecoders()];
  return [...frameDecoders(), ...textDecoders(), stampDecoder(), ...ofStores, ...ofAdapters, ...memberDecoders()];
}

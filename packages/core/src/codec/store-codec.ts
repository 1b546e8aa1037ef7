/** Messages about how far stores are to tuples and back. `docs/protocol.md`, "Stores that go back". */
import { unreachable } from '../errors.ts';
import type { StoreMessage } from '../paxos/store-message.ts';
import { count, each, identifier, tuple, type Tuple } from './field.ts';
import { messageCode } from './message-code.ts';

// storeAt    => 18 position
// storesSeen => 19 [position]                                     one for each voter of the frame's configuration, in their order
// recall     => 20 nonce
// recalled   => 21 nonce position

export function storeTuple(message: StoreMessage): Tuple {
  switch (message.type) {
    case 'storeAt':
      return [messageCode.storeAt, message.position];
    case 'storesSeen':
      return [messageCode.storesSeen, message.positions];
    case 'recall':
      return [messageCode.recall, message.nonce];
    case 'recalled':
      return [messageCode.recalled, message.nonce, message.position];
    default:
      return unreachable(message);
  }
}

/** `null` for a code that is no message about stores. */
export function readStoreMessage(code: number, fields: Tuple): StoreMessage | null {
  switch (code) {
    case messageCode.storeAt: {
      const [, position] = tuple(fields, 2, 'storeAt');
      return { type: 'storeAt', position: count(position, 'storeAt.position') };
    }
    case messageCode.storesSeen: {
      const [, positions] = tuple(fields, 2, 'storesSeen');
      return { type: 'storesSeen', positions: each(positions, 'storesSeen.positions', count) };
    }
    case messageCode.recall: {
      const [, nonce] = tuple(fields, 2, 'recall');
      return { type: 'recall', nonce: identifier(nonce, 'recall.nonce') };
    }
    case messageCode.recalled: {
      const [, nonce, position] = tuple(fields, 3, 'recalled');
      return { type: 'recalled', nonce: identifier(nonce, 'recalled.nonce'), position: count(position, 'recalled.position') };
    }
    default:
      return null;
  }
}

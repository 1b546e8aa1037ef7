/** Records in bytes: as they were when their kind was added, read back as they were written, and refused with a reason otherwise. */
import fc from 'fast-check';
import { isFault } from '../../src/codec/fault.ts';
import { decodeRecord, encodeRecord } from '../../src/codec/record-codec.ts';
import type { MemberRecord } from '../../src/group/member.ts';
import { readRecord } from '../../src/storage/read-record.ts';
import { isQuorateError } from '../../src/errors.ts';
import golden from './records.golden.json';
import { recordsByType } from './arbitraries.ts';
import { recordSamples } from './record-samples.ts';

const bytesByType: Readonly<Record<MemberRecord['type'], string>> = golden;

describe.each(Object.values<MemberRecord>(recordSamples))('a record of the kind $type', (record) => {
  const bytes = Buffer.from(bytesByType[record.type], 'hex');

  it('has the bytes it always had', () => {
    expect(Buffer.from(encodeRecord(record)).toString('hex')).toBe(bytes.toString('hex'));
  });

  it('is read from the bytes it always had', () => {
    expect(decodeRecord(bytes)).toEqual(record);
  });

  it('is refused where any byte at its end is missing', () => {
    for (let length = 0; length < bytes.length; length += 1) expect(isFault(decodeRecord(bytes.subarray(0, length)))).toBe(true);
  });

  it('is refused with a byte more', () => {
    expect(decodeRecord(Buffer.concat([bytes, Buffer.of(0xc0)]))).toMatchObject({ code: 'malformed' });
  });
});

describe.each(Object.entries(recordsByType))('any record of the kind %s', (_, arbitrary) => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(arbitrary, (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
      { numRuns: 50 },
    );
  });
});

it('tells a record of a later version from one that is broken', () => {
  const bytes = Buffer.from(golden.promised, 'hex');
  const later = Buffer.from(bytes);
  later[0] = 2;
  const broken = Buffer.from(bytes);
  broken[2] = 0xc1;

  expect(codeOf(() => readRecord(later, 'record 7'))).toBe('STORAGE_VERSION');
  expect(codeOf(() => readRecord(broken, 'record 7'))).toBe('STORAGE_CORRUPT');
});

function codeOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return isQuorateError(error) ? error.code : String(error);
  }
}

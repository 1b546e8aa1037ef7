/** Snappy as far as a test needs it: literals only, which every reader of the format understands. */

const literalBytesMax = 60;

export function compress(data: Buffer): Buffer {
  const parts: Buffer[] = [varint(data.length)];
  for (let at = 0; at < data.length; at += literalBytesMax) {
    const literal = data.subarray(at, at + literalBytesMax);
    parts.push(Buffer.from([(literal.length - 1) << 2]), literal);
  }
  return Buffer.concat(parts);
}

export function decompress(data: Buffer): Buffer {
  let at = 0;
  while ((data[at] ?? 0) >= 0x80) at++;
  const parts: Buffer[] = [];
  for (at++; at < data.length;) {
    const length = ((data[at] ?? 0) >> 2) + 1;
    parts.push(data.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

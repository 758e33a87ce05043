import { Failure } from '../outcome.ts';

/**
 * One field of a protobuf message on the wire: its number, and its value as a varint or as bytes. The two fixed
 * widths are passed over; no message that we read has them.
 *
 * Format: https://protobuf.dev/programming-guides/encoding/ (varint, I64, LEN, I32).
 */
export type Field =
  | { readonly number: number; readonly varint: bigint }
  | { readonly number: number; readonly bytes: Uint8Array };

/** The fields of one message in the order they are written. A message that is cut off is `engine-failed`. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw cutOff();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw cutOff();
  };
  const bytes = (length: number): Uint8Array => {
    if (length > message.length - at) throw cutOff();
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, varint: varint() };
        break;
      case 1:
        bytes(8);
        break;
      case 2:
        yield { number, bytes: bytes(Number(varint())) };
        break;
      case 5:
        bytes(4);
        break;
      default:
        throw cutOff();
    }
  }
}

function cutOff(): Failure {
  return new Failure('engine-failed', 'The engine sent a progress message that is not valid protobuf.');
}

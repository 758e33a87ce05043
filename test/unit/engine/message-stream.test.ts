import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EngineMessage, readMessages } from '../../../src/engine/message-stream.ts';

async function read(...chunks: (Uint8Array | string)[]): Promise<EngineMessage[]> {
  const messages: EngineMessage[] = [];
  for await (const message of readMessages(Readable.from(chunks))) messages.push(message);
  return messages;
}

it('reads the error that comes inside of a 200', async () => {
  expect(await read('{"errorDetail":{"message":"denied","code":7},"error":"denied"}\n')).toEqual([
    { error: { message: 'denied', code: 7 } },
  ]);
  expect(await read('{"error":"denied"}\n')).toEqual([{ error: { message: 'denied' } }]);
  expect(await read('{"errorDetail":{},"error":"denied"}\n')).toEqual([{ error: { message: 'denied' } }]);
  expect(await read('{"errorDetail":{}}\n')).toEqual([{ error: { message: 'no message' } }]);
});

it('keeps a last line without newline', async () => {
  expect(await read('{"status":"a"}\r\n{"status":"b"}')).toEqual([{ status: 'a' }, { status: 'b' }]);
});

it('does not crash over a page of a proxy', async () => {
  const messages = await read('<html>\n<body>504</body>\n', '"text"\n[1]\nnull\n');
  expect(messages.map((message) => message.unreadable)).toEqual([
    '<html>',
    '<body>504</body>',
    '"text"',
    '[1]',
    'null',
  ]);
});

it('reads the same however the bytes are cut', async () => {
  const json = fc.array(fc.record({ stream: fc.string({ unit: 'grapheme' }) }), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(json, fc.integer({ min: 1, max: 9 }), async (messages, size) => {
      const bytes = Buffer.from(messages.map((message) => JSON.stringify(message)).join('\n'));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      expect(await read(...chunks)).toEqual(messages);
    }),
  );
});

it('refuses a line without end', async () => {
  const endless = Array.from({ length: 20 }, () => Buffer.alloc(1024 * 1024, 120));
  await expect(read(...endless)).rejects.toMatchObject({ code: 'engine-failed' });
});

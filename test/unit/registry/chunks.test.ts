import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunksOf } from '../../../src/registry/chunks.ts';

async function all(source: Parameters<typeof chunksOf>[0], size: number) {
  const found: Buffer[] = [];
  for await (const chunk of chunksOf(source, size)) found.push(Buffer.from(chunk));
  return found;
}

it('cuts bytes and streams alike, all pieces of one size but the last', async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 30 }), async (given, size) => {
      const whole = Buffer.concat(given);
      const fromStream = await all({ size: whole.length, open: () => Readable.from(given) }, size);
      expect(await all(whole, size)).toEqual(fromStream);
      expect(Buffer.concat(fromStream)).toEqual(whole);
      expect(fromStream.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
      expect(fromStream.at(-1)?.length ?? 1).toBeGreaterThan(0);
    }),
  );
});

it('says why a source cannot be read', async () => {
  const open = () =>
    Readable.from(
      (async function* () {
        yield Buffer.from('a');
        throw new Error('EIO');
      })(),
    );
  await expect(all({ size: 9, open }, 4)).rejects.toMatchObject({
    code: 'candidate-changed',
    message: expect.stringContaining('EIO'),
  });
});

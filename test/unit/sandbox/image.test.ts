import { expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';

it('makes the same image every time, and another of other content', async () => {
  const make = (content: string) =>
    makeImage([[{ path: 'etc/name', content, mode: 0o600 }]], { architecture: 'amd64' });
  const [first, again, other] = [await make('a'), await make('a'), await make('b')];
  expect(again.digest).toBe(first.digest);
  expect(other.digest).not.toBe(first.digest);
});

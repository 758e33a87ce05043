import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Channel, demultiplexer } from '../../../src/harness/demux.ts';
import { tailKeeper } from '../../../src/harness/exec.ts';
import { logFile } from '../../../src/harness/log-file.ts';
import { lastLinesOf } from '../../../src/harness/logs.ts';

const folder = mkdtempSync(join(tmpdir(), 'knowngood-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const plain = { push: (chunk: string) => chunk, end: () => '' };

const frame = (channel: Channel, text: string): Buffer => {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = channel === 'stdout' ? 1 : 2;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

describe("an engine's output stream", () => {
  it('is taken apart wherever it is cut', () => {
    const part = fc.tuple(fc.constantFrom<Channel>('stdout', 'stderr'), fc.string());
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.integer({ min: 1, max: 20 })), (parts, cuts) => {
        const stream = Buffer.concat(parts.map(([channel, text]) => frame(channel, text)));
        const got: Record<Channel, string> = { stdout: '', stderr: '' };
        const chunks: Record<Channel, Buffer[]> = { stdout: [], stderr: [] };
        const take = demultiplexer(false, (channel, bytes) => chunks[channel].push(Buffer.from(bytes)));
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          take(stream.subarray(at, at + cut));
          at += cut;
        }
        for (const channel of ['stdout', 'stderr'] as const)
          got[channel] = Buffer.concat(chunks[channel]).toString();
        const wanted = (channel: Channel) =>
          parts.flatMap(([found, text]) => (found === channel ? [Buffer.from(text)] : []));
        expect(got).toEqual({
          stdout: Buffer.concat(wanted('stdout')).toString(),
          stderr: Buffer.concat(wanted('stderr')).toString(),
        });
      }),
    );
  });

  it('of a terminal has no frames', () => {
    const got: string[] = [];
    demultiplexer(true, (channel, bytes) => got.push(`${channel} ${bytes}`))(Buffer.from('plain'));
    expect(got).toEqual(['stdout plain']);
  });
});

describe('a log file', () => {
  it('is cut at its cap, between characters, and says so once', async () => {
    const path = join(folder, 'cut');
    const file = logFile(path, 10, plain);
    expect(await file.write(Buffer.from('12345678'))).toBe(true);
    expect(await file.write(Buffer.from('9€€'))).toBe(false);
    expect(await file.write(Buffer.from('more'))).toBe(false);
    await file.end();
    expect(readFileSync(path, 'utf8')).toBe('123456789\n[truncated after 10 bytes]\n');
    expect(file.truncated).toBe(true);
  });

  it('joins a character that arrives in two chunks', async () => {
    const path = join(folder, 'joined');
    const file = logFile(path, 100, plain);
    const euro = Buffer.from('€');
    await file.write(euro.subarray(0, 1));
    await file.write(euro.subarray(1));
    await file.end();
    expect(readFileSync(path, 'utf8')).toBe('€');
  });

  it('that cannot be written ends, and the run goes on', async () => {
    const file = logFile(join(folder, 'no', 'such', 'folder'), 100, plain);
    expect(await file.write(Buffer.from('text'))).toBe(false);
    await file.end();
    expect(file.broken).toMatch(/ENOENT/);
  });

  it('is never written over one that is there', async () => {
    const path = join(folder, 'joined');
    const file = logFile(path, 100, plain);
    await file.write(Buffer.from('other'));
    await file.end();
    expect(readFileSync(path, 'utf8')).toBe('€');
  });
});

describe('the last lines', () => {
  it('are fifty, each of bounded length', () => {
    const lines = lastLinesOf(`${Array.from({ length: 80 }, (_, n) => `line ${n}`).join('\n')}\n`);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([50, 'line 30', 'line 79']);
    expect(lastLinesOf('x'.repeat(5000))).toEqual([`${'x'.repeat(2000)}…`]);
  });

  it('of a flood are kept in bounded memory', () => {
    const tail = tailKeeper();
    for (let n = 0; n < 5000; n++) tail.add(Buffer.from(`${n} ${'x'.repeat(1000)}\n`));
    expect(tail.text().length).toBe(64 * 1024);
    expect(tail.text().endsWith(`${'x'.repeat(1000)}\n`)).toBe(true);
  });
});

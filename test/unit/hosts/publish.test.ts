import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { droneHost } from '../../../src/hosts/drone.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import type { StepReport } from '../../../src/hosts/host.ts';
import { recorded } from './recorded.ts';

const report: StepReport = {
  step: 'label',
  outcome: 'done',
  reasons: ['labelled'],
  outputs: { outcome: 'done', version: '1.2.3', labels: '{"a":"b \\u000a"}' },
  summary: '### label\n',
  facts: [['Version', '1.2.3']],
};

function file(name: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'knowngood-publish-')), name);
  writeFileSync(path, '');
  return path;
}

afterEach(() => vi.unstubAllEnvs());

describe('publishing a step', () => {
  it('on GitHub writes the output file and the job summary', async () => {
    const [output, summary] = [file('output'), file('summary')];
    // @actions/core reads the environment of the process.
    vi.stubEnv('GITHUB_OUTPUT', output);
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    const env = recorded('github-push', { GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary });
    await githubHost(env, () => undefined).publish(report);
    const blocks = readFileSync(output, 'utf8');
    expect(blocks).toMatch(/^version<<(ghadelimiter_\S+)\n1\.2\.3\n\1$/m);
    expect(blocks).toMatch(/^outcome<<(ghadelimiter_\S+)\ndone\n\1$/m);
    expect(readFileSync(summary, 'utf8')).toContain('### label');
  });

  it('on GitHub without those files prints no value as a command', async () => {
    let out = '';
    const write = (text: string): void => {
      out += text;
    };
    await githubHost(recorded('github-push'), write).publish(report);
    expect(out).toBe('');
  });

  it.each([
    ['.env', 'outcome="done"\nversion="1.2.3"\nlabels="{\\"a\\":\\"b \\\\u000a\\"}"\n'],
    ['.out', 'outcome done\nversion 1.2.3\nlabels {"a":"b \\u000a"}\n'],
  ])('on Harness writes an output file ending in %s', async (ending, expected) => {
    const path = file(`output${ending}`);
    await droneHost(recorded('drone-push', { DRONE_OUTPUT: path }), () => undefined).publish(report);
    expect(readFileSync(path, 'utf8')).toBe(expected);
  });

  it('on Drone prints the card, masked', async () => {
    let out = '';
    const write = (text: string): void => {
      out += text;
    };
    const host = droneHost(recorded('drone-push', { DRONE_CARD_PATH: '/dev/stdout' }), write);
    for (const secret of ['s3cr3t', 'title', '":"']) host.log.mask(secret);
    await host.publish({ ...report, facts: [['Version', '1.2.3-s3cr3t']] });
    const [, card] = /^\u001b\]1338;([A-Za-z0-9+/=]+)\u001b\]0m\n$/.exec(out) ?? [];
    const { data } = JSON.parse(Buffer.from(card ?? '', 'base64').toString());
    expect(data).toEqual({
      title: 'knowngood label',
      outcome: 'done',
      reason: 'labelled',
      facts: [{ title: 'Version', value: '1.2.3-***' }],
    });
  });

  it.each([
    ['the last one', 'label, step-back', ['done', 'done'] as const, 1],
    ['the one that ends the line', 'label, step-back, test', ['done', 'refused'] as const, 1],
    ['none before that', 'label, step-back, test', ['done', 'done'] as const, 0],
  ])('on Drone several steps have one card, by %s: a runner joins them all', async (_, step, ends, cards) => {
    let out = '';
    const write = (text: string): void => {
      out += text;
    };
    const host = droneHost(
      recorded('drone-push', { DRONE_CARD_PATH: '/dev/stdout', PLUGIN_STEP: step }),
      write,
    );
    for (const [n, outcome] of ends.entries())
      await host.publish({ ...report, step: ['label', 'step-back'][n]!, outcome });
    const found = [...out.matchAll(/\u001b\]1338;([A-Za-z0-9+/=]+)\u001b\]0m\n/g)];
    expect(found).toHaveLength(cards);
    if (cards === 0) return;
    const { data } = JSON.parse(Buffer.from(found[0]![1]!, 'base64').toString());
    expect(data).toMatchObject({ title: 'knowngood step-back', outcome: ends[1] });
    expect(data.facts[0]).toEqual({ title: 'label', value: 'done labelled' });
  });
});

import { describe, expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import { commitNamed, run } from './project.ts';

const box = await sandbox();
const from = await box.base('busybox');
const dockerfile = `FROM ${from}\nARG GREET=x\nCOPY . /app/\nRUN echo "héllo $GREET" > /greeting\n`;
let number = 0;
const facts = (name: string) => ({
  image: `${box.registry.host}/stage/${name}-${process.pid}-${number++}`,
  dockerHost: box.dockerHost,
  files: { Dockerfile: dockerfile, 'a.txt': 'a\n' },
  version: '1.0.0',
});

describe('build-push', () => {
  it('builds and stages a release', async () => {
    const { image, result, failure, log } = await run(facts('release'));
    expect(failure, log).toBeUndefined();
    expect(result?.reasons).toEqual(['built']);
    expect(image).toMatchObject({
      source: 'built',
      pushed: true,
      stagedTags: [`sha-${commitNamed('one').slice(0, 12)}`],
    });
    expect(image?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(image?.labels['dev.knowngood.recipe']).toBe(image?.recipeDigest);
    expect(image?.labels['org.opencontainers.image.version']).toBe('1.0.0');
    expect(log).toContain('RUN echo');
  });
});

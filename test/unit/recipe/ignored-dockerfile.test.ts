import { describe, expect, it } from 'vitest';
import { hideDockerfile } from '../../../src/recipe/ignored-dockerfile.ts';

const hide = (lines: string, path = 'Dockerfile') =>
  hideDockerfile(Buffer.from(`FROM scratch\n${lines}\n`), path);

describe('hideDockerfile', () => {
  it.each<[string, string, string | undefined]>([
    ['COPY . /', 'Dockerfile', 'COPY --exclude=Dockerfile . /'],
    ['COPY --chown=1 . /', 'Dockerfile', 'COPY --exclude=Dockerfile --chown=1 . /'],
    ['COPY ["./", "/a b"]', 'Dockerfile', 'COPY --exclude=Dockerfile ["./", "/a b"]'],
    ['ADD / /app', 'Dockerfile', 'ADD --exclude=Dockerfile / /app'],
    ['COPY docker/ src /', 'docker/Dockerfile', 'COPY --exclude=Dockerfile docker/ src /'],
    [
      'COPY . docker /',
      'docker/Dockerfile',
      'COPY --exclude=docker/Dockerfile --exclude=Dockerfile . docker /',
    ],
    ['COPY * /', 'Dockerfile', undefined],
    ['COPY Dockerfile /', 'Dockerfile', undefined],
    ['COPY $FILES /', 'Dockerfile', undefined],
  ])('%s copies %s', (line, path, expected) => {
    const hiding = hide(line, path);
    expect(hiding.needed).toBe(true);
    expect(hiding.excluded && Buffer.from(hiding.excluded).toString()).toBe(
      expected === undefined ? undefined : `FROM scratch\n${expected}\n`,
    );
  });

  it.each([
    'COPY src /app',
    'COPY package.json yarn.lock /',
    'COPY *.json /',
    'COPY --from=0 . /',
    'RUN cp . /',
    'COPY docker/Dockerfile /',
    'COPY src/* /',
  ])('%s does not copy it', (line) => {
    expect(hide(line).needed).toBe(false);
  });

  it.each([
    ['RUN --mount=type=cache,target=/c true', true],
    ['RUN <<EOT\ntrue\nEOT', true],
    ['COPY --link . /', true],
    ['COPY --chown=1 . /', false],
    ['RUN true', false],
  ])('%s needs BuildKit: %s', (line, expected) => {
    expect(hide(line).buildKitOnly).toBe(expected);
  });
});

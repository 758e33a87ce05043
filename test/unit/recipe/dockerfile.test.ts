import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatReference } from '../../../src/oci/reference.ts';
import { type BaseInputs, readBases } from '../../../src/recipe/bases.ts';
import { labelsOf, readDockerfile, targetStage } from '../../../src/recipe/dockerfile.ts';
import { readInstructions } from '../../../src/recipe/instructions.ts';

const folder = fileURLToPath(new URL('../../fixtures/dockerfiles/', import.meta.url));
const fixture = (name: string) => readDockerfile(readFileSync(`${folder}${name}.Dockerfile`), 'Dockerfile');
const dockerfile = (text: string) => readDockerfile(Buffer.from(text), 'Dockerfile');
const bases = (file: ReturnType<typeof dockerfile>, inputs: Partial<BaseInputs> = {}) => {
  const found = readBases(file, { buildArgs: {}, ...inputs });
  return {
    images: found.images.map(({ use, line, reference }) => `${line} ${use} ${formatReference(reference)}`),
    from: found.from && formatReference(found.from),
    unknown: found.unknownPlatform,
  };
};
const hub = 'docker.io/library/';
const sha = 'sha256:beefdbd8a1da6d2915566fde36db9db0b524eb737fc57cd1367effd16dc0d06d';

describe('the images of Dockerfiles as people write them', () => {
  const table: [string, Partial<BaseInputs>, string[], string | undefined][] = [
    [
      '01-node-multistage',
      {},
      [
        '1 frontend docker.io/docker/dockerfile:1.7',
        `5 from ${hub}node:22.11.0-bookworm-slim`,
        '17 from gcr.io/distroless/nodejs22-debian12:nonroot',
      ],
      'gcr.io/distroless/nodejs22-debian12:nonroot',
    ],
    [
      '01-node-multistage',
      { buildArgs: { NODE_VERSION: '20' }, target: 'BUILD' },
      ['1 frontend docker.io/docker/dockerfile:1.7', `5 from ${hub}node:20-bookworm-slim`],
      `${hub}node:20-bookworm-slim`,
    ],
    ['02-go-scratch', {}, [`1 from ${hub}golang:1.23-alpine`], undefined],
    [
      '03-copy-from-image',
      {},
      [
        `1 from ${hub}python:3.13-slim-bookworm`,
        '4 copy ghcr.io/astral-sh/uv:0.5.4',
        `5 copy ${hub}busybox:latest`,
        '9 mount registry.example.org:5000/tools/certs:2',
      ],
      `${hub}python:3.13-slim-bookworm`,
    ],
    ['04-bom-crlf', {}, [`1 from ${hub}alpine:3.20`], `${hub}alpine:3.20`],
    [
      '05-heredocs',
      {},
      ['1 frontend docker.io/docker/dockerfile:1', `2 from ${hub}debian:12`, `21 from ${hub}alpine:latest`],
      `${hub}alpine:latest`,
    ],
    [
      '06-escape-backtick',
      {},
      ['2 from mcr.microsoft.com/windows/nanoserver:ltsc2022'],
      'mcr.microsoft.com/windows/nanoserver:ltsc2022',
    ],
    [
      '07-args-in-from',
      {},
      ['4 from registry.example.org/base/runtime:stable'],
      'registry.example.org/base/runtime:stable',
    ],
    [
      '07-args-in-from',
      { buildArgs: { TAG: '2', REGISTRY: 'mirror.example.org', UNDECLARED: 'x' } },
      ['4 from mirror.example.org/base/runtime:2'],
      'mirror.example.org/base/runtime:2',
    ],
    [
      '08-digest',
      {},
      [`1 from ${hub}alpine:3.20@${sha}`, `2 from ${hub}alpine@${sha}`],
      `${hub}alpine@${sha}`,
    ],
    [
      '09-from-over-lines',
      {},
      [`1 from ${hub}nginx:1.27-alpine`, `7 copy ${hub}busybox:1`],
      `${hub}nginx:1.27-alpine`,
    ],
    ['10-case-and-spaces', {}, [`1 from ${hub}alpine:3.19`], `${hub}alpine:3.19`],
    [
      '11-php-extensions',
      { target: 'app' },
      [
        `4 from ${hub}composer:2`,
        '6 from docker.io/mlocati/php-extension-installer:2.7',
        `8 from ${hub}php:8.3-fpm-alpine`,
      ],
      `${hub}php:8.3-fpm-alpine`,
    ],
    [
      '12-rust-cargo-chef',
      {},
      ['1 from docker.io/lukemathwalker/cargo-chef:latest-rust-1', `16 from ${hub}debian:bookworm-slim`],
      `${hub}debian:bookworm-slim`,
    ],
    ['13-stage-numbers', {}, [`1 from ${hub}golang:1.22`, `3 from ${hub}alpine:3.18`], `${hub}alpine:3.18`],
    [
      '14-target-platform',
      { platform: 'linux/arm64' },
      [`1 from ${hub}alpine:3.20`, '2 from docker.io/arm64v8/alpine:3.20'],
      'docker.io/arm64v8/alpine:3.20',
    ],
    [
      '15-platform-in-name',
      { platform: 'linux/arm/v7' },
      ['2 from registry.example.org/base-arm:1'],
      'registry.example.org/base-arm:1',
    ],
    ['16-onbuild-and-shell', {}, [`1 from ${hub}node:22`], `${hub}node:22`],
    ['17-labels', {}, [`2 from ${hub}alpine:3.20`], `${hub}alpine:3.20`],
    ['18-comments-everywhere', {}, [`5 from ${hub}busybox:1.36`], `${hub}busybox:1.36`],
    ['19-hash-in-run', {}, [`1 from ${hub}busybox:latest`], `${hub}busybox:latest`],
    [
      '20-mounts',
      {},
      [
        `1 from ${hub}debian:12`,
        `2 from ${hub}alpine:3.20`,
        `4 mount ${hub}busybox:1`,
        '5 mount quay.io/acme/cache-seed:latest',
        `6 mount ${hub}busybox:musl`,
      ],
      `${hub}alpine:3.20`,
    ],
    [
      '21-coop-style',
      {},
      ['1 from quay.io/hedgedoc/hedgedoc:1.10.2-alpine'],
      'quay.io/hedgedoc/hedgedoc:1.10.2-alpine',
    ],
    ['22-arg-defaults', {}, [`4 from ${hub}redis:7-alpine`], `${hub}redis:7-alpine`],
    ['23-no-final-newline', {}, [`1 from ${hub}alpine:3`], `${hub}alpine:3`],
    [
      '24-dot-net',
      { target: 'final' },
      ['3 from mcr.microsoft.com/dotnet/aspnet:8.0', '7 from mcr.microsoft.com/dotnet/sdk:8.0'],
      'mcr.microsoft.com/dotnet/aspnet:8.0',
    ],
    ['25-unicode', {}, [`1 from ${hub}alpine:3.20`, `6 copy ${hub}busybox:1`], `${hub}alpine:3.20`],
    [
      '26-shebang',
      {},
      ['2 frontend docker.io/docker/dockerfile:1.9-labs', `5 from ${hub}ubuntu:24.04`],
      `${hub}ubuntu:24.04`,
    ],
  ];

  it.each(table)('%s with %j', (name, inputs, images, from) => {
    expect(bases(fixture(name), inputs)).toEqual({ images, from, unknown: [] });
  });

  it('has a row for every fixture', () => {
    const names = readdirSync(folder).map((file) => file.replace('.Dockerfile', ''));
    expect(names.sort()).toEqual([...new Set(table.map(([name]) => name))].sort());
  });

  it.each(['14-target-platform', '15-platform-in-name'])('%s needs a platform, and says so', (name) => {
    expect(bases(fixture(name))).toMatchObject({ unknown: ['TARGETARCH'], from: undefined });
  });
});

describe('instructions', () => {
  const shape = (text: string) =>
    readInstructions(Buffer.from(text), 'Dockerfile').list.map(
      ({ keyword, flags, rest, line, lastLine }) =>
        `${line}-${lastLine} ${[keyword, ...flags.map((flag) => flag.text)].join(' ')} | ${rest}`,
    );

  it.each<[string, string, string[]]>([
    ['joins lines', 'RUN a \\\n  b', ['1-2 RUN | a   b']],
    ['joins over comments and empty lines', 'RUN a \\\n# c\n\n  # d\n && b', ['1-5 RUN | a  && b']],
    ['spaces may follow the escape', 'RUN a \\  \t\n b', ['1-2 RUN | a  b']],
    ['an escaped escape ends the line', 'RUN a \\\\\nRUN b', ['1-1 RUN | a \\\\', '2-2 RUN | b']],
    ['an escape alone on its line', 'RUN a \\\n\\\n b', ['1-3 RUN | a  b']],
    ['a continuation at the end of the file', 'RUN a \\', ['1-1 RUN | a']],
    ['flags, quoted and over lines', 'RUN --a="b c" \\\n --d e --f', ['1-2 RUN --a="b c" --d | e --f']],
    ['two dashes end the flags', 'RUN -- --a b', ['1-1 RUN | --a b']],
    ['spaces and tabs around', ' \tRUN\ta\t\r\n', ['1-1 RUN | a']],
    ['a heredoc', 'RUN <<E\nFROM x\nE\nRUN b', ['1-3 RUN | <<E', '4-4 RUN | b']],
    ['a heredoc with tabs', 'RUN <<-E\n\tx\n\tE\nRUN b', ['1-3 RUN | <<-E', '4-4 RUN | b']],
    ['a heredoc on a file descriptor', 'RUN x 3<<E\ny\nE\nRUN b', ['1-3 RUN | x 3<<E', '4-4 RUN | b']],
    ['a heredoc of ONBUILD', 'ONBUILD RUN <<E\ny\nE\nRUN b', ['1-3 ONBUILD | RUN <<E', '4-4 RUN | b']],
    [
      'no heredoc in quotes',
      'RUN echo \'<<E\' "<<F"\nRUN b',
      ['1-1 RUN | echo \'<<E\' "<<F"', '2-2 RUN | b'],
    ],
    ['no heredoc in a list', 'RUN ["cat", "<<E"]\nRUN b', ['1-1 RUN | ["cat", "<<E"]', '2-2 RUN | b']],
    ['no heredoc in arithmetic', 'RUN echo $((1<<2))\nRUN b', ['1-1 RUN | echo $((1<<2))', '2-2 RUN | b']],
    ['no heredoc elsewhere', 'LABEL a=<<E\nRUN b', ['1-1 LABEL | a=<<E', '2-2 RUN | b']],
    ['comments only at the front', 'RUN a # b', ['1-1 RUN | a # b']],
  ])('%s', (_, text, expected) => {
    expect(shape(text)).toEqual(expected);
  });

  it('keeps what a heredoc says', () => {
    const { list } = readInstructions(Buffer.from("COPY <<-'E' /à\n\tü\n\n\tE\n"), 'Dockerfile');
    expect(list[0]?.heredocs).toEqual([{ name: 'E', content: 'ü\n\n' }]);
  });

  it('places words by byte, also behind other letters and over lines', () => {
    const text = Buffer.from('# é\nRUN --a=ü x\nFROM al\\\npine');
    const words = readInstructions(text, 'Dockerfile').list.flatMap(({ flags, words: found }) => [
      ...flags,
      ...found,
    ]);
    expect(words.map(({ start, end }) => text.subarray(start, end).toString())).toEqual([
      '--a=ü',
      'x',
      'al\\\npine',
    ]);
    expect(words[2]?.text).toBe('alpine');
  });

  it.each<[string, string, RegExp]>([
    ['an open heredoc', 'FROM a\nRUN <<E\nx', /^Dockerfile:2: the heredoc `E` has no end/],
    ['a foreign escape', '# escape=x\nFROM a', /^Dockerfile:1: the escape character/],
    [
      'a directive twice',
      '# syntax=a\n# syntax=b\nFROM a',
      /^Dockerfile:2: the directive `syntax` is there twice/,
    ],
    ['no FROM', 'ARG A\n# FROM x\n', /^Dockerfile:1: there is no FROM/],
    ['an empty file', '', /^Dockerfile:1: there is no FROM/],
    ['FROM without a name', 'FROM --platform=x', /^Dockerfile:1: FROM names no image/],
    ['FROM with too much', '\nFROM a b c', /^Dockerfile:2: FROM must be/],
    ['a name that is none', 'FROM a/Foo', /^Dockerfile:1: .*lower-case/],
  ])('%s is refused with its line', (_, text, message) => {
    const read = () => bases(dockerfile(text));
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ code: 'dockerfile-invalid' }));
  });
});

describe('variables in FROM', () => {
  it.each<[string, string, RegExp, RegExp]>([
    ['not declared', 'FROM a:$TAG', /^Dockerfile:1: FROM uses `\$TAG`, which has no value/, /`build-args`/],
    [
      'declared without a value',
      'ARG TAG\n\nFROM a:${TAG}',
      /^Dockerfile:3: FROM uses `\$TAG`/,
      /ARG before/,
    ],
    ['declared too late', 'FROM a\nARG T=1\nFROM b:$T', /^Dockerfile:3: FROM uses `\$T`/, /ARG before/],
    ['through another', 'ARG A=$B\nFROM x:$A', /^Dockerfile:2: FROM uses `\$A`/, /build-args/],
    ['asked for by ?', 'ARG A\nFROM x:${A:?give-A}', /^Dockerfile:2: `A` has no value: give-A/, /line/],
    ['in an open brace', 'FROM x:${A', /^Dockerfile:1: /, /line/],
    [
      'in COPY --from',
      'FROM a\nCOPY --from=$X /a /b',
      /^Dockerfile:2: builders fill in no variables/,
      /FROM of its own/,
    ],
    [
      'in a mount',
      'FROM a\nRUN --mount=from=a$X,target=/x b',
      /^Dockerfile:2: builders fill in no/,
      /FROM of its own/,
    ],
  ])('%s: an error with the line', (_, text, message, remedy) => {
    const read = () => bases(dockerfile(text));
    expect(read).toThrow(message);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'dockerfile-invalid',
        remedy: expect.stringMatching(remedy),
        findings: [
          expect.objectContaining({
            at: { file: 'Dockerfile', line: Number(/:(\d+):/.exec(message.source)?.[1]) },
          }),
        ],
      }),
    );
  });

  it('takes what is empty on purpose', () => {
    expect(bases(dockerfile('ARG S=\nFROM alpine${S}')).from).toBe(`${hub}alpine:latest`);
  });

  it('a build argument counts only where an ARG declares it', () => {
    const read = () => bases(dockerfile('FROM a:$TAG'), { buildArgs: { TAG: '1' } });
    expect(read).toThrow(/no value/);
  });

  it('fills in what builders fill in by themselves', () => {
    const file = dockerfile(
      'ARG TARGETOS\nFROM a/$TARGETOS-$BUILDARCH-${TARGETVARIANT:-none}:${TARGETSTAGE}',
    );
    const inputs = { platform: 'linux/arm64', buildPlatform: 'linux/amd64' };
    expect(bases(file, inputs).from).toBe('docker.io/a/linux-amd64-none:default');
    expect(bases(file, { ...inputs, buildArgs: { BUILDARCH: 'x' } }).from).toBe(
      'docker.io/a/linux-x-none:default',
    );
  });

  it('BUILDKIT_SYNTAX takes the place of the syntax directive', () => {
    const file = dockerfile('# syntax=docker/dockerfile:1\nFROM scratch');
    expect(bases(file, { buildArgs: { BUILDKIT_SYNTAX: 'example.org/front:2' } }).images).toEqual([
      '1 frontend example.org/front:2',
    ]);
  });
});

describe('stages', () => {
  it('names the stages there are where the target is none of them', () => {
    const file = dockerfile('FROM a AS One\nFROM b\nFROM c AS two');
    expect(targetStage(file, 'ONE').index).toBe(0);
    expect(targetStage(file, undefined).index).toBe(2);
    expect(() => targetStage(file, 'three')).toThrow(
      /no stage `three` to build. Its stages are `one`, `two`/,
    );
    expect(() => targetStage(dockerfile('FROM a'), 'x')).toThrow(
      expect.objectContaining({ code: 'setting-invalid' }),
    );
  });

  it('leaves out what comes after the target', () => {
    expect(bases(dockerfile('FROM a AS one\nFROM $NOWHERE'), { target: 'one' }).images).toEqual([
      `1 from ${hub}a:latest`,
    ]);
  });

  it('a stage is known by its name only after it', () => {
    expect(bases(dockerfile('FROM alpine\nFROM busybox AS alpine')).images).toEqual([
      `1 from ${hub}alpine:latest`,
      `2 from ${hub}busybox:latest`,
    ]);
  });

  it('reads ARGs with their lines', () => {
    const { args, stages } = fixture('02-go-scratch');
    expect(args).toEqual([]);
    expect(stages[0]?.args).toEqual([
      { name: 'TARGETOS', line: 2 },
      { name: 'TARGETARCH', line: 2 },
      { name: 'VERSION', value: 'dev', line: 3 },
    ]);
  });

  it('reads the labels of a stage and of those it is made from', () => {
    expect(labelsOf(fixture('17-labels'))).toEqual({
      a: '2',
      b: 'two words',
      'c d': 'three',
      maintainer: 'Jane Doe <jane@example.org>',
      version: '${VERSION}',
      'com.example.note': 'a "quoted" one',
    });
    expect(labelsOf(fixture('17-labels'), 'base').a).toBe('1');
    expect(labelsOf(fixture('25-unicode'))).toEqual({ 'org.opencontainers.image.title': 'Café à la carte' });
    expect(labelsOf(fixture('01-node-multistage'))).toMatchObject({
      'org.opencontainers.image.vendor': 'Acme, Inc.',
    });
  });
});

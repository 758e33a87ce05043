import { describe, expect, it } from 'vitest';
import { githubHost } from '../../../src/hosts/github.ts';
import type { Log } from '../../../src/hosts/host.ts';
import { createLog, plainStyle } from '../../../src/hosts/log.ts';
import { finding } from '../../../src/outcome.ts';
import { recorded } from './recorded.ts';

function plain(verbose = false): { log: Log; text: () => string } {
  let out = '';
  const write = (text: string): void => {
    out += text;
  };
  return { log: createLog({ write, style: plainStyle, verbose, live: false }), text: () => out };
}

function github(): { log: Log; text: () => string } {
  let out = '';
  const host = githubHost(recorded('github-push'), (text) => {
    out += text;
  });
  return { log: host.log, text: () => out };
}

describe('text in a log', () => {
  it('has no control characters, and no line that another one hides', () => {
    const { log, text } = plain();
    log.info('a\u001b[2Kb\u0007\u009bc\u202ed');
    log.foreign('good\rbad\u001b]0;title\u0007\nlast');
    expect(text()).toBe('abcd\ngood\nbad]0;title\nlast\n');
  });

  it('cannot issue a workflow command from one of our own lines', () => {
    const { log, text } = github();
    log.info('::set-output name=x::y');
    log.info('tag   ::error::x');
    log.info('   ::add-path::/evil');
    log.info('x ##[command]rm');
    const lines = text().trimEnd().split('\n');
    expect(lines.filter((line) => line.trimStart().startsWith('::'))).toEqual([]);
    expect(text()).not.toContain('##[');
  });

  it('puts foreign text between stop-commands with a token that nobody can guess, newline before the end', () => {
    const { log, text } = github();
    log.foreign('::set-env name=PATH::/evil\n::stop-commands::x');
    log.foreign('no newline at the end');
    const tokens = [...text().matchAll(/^::stop-commands::([0-9a-f-]{36})$/gm)].map((match) => match[1]);
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(text()).toContain(`\n\n::${token}::\n`);
    const before = text().indexOf('::set-env');
    expect(text().lastIndexOf('::stop-commands::', before)).toBeGreaterThanOrEqual(0);
  });

  it('escapes findings as annotations', () => {
    const { log, text } = github();
    log.finding(
      finding('dest-tag-conflict', 'error', 'a\n::error::b', {
        at: { file: 'x,y:z.yml', line: 3 },
        remedy: '100%',
      }),
    );
    expect(text()).toBe(
      '::error title=dest-tag-conflict,file=x%2Cy%3Az.yml,line=3::x,y:z.yml:3 dest-tag-conflict: a%0A  ::error::b%0A  100%25\n',
    );
  });

  it('indents further lines of a finding, so that none passes for a line of ours', () => {
    const { log, text } = plain();
    log.finding(
      finding('build-failed', 'error', 'It failed.\nknowngood: promote done promoted', { remedy: 'x' }),
    );
    expect(text()).toBe('error: build-failed: It failed.\n  knowngood: promote done promoted\n  x\n');
  });

  it('keeps detail for those who ask', () => {
    const quiet = plain();
    quiet.log.detail('x');
    expect(quiet.text()).toBe('');
    const loud = plain(true);
    loud.log.detail('x');
    expect(loud.text()).toBe('x\n');
  });
});

describe('secrets', () => {
  const secret = 'p@ss/w0rd+"x';

  it.each([
    ['as it is', secret],
    ['in a URL', encodeURIComponent(secret)],
    ['in JSON', JSON.stringify(secret)],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['behind a user name in base64', Buffer.from(`robin:${secret}`).toString('base64')],
    ['behind another user name in base64', Buffer.from(`robi:${secret}`).toString('base64')],
    ['in base64url', Buffer.from(`ab:${secret}?>`).toString('base64url')],
  ])('are masked %s', (_, shown) => {
    const { log, text } = plain();
    log.mask(secret);
    log.info(`before ${shown} after`);
    log.foreign(shown);
    log.finding(finding('registry-denied', 'error', `x ${shown}`));
    expect(text()).toContain('***');
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').slice(4, -6),
    ]) {
      expect(text()).not.toContain(form);
    }
  });

  it('are masked over the borders of chunks, wherever these fall', () => {
    const { log } = plain();
    log.mask(secret);
    const whole = `start ${secret} middle ${encodeURIComponent(secret)} end`;
    for (let size = 1; size < whole.length; size++) {
      const stream = log.redactStream();
      let out = '';
      for (let at = 0; at < whole.length; at += size) out += stream.push(whole.slice(at, at + size));
      out += stream.end();
      expect(out).toBe('start *** middle *** end');
    }
  });

  it('that begin like others are masked whole over the borders of chunks', () => {
    const { log } = plain();
    for (const one of ['tok-1', 'tok-1-and-more', 'more-than-that']) log.mask(one);
    const whole = 'a tok-1-and-more b tok-1-and c tok-1-and-more-than-that d';
    for (let size = 1; size < whole.length; size++) {
      const stream = log.redactStream();
      let out = '';
      for (let at = 0; at < whole.length; at += size) out += stream.push(whole.slice(at, at + size));
      expect(out + stream.end()).toBe('a *** b ***-and c ***-than-that d');
    }
  });

  it('of several lines are masked line by line, but for what every key has', () => {
    const { log, text } = plain();
    log.mask('-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n');
    log.foreign('-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n');
    expect(text()).toBe('-----BEGIN PRIVATE KEY-----\n***\n');
  });

  it('are told to the runner of GitHub before anything else, each line', () => {
    const { log, text } = github();
    log.mask('first-line\nsecond%line');
    log.info('first-line');
    expect(text()).toBe('::add-mask::first-line\n::add-mask::second%25line\n***\n');
  });

  it('leave a finding what it is, even where one is a word or a quote of ours', () => {
    const { log, text } = github();
    for (const word of ['error', 'message', '":"']) log.mask(word);
    log.finding(
      finding('build-failed', 'error', 'error: x', { at: { file: 'a-message.yml' }, remedy: 'message' }),
    );
    expect(text().split('\n').slice(3)).toEqual([
      '::error title=build-failed,file=a-***.yml::a-***.yml build-failed: ***: x ***',
      '',
    ]);
  });

  it('are never printed elsewhere in the act of masking', () => {
    const { log, text } = plain();
    log.mask(secret);
    expect(text()).toBe('');
  });
});

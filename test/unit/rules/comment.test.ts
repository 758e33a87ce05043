import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommentCommand, readComment } from '../../../src/rules/comment.ts';

const SHA = '89abcdef0123456789abcdef0123456789abcdef';
const read = (body: string): CommentCommand => readComment(body, '!testme', ['tier', 'base']);

const run = (more: Partial<Extract<CommentCommand, { kind: 'run' }>> = {}): CommentCommand => ({
  kind: 'run',
  quick: false,
  arguments: {},
  ...more,
});
const none: CommentCommand = { kind: 'none' };
const quoted: CommentCommand = { kind: 'quoted' };
const unknown = (word: string): CommentCommand => ({ kind: 'unknown-argument', word });
const short = (word: string): CommentCommand => ({ kind: 'short-commit', word });

/** The corpus: what people write, and what they could write, with what it means. */
const corpus: Readonly<Record<string, readonly (readonly [body: string, expected: CommentCommand])[]>> = {
  'the command': [
    ['!testme', run()],
    ['!testme\n', run()],
    ['\n\n!testme', run()],
    ['  !testme', run()],
    ['   !testme   ', run()],
    ['!testme\t', run()],
    ['!testme --quick', run({ quick: true })],
    ['!testme   --quick', run({ quick: true })],
    [`!testme ${SHA}`, run({ commit: SHA })],
    [`!testme ${SHA} --quick`, run({ commit: SHA, quick: true })],
    [
      `!testme --quick ${SHA} tier=install`,
      run({ commit: SHA, quick: true, arguments: { tier: 'install' } }),
    ],
    ['!testme tier=install base=3.0.1', run({ arguments: { tier: 'install', base: '3.0.1' } })],
    ['!testme\n\nThanks for the fix, trying it out.', run()],
    ['!testme\nwith a second line', run()],
    ['!testme\n\n> quoted afterwards', run()],
    ['!testme\n```\nlog\n```', run()],
    ['!testme\n\n![picture](https://example.org/x.png)', run()],
  ],
  'line ends': [
    ['!testme\r\n', run()],
    ['\r\n\r\n!testme\r\nrest', run()],
    ['!testme\rrest', run()],
    ['> quote\r\n\r\n!testme\r\n', run()],
    ['> quote\r\n!testme\r\n', none],
    ['```\r\n!testme\r\n```\r\n', none],
    ['intro\r!testme', none],
    ['!testme\u2028', none],
    ['!testme\u0085', none],
    ['!testme\u000b', none],
    ['!testme\f', none],
  ],
  'other words': [
    ['', none],
    ['   \n\t\n', none],
    ['LGTM', none],
    ['please !testme', none],
    ['!testmexyz', none],
    ['!testme!', none],
    ['!testme.', none],
    ['!testme,', none],
    ['!test me', none],
    ['!testme2', none],
    ['!TESTME', none],
    ['!Testme', none],
    ['! testme', none],
    ['!!testme', none],
    ['/testme', none],
    ['@bot !testme', none],
    ['testme', none],
    ['\\!testme', none],
    ['&#33;testme', none],
    ['&excl;testme', none],
    ['!retest', none],
    ['/retest', none],
    ['/test all', none],
    ['bors r+', none],
    ['@dependabot rebase', none],
    ['!deploy production', none],
    ['Looks good\n\n!testme', none],
    ['Looks good\n!testme', none],
    ['+1\n!testme', none],
    ['"!testme"', none],
    ["'!testme'", none],
    ['(!testme)', none],
    ['**!testme**', none],
    ['*!testme*', none],
    ['_!testme_', none],
    ['~~!testme~~', none],
    ['[!testme](https://example.org)', none],
    ['# !testme', none],
    ['!testme\n===', run()],
    ['- !testme', none],
    ['* !testme', none],
    ['1. !testme', none],
    ['- [ ] !testme', none],
    ['| !testme |\n| --- |', none],
    ['<b>!testme</b>', none],
    ['<p>\n!testme\n</p>', none],
  ],
  quotes: [
    ['> !testme', none],
    ['>!testme', none],
    ['>> !testme', none],
    ['> please run\n!testme', none],
    ['> please run\n> \n!testme', run()],
    ['> please run\n\n!testme', run()],
    ['> > nested\n!testme', none],
    ['> - item\n!testme', none],
    ['> ```\n!testme', run()],
    ['> # heading\n!testme', run()],
    ['   > indented\n!testme', none],
    ['- > in a list\n!testme', none],
  ],
  code: [
    ['    !testme', none],
    ['\t!testme', none],
    ['```\n!testme\n```', none],
    ['```\n!testme', none],
    ['````\n```\n!testme\n````', none],
    ['`````\n````\n```\n!testme', none],
    ['~~~\n!testme\n~~~', none],
    ['~~~\n```\n!testme\n~~~', none],
    ['```sh\n!testme\n```', none],
    ['``` !testme\nx\n```', none],
    ['   ```\n!testme\n   ```', none],
    ['```\nlog\n```\n!testme', run()],
    ['~~~\nlog\n~~~~\n!testme', run()],
    ['```\nlog\n``\n!testme', none],
    ['`!testme`', quoted],
    ['``!testme``', quoted],
    ['`` !testme ``', quoted],
    ['`!testme --quick`', quoted],
    ['Write `!testme` to start a run.', none],
    ['`!testme` please', none],
    ['`x` and `!testme`', none],
    ['`!testme', none],
    ['text\n\n    !testme', none],
  ],
  'HTML comments': [
    ['<!-- !testme -->', none],
    ['<!--\n!testme\n-->', none],
    ['<!-- !testme', none],
    ['<!-- a -->\n!testme', run()],
    ['<!-- a --> <!-- b -->\n\n!testme', run()],
    // `<!-->` is a whole, empty comment (HTML 13.6): what follows is text.
    ['<!--> !testme -->', unknown('-->')],
    ['<!---->\n!testme', run()],
    ['text <!-- !testme -->', none],
    ['<!-- template: describe your change -->\n\nFixes #1', none],
    ['<!-- -- -->\n!testme', run()],
  ],
  details: [
    ['<details>\n!testme\n</details>', none],
    ['<details>\n\n!testme\n\n</details>', none],
    ['<details><summary>log</summary>\n\n```\n!testme\n```\n\n</details>', none],
    ['<details>\n</details>\n\n!testme', none],
  ],
  'mail replies': [
    ['On Mon, 2 Nov 2026 at 10:00, robin wrote:\n> !testme', none],
    ['Sure.\n\nOn Mon, robin wrote:\n\n> !testme\n', none],
    ['!testme\n\nOn Mon, 2 Nov 2026 at 10:00, robin wrote:\n> anything', run()],
    ['> On Mon, robin wrote:\n> !testme\n\nNo, wait.', none],
    ['-- \nSent from a phone\n!testme', none],
  ],
  'characters that do not show': [
    ['\u200b!testme', none],
    ['!test\u200bme', none],
    ['!testme\u200b', none],
    ['\ufeff!testme', none],
    ['!testme\u00a0--quick', none],
    ['\u00a0!testme', none],
    ['\u202e!testme', none],
    ['!testme \u200b', unknown('\u200b')],
    ['!te\u00adstme', none],
    ['\u2060!testme', none],
  ],
  'letters that look alike': [
    ['ǃtestme', none],
    ['！testme', none],
    ['!tеstme', none],
    ['!testmе', none],
    ['!ｔestme', none],
    ['!testmé', none],
    ['!teѕtme', none],
  ],
  arguments: [
    ['!testme please', unknown('please')],
    ['!testme tier=', unknown('tier=')],
    ['!testme tier=a;b', unknown('tier=a;b')],
    ['!testme tier=$(id)', unknown('tier=$(id)')],
    ['!testme tier=`id`', { kind: 'unknown-argument', word: 'tier=' }],
    ['!testme other=x', unknown('other=x')],
    ['!testme TIER=x', unknown('TIER=x')],
    ['!testme tier=a tier=b', unknown('tier=b')],
    [`!testme tier=${'a'.repeat(65)}`, unknown(`tier=${'a'.repeat(65)}`)],
    [`!testme tier=${'a'.repeat(64)}`, run({ arguments: { tier: 'a'.repeat(64) } })],
    ['!testme --slow', unknown('--slow')],
    ['!testme -quick', unknown('-quick')],
    ['!testme __proto__=x', unknown('__proto__=x')],
    ['!testme tier=a --upload-pack=x', unknown('--upload-pack=x')],
  ],
  commits: [
    ['!testme 89abcde', short('89abcde')],
    ['!testme 89abcdef0123', short('89abcdef0123')],
    [`!testme ${SHA.slice(0, 39)}`, short(SHA.slice(0, 39))],
    [`!testme ${SHA}0`, short(`${SHA}0`)],
    [`!testme ${SHA.toUpperCase()}`, short(SHA.toUpperCase())],
    [`!testme ${SHA} ${SHA}`, short(SHA)],
    [`!testme sha=${SHA}`, unknown(`sha=${SHA}`)],
    [`!testme https://example.org/commit/${SHA}`, unknown(`https://example.org/commit/${SHA}`)],
    ['!testme HEAD', unknown('HEAD')],
    ['!testme refs/pull/7/head', unknown('refs/pull/7/head')],
  ],
};

describe('reading a comment', () => {
  for (const [about, rows] of Object.entries(corpus)) {
    describe(about, () => {
      it.each(rows.map(([body, expected]) => ({ body, expected })))('$body', ({ body, expected }) => {
        expect(read(body)).toEqual(expected);
      });
    });
  }

  it('has a corpus worth the name', () => {
    expect(Object.values(corpus).flat().length).toBeGreaterThanOrEqual(120);
  });

  it('never throws, and never runs what does not begin with the word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const body = `x${text}`;
        expect(['none', 'quoted']).toContain(read(body).kind);
      }),
    );
  });

  it('runs nothing that stands in a fence, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 9 }),
        fc.constantFrom('`', '~'),
        fc.string(),
        (length, mark, text) => {
          const inside = text.replace(/[`~\r\n]/g, '');
          expect(read(`${mark.repeat(length)}\n${inside}\n!testme\n`).kind).toBe('none');
        },
      ),
    );
  });

  it('takes another word', () => {
    expect(readComment('/release-test', '/release-test', [])).toEqual(run());
    expect(readComment('!testme', '/release-test', [])).toEqual(none);
  });
});

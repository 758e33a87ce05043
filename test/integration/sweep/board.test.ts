import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tool } from '../../../sandbox/tools.ts';
import { type BoardRow, boardPage } from '../../../src/report/board/page.ts';

const row = (recipe: string, outcome: string, more: Partial<BoardRow> = {}): BoardRow => ({
  recipe,
  repository: `https://git.example.org/acme/${recipe}`,
  canonical: '1.0.0',
  promotedAt: '2026-01-01T00:00:00Z',
  latest: '1.1.0',
  outcome,
  reason: 'check-failed',
  why: 'A check failed.',
  gate: [],
  base: null,
  attempts: 0,
  nextEligibleAt: null,
  mirror: null,
  runs: [],
  ...more,
});

const hostile =
  '</script><img src="https://evil.example/x" onerror="window.hacked=1"><script>window.hacked=1</script>';
const rows = [
  row('notes', 'red', { attempts: 2, canonical: '1.10.0' }),
  row('app', 'promoted', { canonical: '1.9.0' }),
  row('wiki', 'skipped', { canonical: '1.2.0', latest: null, promotedAt: null }),
  row('hostile', 'error', {
    why: hostile,
    repository: hostile,
    canonical: hostile,
    outcome: hostile,
    gate: [hostile],
  }),
];

let folder: string;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'knowngood-board-'));
  writeFileSync(join(folder, 'board.html'), boardPage({ fleet: hostile, at: '2026-01-03T00:00:00Z', rows }));
  const { path } = await tool('chromium');
  browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Parameters<Browser['newPage']>[0], file = 'board.html'): Promise<void> {
  page = await browser.newPage(options);
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith('file:')) complaints.push(`a request to ${asked}`);
  });
  await page.goto(pathToFileURL(join(folder, file)).href);
}
beforeEach(() => void complaints.splice(0));
afterEach(async () => {
  await page.close();
  // No error, no violation of its policy, no request.
  expect(complaints).toEqual([]);
});

const recipes = (): Promise<string[]> =>
  page.locator('tbody th').evaluateAll((cells) => cells.map((cell) => cell.firstChild?.textContent ?? ''));

describe('the board in a browser, without a mouse', () => {
  beforeEach(() => open({ viewport: { width: 1280, height: 900 } }));

  /** Goes on with the tabulator key until this text has the focus. */
  async function reach(text: string): Promise<void> {
    for (let n = 0; n < 40; n++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate<string>('document.activeElement.textContent')).startsWith(text)) return;
    }
    throw new Error(`${text} cannot be reached`);
  }

  it('is sorted by what needs a look first, and by any column, both ways', async () => {
    expect(await recipes()).toEqual(['hostile', 'notes', 'app', 'wiki']);
    await reach('Known good');
    await page.keyboard.press('Enter');
    const sorted = await recipes();
    expect(sorted.filter((name) => name !== 'hostile')).toEqual(['wiki', 'app', 'notes']);
    expect(await page.locator('th[aria-sort]').textContent()).toBe('Known good');
    await page.keyboard.press('Enter');
    expect(await recipes()).toEqual(sorted.toReversed());
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
  });

  it('is searched by every word', async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.type('acme NOTES');
    expect(await recipes()).toEqual(['notes']);
    expect(await page.locator('#shown').textContent()).toBe('1 of 4 recipes');
  });

  it('is filtered by outcome, and says so', async () => {
    await reach('promoted 1');
    await page.keyboard.press('Space');
    expect(await recipes()).toEqual(['app']);
    expect(await page.locator('[aria-pressed=true]').textContent()).toBe('promoted 1');
  });

  it('opens details', async () => {
    await reach('More');
    await page.keyboard.press('Enter');
    expect(await page.locator('details[open] li').first().isVisible()).toBe(true);
  });

  it('shows hostile text as text', async () => {
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('tbody tr').first().textContent()).toContain('onerror="window.hacked=1"');
  });
});

describe.each(['light', 'dark'] as const)('the board, %s', (colorScheme) => {
  it.each([
    ['phone', 390],
    ['desk', 1280],
  ])('fits a %s', async (_name, width) => {
    await open({ viewport: { width, height: 900 }, colorScheme });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    const colours = await page.evaluate<string[]>(
      '[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]',
    );
    const [back, text] = colours.map((colour) => Number(/\d+/.exec(colour)?.[0]));
    expect(back! > text!).toBe(colorScheme === 'light');
    // On a phone the order is chosen from a list, since there is no head to press.
    expect(await page.locator('#sort').isVisible()).toBe(width === 390);
  });
});

it('the board breaks no word of ours in two', async () => {
  const why = 'git ls-remote was refused at https://git.example.org/acme/gone.git: not found. '.repeat(2);
  const plain = [row('one', 'promoted'), row('two', 'inconclusive'), row('gone', 'error', { why })];
  writeFileSync(
    join(folder, 'plain.html'),
    boardPage({ fleet: 'f', at: '2026-01-03T00:00:00Z', rows: plain }),
  );
  await open({ viewport: { width: 1000, height: 900 } }, 'plain.html');
  for (const outcome of await page.locator('.outcome').all()) {
    expect((await outcome.boundingBox())!.height).toBeLessThan(30);
  }
});

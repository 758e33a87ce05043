import type { Comparison } from './measure.ts';

/**
 * `npm run bench [-- name …]`: every comparison in bench/, ratios side by side in one run. Fails where a ratio is over
 * its limit.
 */
const benches: Readonly<Record<string, () => Promise<{ bench(): Promise<Comparison[]> }>>> = {
  'build-push': () => import('./build-push.ts'),
  drift: () => import('./drift.ts'),
  http: () => import('./http.ts'),
  promote: () => import('./promote.ts'),
  recipe: () => import('./recipe.ts'),
  sweep: () => import('./sweep.ts'),
  'step-back': () => import('./step-back.ts'),
  test: () => import('./test.ts'),
  'start-up': () => import('./start-up.ts'),
};

const wanted = process.argv.slice(2);
let over = 0;
for (const [name, load] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const row of await (await load()).bench()) {
    const verdict = row.ratio <= row.limit ? 'ok' : 'OVER';
    if (verdict === 'OVER') over++;
    const { unit = 'ms' } = row;
    const times = `${row.ours_ms.toFixed(0)} ${unit} beside ${row.theirs_ms.toFixed(0)} ${unit}`;
    process.stdout.write(
      `${verdict.padEnd(5)}${row.ratio.toFixed(2)}× (at most ${row.limit}×)  ${row.name}: ${times}\n`,
    );
  }
}
process.exit(over === 0 ? 0 : 1);

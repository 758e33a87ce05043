import { dirname, join } from 'node:path';
import { projectRoot } from '../../sandbox/paths.ts';

/** Folder of the bundle that hosts run: `dist`, or where KNOWNGOOD_BUNDLE lies (`node scripts/build.mjs --out`). */
export const bundleFolder =
  process.env.KNOWNGOOD_BUNDLE === undefined
    ? join(projectRoot, 'dist')
    : dirname(process.env.KNOWNGOOD_BUNDLE);

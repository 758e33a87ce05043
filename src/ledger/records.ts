import { type Intent, intentText, readIntent } from './intent.ts';
import type { Ledger, PromotedRelease, RecipeView } from './ledger.ts';
import { type FileChanges, type FileName, type RecipeFiles, revisionOf } from './recipe-files.ts';
import { assertRecipeName } from './recipe-name.ts';
import { viewOf } from './recipe-view.ts';
import { type CanonicalRecord, recordText } from './record.ts';
import { nextRunLine, type RunLine, readRuns } from './runs.ts';
import type { Store } from './store.ts';
import { auditLine, confirm, trailHas } from './trail.ts';

/** The record and what confirms it. */
const recordFiles: readonly FileName[] = ['canonical.json', 'promotions.ndjson'];

/**
 * The ledger over a store. Every change is an edit of one recipe's files that the store makes atomically; an edit
 * recognises its own work, because after a lost answer it is asked again about files that may have it already.
 */
export function ledgerOver(store: Store): Ledger {
  const view = async (recipe: string): Promise<RecipeView> => {
    assertRecipeName(recipe);
    return viewOf(recipe, await store.read(recipe));
  };
  const change = async (
    recipe: string,
    note: string,
    edit: (files: RecipeFiles) => FileChanges | undefined,
  ): Promise<void> => {
    assertRecipeName(recipe);
    await store.change(recipe, `${note} ${recipe}`, edit);
  };

  return {
    address: store.address,
    exists: () => store.exists(),
    init: () => store.create(),
    recipes: async () => [...(await store.readAll(recordFiles)).keys()].sort(),
    read: view,
    all: async () =>
      new Map(
        [...(await store.readAll([...recordFiles, 'runs.ndjson']))].map(
          ([recipe, files]) => [recipe, viewOf(recipe, files)] as const,
        ),
      ),

    async promoted(image) {
      const all: PromotedRelease[] = [];
      for (const [recipe, files] of [...(await store.readAll(recordFiles))].sort(([a], [b]) =>
        a < b ? -1 : 1,
      )) {
        // A damaged record of another image is not this recipe's business, and must not stop its promotion.
        const mentions = `${files['canonical.json'] ?? ''}${files['promotions.ndjson'] ?? ''}`.includes(
          image,
        );
        if (mentions) all.push(...promotedOf(recipe, viewOf(recipe, files), image));
      }
      return all;
    },

    async appendRun(line) {
      let text = '';
      await change(line.recipe, 'run of', (files) => {
        const log = files['runs.ndjson'] ?? '';
        const runs = readRuns(line.recipe, log);
        text = nextRunLine(runs, line);
        return `\n${log}`.includes(`\n${text}`) ? undefined : { 'runs.ndjson': log + text };
      });
      return JSON.parse(text) as RunLine;
    },

    async takeIntent(recipe, intent, on) {
      let changed = false;
      await change(recipe, 'intent of', (files) => {
        const current = intentIn(recipe, files);
        changed = false;
        if (current?.nonce === intent.nonce) return undefined;
        changed = current?.nonce !== on.replaces || revisionOf(files) !== on.revision;
        return changed ? undefined : { 'intent.json': intentText(intent) };
      });
      return changed ? 'changed' : 'taken';
    },

    async renewIntent(recipe, nonce, expires) {
      let lost = false;
      await change(recipe, 'lease of', (files) => {
        const current = intentIn(recipe, files);
        lost = current?.nonce !== nonce;
        if (lost || current === undefined || current.expires === expires) return undefined;
        return { 'intent.json': intentText({ ...current, expires }) };
      });
      return lost ? 'lost' : 'renewed';
    },

    async dropIntent(recipe, nonce) {
      await change(recipe, 'no intent of', (files) =>
        intentIn(recipe, files)?.nonce === nonce ? { 'intent.json': null } : undefined,
      );
    },

    async commit(recipe, record, by) {
      let lost = false;
      await change(recipe, `${record.kind} ${record.version} of`, (files) => {
        lost = false;
        const trailText = files['promotions.ndjson'] ?? '';
        if (trailHas(trailText, record)) return undefined;
        lost = !mayCommit(recipe, files, record, by);
        if (lost) return undefined;
        return {
          'promotions.ndjson': trailText + auditLine(trailText, record),
          'canonical.json': recordText(record),
          ...(files['intent.json'] === undefined ? {} : { 'intent.json': null }),
        };
      });
      return lost ? 'lost' : 'written';
    },

    async writeBaseline(recipe, baseline) {
      const text = `${JSON.stringify(baseline, null, 2)}\n`;
      await change(recipe, 'drift of', (files) =>
        files['drift.json'] === text ? undefined : { 'drift.json': text },
      );
    },
  };
}

function intentIn(recipe: string, files: RecipeFiles): Intent | undefined {
  return files['intent.json'] === undefined ? undefined : readIntent(recipe, files['intent.json']);
}

function mayCommit(
  recipe: string,
  files: RecipeFiles,
  record: CanonicalRecord,
  by: { readonly nonce: string } | { readonly revision: string },
): boolean {
  const intent = intentIn(recipe, files);
  // A broken chain is never written on: whatever stands there would look confirmed by our line.
  const last = confirm(recipe, files).record;
  const next = (last?.sequence ?? 0) + 1;
  const allowed =
    'nonce' in by ? intent?.nonce === by.nonce : intent === undefined && revisionOf(files) === by.revision;
  return allowed && record.sequence === next;
}

function promotedOf(recipe: string, view: RecipeView, image: string): readonly PromotedRelease[] {
  const canonical = view.record();
  const bad = new Set(canonical?.hold?.bad ?? []);
  return view.trail().flatMap(({ record }) => {
    const { subject } = record;
    if (record.kind !== 'promote') return [];
    const digest = digestOf(subject, image);
    if (digest === undefined) return [];
    return [
      {
        recipe,
        version: record.version,
        digest,
        canonical: canonical?.version === record.version,
        held: bad.has(record.version),
      },
    ];
  });
}

function digestOf(subject: CanonicalRecord['subject'], image: string): PromotedRelease['digest'] | undefined {
  if (subject.kind === 'image') return subject.image === image ? subject.digest : undefined;
  const own = Object.values(subject.images).find((reference) => reference.startsWith(`${image}@sha256:`));
  return own === undefined ? undefined : (own.slice(image.length + 1) as PromotedRelease['digest']);
}

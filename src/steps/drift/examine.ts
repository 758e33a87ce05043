import { Failure, type Finding, finding } from '../../outcome.ts';
import { reasons } from '../../reasons.ts';
import { isOpenQuestion, type OpenQuestion } from '../../rules/drift/looked-up.ts';
import type { FreeStepInput } from '../step.ts';
import { checks } from './checks.ts';
import { Look } from './look.ts';
import { type Project, readProject } from './project.ts';
import type { Asked } from './wishes.ts';

/** How long one recipe's look-ups may take; what is open then is an error, never clean. */
const BUDGET_MS = 60_000;

/** Recipes of a fleet at a time. */
const AT_ONCE = 4;

/** What was found about one recipe. */
export interface Examined {
  readonly findings: readonly Finding[];
  /** Absent where not even its repository could be read. */
  readonly project?: Project;
  /** Given for recipes of a fleet: to be called when nothing is asked any more. */
  readonly close?: () => Promise<void>;
}

/** All checks over one recipe. What cannot be looked up is a finding, so that the others are still told. */
export async function examine(input: FreeStepInput, asked: Asked, mirrorOf?: string): Promise<Examined> {
  const { tools, settings, log, now, signal } = input;
  let project: Project;
  try {
    project = await readProject(input, mirrorOf);
  } catch (error) {
    // Without repository or ledger nothing can be compared: an error, in the form of every other one.
    return { findings: asFindings(error) };
  }
  const look = new Look(tools.clock, BUDGET_MS, signal);
  const checking = { tools, settings, log, now, signal, project, look, untrusted: asked.untrusted };
  try {
    // All at once: they share connections and answers.
    const found = await Promise.all(
      asked.checks.map((name) => checks[name](checking).catch((error: unknown) => asFindings(error))),
    );
    return { project, findings: [...project.findings, ...found.flat()] };
  } finally {
    look.end();
  }
}

/** All checks over every recipe of the fleet, or over the one that is named. */
export async function examineFleet(input: FreeStepInput, asked: Asked): Promise<readonly Examined[]> {
  const { settings, tools, log } = input;
  const fleet = await tools.fleet();
  const entries = [...fleet.value.recipes.entries()].filter(
    ([, { recipe }]) => settings.recipe === undefined || settings.recipe === recipe,
  );
  if (entries.length === 0) throw new Failure('fleet-empty', `${fleet.name} lists no recipe to look at.`);
  const examined: Examined[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < entries.length; at = next++) {
      const [index, { recipe, image, 'mirror-of': mirrorOf }] = entries[at]!;
      log.info(`${recipe}: compared`);
      const own = await tools.ofRecipe(recipe);
      const named = image === undefined ? {} : { image };
      const one = await examine(
        { ...input, tools: own, settings: { ...settings, recipe, candidate: undefined, ...named } },
        asked,
        mirrorOf,
      );
      // Its files are not of this repository: the place to annotate is the entry of the fleet.
      const place = fleet.at(['recipes', index]);
      examined[at] = {
        ...one,
        close: () => own.close(),
        findings: one.findings.map((found) => inFleet(recipe, found, place)),
      };
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries.length) }, worker));
  return examined;
}

function inFleet(recipe: string, found: Finding, place: NonNullable<Finding['at']>): Finding {
  const { at, message } = found;
  const where =
    at === undefined
      ? ''
      : `${[at.file, at.line, at.column].filter((part) => part !== undefined).join(':')}: `;
  const told = { ...found, message: `${recipe}: ${where}${message}`, at: place };
  if (!isOpenQuestion(found)) return told;
  const what = `${recipe}: ${where}${found.open.what}`;
  const asked: OpenQuestion = { ...told, open: { ...found.open, what } };
  return asked;
}

/** What a check, or what all of them need, could not do: a finding that makes the verdict `error`. */
export function asFindings(error: unknown): readonly Finding[] {
  if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
  const { code, message, remedy, findings } = error;
  if (findings.some((one) => one.code === code)) return findings;
  const told = reasons[code].class === 'failure' ? code : 'cannot-determine';
  return [...findings, finding(told, 'error', message, { remedy })];
}

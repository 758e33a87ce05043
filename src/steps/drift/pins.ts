import { join, posix } from 'node:path';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import type { Finding } from '../../outcome.ts';
import type { Pin } from '../../pins/pin.ts';
import type { PinsOfTree } from '../../pins/read-tree.ts';
import { type Known, open } from '../../rules/drift/looked-up.ts';
import { checkPins, type LookedAtPin, type OwnRelease } from '../../rules/drift/pins.ts';
import { sameImage } from './look.ts';
import { type Checking, digestOf, subjectOf } from './project.ts';

/** Every image that the tree's files name, against the known-good release and against their registries. */
export async function pins(checking: Checking): Promise<Finding[]> {
  const { log, tools } = checking;
  const folder = await tools.tree();
  const tree = await pinsIn(checking, folder);
  const allowed = checking.untrusted ? await allowedHosts(checking) : undefined;
  log.info(`${tree.pins.length} image references in ${tree.files.length} files`);
  const own = await ownReleases(checking);
  if ('unanswered' in own) return [open('The release to compare with', own)];
  const looked = await lookAt(checking, tree.pins, allowed);
  return checkPins({ pins: looked, unreadable: tree.unreadable, own: own.known });
}

/** Paths of settings begin at the workspace, those of the configuration at the recipe's folder. */
async function pinsIn({ settings, tools, project }: Checking, folder: string): Promise<PinsOfTree> {
  const { readPins } = await tools.pins();
  const below = (path: string): string => posix.join(posix.normalize(settings.context), path);
  const configured = (project.file.value.drift.pins ?? []).map(below);
  const envFile = project.file.value.test?.['env-file'];
  return readPins({
    folder,
    patterns: settings.pins.length > 0 ? settings.pins : configured,
    envFile: envFile === undefined ? undefined : below(envFile),
  });
}

/**
 * The hosts that may be asked about a tree that nobody reviewed: those that the release branch's own files name, the
 * own image's, and the setting's. A pull request could otherwise have this job, and its network, speak to any host.
 */
async function allowedHosts(checking: Checking): Promise<ReadonlySet<string>> {
  const { settings, tools, project } = checking;
  const git = await tools.git();
  const reviewed = await tools.layOut(project.branch.tip, join(git.scratch, 'drift-release-branch'));
  const { pins } = await pinsIn(checking, reviewed);
  return new Set([
    ...pins.map(({ reference }) => reference.registry),
    ...(project.image === undefined ? [] : [parseReference(project.image).registry]),
    ...settings.allowedHosts.map((host) => parseReference(`${host.toLowerCase()}/x`).registry),
  ]);
}

async function ownReleases(checking: Checking): Promise<Known<readonly OwnRelease[]>> {
  const { look, project } = checking;
  const { image, ledger } = project;
  const subject = subjectOf(project);
  if (image === undefined || subject === undefined) return { known: [] };
  return look.ask(async () => {
    const digest = await digestOf(checking, subject);
    // A release that was never published is nothing to pin to.
    if (digest === undefined) return [];
    const promoted = (await ledger?.promoted(image)) ?? [];
    const { version, what } = subject;
    return [{ image, version, digest, what, promoted }];
  });
}

async function lookAt(
  { look, tools }: Checking,
  pins: readonly Pin[],
  allowed: ReadonlySet<string> | undefined,
): Promise<readonly LookedAtPin[]> {
  const registry = await tools.registry();
  const asked = new Map<string, Reference>();
  const allowedPin = (pin: Pin): boolean => allowed?.has(pin.reference.registry) !== false;
  for (const pin of pins) {
    if (!allowedPin(pin) || pin.built) continue;
    const reference = question(pin.reference);
    asked.set(formatReference(reference), reference);
  }
  // One of each host first: from then on it is known what the host wants, and nothing is asked in vain.
  const all = [...asked];
  const first = new Set([...new Map(all.map((entry) => [entry[1].registry, entry])).values()]);
  const answers = new Map<string, Awaited<ReturnType<typeof ask>>>();
  const ask = (reference: Reference) => look.ask(() => registry.resolve(reference));
  for (const turn of [[...first], all.filter((entry) => !first.has(entry))]) {
    await look.each(turn, async ([name, reference]) => answers.set(name, await ask(reference)));
  }
  return look.each(pins, async (pin): Promise<LookedAtPin> => {
    if (pin.built) return { pin, state: { known: undefined } };
    if (!allowedPin(pin)) return { pin, state: 'not-asked' };
    const reference = question(pin.reference);
    const answer = answers.get(formatReference(reference))!;
    if ('unanswered' in answer) return { pin, state: answer };
    if (answer.known === undefined) return { pin, state: { known: undefined } };
    const { digest } = answer.known;
    const pinned = pin.reference.digest;
    if (pinned === undefined || pinned === digest) return { pin, state: { known: { digest, same: true } } };
    const same = await look.ask(() => sameImage(registry, reference, pinned, digest));
    return { pin, state: 'unanswered' in same ? same : { known: { digest, same: same.known } } };
  });
}

/** What is asked about a reference: its tag, `latest` where none is written; without a tag, its digest. */
function question({ registry, repository, tag, digest }: Reference): Reference {
  if (tag === undefined && digest !== undefined) return { registry, repository, digest };
  return { registry, repository, tag: tag ?? 'latest' };
}

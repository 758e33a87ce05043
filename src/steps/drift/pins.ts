import { join, posix } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import type { Finding } from '../../outcome.ts';
import type { Pin } from '../../pins/pin.ts';
import type { PinsOfTree } from '../../pins/read-tree.ts';
import type { Registry } from '../../registry/registry.ts';
import { type Known, open } from '../../rules/drift/looked-up.ts';
import { checkPins, type LookedAtPin, type OwnRelease } from '../../rules/drift/pins.ts';
import { type Look, sameImage } from './look.ts';
import { type Checking, digestOf, subjectOf } from './project.ts';

/** Every image that the tree's files name, against the known-good release and against their registries. */
export async function pins(checking: Checking): Promise<Finding[]> {
  const { log, tools } = checking;
  const allowed = checking.untrusted ? await allowedHosts(checking) : undefined;
  const asks = (pin: Pin): boolean => !pin.built && allowed?.has(pin.reference.registry) !== false;
  const answers = new Answers(checking.look, await tools.registry());
  const tree = await pinsIn(checking, await tools.tree(), (found) => {
    for (const pin of found) if (asks(pin)) answers.ask(question(pin.reference));
  });
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  log.info(`${count(tree.pins.length, 'image reference')} in ${count(tree.files.length, 'file')}`);
  const own = await ownReleases(checking);
  if ('unanswered' in own) return [open('The release to compare with', own)];
  const looked = await Promise.all(tree.pins.map((pin) => lookAt(pin, asks(pin), answers)));
  return checkPins({ pins: looked, unreadable: tree.unreadable, own: own.known });
}

/** Paths of settings begin at the workspace, those of the configuration at the recipe's folder. */
async function pinsIn(
  { settings, tools, project }: Checking,
  folder: string,
  onPins?: (pins: readonly Pin[]) => void,
): Promise<PinsOfTree> {
  const { readPins } = await tools.pins();
  const below = (path: string): string => posix.join(posix.normalize(settings.context), path);
  const configured = (project.file.value.drift.pins ?? []).map(below);
  const envFile = project.file.value.test?.['env-file'];
  return readPins({
    folder,
    patterns: settings.pins.length > 0 ? settings.pins : configured,
    envFile: envFile === undefined ? undefined : below(envFile),
    ...(onPins && { onPins }),
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

/** What registries say, each distinct reference asked for once. */
class Answers {
  readonly #look: Look;
  readonly #registry: Registry;
  readonly #asked = new Map<string, Promise<Known<{ digest: Digest } | undefined>>>();
  readonly #first = new Map<string, Promise<unknown>>();

  constructor(look: Look, registry: Registry) {
    this.#look = look;
    this.#registry = registry;
  }

  /** One of each host first: from then on it is known what the host wants, and nothing is asked in vain. */
  ask(reference: Reference): Promise<Known<{ digest: Digest } | undefined>> {
    const name = formatReference(reference);
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const first = this.#first.get(reference.registry);
    const send = () => this.#look.turn(() => this.#registry.resolve(reference));
    const answer = first === undefined ? send() : first.then(send, send);
    if (first === undefined) this.#first.set(reference.registry, answer);
    this.#asked.set(name, answer);
    // Where the run is cancelled before anybody waits for it.
    answer.catch(() => {});
    return answer;
  }

  same(reference: Reference, a: Digest, b: Digest): Promise<Known<boolean>> {
    return this.#look.turn(() => sameImage(this.#registry, reference, a, b));
  }
}

async function lookAt(pin: Pin, asks: boolean, answers: Answers): Promise<LookedAtPin> {
  if (pin.built) return { pin, state: { known: undefined } };
  if (!asks) return { pin, state: 'not-asked' };
  const reference = question(pin.reference);
  const answer = await answers.ask(reference);
  if ('unanswered' in answer) return { pin, state: answer };
  if (answer.known === undefined) return { pin, state: { known: undefined } };
  const { digest } = answer.known;
  const pinned = pin.reference.digest;
  if (pinned === undefined || pinned === digest) return { pin, state: { known: { digest, same: true } } };
  const same = await answers.same(reference, pinned, digest);
  return { pin, state: 'unanswered' in same ? same : { known: { digest, same: same.known } } };
}

/** What is asked about a reference: its tag, `latest` where none is written; without a tag, its digest. */
function question({ registry, repository, tag, digest }: Reference): Reference {
  if (tag === undefined && digest !== undefined) return { registry, repository, digest };
  return { registry, repository, tag: tag ?? 'latest' };
}

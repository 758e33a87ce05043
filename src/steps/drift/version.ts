import { posix } from 'node:path';
import { Failure, type Finding } from '../../outcome.ts';
import { open } from '../../rules/drift/looked-up.ts';
import { checkVersion, type StatedPlace, type VersionFacts } from '../../rules/drift/version.ts';
import { parsePattern } from '../../rules/releases.ts';
import { type Checking, digestOf, ownImage, subjectOf } from './project.ts';

const OCI = 'org.opencontainers.image.version';
const OWN = 'dev.knowngood.version';

/** Every place of the tree that states the version, and the labels of the published image. */
export async function version(checking: Checking): Promise<Finding[]> {
  const tree = await checking.look.ask(() => inTree(checking));
  if ('unanswered' in tree) return [open('The version that the tree states', tree)];
  const image = await labels(checking);
  return checkVersion({ tree: tree.known, ...(image === undefined ? {} : { image }) });
}

async function inTree({ tools, settings, log }: Checking): Promise<readonly StatedPlace[]> {
  const dockerfile = await statedInDockerfile();
  try {
    const [stated, { tag }, { pattern }] = await Promise.all([
      tools.statedVersions(),
      tools.candidate(),
      tools.upgradeFacts(),
    ]);
    const inTag = tag === undefined ? undefined : parsePattern(pattern).versionIn(tag);
    return [
      ...stated.map(({ place, version: value, at }) => ({ name: place, value, at: inFolder(at) })),
      ...dockerfile,
      ...(tag === undefined || inTag === undefined ? [] : [{ name: `the tag ${tag}`, value: inTag }]),
    ];
  } catch (error) {
    // A repository without an image and without compose files has nothing that could be a candidate.
    if (!(error instanceof Failure) || error.code !== 'setting-missing') throw error;
    log.detail(`version: ${error.message}`);
    return dockerfile;
  }

  function inFolder<T extends { readonly file: string }>(at: T): T {
    return { ...at, file: posix.normalize(posix.join(settings.context, at.file)) };
  }

  async function statedInDockerfile(): Promise<readonly StatedPlace[]> {
    const [{ dockerfileVersions }, folder] = await Promise.all([tools.pins(), tools.tree()]);
    const path = posix.normalize(posix.join(settings.context, settings.dockerfile));
    return dockerfileVersions(folder, path).map(({ file, line, value }) => ({
      name: `${file}:${line}`,
      value,
      at: { file, line },
    }));
  }
}

async function labels(checking: Checking): Promise<VersionFacts['image']> {
  const { project, tools, look, untrusted } = checking;
  const subject = subjectOf(project);
  const { image } = project;
  // A pull request changes no published image.
  if (subject === undefined || image === undefined || untrusted) return undefined;
  const found = await look.ask(async (): Promise<readonly StatedPlace[]> => {
    const digest = await digestOf(checking, subject);
    const contents =
      digest === undefined ? undefined : await (await tools.registry()).contents(ownImage(image, digest));
    return (contents?.platforms ?? []).flatMap(({ platform, labels: all }) =>
      // Without our own copy, the label may be the base image's.
      all[OWN] === undefined
        ? []
        : [OWN, OCI].flatMap((name) =>
            all[name] === undefined ? [] : [{ name: `the label ${name} of ${platform}`, value: all[name] }],
          ),
    );
  });
  return { version: subject.version, name: `${image} ${subject.version}`, labels: found };
}

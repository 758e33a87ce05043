import { failure, good, note, refusal, skip } from './reason.ts';

/** Codes of `label` and `build-push`, and of the registry and the engine below them. */
export const build = {
  labelled: good('The labels and the recipe digest are determined.'),
  built: good('The image was built from this candidate.'),
  relabelled: good('The same recipe was there already; only its labels were renewed.'),
  unchanged: good('The same recipe with the same labels was there already; nothing was built.'),
  adopted: good('A version tag from before knowngood names this commit; it was adopted, not rebuilt.'),
  'fork-no-push': good(
    'Built, not pushed: a fork or a run without credentials gets no push.',
    'Nothing to do; a maintainer can start a run with `!testme`.',
  ),
  'not-pushed': good('Built, not pushed: this event pushes nothing.', 'Set `push: always` to push here.'),
  'no-own-image': skip('The recipe builds no image of its own.'),
  'recipe-local': note(
    'A base image is known to the local engine only, so the recipe has no digest and is always built.',
    'Push the base to a registry to have unchanged builds skipped.',
  ),
  'recipe-unresolved': note('A base image is not resolved yet; build-push completes the recipe.'),
  'recipe-invalid': failure(
    'A recipe document cannot be read.',
    'Build the image again; the document in its label or statement is damaged, or not ours.',
  ),
  'recipe-unproven': note(
    'An image says to be of this recipe, and nothing proves it, so it is not reused.',
    'Nothing to do; where it should be reused, sign it, or promote it.',
  ),
  'dest-tag-conflict': refusal(
    'The destination tag exists with other content.',
    'Release under a new version; a released tag never moves.',
  ),
  'tag-unrepresentable': failure(
    'The version cannot be written as an image tag.',
    'Use a version without `_` and of at most 128 characters.',
  ),
  'tag-reserved': failure('A tag of that name is reserved.', 'Choose another tag.'),
  'reference-invalid': failure(
    'An image reference is not valid.',
    'Write it as host/name:tag or host/name@sha256:….',
  ),
  'manifest-invalid': failure(
    'The registry served a manifest that contradicts itself or its digest.',
    'Push the image again; if it persists, look at the registry or the proxy before it.',
  ),
  'dockerfile-invalid': failure('The Dockerfile cannot be read.', 'Correct the line that the message names.'),
  'dockerfile-missing': failure(
    'There is no Dockerfile at that path.',
    'Set `dockerfile`, or leave `image` out where the recipe builds no image.',
  ),
  'base-unresolved': failure(
    'A base image could not be resolved to a digest.',
    'Check its name, and give credentials for its registry in `registries`.',
  ),
  'context-invalid': failure(
    'The build context holds something that cannot be sent.',
    'Remove sockets, devices and pipes from the context, or ignore them in .dockerignore.',
  ),
  'ignore-invalid': failure(
    'An ignore file has a pattern that Docker does not accept.',
    'Correct the line that the message names.',
  ),
  'build-arg-secret': failure(
    'A build argument has the name of a secret; its value would be readable in the image.',
    'Pass it in `secrets` and use RUN --mount=type=secret.',
  ),
  'build-failed': failure('The build failed.', 'Correct the instruction that the message names.'),
  'builder-missing': failure(
    'A setting needs buildx, and `docker buildx` is not there.',
    'Install the buildx plugin, or leave the setting out.',
  ),
  'engine-unreachable': failure(
    'No container engine answered.',
    'Start Docker or Podman, or set `docker-host`.',
  ),
  'engine-failed': failure('The container engine answered with an error.', 'See the message of the engine.'),
  'registry-denied': failure(
    'The registry refused the credentials or the permission.',
    'Check `registry-username` and `registry-password`; on GitHub the job needs `permissions: packages: write`.',
  ),
  'credentials-unreadable': failure(
    'The credentials of a registry could not be read.',
    'Repair the Docker config file or its credential helper, or give the credentials in `registries`.',
  ),
  'registry-unreachable': failure(
    'The registry did not answer.',
    'Check the host name and the network, then try again.',
  ),
  'registry-failed': failure(
    'The registry answered with an error.',
    'See status and message of the registry.',
  ),
  'readback-timeout': failure(
    'The registry took the push but does not show it.',
    'Run the step again; it finds what is already there.',
  ),
  'source-missing': refusal('The digest is not in the registry.', 'Run build-push again.'),
} as const;

/**
 * The one table of settings. action.yml, docs.md, the plugin index entry, `--help` and the reading of every
 * host's settings are made from it. Pure data: the entrypoint loads it before anything else.
 */
export type SettingType =
  | 'text'
  | 'flag'
  | 'list'
  | 'map'
  | 'number'
  | 'duration'
  | 'choice'
  | 'commit'
  | 'json';

export const stepNames = [
  'label',
  'build-push',
  'attest',
  'verify',
  'step-back',
  'test',
  'promote',
  'rollback',
  'hold',
  'drift',
  'testme',
  'report',
  'sweep',
] as const;

export type StepName = (typeof stepNames)[number];

/** Lines: names for the usual sequences of steps. */
export const lines = {
  release: ['label', 'build-push', 'attest', 'step-back', 'test', 'promote'],
  change: ['label', 'build-push', 'step-back', 'test'],
} as const satisfies Record<string, readonly StepName[]>;

/** What each step does, in one line, for `--help` and the docs. */
export const stepSummaries: Readonly<Record<StepName, string>> = {
  label: 'Determine version, revision, recipe digest, base images and the full label set.',
  'build-push': 'Build and stage the image, or find the same recipe already there.',
  attest: 'Write, sign and attach the provenance statement.',
  verify: "Check an image's labels, recipe and attestations against a policy.",
  'step-back': 'Choose the release that the upgrade test starts from.',
  test: 'Install the base, upgrade to the candidate, check, tear down.',
  promote: 'Evaluate the gate and, if it holds, publish and write the canonical record.',
  rollback: 'Make an earlier release canonical again and hold the bad one.',
  hold: 'Set or lift a hold on a version.',
  drift: 'Compare everything that should agree.',
  testme: 'Read a comment event and decide whether a run may start.',
  report: 'Commit status and one comment for a pull request.',
  sweep: 'Look at every recipe of a fleet and run what has a new release.',
};

interface Spec<
  T extends SettingType,
  C extends string = string,
  D extends string | undefined = string | undefined,
> {
  readonly type: T;
  readonly about: string;
  /** The steps that read it; absent: all of them. */
  readonly steps?: readonly StepName[];
  readonly choices?: readonly C[];
  /** As a person would write it. */
  readonly default?: D;
  /** What happens where it is not set and there is no fixed default, for the docs. */
  readonly fallback?: string;
  readonly secret?: boolean;
  readonly example?: string;
}

const text = <const S extends Omit<Spec<'text'>, 'type'>>(s: S) => ({ type: 'text', ...s }) as const;
const flag = <const S extends Omit<Spec<'flag'>, 'type'>>(s: S) =>
  ({ type: 'flag', default: 'false', ...s }) as const;
const list = <const S extends Omit<Spec<'list'>, 'type'>>(s: S) => ({ type: 'list', ...s }) as const;
const map = <const S extends Omit<Spec<'map'>, 'type'>>(s: S) => ({ type: 'map', ...s }) as const;
const number = <const S extends Omit<Spec<'number'>, 'type'>>(s: S) => ({ type: 'number', ...s }) as const;
const duration = <const S extends Omit<Spec<'duration'>, 'type'>>(s: S) =>
  ({ type: 'duration', ...s }) as const;
const choice = <const S extends Omit<Spec<'choice'>, 'type'>>(s: S) => ({ type: 'choice', ...s }) as const;
const commit = <const S extends Omit<Spec<'commit'>, 'type'>>(s: S) => ({ type: 'commit', ...s }) as const;
const json = <const S extends Omit<Spec<'json'>, 'type'>>(s: S) => ({ type: 'json', ...s }) as const;

export const settingsTable = {
  step: list({ about: 'One step, a list of steps, or a line (`release`, `change`).', example: 'release' }),
  context: text({ about: 'Folder of the build context, relative to the checkout.', default: '.' }),
  config: text({ about: 'Recipe configuration on the release branch; optional.', default: 'knowngood.yml' }),
  recipe: text({ about: 'Name of the recipe.', fallback: 'the repository name' }),
  image: text({
    about: 'Own image of the recipe, without tag.',
    fallback: 'on GitHub with a Dockerfile: ghcr.io/<owner>/<repo>',
    example: 'ghcr.io/acme/hedgedoc',
  }),
  version: text({
    about: 'Version of the candidate.',
    fallback: 'the release tag, or what knowngood.yml names',
  }),
  candidate: commit({ about: 'Full commit under test.', fallback: 'the checkout' }),
  'pull-request': number({
    about: 'Number of the pull request that the candidate is of.',
    fallback: 'from the event',
  }),
  arguments: map({ about: 'Arguments of a `!testme` comment.', fallback: 'from the event' }),
  'release-branch': text({ about: 'Branch that releases are cut from.', fallback: 'the default branch' }),
  repository: text({
    about: 'Where tags, release branch and pull-request refs are read: a URL or a path.',
    fallback: "the host's clone URL; in a terminal the remote `origin`, else the checkout itself",
  }),
  dossier: text({ about: 'Path of the dossier.', fallback: 'knowngood-out/<recipe>/dossier.json' }),
  ledger: text({
    about: '`git:<remote>#<branch>` or `file:<folder>`.',
    fallback: "the fleet's; in CI the repository's own remote, branch `knowngood`",
  }),
  'ledger-token': text({
    about: 'Token that may write the ledger.',
    secret: true,
    fallback: "the job's token on GitHub",
  }),
  'registry-username': text({
    about: "User name for the image's registry.",
    fallback: 'on GitHub and ghcr.io: the actor',
  }),
  'registry-password': text({
    about: "Password or token for the image's registry, sent to that host only.",
    secret: true,
    fallback: "on GitHub and ghcr.io: the job's token",
  }),
  registries: json({
    about: 'Credentials of other registries: `{"host": {"username": "…", "password": "…"}}`.',
    secret: true,
  }),
  'insecure-registries': list({
    about: 'Hosts that may be spoken to over plain HTTP.',
    example: 'registry.lan:5000',
  }),
  forge: choice({
    about: 'Kind of forge.',
    choices: ['github', 'gitea', 'forgejo'],
    fallback: 'found by asking',
  }),
  'forge-url': text({ about: "Address of the forge's API.", fallback: 'from the event' }),
  'forge-token': text({ about: 'Token for the forge.', secret: true, fallback: "the job's token on GitHub" }),
  'docker-host': text({
    about: 'Engine to use.',
    fallback: 'DOCKER_HOST, docker contexts, the usual sockets',
  }),
  'dry-run': flag({ about: 'Print the plan; change nothing outside knowngood-out.' }),
  verbose: flag({ about: 'More detail in the log.' }),

  labels: map({ about: 'Labels to add or to replace.', steps: ['label'] }),
  annotations: map({ about: 'Index annotations to add or to replace.', steps: ['label'] }),
  'source-url': text({
    about: 'Value of org.opencontainers.image.source.',
    steps: ['label'],
    fallback: 'the repository page',
  }),

  dockerfile: text({
    about: 'Dockerfile, relative to the context.',
    steps: ['label', 'build-push'],
    default: 'Dockerfile',
  }),
  target: text({ about: 'Stage to build.', steps: ['label', 'build-push'], fallback: 'the last stage' }),
  'build-args': map({ about: 'Build arguments. Not for secrets.', steps: ['label', 'build-push'] }),
  platforms: list({
    about: 'Platforms to build.',
    steps: ['label', 'build-push'],
    fallback: "the engine's own",
    example: 'linux/amd64, linux/arm64',
  }),
  builder: choice({
    about: 'What builds: the Engine API, or `docker buildx`.',
    steps: ['build-push'],
    choices: ['auto', 'engine', 'buildx'],
    default: 'auto',
  }),
  secrets: map({
    about: 'Build secrets, id to value, for RUN --mount=type=secret (buildx).',
    steps: ['build-push'],
    secret: true,
  }),
  ssh: list({ about: 'SSH agent sockets or keys for RUN --mount=type=ssh (buildx).', steps: ['build-push'] }),
  'cache-from': list({ about: 'Cache sources.', steps: ['build-push'] }),
  'cache-to': list({ about: 'Cache destinations (buildx).', steps: ['build-push'] }),
  'no-cache': flag({ about: 'Build every instruction.', steps: ['build-push'] }),
  pull: flag({ about: 'Pull base images although they are there.', steps: ['build-push'] }),
  push: choice({
    about: 'Whether to push: by the event, always, or never.',
    steps: ['build-push'],
    choices: ['auto', 'always', 'never'],
    default: 'auto',
  }),
  publish: choice({
    about: 'Who puts the version tag: promote, or this push.',
    steps: ['build-push'],
    choices: ['on-promote', 'on-push'],
    default: 'on-promote',
  }),
  tags: list({ about: 'Further tags to stage under.', steps: ['build-push'] }),
  'allow-overwrite': flag({
    about: 'Let staged tags of `tags` move to other content. Never the version tag.',
    steps: ['build-push'],
  }),
  'skip-unchanged': flag({
    about: 'Reuse an image of the same recipe.',
    steps: ['build-push'],
    default: 'true',
  }),

  signing: choice({
    about: 'How statements are signed.',
    steps: ['attest'],
    choices: ['key', 'none'],
    default: 'none',
  }),
  'signing-key': text({
    about: 'PKCS#8 PEM private key, P-256 or Ed25519.',
    steps: ['attest'],
    secret: true,
  }),

  'image-ref': text({
    about: 'Image to verify, name@digest or name:tag.',
    steps: ['verify'],
    fallback: "the dossier's image",
  }),
  policy: text({
    about: 'Policy file (JSON), or the policy itself.',
    steps: ['build-push', 'verify', 'promote', 'drift'],
  }),

  'upgrade-base': text({ about: 'Pin: the release to upgrade from.', steps: ['step-back'] }),
  'known-broken': list({ about: 'Versions that are no base.', steps: ['step-back'] }),
  'tag-pattern': text({
    about: 'Release tags; the part matched by `*` is the version.',
    steps: ['label', 'build-push', 'step-back', 'test', 'promote', 'rollback', 'hold', 'drift', 'sweep'],
    default: '*',
  }),
  'max-major-step': number({
    about: 'Most major versions an upgrade may cross (in 0.x: minor).',
    steps: ['step-back'],
    default: '1',
  }),
  'run-context': choice({
    about: 'Whether a release is being released, or a change looked at.',
    steps: ['build-push', 'attest', 'step-back', 'test', 'promote'],
    choices: ['auto', 'release', 'change'],
    default: 'auto',
  }),

  tiers: list({ about: 'Tiers to run.', steps: ['step-back', 'test'], default: 'install, upgrade' }),
  timeout: duration({ about: 'Deadline of the whole test run.', steps: ['test'], default: '15m' }),
  keep: flag({ about: 'Leave containers and volumes of a failed run for looking at.', steps: ['test'] }),

  require: list({
    about: 'What else the gate asks for; `require-lowered`: that it is less than before is accepted.',
    steps: ['promote'],
    choices: ['signature', 'provenance', 'all-platforms', 'require-lowered'],
  }),
  'min-age': duration({
    about: 'How long a release must have been known.',
    steps: ['promote'],
    default: '0s',
  }),
  'max-evidence-age': duration({ about: 'How old the test may be.', steps: ['promote'], default: '24h' }),
  'require-platforms': list({ about: 'Platforms that the image must have.', steps: ['promote'] }),
  'floating-tags': choice({
    about: 'Whether `3`, `3.0` and `latest` follow a promotion.',
    steps: ['promote', 'rollback', 'drift'],
    choices: ['on-promote', 'never'],
    default: 'on-promote',
  }),
  'ledger-init': flag({
    about: 'Create the ledger if there is none.',
    steps: ['step-back', 'test', 'promote', 'rollback', 'hold', 'sweep'],
  }),

  to: text({ about: 'Release to go back to.', steps: ['rollback'], fallback: 'the one before' }),
  why: text({ about: 'Reason, for the record.', steps: ['rollback', 'hold'] }),
  'hold-until': choice({
    about: 'When the bad version may be promoted again.',
    steps: ['rollback'],
    choices: ['newer', 'manual'],
    default: 'newer',
  }),
  lift: flag({ about: 'Lift the hold instead of setting it.', steps: ['hold'] }),

  checks: list({ about: 'Checks to run.', steps: ['drift'], fallback: 'all that apply' }),
  pins: list({
    about: 'Files that name images (patterns).',
    steps: ['drift'],
    fallback: "knowngood.yml's, else the usual files",
  }),
  'fail-on': list({ about: 'Findings that refuse.', steps: ['drift'], fallback: 'the contradictions' }),
  'report-to': list({
    about: 'Where findings go.',
    steps: ['drift'],
    choices: ['summary', 'issue', 'sarif'],
    default: 'summary',
  }),
  'allowed-hosts': list({ about: 'Registries that may be asked on a pull request.', steps: ['drift'] }),
  fleet: text({
    about: 'Fleet file.',
    steps: [
      'label',
      'build-push',
      'attest',
      'step-back',
      'test',
      'promote',
      'rollback',
      'hold',
      'drift',
      'sweep',
    ],
  }),

  command: text({ about: 'The word that starts a run.', steps: ['testme'], default: '!testme' }),
  'allow-arguments': list({ about: 'Argument names that a comment may give.', steps: ['testme'] }),
  'allow-users': list({ about: 'Bots that may start a run, by numeric id or login.', steps: ['testme'] }),
  mode: choice({
    about: 'Where the run happens.',
    steps: ['testme'],
    choices: ['here', 'drone'],
    default: 'here',
  }),
  'mirror-token': text({
    about:
      'Token that may write to the mirrors of a fleet, at the forge of `forge-token`; used for nothing else.',
    steps: ['sweep'],
    secret: true,
    fallback: '`forge-token`',
  }),
  'drone-server': text({ about: 'Address of the Drone server.', steps: ['testme', 'sweep'] }),
  'drone-token': text({ about: 'Token for the Drone server.', steps: ['testme', 'sweep'], secret: true }),
  'context-name': text({
    about: 'Name of the commit status.',
    steps: ['testme', 'report'],
    default: 'knowngood/test',
  }),

  'job-result': text({ about: 'How the test job ended (`needs.test.result`).', steps: ['report'] }),

  'plan-only': flag({ about: 'Print what would run, as a matrix; run nothing.', steps: ['sweep'] }),
  collect: text({ about: 'Folder with the results of matrix legs to join.', steps: ['sweep'] }),
  board: text({ about: 'Where to write the HTML board.', steps: ['sweep'] }),
  concurrency: number({ about: 'Recipes at a time.', steps: ['sweep'], default: '1' }),
  'time-budget': duration({ about: 'Start nothing after this time.', steps: ['sweep'], default: '6h' }),
  'disk-budget': text({ about: 'Free disk below which nothing starts.', steps: ['sweep'], default: '2GiB' }),
} as const satisfies Record<string, Spec<SettingType>>;

export type SettingName = keyof typeof settingsTable;

type Camel<S extends string> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;

type Value<S> = S extends { type: 'flag' }
  ? boolean
  : S extends { type: 'list' }
    ? readonly string[]
    : S extends { type: 'map' }
      ? Readonly<Record<string, string>>
      : S extends { type: 'number' | 'duration' }
        ? number
        : S extends { type: 'json' }
          ? unknown
          : S extends { type: 'choice'; choices: readonly (infer C)[] }
            ? C
            : string;

type Optional<S> = S extends { default: string }
  ? never
  : S extends { type: 'list' | 'map' }
    ? never
    : undefined;

/**
 * Settings as the steps see them: camelCase, typed, defaults applied. Durations are milliseconds. An unset list
 * or map is empty; any other setting without a default is `undefined`.
 */
export type Settings = {
  readonly [K in SettingName as Camel<K>]:
    | Value<(typeof settingsTable)[K]>
    | Optional<(typeof settingsTable)[K]>;
} & {
  /** The settings that somebody gave, by kebab-case name: to tell a default from a wish. */
  readonly given: ReadonlySet<SettingName>;
};

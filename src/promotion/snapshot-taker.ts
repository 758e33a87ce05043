import type { RecipeView } from '../ledger/ledger.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageContents } from '../registry/registry.ts';
import type { FloatingPlan } from '../rules/floating-tags.ts';
import type {
  Evidence,
  GatePolicy,
  ImageFacts,
  Known,
  RecipeFacts,
  ReleaseFacts,
  Snapshot,
  VerificationFacts,
} from '../rules/gate/snapshot.ts';
import { floatingPlan } from './floating.ts';
import { ask, type ImageRegistry, ledgerFacts, lookAtImage } from './look.ts';
import type { PublishTools } from './publish.ts';
import { type TagRegistry, tagWriter } from './tag-writer.ts';

/** An own image and the digest that is to be published. */
export interface OwnImage {
  readonly image: string;
  readonly digest: Digest;
}

/** What is promoted: one own image, or a compose application, some of whose images may be own. */
export type PromotedSubject =
  | ({ readonly kind: 'image' } & OwnImage)
  | { readonly kind: 'image'; readonly image: string; readonly digest: undefined }
  | {
      readonly kind: 'compose';
      readonly images: Readonly<Record<string, string>>;
      readonly own: readonly OwnImage[];
    };

/** What git, configuration and attestations are asked; each fails where it has no answer. */
export interface Lookups {
  /** The release branch's configuration at its tip, as it is for this version. */
  config(version: string): Promise<RecipeFacts>;
  /** The remote's tags. `base`: the tag that the test says it upgraded from. */
  releases(
    candidate: { readonly version: string; readonly commit: string },
    base?: string,
  ): Promise<ReleaseFacts>;
  /** The places in the checked-out tree that state the version. */
  stated(): Promise<readonly { readonly place: string; readonly version: string }[]>;
  verification(
    image: OwnImage,
    candidate: { readonly version: string; readonly commit: string },
  ): Promise<VerificationFacts>;
}

export interface Judged {
  readonly recipe: string;
  readonly repository: string;
  readonly run: string;
  readonly context: Snapshot['context'];
  readonly policy: GatePolicy;
  readonly candidate: Snapshot['candidate'];
  readonly subject: PromotedSubject;
  readonly evidence?: Evidence;
  /** As `Snapshot.evidenceBy`. */
  readonly evidenceBy?: string;
  /** Known already: the tree of a commit does not change. */
  readonly stated?: Snapshot['stated'];
}

export interface LookTools extends PublishTools {
  readonly registry: TagRegistry & ImageRegistry;
  readonly lookups: Lookups;
  /** `never`: `3`, `3.0` and `latest` are left alone. */
  readonly floating: 'on-promote' | 'never';
}

/** A snapshot, and what was found on the way that is written but not judged. */
export interface Taken {
  readonly snapshot: Snapshot;
  readonly contents: readonly Known<ImageContents | undefined>[];
  /** By own image, in their order; none where floating tags are left alone or could not be planned. */
  readonly floating: readonly FloatingPlan[];
}

/** The own images that are in a registry. */
export function ownImages(subject: PromotedSubject): readonly OwnImage[] {
  if (subject.kind === 'compose') return subject.own;
  const { image, digest } = subject;
  return digest === undefined ? [] : [{ image, digest }];
}

/** Looks at everything once. `mine`: the nonce of an intent that is ours, and no other run's. */
export async function takeSnapshot(
  judged: Judged,
  view: RecipeView,
  tools: LookTools,
  mine?: string,
): Promise<Taken> {
  const { candidate, evidence, subject } = judged;
  const now = tools.waiting.now();
  // The ledger first: whatever changes there after this moment, the intent's compare-and-swap finds out.
  const facts = ledgerFacts(view, now, mine);
  const own = ownImages(subject);
  const [config, releases, stated, images, verifications] = await Promise.all([
    ask(() => tools.lookups.config(candidate.version)),
    ask(() => tools.lookups.releases(candidate, evidence?.base?.tag)),
    judged.stated ?? ask(() => tools.lookups.stated()),
    Promise.all(
      own.map(({ image, digest }) => lookAtImage(tools.registry, image, digest, candidate.version)),
    ),
    Promise.all(own.map((image) => ask(() => tools.lookups.verification(image, candidate)))),
  ]);
  const tags = tagWriter(tools.registry, tools.waiting, tools.write);
  const floating =
    tools.floating === 'never'
      ? []
      : await Promise.all(
          own.map(({ image, digest }) =>
            ask(() =>
              floatingPlan(tools.ledger, tags, judged.recipe, image, { version: candidate.version, digest }),
            ),
          ),
        );
  return {
    contents: images.map(({ contents }) => contents),
    floating: floating.flatMap((plan) => ('known' in plan ? [plan.known] : [])),
    snapshot: {
      now,
      run: judged.run,
      context: judged.context,
      policy: judged.policy,
      recipe: judged.recipe,
      repository: judged.repository,
      candidate,
      config,
      releases,
      stated,
      ledger: { known: facts },
      floating: floating.find((plan) => 'unanswered' in plan) ?? { known: true },
      ...(evidence === undefined ? {} : { evidence }),
      ...(judged.evidenceBy === undefined ? {} : { evidenceBy: judged.evidenceBy }),
      kind: subject.kind,
      images:
        subject.kind === 'image' && own.length === 0
          ? [unpushed(subject.image)]
          : images.map(({ facts }) => facts),
      verification: merged(verifications),
    },
  };
}

function unpushed(image: string): ImageFacts {
  const nowhere = { known: undefined };
  return {
    image,
    digest: undefined,
    content: nowhere,
    destination: { known: { tag: '', sameContent: false } },
  };
}

/** What was found about all own images, as one answer. */
function merged(all: readonly Known<VerificationFacts>[]): Known<VerificationFacts> {
  const asked: Extract<VerificationFacts, { asked: true }>[] = [];
  for (const one of all) {
    if ('unanswered' in one) return one;
    if (!one.known.asked) return { known: { asked: false } };
    asked.push(one.known);
  }
  const [first, ...rest] = asked;
  if (first === undefined) return { known: { asked: false } };
  return {
    known: {
      asked: true,
      // What is required must be signed for every image.
      signed: first.signed.filter((type) => rest.every(({ signed }) => signed.includes(type))),
      invalid: asked.flatMap(({ invalid }) => invalid),
      contradictions: asked.flatMap(({ contradictions }) => contradictions),
      strangers: asked.reduce((sum, { strangers }) => sum + strangers, 0),
    },
  };
}

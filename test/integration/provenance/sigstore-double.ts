import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleToJSON } from '@sigstore/bundle';
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';
import { DSSEBundleBuilder, FulcioSigner, RekorWitness } from '@sigstore/sign';

export interface SigstoreDouble {
  readonly fulcio: string;
  readonly rekor: string;
  /** What a policy trusts: the form of Sigstore's `trusted_root.json`. */
  readonly trustedRoot: object;
  /** Signs as the workflow whose OIDC claims these are; the bundle as JSON. */
  sign(payload: Uint8Array, claims: Readonly<Record<string, string>>, type?: string): Promise<Uint8Array>;
  stop(): Promise<void>;
}

/** The log's name, which its checkpoints bear; nobody connects to it. */
const LOG_URL = 'http://rekor.example';

const newPair = (): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Sigstore's own doubles of certificate authority and transparency log, behind HTTP on loopback. */
export async function sigstoreDouble(): Promise<SigstoreDouble> {
  const [caPair, ctPair, tlogPair] = [newPair(), newPair(), newPair()];
  const ctlog = await initializeCTLog(ctPair);
  const ca = await initializeCA(caPair, ctlog);
  const certificates = fulcioHandler(ca, { subjectClaim: 'san' });
  const tlog = await initializeTLog(LOG_URL, tlogPair);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const answer =
      request.url === certificates.path
        ? await certificates.fn(body)
        : { statusCode: 201, response: JSON.stringify(await tlog.log(logged(JSON.parse(body)))) };
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
    response.end(answer.response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const valid = { start: new Date(Date.now() - 3_600_000).toISOString() };
  const log = (pair: KeyPairKeyObjectResult) => {
    const key = pair.publicKey.export({ format: 'der', type: 'spki' });
    return {
      baseUrl: LOG_URL,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: valid },
      logId: { keyId: createHash('sha256').update(key).digest('base64') },
    };
  };
  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return {
    fulcio: url,
    rekor: url,
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(tlogPair)],
      ctlogs: [log(ctPair)],
      certificateAuthorities: [
        {
          subject: { organization: 'double', commonName: 'double' },
          uri: url,
          certChain: { certificates: [{ rawBytes: bytesOf(ca.rootCertificate).toString('base64') }] },
          validFor: valid,
        },
      ],
      timestampAuthorities: [],
    },
    async sign(payload, claims, type = 'application/vnd.in-toto+json') {
      const token = ['{"alg":"none"}', JSON.stringify({ sub: 'repo:acme/hedgedoc', ...claims }), '']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.');
      const builder = new DSSEBundleBuilder({
        signer: new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: async () => token } }),
        witnesses: [new RekorWitness({ rekorBaseURL: url, entryType: 'dsse' })],
      });
      const bundle = await builder.create({
        data: Buffer.from(payload),
        type,
      });
      return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Rekor keeps hashes and signatures of a proposed entry, not its content; the double would keep it as it came. */
function logged(entry: { spec?: { proposedContent?: { envelope: string; verifiers: string[] } } }): object {
  const proposed = entry.spec?.proposedContent;
  if (proposed === undefined) return entry;
  const envelope = JSON.parse(proposed.envelope) as { payload: string; signatures: { sig: string }[] };
  const hash = (bytes: Uint8Array) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(bytes).digest('hex'),
  });
  return {
    ...entry,
    spec: {
      envelopeHash: hash(Buffer.from(proposed.envelope)),
      payloadHash: hash(Buffer.from(envelope.payload, 'base64')),
      signatures: envelope.signatures.map(({ sig }, i) => ({
        signature: sig,
        verifier: proposed.verifiers[i],
      })),
    },
  };
}

import { createHash } from 'node:crypto';
import type { Finding, Level } from '../outcome.ts';
import { reasons } from '../reasons.ts';
import { inert } from '../untrusted/text.ts';

export interface SarifInputs {
  readonly findings: readonly Finding[];
  /** This program's version. */
  readonly version: string;
  /** The file that a finding without a place is put at: code scanning takes no result without one. */
  readonly otherwise: string;
}

const levels: Readonly<Record<Level, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

const PROJECT = 'https://github.com/knowngood/knowngood';

/**
 * Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code scanning: rules from the
 * table of reasons, places relative to the checkout, the replacement as a fix. Text is inert, and shows the matched
 * reference, never the line that it stands in.
 */
export function sarifLog({ findings, version, otherwise }: SarifInputs): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'knowngood',
            version,
            informationUri: PROJECT,
            rules: codes.map((code) => ({
              id: code,
              shortDescription: { text: reasons[code].sentence },
              help: { text: reasons[code].remedy },
              helpUri: `${PROJECT}/blob/main/docs/reasons.md`,
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map((found) => result(found, codes.indexOf(found.code), otherwise)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function result(found: Finding, ruleIndex: number, otherwise: string) {
  const { code, level, message, remedy, at, found: is, replacement } = found;
  const artifactLocation = { uri: uriOf(at?.file ?? otherwise) };
  const region = {
    startLine: at?.line ?? 1,
    ...(at?.column === undefined ? {} : { startColumn: at.column }),
  };
  return {
    ruleId: code,
    ruleIndex,
    level: levels[level],
    message: { text: plain(`${message} ${remedy}`) },
    locations: [{ physicalLocation: { artifactLocation, region } }],
    // The line is left out, so that a finding stays the same one when lines are added above it.
    partialFingerprints: {
      'knowngood/v1': createHash('sha256')
        .update(JSON.stringify([code, at?.file ?? '', is ?? message]))
        .digest('hex'),
    },
    ...(replacement === undefined || at?.line === undefined
      ? {}
      : { properties: { replacement: inert(replacement) } }),
  };
}

/** A path as a relative URI (RFC 3986): every part encoded, so that no name is read as a scheme or a query. */
function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/');
}

/** A message without control characters. Brackets are escaped: `[text](1)` is a link in SARIF (3.11.6). */
function plain(text: string): string {
  return inert(text).replace(/[\\[\]]/g, '\\$&');
}

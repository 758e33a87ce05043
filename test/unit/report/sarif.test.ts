import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { type Finding, finding } from '../../../src/outcome.ts';
import { type ReasonCode, reasons } from '../../../src/reasons.ts';
import { driftSummary } from '../../../src/report/drift.ts';
import { sarifLog } from '../../../src/report/sarif.ts';

/** The published schema is draft 4, of which it uses nothing that later drafts read otherwise but its names. */
function publishedSchema(): object {
  const path = new URL('../../fixtures/schemas/sarif-schema-2.1.0.json', import.meta.url);
  const { $schema: _, id, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  return { $id: id, ...rest };
}

const validate = new Ajv({ strict: false, validateFormats: false }).compile(publishedSchema());

function sarif(findings: readonly Finding[]) {
  const log = JSON.parse(sarifLog({ findings, version: '0.1.0', otherwise: 'knowngood.yml' }));
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  return log.runs[0];
}

describe('SARIF', () => {
  it('is refused by the schema where it is wrong, so that the test can fail', () => {
    const log = JSON.parse(sarifLog({ findings: [], version: '1', otherwise: 'x' }));
    expect(validate({ ...log, version: '2.0.0' })).toBe(false);
    expect(validate({ ...log, runs: [{ tool: {} }] })).toBe(false);
  });

  it('is valid for every code, with and without a place', () => {
    const all = (Object.keys(reasons) as ReasonCode[]).flatMap((code) => [
      finding(code, 'error', 'what is wrong'),
      finding(code, 'info', 'what is wrong', {
        at: { file: 'a/b c#1.yml', line: 3, column: 7 },
        replacement: 'x:1',
      }),
    ]);
    const run = sarif(all);
    expect(run.results).toHaveLength(all.length);
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex].id).toBe(ruleId);
  });

  it('places a finding where it stands, and one without a place at the configuration', () => {
    const [placed, other] = sarif([
      finding('pin-behind', 'warning', 'old', { at: { file: 'deploy/a b.yml', line: 3, column: 7 } }),
      finding('new-release', 'info', 'new'),
    ]).results;
    expect(placed.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'deploy/a%20b.yml' },
      region: { startLine: 3, startColumn: 7 },
    });
    expect(placed.level).toBe('warning');
    expect(other.locations[0].physicalLocation.artifactLocation.uri).toBe('knowngood.yml');
    expect(other.level).toBe('note');
  });

  it('keeps its fingerprint when lines are added above', () => {
    const at = (line: number) =>
      finding('pin-behind', 'warning', 'old', { at: { file: 'a', line }, found: 'x:1' });
    const [a, b] = sarif([at(3), at(30)]).results;
    expect(a.partialFingerprints).toEqual(b.partialFingerprints);
  });

  it('shows hostile text inert', () => {
    const evil = 'a\u001b[31m\u202e[click](https://evil.example) <b>{0}\\';
    const [result] = sarif([finding('pin-behind', 'warning', evil)]).results;
    expect(result.message.text).not.toMatch(/[\u001b\u202e]/);
    expect(result.message.text).toContain('\\[click\\](https://evil.example)');
  });
});

describe('the summary', () => {
  it('shows hostile text as code, one row each, the worst first', () => {
    const evil = '`|`<img src=x>\n[x](https://evil.example) @everyone';
    const text = driftSummary({
      verdict: 'drift',
      checks: ['pins'],
      findings: [
        finding('pin-floating', 'info', 'moves', { at: { file: 'b.yml', line: 1 } }),
        finding('digest-drift', 'error', evil, { replacement: 'a:1|2' }),
      ],
    });
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain('digest-drift');
    // Outside the code spans nothing of it is left.
    expect(rows[0]!.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '')).not.toMatch(/evil|img|everyone/);
  });

  it('does not grow without end', () => {
    const findings = Array.from({ length: 10_000 }, (_, line) =>
      finding('pin-floating', 'info', 'x', { at: { file: 'a', line } }),
    );
    expect(driftSummary({ verdict: 'clean', checks: [], findings }).length).toBeLessThan(60_000);
  });
});

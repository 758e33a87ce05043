import { choicesText } from '../choices-text.ts';
import { commonOutputs, stepOutputs } from '../outputs.ts';
import { lines, type SettingName, settingsTable, stepNames, stepSummaries } from '../schema.ts';
import { quoted, type Row } from './action.ts';

const IMAGE = 'ghcr.io/knowngood/knowngood';
const REPOSITORY = 'https://github.com/knowngood/knowngood';

/** docs.md: the page that Woodpecker's plugin index shows. */
export function pluginDocs(description: string): string {
  const rows = Object.entries(settingsTable) as [SettingName, Row][];
  const common = rows.filter(([, spec]) => spec.steps === undefined);
  return `---
name: knowngood
description: ${quoted(description)}
author: the knowngood authors
tags: [release, docker, container, drift, upgrade]
containerImage: ${IMAGE}
containerImageUrl: ${REPOSITORY}/pkgs/container/knowngood
url: ${REPOSITORY}
---

<!-- Made by \`npm run generate\` from src/settings; do not edit. -->

# knowngood

${description}

\`\`\`yaml
steps:
  - name: release
    image: ${IMAGE}
    settings:
      step: release
      registry_username: robot
      registry_password:
        from_secret: registry_password
      ledger_token:
        from_secret: ledger_token
    volumes:
      - name: docker
        path: /var/run/docker.sock

volumes:
  - name: docker
    host:
      path: /var/run/docker.sock
\`\`\`

Settings are written in snake_case. Lists are YAML lists, lines, or separated by commas; maps are YAML maps or lines
of \`NAME=value\`. A step that talks to an engine (\`build-push\`, \`test\`) needs its socket or a \`docker_host\`; all
others need no privileges.

## Lines

| line | steps |
|---|---|
${Object.entries(lines)
  .map(([name, steps]) => `| \`${name}\` | ${steps.map((step) => `\`${step}\``).join(' → ')} |`)
  .join('\n')}

## Settings of every step

${settingTable(common)}

${stepNames
  .map((step) => {
    const own = rows.filter(([, spec]) => spec.steps?.includes(step));
    return `## ${step}

${stepSummaries[step]}

${own.length === 0 ? 'No settings of its own.' : settingTable(own)}

Outputs: ${Object.entries(stepOutputs[step])
      .map(([name, about]) => `\`${name}\` (${about.replace(/\.$/, '')})`)
      .join(', ')}.`;
  })
  .join('\n\n')}

## Outputs

Each step writes ${Object.keys(commonOutputs)
    .map((name) => `\`${name}\``)
    .join(', ')} and its own outputs to \`knowngood-out/outputs.env\`, as \`KNOWNGOOD_<STEP>_<NAME>\` and
\`KNOWNGOOD_<NAME>\`; a later step reads them with \`. knowngood-out/outputs.env\`.
`;
}

function settingTable(rows: readonly (readonly [string, Row])[]): string {
  return [
    '| setting | type | default | |',
    '|---|---|---|---|',
    ...rows.map(([name, spec]) => {
      const choices = choicesText(spec, (choice) => `\`${choice}\``);
      const shown = spec.default === undefined ? (spec.fallback ?? '') : `\`${spec.default}\``;
      const secret = spec.secret === true ? ' A secret.' : '';
      return `| \`${name.replaceAll('-', '_')}\` | ${spec.type} | ${shown.replaceAll('|', '\\|')} | ${`${spec.about}${choices}${secret}`.replaceAll('|', '\\|')} |`;
    }),
  ].join('\n');
}

const indexTypes: Readonly<Record<string, string>> = {
  flag: 'boolean',
  list: 'list',
  map: 'map',
  number: 'number',
};

/** The entry of Drone's plugin index (`plugins/<name>/content.yaml`). */
export function pluginIndex(description: string): string {
  const out = [
    '# Made by `npm run generate` from src/settings; do not edit.',
    'title: knowngood',
    'author: the knowngood authors',
    `repo: ${REPOSITORY}`,
    `image: ${IMAGE}`,
    'license: Apache-2.0',
    `description: ${quoted(description)}`,
    'tags: [release, docker, drift]',
    'example: |',
    '  kind: pipeline',
    '  type: docker',
    '  name: default',
    '  steps:',
    '    - name: drift',
    `      image: ${IMAGE}`,
    '      settings:',
    '        step: drift',
    'properties:',
  ];
  for (const [name, spec] of Object.entries(settingsTable) as [SettingName, Row][]) {
    out.push(
      `  ${name.replaceAll('-', '_')}:`,
      `    type: ${indexTypes[spec.type] ?? 'string'}`,
      `    defaultValue: ${quoted(spec.default ?? '')}`,
      `    description: ${quoted(spec.about)}`,
      `    secret: ${spec.secret === true}`,
      `    required: ${name === 'step'}`,
    );
  }
  return `${out.join('\n')}\n`;
}

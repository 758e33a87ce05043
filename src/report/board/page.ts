import { createHash } from 'node:crypto';
import { script } from './script.ts';
import { style } from './style.ts';

/** One recipe as the board shows it. All text is shown as text, whatever is in it. */
export interface BoardRow {
  readonly recipe: string;
  readonly repository: string;
  /** The known-good version, and when it was promoted (RFC 3339 UTC). */
  readonly canonical: string | null;
  readonly promotedAt: string | null;
  /** The newest release that was seen. */
  readonly latest: string | null;
  readonly outcome: string;
  readonly reason: string;
  /** What the reason means, and what more is known. */
  readonly why: string;
  /** Conditions of the gate that did not hold. */
  readonly gate: readonly string[];
  readonly base: string | null;
  readonly attempts: number;
  readonly nextEligibleAt: string | null;
  readonly mirror: string | null;
  /** Finished tests of this recipe, newest first. */
  readonly runs: readonly {
    readonly version: string;
    readonly verdict: string;
    readonly finishedAt: string;
  }[];
}

export interface Board {
  readonly fleet: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly rows: readonly BoardRow[];
}

/**
 * The board as one page that needs nothing else: no request leaves it. The data is JSON that the page's own script
 * renders as text; a policy allows exactly this script and this style, by their hashes.
 */
export function boardPage(board: Board): string {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Fleet board</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Fleet board</h1>
<p id="about"></p>
</header>
<main>
<div id="tools">
<label class="search">Search <input id="search" type="search" autocomplete="off" spellcheck="false"></label>
<label class="sort">Sort by <select id="sort"></select></label>
</div>
<div id="filters" role="group" aria-label="Show only"></div>
<p id="shown" role="status"></p>
<table>
<thead><tr id="head"></tr></thead>
<tbody id="rows"></tbody>
</table>
<noscript><p>This board is made by its script. The results are also in the JSON below, in the page's source.</p></noscript>
</main>
<script type="application/json" id="data">${inertJson(board)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON in which nothing can end the element or be markup, and that any old reader parses alike. */
function inertJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

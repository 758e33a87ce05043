// The licences of the packages in the bundle, for dist/licenses.txt.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** esbuild says which package each byte came from: their licences go beside the code. @param {import('esbuild').Metafile} metafile */
export function licences(metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  // Most packages carry the very same terms below notices of their own: the terms are there once, under all notices.
  const terms = new Map();
  for (const folder of [...folders].sort()) {
    const pack = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : '';
    const { notice, rest } = noticeAndTerms(text);
    const key = rest.replace(/\s+/g, ' ');
    const { text: first = rest, notices = [] } = terms.get(key) ?? {};
    const name = `${pack.name} ${pack.version} (${pack.license ?? 'see text'})`;
    terms.set(key, { text: first, notices: [...notices, [name, ...notice].join('\n')] });
  }
  const rule = '-'.repeat(80);
  return [...terms.values()]
    .map(({ notices, text }) => `${notices.join('\n')}\n\n${text}\n`)
    .join(`\n${rule}\n\n`);
}

/**
 * The lines with title and copyright around the terms of a licence, and the terms. Below the Apache License's terms is
 * an appendix on how to use it, in which only a copyright says something about the package, unless it holds other terms.
 * @param {string} text
 */
function noticeAndTerms(text) {
  const [, above, apache, below] =
    /^(.*?)(Apache License\s+Version 2\.0.*?END OF TERMS AND CONDITIONS)((?!.*permission is hereby granted).*)$/is.exec(
      text,
    ) ?? [];
  const lines = (apache === undefined ? text : `${above}\n${copyrightsOf(below)}`).split(/\r?\n/);
  const title = /copyright (\(c\)|©|\d)|^\W*(the )?[\w-]+ license( \(mit\))?\W*$|all rights reserved|^\W*$/i;
  const terms = apache === undefined ? lines.findIndex((line) => !title.test(line)) : -1;
  const at = terms === -1 ? lines.length : terms;
  const notice = lines.slice(0, at).map((line) => line.trim());
  return {
    notice: notice.filter((line) => line !== '').map((line) => `  ${line}`),
    rest: apache ?? lines.slice(at).join('\n').trim(),
  };
}

/** @param {string} appendix */
function copyrightsOf(appendix) {
  return appendix
    .split(/\r?\n/)
    .filter((line) => /^\W*copyright.*\d{4}/i.test(line))
    .join('\n');
}

import { spawn } from 'node:child_process';
import { Agent } from 'undici';
import { lsRefs } from '../src/git/ls-refs.ts';
import { createHttp } from '../src/http/client.ts';
import { systemClock } from '../src/http/clock.ts';
import { isUnchanged } from '../src/rules/sweep/trigger.ts';
import { eachOf } from '../src/steps/sweep/each.ts';
import { type Comparison, comparison, sideBySide } from './measure.ts';

const RECIPES = 1000;
/** Tags of each repository. */
const TAGS = 30;
/** What a git server on the internet takes to answer, at best. */
const LATENCY_MS = 30;
/** Requests at a time, the same on both sides. */
const AT_ONCE = 16;

/** A git server whose repositories did not change, in a process of its own; counts what it was asked. */
const server = `
import { createServer } from 'node:http';
let asked = 0;
const line = (text) => (text.length + 4).toString(16).padStart(4, '0') + text;
const refs = Array.from({ length: ${TAGS} }, (_, n) => line('a'.repeat(40) + ' refs/tags/1.0.' + n + '\\n')).join('') + '0000';
createServer((request, response) => {
  if (request.url === '/asked') { response.end(String(asked)); asked = 0; return; }
  asked++;
  request.resume();
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
    response.end(refs);
  }, ${LATENCY_MS});
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
`;

/** A fleet in which nothing is new, beside a loop that only asks for the same tags. */
export async function bench(): Promise<Comparison[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await new Promise<string>((done) => {
      child.stdout.once('data', (data: Buffer) => done(data.toString().trim()));
    });
    const origin = `http://127.0.0.1:${port}`;
    const urls = Array.from({ length: RECIPES }, (_, n) => `${origin}/acme/app${n}`);
    const [ours, theirs] = await sideBySide(
      5,
      () => trigger(urls),
      () => bareLoop(urls),
    );
    await fetch(`${origin}/asked`);
    await trigger(urls);
    const asked = Number(await (await fetch(`${origin}/asked`)).text());
    return [
      comparison(
        `sweep: ${RECIPES} unchanged recipes beside a parallel loop of bare requests`,
        ours,
        theirs,
        1.3,
      ),
      {
        ...comparison(`sweep: requests for ${RECIPES} unchanged recipes`, asked, RECIPES, 1),
        unit: 'requests',
      },
    ];
  } finally {
    child.kill();
  }
}

async function trigger(urls: readonly string[]): Promise<void> {
  const http = createHttp({ clock: systemClock });
  const canonical = {
    version: `1.0.${TAGS - 1}`,
    tag: `1.0.${TAGS - 1}`,
    commit: 'a'.repeat(40),
    hold: null,
  };
  await eachOf(urls, AT_ONCE, async (url) => {
    const found = await lsRefs(http, { kind: 'http', url, origin: new URL(url).origin }, undefined);
    const tags = [...found!].map(([name, { commit }]) => ({ name, commit }));
    if (!isUnchanged({ tags, pattern: '*', canonical })) throw new Error(`${url} is not what it was`);
  });
  await http.close();
}

/** What somebody would write instead. */
async function bareLoop(urls: readonly string[]): Promise<void> {
  const dispatcher = new Agent({ connections: AT_ONCE });
  await eachOf(urls, AT_ONCE, async (url) => {
    const answer = await dispatcher.request({
      origin: new URL(url).origin,
      path: `${new URL(url).pathname}/git-upload-pack`,
      method: 'POST',
      body: '0000',
    });
    await answer.body.text();
  });
  await dispatcher.close();
}

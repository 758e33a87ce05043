import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ForgeServer } from './forge-server.ts';
import { githubDouble, TOKEN } from './github-double.ts';
import { type RunOptions, type Scene, type StepRun, scene } from './scene.ts';
import { kim, mallory, ourBot, type Pull, robin, type User, World } from './world.ts';

let play: Scene;
let world: World;
let forge: ForgeServer;
let pull: Pull;

beforeAll(async () => {
  play = await scene();
});
afterAll(() => play.stop());

beforeEach(async () => {
  world = new World();
  forge = await githubDouble(world, 'person');
  pull = world.pull({ number: 12, head: play.head });
});
afterEach(async () => {
  await forge.stop();
  // Each request that we sent, and each answer that we were given, is one that GitHub's description has.
  expect(forge.deviations).toEqual([]);
});

async function say(body: string, by: User = robin, options: RunOptions = {}): Promise<StepRun> {
  const comment = options.comment ?? world.comment(12, by, body);
  return play.run('testme', forge, { comment, ...options });
}

const fork = (): void => {
  pull.headRepository = 5000;
};
const answers = (): string[] => world.ours().map(({ body }) => body);

describe('a command that may start a run', () => {
  it('is reacted to, held as pending on the full commit, and handed on', async () => {
    const run = await say('!testme tier=install', robin, { settings: { 'allow-arguments': 'tier' } });
    expect(run).toMatchObject({ outcome: 'done', reason: 'admitted' });
    expect(run.outputs).toMatchObject({
      accepted: 'true',
      sha: play.head,
      'pull-request': '12',
      arguments: '{"tier":"install"}',
      trusted: 'true',
    });
    expect(world.reactions).toEqual([{ comment: world.comments[0]!.id, content: 'eyes' }]);
    expect(world.states(play.head)).toEqual(['pending']);
    expect(answers()).toEqual([]);
  });

  it('of a fork is the full head, and is not trusted', async () => {
    fork();
    const run = await say(`!testme ${play.head}`);
    expect(run.outputs).toMatchObject({ accepted: 'true', sha: play.head, trusted: 'false' });
  });

  it('of an allowed bot needs no permission, by id as by login', async () => {
    const bot = { id: 4242, login: 'renovate[bot]', bot: true };
    world.users.push(bot);
    for (const allowed of ['4242', 'renovate[bot]']) {
      world.statuses.length = 0;
      const run = await say('!testme', bot, { settings: { 'allow-users': allowed } });
      expect(run.outputs.accepted).toBe('true');
    }
  });

  it('changes nothing in a dry run, admitted or refused', async () => {
    expect((await say('!testme', robin, { settings: { 'dry-run': 'true' } })).outputs.accepted).toBe('true');
    const refused = await say('!testme', mallory, { settings: { 'dry-run': 'true' } });
    expect(refused.reason).toBe('denied-permission');
    expect([world.reactions, world.statuses, world.ours()]).toEqual([[], [], []]);
  });
});

/** Each refusal: what was played, and its one code. */
const refusals: Record<string, () => Promise<[StepRun, string]>> = {
  'a push after the comment': async () => {
    fork();
    const comment = world.comment(12, robin, `!testme ${play.head}`);
    pull.head = play.newer;
    return [await say('', robin, { comment }), 'head-moved'];
  },
  'a fork without a commit': async () => {
    fork();
    return [await say('!testme'), 'sha-required'];
  },
  'a short hash': async () => {
    fork();
    return [await say(`!testme ${play.head.slice(0, 12)}`), 'sha-required'];
  },
  'the head of another pull request': async () => {
    world.pull({ number: 13, head: play.newer });
    return [await say(`!testme ${play.newer}`), 'head-moved'];
  },
  'a fork that was deleted, without a commit': async () => {
    pull.headRepository = null;
    return [await say('!testme'), 'sha-required'];
  },
  'a branch of this repository by somebody without permission': async () => {
    world.pulls.splice(0, 1);
    pull = world.pull({ number: 12, head: play.head, author: mallory });
    return [await say('!testme'), 'sha-required'];
  },
  'an edited comment': async () => {
    const comment = world.comment(12, robin, 'Thank you!');
    world.edit(comment, '!testme');
    return [await say('', robin, { comment }), 'comment-edited'];
  },
  'a stranger': async () => [await say('!testme', mallory), 'denied-permission'],
  'an account that took over a maintainer’s login': async () => {
    world.users.splice(world.users.indexOf(robin), 1, { id: 12345, login: 'robin' });
    return [await say('!testme', robin), 'denied-permission'];
  },
  'a deleted account': async () => {
    const gone = { id: 31337, login: 'gone' };
    return [await say('!testme', gone), 'denied-permission'];
  },
  'a stranger’s pull request that changes the compose file': async () => {
    fork();
    pull.files = ['README.md', 'compose.yml'];
    return [await say(`!testme ${play.head}`), 'harness-changed'];
  },
  'one that changes a script of the test': async () => {
    fork();
    pull.files = ['scripts/check.sh'];
    return [await say(`!testme ${play.head}`), 'harness-changed'];
  },
  'a closed pull request': async () => {
    pull.state = 'closed';
    return [await say('!testme'), 'pull-request-closed'];
  },
  'a locked one': async () => {
    pull.locked = true;
    return [await say('!testme'), 'pull-request-locked'];
  },
  'an issue': async () => {
    const comment = world.comment(77, robin, '!testme');
    return [await say('', robin, { comment, onPullRequest: false }), 'not-a-pull-request'];
  },
  'an argument that nobody allowed': async () => [await say('!testme tier=install'), 'unknown-argument'],
  'a command in backticks': async () => [await say('`!testme`'), 'quoted-command'],
  'a run under way': async () => {
    world.status(play.head, 'pending', { targetUrl: 'https://ci.example.org/run/1' });
    return [await say('!testme'), 'busy'];
  },
};

describe('a command that starts nothing', () => {
  it.each(Object.entries(refusals))('%s', async (_, played) => {
    const [run, reason] = await played();
    expect(run).toMatchObject({ outcome: 'skipped', reason });
    expect(run.outputs.accepted).toBe('false');
    expect(run.outputs.sha).toBeUndefined();
    expect(world.states(play.head).filter((state) => state === 'pending').length).toBeLessThanOrEqual(
      reason === 'busy' ? 1 : 0,
    );
    expect(world.reactions).toEqual([]);
    expect(answers()).toHaveLength(1);
    expect(answers()[0]).toContain(`(\`${reason}\`)`);
  });

  it('names the current commit and what is new, where the head moved', async () => {
    fork();
    const comment = world.comment(12, robin, `!testme ${play.head}`);
    pull.head = play.newer;
    await say('', robin, { comment });
    expect(answers()[0]).toContain(`The head is \`${play.newer}\`.`);
    expect(answers()[0]).toContain(`/compare/${play.head}...${play.newer})`);
  });

  it('tells a maintainer why a short hash is none, and where the changes are', async () => {
    await say(`!testme ${play.head.slice(0, 12)}`);
    expect(answers()[0]).toContain('Only all 40 digits name a commit.');
    expect(answers()[0]).toContain(`The word was \`${play.head.slice(0, 12)}\`.`);
    expect(answers()[0]).toContain('[The changes](https://forge.example.org/Acme/HedgeDoc/pull/12/files)');
  });

  it('links to the run that is under way', async () => {
    world.status(play.head, 'pending', { targetUrl: 'https://ci.example.org/run/1' });
    await say('!testme');
    expect(answers()[0]).toContain('[The run](https://ci.example.org/run/1)');
  });

  it('is answered once, however often its event is delivered', async () => {
    const comment = world.comment(12, mallory, '!testme');
    await say('', mallory, { comment });
    await say('', mallory, { comment });
    expect(answers()).toHaveLength(1);
  });

  it('is answered although somebody copied our marker', async () => {
    const comment = world.comment(12, kim, '!testme');
    world.comment(12, mallory, `<!-- knowngood:answer:${comment.id} -->\ndone already`);
    await say('', kim, { comment });
    expect(answers()).toHaveLength(1);
  });
});

describe('what is not for us', () => {
  it.each(['> !testme', '```\n!testme\n```', 'please !testme', 'LGTM', '<!-- !testme -->'])(
    'gets no answer: %j',
    async (body) => {
      const run = await say(body);
      expect(run).toMatchObject({ outcome: 'skipped', reason: 'not-testme' });
      expect([world.reactions, world.statuses, world.ours()]).toEqual([[], [], []]);
    },
  );

  it.each(['edited', 'deleted'])('a comment that was %s', async (action) => {
    const comment = world.comment(12, robin, '!testme');
    const run = await say('', robin, { comment, action });
    expect(run.reason).toBe('not-testme');
    expect(forge.requests).toEqual([]);
  });

  it.each([ourBot, { id: 4242, login: 'renovate[bot]', bot: true }])('a bot: $login', async (bot) => {
    const run = await say('!testme', bot);
    expect(run.reason).toBe('not-testme');
    expect(world.ours().filter(({ body }) => body !== '!testme')).toEqual([]);
  });

  it('a payload whose text is a command, where the comment itself has none', async () => {
    const comment = world.comment(12, robin, 'nothing');
    const told = { ...comment, body: '!testme' };
    expect((await say('', robin, { comment: told })).reason).toBe('not-testme');
  });
});

describe('commands at once', () => {
  it('start one run for one commit, and the other is told where it is', async () => {
    const [first, second] = [world.comment(12, robin, '!testme'), world.comment(12, robin, '!testme')];
    // Neither sees the other's status before both have written.
    const letGo = forge.hold(/\/commits\/[0-9a-f]+\/statuses/);
    const both = Promise.all([say('', robin, { comment: first }), say('', robin, { comment: second })]);
    setTimeout(letGo, 1500);
    const runs = await both;
    expect(runs.map(({ reason }) => reason).toSorted()).toEqual(['admitted', 'busy']);
    expect(answers()).toHaveLength(1);
    expect(answers()[0]).toContain('/actions/runs/');
  });

  it('are limited, but not by what strangers write', async () => {
    for (let n = 0; n < 40; n++) {
      const comment = world.comment(12, mallory, '!testme');
      world.comment(12, ourBot, `<!-- knowngood:answer:${comment.id} -->\n\n**Not started**`);
    }
    expect((await say('!testme')).reason).toBe('admitted');
    world.statuses.length = 0;
    for (let n = 0; n < 10; n++) world.comment(12, kim, '!testme');
    expect((await say('!testme')).reason).toBe('rate-limited');
  });
});

describe('a forge that fails', () => {
  it('is no permission, and never a yes', async () => {
    forge.fault({ path: /\/permission$/, status: 403, body: { message: 'no' }, times: 9 });
    expect((await say('!testme')).reason).toBe('denied-permission');
  });

  it('after the pending, is taken back', async () => {
    let asked = 0;
    const comment = world.comment(12, robin, '!testme');
    const watch = setInterval(() => {
      // The second look at the statuses is the one after our own was written.
      if (world.statuses.length === 1 && asked++ === 0)
        forge.fault({ path: /\/commits\/.*\/statuses/, status: 403, body: { message: 'no' }, times: 9 });
    }, 1);
    const run = await say('', robin, { comment });
    clearInterval(watch);
    expect(run.outcome).toBe('error');
    expect(world.states(play.head)).toEqual(['pending', 'error']);
  });

  const secondary = { message: 'You have exceeded a secondary rate limit. Please wait.' };
  it('with a limit that is soon over, is waited for, and people are told', async () => {
    forge.fault({ path: /\/pulls\/12$/, status: 403, body: secondary, headers: { 'retry-after': '1' } });
    const run = await say('!testme');
    expect(run.reason).toBe('admitted');
    expect(run.log).toContain('GitHub limits us (secondary rate limit');
    expect(run.log).toContain('waiting 1 s');
  });

  it.each<[string, Record<string, string>, object]>([
    ['secondary', { 'retry-after': '3600' }, secondary],
    [
      'primary',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '4102444800' },
      { message: 'API rate limit exceeded' },
    ],
  ])('with a %s limit that lasts, is an error now, not a denied permission', async (_, headers, body) => {
    forge.fault({ path: /\/pulls\/12$/, status: 403, body, headers, times: 9 });
    const run = await say('!testme');
    expect(run).toMatchObject({ outcome: 'error', reason: 'forge-limited' });
    expect(run.log).toContain('too long to wait');
    expect(world.statuses).toEqual([]);
  });

  it('that does not know the comment any more, starts nothing', async () => {
    const comment = world.comment(12, robin, '!testme');
    world.comments.length = 0;
    expect((await say('', robin, { comment })).reason).toBe('not-testme');
  });
});

describe('what people write', () => {
  const hostile = [
    '!testme $(id)',
    '!testme "x\u0060y"',
    '!testme x=](https://evil.example)',
    '!testme <img/src=x>',
    '!testme ::set-output::x',
    '!testme @everyone',
  ];
  it.each(hostile)('is inert in the answer and in the log: %s', async (body) => {
    await say(body, robin, { settings: { 'allow-arguments': 'x' } });
    const [answer] = answers();
    expect(answer).toContain('(`unknown-argument`)');
    // Outside code spans nothing of it is left.
    const outside = answer!.replaceAll(/`[^`\n]*`/g, '');
    expect(outside).not.toMatch(/evil|<img|everyone|set-output|\$\(/);
  });

  it('of logins and titles goes nowhere', async () => {
    const evil = { id: 31, login: 'evil\n::error::x' };
    world.users.push(evil);
    const run = await say('!testme', evil);
    expect(run.reason).toBe('denied-permission');
    expect(run.log).not.toMatch(/^::error::x/m);
  });

  it('never brings out the token', async () => {
    const run = await say('!testme');
    expect(run.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(TOKEN);
    for (const { authorization } of forge.requests) expect(authorization).toMatch(/^(token|Bearer) /i);
  });
});

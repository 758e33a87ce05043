import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../../sandbox/image.ts';
import { leftovers, ofImage, openTrial, release, type Trial, verdicts } from './trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

/** The recipe's tree of one version. */
function tree(name: string, files: Readonly<Record<string, string>>): string {
  const folder = trial.folder(name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const program = (path: string, content: string): Entry => ({ path, content, mode: 0o755 });

describe('a service over SQLite whose second version migrates the schema', () => {
  /** `migration`: what the second version runs at its start. */
  const image = (version: string, migration: string, columns: string): Promise<string> =>
    trial.image(
      'notes',
      version,
      [
        { path: 'data', folder: true },
        program(
          'srv/cgi-bin/notes',
          `#!/bin/sh\necho 'Content-Type: text/plain'\necho\nsqlite3 /data/notes.db 'select ${columns} from note'\n`,
        ),
        program(
          'usr/bin/start',
          `#!/bin/sh -e\nsqlite3 -bail /data/notes.db "${migration}"\nexec httpd -f -p 8000 -h /srv\n`,
        ),
      ],
      { Cmd: ['start'], Labels: { 'org.opencontainers.image.version': version } },
      'sqlite',
    );
  const first = 'create table if not exists note (text text)';
  const plan = {
    deploy: {
      kind: 'image',
      ports: [{ container: 8000 }],
      volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
    },
    ready: { how: { kind: 'http', path: '/cgi-bin/notes' }, timeoutMs: 60_000 },
    beforeUpgrade: [{ kind: 'exec', command: `sqlite3 /data/notes.db "insert into note values ('kept')"` }],
  } as const;

  it('installs and upgrades, and finds its old rows in the new shape', async () => {
    const base = await image('1.0.0', first, 'text');
    const candidate = await image(
      '2.0.0',
      `${first}; alter table note add column author text default 'nobody'`,
      'text, author',
    );
    const { result, phases, id, out } = await trial.run({
      plan: {
        ...plan,
        check: [{ kind: 'exec', command: 'sqlite3 /data/notes.db "pragma integrity_check" | grep -x ok' }],
        tiers: [
          { name: 'install' },
          { name: 'upgrade' },
          { name: 'kept', commands: [{ kind: 'http', path: '/cgi-bin/notes', contains: 'kept|nobody' }] },
        ],
      },
      candidate: ofImage('candidate', '2.0.0', candidate),
      bases: [ofImage('base', '1.0.0', base)],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(phases.map(({ tier, name }) => `${tier}: ${name}`)).toEqual([
      'install: start 2.0.0',
      'install: ready 2.0.0',
      'install: check',
      'upgrade: start 1.0.0',
      'upgrade: ready 1.0.0',
      'upgrade: before-upgrade',
      'upgrade: stop 1.0.0',
      'upgrade: start 2.0.0',
      'upgrade: ready 2.0.0',
      'upgrade: check',
      'kept: kept',
    ]);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('is red where the migration loses the rows, though the service is ready and answers', async () => {
    const base = await image('1.0.0', first, 'text');
    const candidate = await image('2.0.1', `drop table if exists note; ${first}`, 'text');
    const { result, id, out } = await trial.run({
      plan: { ...plan, check: [], tiers: [{ name: 'install' }, { name: 'upgrade' }, dataKept] },
      candidate: ofImage('candidate', '2.0.1', candidate),
      bases: [ofImage('base', '1.0.0', base)],
    });
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'fail check-failed' });
    expect(result.troubles[0]?.detail).toMatch(/HTTP 200 without `kept`/);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
  const dataKept = {
    name: 'kept',
    commands: [{ kind: 'http', path: '/cgi-bin/notes', contains: 'kept' }],
  } as const;

  it('is red where the migration fails, with what the database said', async () => {
    const base = await image('1.0.0', first, 'text');
    const candidate = await image('2.0.2', `${first}; alter table notes add column author text`, 'text');
    const { result, id, out } = await trial.run({
      plan: { ...plan, tiers: [{ name: 'upgrade' }] },
      candidate: ofImage('candidate', '2.0.2', candidate),
      bases: [ofImage('base', '1.0.0', base)],
    });
    expect(verdicts(result)).toEqual({ upgrade: 'fail crashed' });
    expect(result.troubles[0]).toMatchObject({ phase: 'upgrade-candidate', role: 'candidate', of: 'app' });
    expect(result.troubles[0]?.lines.join('\n')).toContain('no such table: notes');
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
});

describe('a web server that is upgraded by its configuration alone', () => {
  const files = (version: string, more: string): Record<string, string> => ({
    'lighttpd.conf': `
server.document-root = "/site"
server.port = 8000
server.modules = ( "mod_setenv" )
mimetype.assign = ( "" => "text/plain" )
index-file.names = ( "index.txt" )
${more}
`,
    'site/index.txt': `version ${version}\n`,
  });
  const compose = (image: string): string => `
services:
  app:
    image: ${image}
    command: ["lighttpd", "-D", "-f", "/etc/web/lighttpd.conf"]
    configs: [{ source: web, target: /etc/web/lighttpd.conf }]
    volumes: ["./site:/site:ro"]
    stop_signal: SIGINT
configs: { web: { file: ./lighttpd.conf } }
`;
  const plan = {
    deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] },
    ready: { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 },
  } as const;

  it('passes with the new page, although the image is the same', async () => {
    const image = await trial.image('lighttpd', '1', [], {}, 'lighttpd');
    const folder = (version: string): string =>
      tree(`web-${version}`, { ...files(version, ''), 'compose.yml': compose(image) });
    const { result, id, out } = await trial.run({
      plan: { ...plan, check: [{ kind: 'http', path: '/', contains: 'version 2.0.0' }] },
      candidate: release('candidate', '2.0.0', { folder: folder('2.0.0') }),
      bases: [release('base', '1.0.0', { folder: folder('1.0.0') })],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('is red with a configuration that the server does not take, and shows its words', async () => {
    const image = await trial.image('lighttpd', '1', [], {}, 'lighttpd');
    const { result, id, out } = await trial.run({
      plan: { ...plan, tiers: [{ name: 'install' }] },
      candidate: release('candidate', '3.0.0', {
        folder: tree('web-3.0.0', {
          ...files('3.0.0', 'server.port = '),
          'compose.yml': compose(image),
        }),
      }),
    });
    expect(verdicts(result)).toEqual({ install: 'fail crashed' });
    expect(result.troubles[0]?.lines.join('\n')).toMatch(/lighttpd\.conf|configfile/);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
});

describe('a web application and PostgreSQL, both upstream images', () => {
  const composeFile = (version: string, app: string, db: string): string => `
x-common: &common
  restart: unless-stopped
services:
  app:
    <<: *common
    image: ${app}
    environment: { PGHOST: db, PGUSER: notes, PGPASSFILE: /run/secrets/password, PGCONNECT_TIMEOUT: "5" }
    ports: ["8000:8000"]
    labels: { "coop-cloud.\${STACK_NAME}.version": "${version}" }
    volumes: ["./migrations:/migrations:ro"]
    depends_on: { db: { condition: service_healthy } }
    secrets: [password]
  db:
    <<: *common
    image: ${db}
    volumes: ["data:/data"]
    secrets: [password]
    healthcheck: { test: ["CMD", "pg_isready", "-h", "db", "-U", "notes"], interval: 500ms, retries: 100 }
volumes: { data: {} }
secrets: { password: { file: ./password.txt } }
`;
  const path = 'PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const database = (): Promise<string> =>
    trial.image(
      'postgres',
      '15',
      [
        { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70::/data:/bin/sh\n' },
        program(
          'usr/bin/start',
          `#!/bin/sh -e
mkdir -p /data/db && chown postgres /data /data/db
cut -d: -f5 /run/secrets/password > /tmp/password
run() { su postgres -s /bin/sh -c "$*"; }
test -f /data/db/PG_VERSION || run initdb -D /data/db -U notes -A scram-sha-256 --pwfile=/tmp/password --no-locale -E UTF8 -N
echo 'host all all all scram-sha-256' >> /data/db/pg_hba.conf
exec su postgres -s /bin/sh -c "exec postgres -D /data/db -c listen_addresses='*' -c unix_socket_directories= -c fsync=off"
`,
        ),
      ],
      { Cmd: ['start'], Env: [path] },
      'postgres',
    );
  const application = (version: string): Promise<string> =>
    trial.image(
      'app',
      version.replace('+', '-'),
      [
        program(
          'usr/bin/start',
          `#!/bin/sh -e
cp $PGPASSFILE /tmp/pass && chmod 600 /tmp/pass && export PGPASSFILE=/tmp/pass
psql -qAt -d postgres -c "create table if not exists done (name text primary key)"
for file in /migrations/*.sql; do
  name=$(basename $file)
  test -n "$(psql -At -d postgres -c "select 1 from done where name = '$name'")" && continue
  psql -q -1 -v ON_ERROR_STOP=1 -d postgres -f $file -c "insert into done values ('$name')"
done
exec httpd -f -p 8000 -h /srv
`,
        ),
        program(
          'srv/cgi-bin/notes',
          `#!/bin/sh\necho 'Content-Type: text/plain'\necho\nPGPASSFILE=/tmp/pass exec psql -At -d postgres -c "select * from note"\n`,
        ),
        { path: 'version', content: version },
      ],
      { Cmd: ['start'], Env: [path] },
      'postgres',
    );
  const migrations = {
    'migrations/1.sql': 'create table note (text text);\n',
    'migrations/2.sql': "alter table note add column author text not null default 'nobody';\n",
  };

  it('installs, and upgrades with its data through a migration of the schema', async () => {
    const db = await database();
    const folder = async (version: string, sql: Record<string, string>): Promise<string> =>
      tree(`app-${version}`, {
        ...sql,
        'password.txt': '*:*:*:*:s3cret\n',
        'compose.yml': composeFile(version, await application(version), db),
      });
    const { result, id, out } = await trial.run({
      plan: {
        deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] },
        ready: { how: { kind: 'http', path: '/cgi-bin/notes' }, timeoutMs: 60_000 },
        beforeUpgrade: [
          {
            kind: 'exec',
            command: `PGPASSFILE=/tmp/pass psql -d postgres -c "insert into note values ('kept')"`,
          },
        ],
        check: [{ kind: 'exec', service: 'db', command: 'test -f /data/db/PG_VERSION' }],
        tiers: [
          { name: 'install' },
          { name: 'upgrade' },
          { name: 'kept', commands: [{ kind: 'http', path: '/cgi-bin/notes', contains: 'kept|nobody' }] },
        ],
      },
      candidate: release('candidate', '2.0.0+v2', { folder: await folder('2.0.0+v2', migrations) }),
      bases: [
        release('base', '1.0.0+v1', {
          folder: await folder('1.0.0+v1', { 'migrations/1.sql': migrations['migrations/1.sql'] }),
        }),
      ],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(result.effect).toBe(true);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
});

describe('a recipe that deploys itself', () => {
  it('gives its own `up` and `down` the names of the run, and reads the answer', async () => {
    const image = async (version: string): Promise<string> =>
      trial.image('own', version, [{ path: 'srv/version', content: version }]);
    const up = `
docker network inspect $KNOWNGOOD_PROJECT > /dev/null 2>&1 || docker network create $KNOWNGOOD_PROJECT > /dev/null
docker rm -f $KNOWNGOOD_PROJECT-app > /dev/null 2>&1
docker run -d --name $KNOWNGOOD_PROJECT-app --network $KNOWNGOOD_PROJECT -p 127.0.0.1::8000 \\
  --label com.docker.compose.project=$KNOWNGOOD_PROJECT --label com.docker.compose.service=app \\
  -v $KNOWNGOOD_PROJECT-data:/data $KNOWNGOOD_IMAGE httpd -f -p 8000 -h /srv
echo "url=http://$(docker port $KNOWNGOOD_PROJECT-app 8000/tcp)" > $KNOWNGOOD_OUTPUT`;
    const down = `
docker rm -f $KNOWNGOOD_PROJECT-app
docker volume rm $KNOWNGOOD_PROJECT-data
docker network rm $KNOWNGOOD_PROJECT`;
    const { result, id, out } = await trial.run({
      plan: {
        recipe: 'own',
        deploy: { kind: 'commands', up, down },
        ready: { how: { kind: 'http', path: '/version' }, timeoutMs: 60_000 },
        beforeUpgrade: [{ kind: 'exec', command: 'echo kept > /data/note' }],
        check: [
          { kind: 'http', path: '/version', contains: '2.0.0' },
          { kind: 'host', command: 'test -z "$DOCKER_PASSWORD" && test "$KNOWNGOOD_VERSION" = 2.0.0' },
        ],
        tiers: [{ name: 'install' }, { name: 'upgrade' }, { name: 'kept', commands: [kept] }],
      },
      candidate: ofImage('candidate', '2.0.0', await image('2.0.0'), { folder: trial.folder('own') }),
      bases: [ofImage('base', '1.0.0', await image('1.0.0'), { folder: trial.folder('own') })],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
  const kept = { kind: 'exec', command: 'grep kept /data/note' } as const;
});

/**
 * The recipe that the demo releases: a tiny web service that keeps notes in a volume and changes how it stores them
 * from release to release, so that an upgrade has something to get wrong. It is made of busybox alone.
 */
export interface NotesRelease {
  readonly version: string;
  /** How notes are stored: one file of lines, numbered lines, or a file each. */
  readonly format: 1 | 2 | 3;
}

export const releases: readonly NotesRelease[] = [
  { version: '1.0.0', format: 1 },
  { version: '1.1.0', format: 2 },
  { version: '2.0.0', format: 3 },
];

/** Files of the recipe's repository: path → content. `base` is a reference of an image with busybox. */
export function notesService(
  { version, format }: NotesRelease,
  { base, image }: { base: string; image: string },
): Readonly<Record<string, string>> {
  return {
    Dockerfile: `FROM ${base}
LABEL org.opencontainers.image.title="notes"
COPY service /service
RUN chmod +x /service/* /service/www/cgi-bin/*
EXPOSE 8000
VOLUME /data
ENTRYPOINT ["/service/start"]
`,
    '.dockerignore': 'README.md\nknowngood.yml\n',
    '.gitignore': 'knowngood-out/\n',
    'README.md': `# notes\n\nKeeps notes. This is ${version}.\n`,
    'knowngood.yml': `recipe: notes
image: ${image}
test:
  deploy: image
  volumes: ["data:/data"]
  target: { port: 8000 }
  ready: { http: /cgi-bin/ready, timeout: 30s }
  before-upgrade: { exec: "/service/add written-before-the-upgrade" }
  check: { http: [{ path: /cgi-bin/notes, contains: hello }], exec: /service/doctor }
`,
    'service/start': startScript(format),
    'service/add': addScript(format),
    'service/list': listScript(format),
    'service/doctor': doctorScript(format),
    'service/www/cgi-bin/notes': cgi('/service/list'),
    'service/www/cgi-bin/ready': cgi('test -f /data/format && echo ready'),
  };
}

const head = '#!/bin/sh\nset -eu\n';

function cgi(command: string): string {
  return `#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\n${command}\n`;
}

function startScript(format: number): string {
  return `${head}mkdir -p /data
found=$(cat /data/format 2>/dev/null || echo 0)
echo "notes: stored format $found, ours ${format}"
if [ "$found" -gt ${format} ]; then echo "notes: the data is of a newer release" >&2; exit 1; fi
if [ "$found" = 1 ] && [ ${format} -ge 2 ]; then
  awk '{ print NR "\\t" $0 }' /data/notes.txt > /data/notes.tsv && rm /data/notes.txt
  found=2; echo "notes: numbered $(wc -l < /data/notes.tsv) notes"
fi
if [ "$found" = 2 ] && [ ${format} -ge 3 ]; then
  mkdir -p /data/notes
  while IFS="$(printf '\\t')" read -r id text; do echo "$text" > "/data/notes/$id"; done < /data/notes.tsv
  rm /data/notes.tsv; echo "notes: moved $(ls /data/notes | wc -l) notes into files of their own"
fi
fresh=$found
echo ${format} > /data/format
if [ "$fresh" = 0 ]; then /service/add hello; fi
echo "notes: serving on port 8000"
# The first process of a container is sent no signal that it does not ask for.
trap 'kill $server' TERM
httpd -f -p 8000 -h /service/www & server=$!
wait $server || true
`;
}

function addScript(format: number): string {
  const store = {
    1: 'echo "$*" >> /data/notes.txt',
    2: 'touch /data/notes.tsv; printf "%s\\t%s\\n" "$(($(wc -l < /data/notes.tsv) + 1))" "$*" >> /data/notes.tsv',
    3: 'mkdir -p /data/notes; echo "$*" > "/data/notes/$(($(ls /data/notes | wc -l) + 1))"',
  }[format];
  return `${head}${store}\necho "$*" >> /data/journal\n`;
}

function listScript(format: number): string {
  return (
    head +
    ({ 1: 'cat /data/notes.txt', 2: 'cut -f 2- /data/notes.tsv', 3: 'cat /data/notes/*' }[format] ?? '') +
    '\n'
  );
}

/** Compares what is listed with the journal of everything that was ever added: an upgrade may lose none of it. */
function doctorScript(format: number): string {
  return `${head}/service/list | sort > /tmp/listed
sort /data/journal > /tmp/added
if ! cmp -s /tmp/listed /tmp/added; then echo "notes are missing:" >&2; diff /tmp/added /tmp/listed >&2; exit 1; fi
echo "all $(wc -l < /tmp/added) notes are there, format ${format}"
`;
}

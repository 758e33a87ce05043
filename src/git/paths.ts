/**
 * Whether a path from a git tree may be made on this disk: relative, no `.` or `..`, no part that any file system
 * takes for `.git` (letters of either case, NTFS short names and streams, code points that HFS+ ignores), no
 * backslash, which is a separator elsewhere. git refuses to check such trees out too; we lay trees out ourselves.
 */
export function isSafePath(path: string): boolean {
  if (path === '' || path.length > 4096 || path.includes('\0') || path.includes('\\')) return false;
  return path.split('/').every(isSafeName);
}

function isSafeName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || Buffer.byteLength(name) > 255) return false;
  const plain = name
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '')
    .toLowerCase()
    .split(':')[0]!
    .replace(/[. ]+$/, '');
  return plain !== '.git' && plain !== 'git~1';
}

/** What engines say when a host port is taken: Docker, its proxy, Podman, and the kernel. */
const TAKEN =
  /address already in use|eaddrinuse|port is already allocated|port already allocated|ports are not available/i;

/** Tries with a host port, the asked-for one included. */
export const PORT_TRIES = 3;

/** True for the one failure of a start that is worth another port. */
export function isPortTaken(message: string): boolean {
  return TAKEN.test(message);
}

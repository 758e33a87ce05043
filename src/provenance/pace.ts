/** Time and chance, as the caller gives them: this room reads no clock of its own. */
export interface Pace {
  /** Milliseconds since any fixed moment. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** From 0 up to but not including 1. */
  random(): number;
}

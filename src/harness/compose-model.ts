/** The parts of `docker compose config --format json` that are looked at; everything else is carried along. */
export interface ComposeModel {
  name?: string;
  services?: Record<string, ComposeService>;
  networks?: Record<string, ComposeThing | null>;
  volumes?: Record<string, ComposeThing | null>;
  secrets?: Record<string, ComposeThing | null>;
  configs?: Record<string, ComposeThing | null>;
  [key: string]: unknown;
}

export interface ComposeService {
  image?: string;
  labels?: Record<string, string>;
  volumes?: ComposeMount[];
  networks?: Record<string, unknown>;
  network_mode?: string;
  secrets?: ComposeFileUse[];
  configs?: ComposeFileUse[];
  deploy?: { labels?: Record<string, string>; [key: string]: unknown };
  [key: string]: unknown;
}

export interface ComposeThing {
  name?: string;
  external?: boolean | { name?: string };
  driver?: string;
  driver_opts?: Record<string, unknown>;
  labels?: Record<string, string>;
  file?: string;
  [key: string]: unknown;
}

export interface ComposeMount {
  type: string;
  source?: string;
  target: string;
  read_only?: boolean;
  [key: string]: unknown;
}

export interface ComposeFileUse {
  source: string;
  target?: string;
  [key: string]: unknown;
}

// The list of models as the endpoint gives it, kept as long as it is good for: until other keys are there, another
// endpoint serves, or it is old. It must not know the editor, nor which of the models can chat.

import * as l10n from "@vscode/l10n";
import type { Snapshot } from "../../../native/addon/types.gen";
import type { Endpoint } from "../api/publicApi";
import { ChatFailure } from "./failure";
import type { ApiModel } from "./gemini";
import { send } from "./stream";

/** New models appear now and then. */
const FRESH_MS = 3_600_000;
/** More than Google lists; a server that turns its pages for ever is left. */
const MOST_PAGES = 20;

type Kept = { readonly served: string; readonly at: number; readonly models: readonly ApiModel[] };
type Page = { models?: ApiModel[]; nextPageToken?: string };

export type Source = {
  readonly snapshot: () => Snapshot;
  readonly endpoint: () => Promise<Endpoint>;
  readonly now: () => number;
};

export class ModelList {
  #kept: Kept | undefined;
  #underWay: { readonly served: string; readonly models: Promise<readonly ApiModel[]> } | undefined;

  constructor(private readonly source: Source) {}

  /** Rejects with a sentence when there ought to be models, but the endpoint cannot say which. */
  async get(): Promise<readonly ApiModel[]> {
    const served = servedBy(this.source.snapshot());
    if (served === undefined) return [];
    if (this.#kept?.served === served && this.source.now() - this.#kept.at < FRESH_MS) return this.#kept.models;
    if (this.#underWay?.served !== served) this.#underWay = { served, models: this.#fetch(served) };
    return this.#underWay.models;
  }

  async #fetch(served: string): Promise<readonly ApiModel[]> {
    try {
      const models = await allPages(await this.source.endpoint());
      this.#kept = { served, at: this.source.now(), models };
      return models;
    } catch (error) {
      // Google's outage takes no model away that was there a moment ago.
      if (this.#kept?.served === served) return this.#kept.models;
      throw error;
    } finally {
      if (this.#underWay?.served === served) this.#underWay = undefined;
    }
  }
}

/** Who answers, as a text that changes when the models may have; undefined while nobody can. */
export function servedBy({ endpoint, keys }: Snapshot): string | undefined {
  if (endpoint.kind !== "listening") return undefined;
  const usable = keys.filter(({ status }) => status !== "disabled").map(({ id, masked_key }) => `${id} ${masked_key}`);
  return usable.length === 0 ? undefined : [endpoint.url, ...usable.sort()].join("\n");
}

async function allPages(endpoint: Endpoint): Promise<ApiModel[]> {
  const models: ApiModel[] = [];
  let token = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = token === "" ? "" : `&pageToken=${encodeURIComponent(token)}`;
    const response = await send(endpoint, `/v1beta/models?pageSize=1000${query}`, { method: "GET" });
    const { models: some = [], nextPageToken } = await pageIn(response);
    models.push(...some);
    if (!nextPageToken) break;
    token = nextPageToken;
  }
  return models;
}

async function pageIn(response: Response): Promise<Page> {
  try {
    return (await response.json()) as Page;
  } catch {
    throw new ChatFailure("other", l10n.t("The Gemini endpoint's list of models could not be read."));
  }
}

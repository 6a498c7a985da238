/** The program's API, typed from its OpenAPI document. Errors become one class with the position that the server names. */

import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Picture = Schemas["Picture"];
export type Found = Schemas["Found"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type Details = Schemas["Details"];
export type Status = Schemas["Status"];
export type Term = Schemas["Term"];
export type Session = Schemas["Session"];
export type History = Schemas["History"];
export type Decided = Schemas["Decided"];
export type Done = Schemas["Done"];

/** The server refused, or could not be reached. */
export class Refused extends Error {
  readonly code: string;
  /** Index into the query, from 0. */
  readonly position: number | null;

  constructor(message: string, code: string, position: number | null = null) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.position = position;
  }
}

const client = createClient<paths>({ baseUrl: "/" });

type Answered<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

async function unwrap<T>(call: Answered<T>): Promise<T> {
  let answer: Awaited<Answered<T>>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused("HavenFS does not answer. Is it still running?", "unreachable");
  }
  if (answer.data !== undefined) return answer.data;
  const detail = (answer.error as Partial<Schemas["ErrorBody"]> | undefined)?.error;
  throw new Refused(
    detail?.message ?? `The server answered ${answer.response.status}.`,
    detail?.code ?? "unknown",
    detail?.position ?? null,
  );
}

export const search = (q: string, signal: AbortSignal): Promise<SearchAnswer> =>
  unwrap(client.GET("/api/search", { params: { query: { q } }, signal }));

export const newest = (limit: number, signal: AbortSignal): Promise<Picture[]> =>
  unwrap(client.GET("/api/assets", { params: { query: { limit } }, signal })).then(
    (answer) => answer.pictures,
  );

/** One asset; with `sought`, also where those words stand on it. */
export const asset = (id: number, sought: string, signal: AbortSignal): Promise<Details> =>
  unwrap(
    client.GET("/api/assets/{id}", { params: { path: { id }, query: { q: sought } }, signal }),
  );

export const status = (signal: AbortSignal): Promise<Status> =>
  unwrap(client.GET("/api/status", { signal }));

export const terms = (signal: AbortSignal): Promise<Term[]> =>
  unwrap(client.GET("/api/help", { signal })).then((answer) => answer.terms);

/** What whoever uses this browser may do. */
export const session = (signal: AbortSignal): Promise<Session> =>
  unwrap(client.GET("/api/session", { signal }));

/** What was decided, newest first; with `before`, what came before that operation. */
export const history = (
  limit: number,
  before: string | null,
  signal: AbortSignal,
): Promise<History> =>
  unwrap(client.GET("/api/operations", { params: { query: { limit, before } }, signal }));

/** Take an operation back; with `rest`, as far as nothing later stands in the way. */
export const undo = (id: string, rest: boolean): Promise<Done> =>
  unwrap(client.POST("/api/operations/{id}/undo", { params: { path: { id } }, body: { rest } }));

const of = (id: number) => ({ path: { id } });

/** What people say of one asset. */
export const say = {
  favorite: (id: number, favorite: boolean): Promise<Done> =>
    unwrap(client.POST("/api/assets/{id}/favorite", { params: of(id), body: { favorite } })),
  rating: (id: number, stars: number | null): Promise<Done> =>
    unwrap(client.POST("/api/assets/{id}/rating", { params: of(id), body: { stars } })),
  caption: (id: number, caption: string | null): Promise<Done> =>
    unwrap(client.POST("/api/assets/{id}/caption", { params: of(id), body: { caption } })),
  tags: (id: number, tags: string[]): Promise<Done> =>
    unwrap(client.POST("/api/assets/{id}/tags", { params: of(id), body: { tags } })),
};

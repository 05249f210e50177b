import type { OptionReader } from '../options/option-reader.js';

/** How sessions work in GraphQL. */
export interface GraphqlOptions {
  /**
   * Returns the Express or Fastify request that brought an operation, for a context that does not hold it at one of the
   * usual places: `reply.request`, `req`, `request`.
   *
   * @param context what the option `context` of the GraphQLModule returned for the operation
   * @default looks at the usual places
   */
  request?(context: Readonly<Record<string, unknown>>): object | undefined;
}

/** The resolved `graphql` options. */
export type GraphqlSettings = Readonly<GraphqlOptions>;

/** Where {@link GraphqlSettings} are injected from. */
export const GRAPHQL_SETTINGS = Symbol('nestjs-session-auth GraphQL settings');

/** The slice `graphql` of the options. */
export function resolveGraphql(root: OptionReader): GraphqlSettings {
  const given = root.slice('graphql', ['request']);
  const request = given.get('request');
  if (request !== undefined && typeof request !== 'function') throw given.refuse('request', 'a function');
  return { request: request as GraphqlSettings['request'] };
}

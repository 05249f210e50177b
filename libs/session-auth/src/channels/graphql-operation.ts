import type { ArgumentsHost } from '@nestjs/common';

/** The part of graphql-js's `info` that is used here. */
interface OperationInfo {
  readonly operation?: { readonly operation?: unknown };
  readonly path?: { readonly prev?: unknown };
}

/**
 * Returns the context and the `info` of a resolver. Resolvers of references and types have fewer arguments than those
 * of fields.
 */
export function operationOf(host: ArgumentsHost): {
  readonly context: unknown;
  readonly info: OperationInfo | undefined;
} {
  const args = host.getArgs<unknown[]>();
  // searched from the end, because an argument of a field may look like `info`
  const place = args.findLastIndex(isInfo);
  return { context: args[place < 0 ? 2 : place - 1], info: args[place] as OperationInfo | undefined };
}

/** Whether an operation is a mutation, or of an unknown type. The HTTP verb does not matter. */
export function isMutation(host: ArgumentsHost): boolean {
  const kind = operationOf(host).info?.operation?.operation;
  return kind !== 'query' && kind !== 'subscription';
}

/** Whether a handler is for a field of the operation itself: a query, a mutation or a subscription. */
export function isRootField(host: ArgumentsHost): boolean {
  const path = operationOf(host).info?.path;
  return path !== undefined && path.prev === undefined;
}

function isInfo(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'schema' in value && 'operation' in value && 'fragments' in value
  );
}

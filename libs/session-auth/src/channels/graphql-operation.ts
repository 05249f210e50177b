import type { ArgumentsHost } from '@nestjs/common';

/** What graphql-js tells a resolver of its operation, as far as it matters here. */
interface OperationInfo {
  readonly operation?: { readonly operation?: unknown };
  readonly path?: { readonly prev?: unknown };
}

/**
 * The context and the `info` of a resolver. Those of references and of types have fewer arguments than those of fields.
 */
export function operationOf(host: ArgumentsHost): {
  readonly context: unknown;
  readonly info: OperationInfo | undefined;
} {
  const args = host.getArgs<unknown[]>();
  // from the end, since an argument of a field may look like it
  const place = args.findLastIndex(isInfo);
  return { context: args[place < 0 ? 2 : place - 1], info: args[place] as OperationInfo | undefined };
}

/**
 * Whether an operation is a mutation, or of no kind that is known. The HTTP verb that carries it says nothing of that.
 */
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

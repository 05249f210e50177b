import { applyDecorators, Get, Header } from '@nestjs/common';
import { createHash } from 'node:crypto';

const YEAR = 31_536_000;

/** The address of what pages load. It changes with the content, so that browsers may keep that. */
export function assetPath(name: string, ending: string, content: string): string {
  return `/assets/${name}-${createHash('sha256').update(content).digest('hex').slice(0, 12)}.${ending}`;
}

/** Serves what pages load. @param caching what browsers may do with it. @default keep it, for an {@link assetPath} */
export function Asset(path: string, type: string, caching = `public, max-age=${YEAR}, immutable`): MethodDecorator {
  return applyDecorators(
    Get(path),
    Header('Content-Type', type),
    Header('X-Content-Type-Options', 'nosniff'),
    Header('Cache-Control', caching),
  );
}

import type { ValueTransformer } from 'typeorm';
import { decodeText, encodeText } from '../postgres/postgres-text.js';

/** Times and counts as numbers: the driver returns `bigint` as text. */
export const NUMBER: ValueTransformer = {
  from: (stored: string | null) => (stored === null ? null : Number(stored)),
  to: (time: unknown) => time,
};

/** Text that the stores have encoded. */
export const TEXT: ValueTransformer = {
  from: (stored: string | null) => (stored === null ? null : decodeText(stored)),
  to: (text: unknown) => (typeof text === 'string' ? encodeText(text) : text),
};

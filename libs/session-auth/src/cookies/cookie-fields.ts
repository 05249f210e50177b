/** How one field of a sealed cookie's content is written: always in the same number of bytes. */
export interface CookieField<T> {
  readonly bytes: number;
  write(out: Buffer, at: number, value: T): void;
  read(from: Buffer, at: number): T;
}

/** The fields of a content by name, in the order in which they are written. */
export type CookieFields<Content> = { readonly [Name in keyof Content]: CookieField<NonNullable<Content[Name]>> };

const TIME_BYTES = 6;

/** A time in milliseconds since the epoch. */
export const TIME: CookieField<number> = {
  bytes: TIME_BYTES,
  write: (out, at, time) => void out.writeUIntBE(time, at, TIME_BYTES),
  read: (from, at) => from.readUIntBE(at, TIME_BYTES),
};

/** A number from 0 to 255. */
export const BYTE: CookieField<number> = {
  bytes: 1,
  write: (out, at, value) => void out.writeUInt8(value, at),
  read: (from, at) => from.readUInt8(at),
};

/** ASCII text of this many characters. */
export function textField(length: number): CookieField<string> {
  return {
    bytes: length,
    write: (out, at, text) => void out.write(text, at, length, 'latin1'),
    read: (from, at) => from.toString('latin1', at, at + length),
  };
}

/** This many random bits, which the application knows in base64url. */
export function randomField(bytes: number): CookieField<string> {
  return {
    bytes,
    write: (out, at, text) => void out.write(text, at, bytes, 'base64url'),
    read: (from, at) => from.toString('base64url', at, at + bytes),
  };
}

/** Bytes as they are. */
export function bytesField(bytes: number): CookieField<Uint8Array> {
  return {
    bytes,
    write: (out, at, value) => out.set(value, at),
    read: (from, at) => from.subarray(at, at + bytes),
  };
}

/** Several values of the same field; a list that is shorter is filled up with zero bytes, which are left out again. */
export function listField<T>(item: CookieField<T>, most: number): CookieField<readonly T[]> {
  return {
    bytes: item.bytes * most,
    write: (out, at, items) => {
      for (const [index, each] of items.entries()) item.write(out, at + index * item.bytes, each);
    },
    read: (from, at) => {
      const items: T[] = [];
      for (let index = 0; index < most; index += 1) {
        const start = at + index * item.bytes;
        if (from.subarray(start, start + item.bytes).some((byte) => byte !== 0)) items.push(item.read(from, start));
      }
      return items;
    },
  };
}

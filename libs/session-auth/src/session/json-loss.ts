import { types } from 'node:util';

/**
 * Describes what JSON would lose of a value, for the replacer of `JSON.stringify`. Returns undefined when nothing is
 * lost.
 *
 * An `undefined` property of an object is no loss: it reads like a missing one. An object with `toJSON` decides what it
 * is in JSON, so the result is checked instead. A `Date` has `toJSON` too, but comes back as text, and code that
 * expects a `Date` breaks one request later.
 *
 * @param holder the object or list that contains the value
 * @param given the value that the application gave
 * @param carried the result of `toJSON`, if the value has it
 */
export function jsonLossOf(holder: unknown, given: unknown, carried: unknown): string | undefined {
  // an invalid date is lost as well: its `toJSON` returns null
  if (types.isDate(given)) return 'a Date, which would come back as text: keep date.getTime() or date.toISOString()';
  // JSON throws on a bigint, unless somebody added toJSON to all of them
  if (typeof given === 'bigint') return 'a bigint, which JSON cannot carry: keep its text';
  switch (typeof carried) {
    case 'undefined':
      // a toJSON that returns undefined loses the value; an absent property loses nothing
      return given === undefined && !Array.isArray(holder) ? undefined : 'undefined, which JSON cannot carry';
    case 'number':
      return Number.isFinite(carried) ? undefined : `${carried}, which JSON cannot carry`;
    case 'function':
    case 'symbol':
    case 'bigint':
      return `a ${typeof carried}, which JSON cannot carry`;
    case 'object':
      return carried === null ? undefined : lossOfObject(carried);
    default:
      return undefined;
  }
}

function lossOfObject(value: object): string | undefined {
  const keys = Object.keys(value);
  if (Array.isArray(value)) {
    const others = keys.length > value.length || Object.getOwnPropertySymbols(value).length > 0;
    return others ? 'an array with named properties, which JSON cannot carry' : undefined;
  }
  // a Map, a Set, an Error, a RegExp, a boxed value, a typed array …: their content is not in properties
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== 'Object') return `a ${tag}, whose content JSON cannot carry`;
  if (Reflect.ownKeys(value).length > keys.length) return 'an object with hidden properties, which JSON cannot carry';
  return isInstanceWithState(value, keys) ? 'an instance of a class, whose content JSON cannot carry' : undefined;
}

/**
 * Whether an instance of a class has content besides its properties: private fields, which only its methods reach. They
 * cannot be seen from outside. So an instance without properties, or with a getter, counts as one that has them.
 */
function isInstanceWithState(value: object, keys: readonly string[]): boolean {
  let prototype = Reflect.getPrototypeOf(value);
  // a plain object, even of another JavaScript realm
  if (prototype === null || Reflect.getPrototypeOf(prototype) === null) return false;
  if (keys.length === 0) return true;
  for (let next; prototype !== null && (next = Reflect.getPrototypeOf(prototype)) !== null; prototype = next) {
    const properties = Object.values(Object.getOwnPropertyDescriptors(prototype));
    if (properties.some((property) => property.get !== undefined)) return true;
  }
  return false;
}

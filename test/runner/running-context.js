/**
 * What jest-circus gets as its `AsyncLocalStorage`: it remembers the test or hook that runs now, to which an error
 * belongs that nobody has caught. Node's own would call hooks for each promise of the process, in Node.js 20, and those
 * of each file for ever: a quarter of the time of all tests. The tests of a file run one after the other, so one
 * variable is enough. An error that comes when its test is over belongs to the test that runs then.
 */
export class RunningContext {
  #stores = [];

  getStore() {
    return this.#stores.at(-1);
  }

  run(store, callback) {
    this.#stores.push(store);
    const leave = () => void this.#stores.splice(this.#stores.lastIndexOf(store), 1);
    let result;
    try {
      result = callback();
    } finally {
      if (!(result instanceof Promise)) leave();
    }
    return result instanceof Promise ? result.finally(leave) : result;
  }
}

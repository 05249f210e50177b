/** Checks the codes of an authenticator app (RFC 6238), a mail or a text message; yours. */
export abstract class OneTimeCodes {
  /** Whether it is the user's code of now. Takes each code once, and no more than a few wrong ones an hour. */
  abstract accept(userId: string, code: string): Promise<boolean>;
}

/** Whether Redis said that the user lacks the right. */
export function isWithoutRights(error: unknown): error is Error {
  return error instanceof Error && /NOPERM|ACL failure|can't run this command|no permissions/i.test(error.message);
}

/** The realm of the bank's staff. */
export const OFFICE = 'office';

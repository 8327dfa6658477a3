/**
 * Keeps a request's background work alive after its response. Does nothing here, since most
 * platforms do so anyway. For workerd the build replaces this file by wait-until-workerd.ts.
 */
export function waitUntil(_work: Promise<unknown>): void {}

// The part of workerd's own modules that this package uses.

declare module "cloudflare:workers" {
  export const waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/**
 * Lets work go on when the request has been answered that began it. Most platforms do so anyway; on workerd, the build puts
 * js/platform/outlive-workerd.ts in the place of this.
 */
export function outlive(_work: Promise<unknown>): void {}

export function childrenOf(pid: number | undefined): number[];
export function descendantsOf(pid: number | undefined): number[];
export function residentBytes(pid: number | undefined): number;
export function runs(pid: number): boolean;
export function environmentOf(pid: number | undefined): Record<string, string>;

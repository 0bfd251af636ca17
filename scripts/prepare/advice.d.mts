export function adviceOn(output: string, path?: string): string;

export const MENU: Readonly<Record<string, string>>;
